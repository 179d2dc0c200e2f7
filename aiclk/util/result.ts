/** The outcome of something that may fail for a reason the user should read: a value or a failure, never a throw. */
export type Result<T, F> = { ok: true; value: T } | { ok: false; failure: F };

/** Wraps a value. */
export const ok = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });

/** Wraps a failure. */
export const fail = <F>(failure: F): { ok: false; failure: F } => ({ ok: false, failure });
