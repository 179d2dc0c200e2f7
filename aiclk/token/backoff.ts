import type { Failure } from '../util/failure';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** The wait after the first failure; it doubles with each further one, up to the second number. An outage passes. */
const OUTAGE = [10_000, 5 * MINUTE_MS] as const;

/** An outage while the old token still works: there is no hurry. */
const OUTAGE_WHILE_VALID = [MINUTE_MS, 15 * MINUTE_MS] as const;

/** A refresh token that was refused will be refused again. This makes 11 attempts on the first day and 6 on each later one. */
const REFUSAL = [5 * MINUTE_MS, 4 * HOUR_MS] as const;

/** Refreshes that failed in a row: either all renewals, or all needed. */
export interface FailedRefreshes {
	/** Whether each was a renewal, so a valid token is still in use. */
	isRenewal: boolean;
	count: number;
	/** When the first and the last of them failed. */
	firstAtMs: number;
	lastAtMs: number;
	/** Of the last one. */
	failure: Failure;
}

/**
 * Adds a failed refresh to those before it. A needed refresh starts a new row after renewals: days of failed renewals must not
 * delay the first refresh that requests depend on.
 */
export const addFailure = (
	last: FailedRefreshes | null,
	isRenewal: boolean,
	failure: Failure,
	nowMs: number,
): FailedRefreshes => ({
	isRenewal,
	count: last?.isRenewal === isRenewal ? last.count + 1 : 1,
	firstAtMs: last?.isRenewal === isRenewal ? last.firstAtMs : nowMs,
	lastAtMs: nowMs,
	failure,
});

/** How long to send no refresh after these failures. */
function backoffMs({ isRenewal, count, failure: { kind } }: FailedRefreshes): number {
	const isFinal = kind === 'refused' || kind === 'unusable';
	const [firstMs, maxMs] = isFinal ? REFUSAL : isRenewal ? OUTAGE_WHILE_VALID : OUTAGE;
	return Math.min(maxMs, firstMs * 2 ** Math.min(count - 1, 20));
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Tells a request that comes too early why the last refresh failed, since when, and when the next one is sent. */
export function backingOff(failed: FailedRefreshes): Failure {
	const { failure, count, firstAtMs, lastAtMs } = failed;
	const next = `No refresh is sent before ${iso(lastAtMs + backoffMs(failed))}.`;
	const since = `No refresh has succeeded since ${iso(firstAtMs)} (${count} failed). To try at once, change the credential or run AiClk Token with Refresh.`;
	return {
		...failure,
		message: `${failure.message} ${next}`,
		description: `${failure.description} ${since}`,
	};
}

/**
 * Whether it is too early for another refresh. This way 50 waiting items send one refresh, not 50.
 *
 * @param isRenewal whether the refresh that is due is a renewal; failed renewals do not delay a needed one
 */
export const isBackingOff = (
	failed: FailedRefreshes | null,
	isRenewal: boolean,
	nowMs: number,
): failed is FailedRefreshes =>
	failed !== null &&
	(isRenewal || !failed.isRenewal) &&
	Math.abs(nowMs - failed.lastAtMs) < backoffMs(failed);
