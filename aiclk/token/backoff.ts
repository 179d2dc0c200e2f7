import type { TokenFailure } from './errors';

/** Pauses after failed refreshes, doubling: short when requests have no token, long while the old one serves. */
const PAUSE_MS = {
	needed: { first: 10_000, most: 300_000 },
	early: { first: 60_000, most: 900_000 },
};

/** After a lost race the winner's token is in the store by the time n8n tries again; this is for when it never comes. */
const PAUSE_AFTER_LOST_RACE_MS = 5_000;

/** Refreshes that failed in a row, all of them ahead of time or all of them needed. */
export interface FailedRefreshes {
	early: boolean;
	count: number;
	/** ms since 1970 */
	lastAtMs: number;
	failure: TokenFailure;
}

/** Adds a failed refresh to those before it. */
export const withFailure = (
	last: FailedRefreshes | null,
	early: boolean,
	failure: TokenFailure,
	nowMs: number,
): FailedRefreshes => ({
	early,
	count: last?.early === early ? last.count + 1 : 1,
	lastAtMs: nowMs,
	failure,
});

/** How long to leave the token endpoint alone, in ms. */
function pauseMs(failed: FailedRefreshes, early: boolean): number {
	if (failed.failure.kind === 'superseded') return PAUSE_AFTER_LOST_RACE_MS;
	const { first, most } = early ? PAUSE_MS.early : PAUSE_MS.needed;
	// Days of failures ahead of time must not hold back the first refresh that a request cannot do without.
	const inARow = failed.early === early ? failed.count : 1;
	return Math.min(most, first * 2 ** Math.min(inARow - 1, 20));
}

/**
 * Whether it is too early to try again: 50 waiting items make one call, not 50.
 *
 * @param early whether the refresh that is wanted is one ahead of time
 * @returns the last failure while the pause after it lasts, or else null
 */
export const restingAfter = (
	failed: FailedRefreshes | null,
	early: boolean,
	nowMs: number,
): TokenFailure | null =>
	failed !== null && Math.abs(nowMs - failed.lastAtMs) < pauseMs(failed, early)
		? failed.failure
		: null;
