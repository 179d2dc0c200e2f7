/**
 * What is known of a request that did not succeed. `not-sent`: it did not leave, or not as a whole. `refused`: AiClk, or
 * something before it, said no and carried nothing out. `unknown`: it may have been carried out.
 */
export type Outcome = 'not-sent' | 'refused' | 'unknown';

/** Why something did not succeed, in words for the person at the screen. Holds no secret and no raw body. */
export interface Failure {
	/** Nodes and operators react to each kind in a different way. */
	kind:
		/** The user's input, or the credential, must be corrected. */
		| 'input'
		/** The day's refreshes are used up. */
		| 'quota'
		/** AiClk refused the call; with outcome `not-sent` the refresh before it. */
		| 'refused'
		/** AiClk does not accept the access token. */
		| 'rejected'
		/** AiClk takes no more requests at the moment. */
		| 'busy'
		/** An outage, or no answer. */
		| 'unavailable'
		/** An answer that cannot be used. */
		| 'unusable'
		/** A peer (another n8n process) refreshed at the same time, and its token is the valid one. */
		| 'superseded'
		/** The run was stopped, or something unforeseen happened. */
		| 'aborted';
	/** Of the call; `not-sent` where there was no valid token for it. */
	outcome: Outcome;
	/** What happened, with AiClk's own words. */
	message: string;
	/** What to do next. */
	description: string;
	/** AiClk's code; null when it named none. */
	code: number | null;
	/** HTTP status as text; null when no answer came. */
	httpCode: string | null;
	/** AiClk's name for the request; null when it named none. */
	traceId: string | null;
	/** Whether the request only reads: then nothing can have been carried out, whatever `outcome` says. */
	isRead: boolean;
	/** The account that it is about, digits; null when none is known. */
	accountId: string | null;
	/** What a change was about: target, amount, kind and comment of a transfer, or the advertiser of an update. */
	details: Readonly<Record<string, string | number>> | null;
	/** `busy` only: how long AiClk says to wait; null where it does not say. */
	retryAfterMs: number | null;
	/** `quota` only: when the day ends. */
	resetsAtMs: number | null;
}

/** A failure; what is left out is not known, and nothing was sent unless `outcome` says otherwise. */
export const newFailure = (
	said: Pick<Failure, 'kind' | 'message' | 'description'> & Partial<Failure>,
): Failure => ({
	outcome: 'not-sent',
	code: null,
	httpCode: null,
	traceId: null,
	isRead: false,
	accountId: null,
	details: null,
	retryAfterMs: null,
	resetsAtMs: null,
	...said,
});

/** Carries a failure to where n8n's error is made of it. What the credential throws, n8n shows by `message` and `description`. */
export class FailureError extends Error {
	override readonly name = 'FailureError';

	readonly description: string;

	constructor(readonly failure: Failure) {
		super(failure.message);
		this.description = failure.description;
	}
}

/** The outcome of something that may fail for a reason the user should read: a value (`ok`) or a failure (`fail`), never a throw. */
export type Result<T, F> = { ok: true; value: T } | { ok: false; failure: F };

export const ok = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });

export const fail = <F>(failure: F): { ok: false; failure: F } => ({ ok: false, failure });
