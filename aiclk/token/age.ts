import type { Token, TokenState } from './storedToken';

/**
 * Clock skew: a token counts as expired this long before its expiry, because clocks differ and requests take time. It is 1 % of
 * the life if that is less, so that a new token is never expired.
 */
const CLOCK_SKEW_MS = 60_000;
const CLOCK_SKEW_SHARE = 0.01;

/** A token issued further in the future than this was stamped by a wrong clock, so its expiry cannot be trusted. */
const MAX_FUTURE_MS = 5 * 60_000;

/**
 * When renewal begins and how it is spread, in shares of a token's life. With 90 days: day 75, one day, 5 minutes.
 * docs/performance.md says why, and what a simulated fleet did with others.
 */
export const TIMING = {
	/** Renewal begins after this share. */
	renewalShare: 5 / 6,
	/** Mean of the exponentially distributed jitter, which keeps processes from renewing at the same time. */
	jitterMeanShare: 1 / 90,
	/** A process applies the jitter at most once in this share. */
	jitterIntervalShare: 1 / 25_920,
};

/** How long a token lives in all. */
export const lifeMs = (state: TokenState): number => state.expiresAtMs - state.issuedAtMs;

/** When the token counts as expired. */
export const expiredAtMs = (state: TokenState): number =>
	state.expiresAtMs - Math.min(CLOCK_SKEW_MS, lifeMs(state) * CLOCK_SKEW_SHARE);

/** When renewal begins. */
export const renewsAtMs = (state: TokenState): number =>
	Math.round(state.issuedAtMs + lifeMs(state) * TIMING.renewalShare);

/** How old a token is, by the clock alone. One issued in the future counts as expired, because its times cannot be trusted. */
export function ageOf(state: TokenState, nowMs: number): 'valid' | 'renewal-due' | 'expired' {
	const isFromFuture = state.issuedAtMs - nowMs > MAX_FUTURE_MS;
	if (isFromFuture || nowMs >= expiredAtMs(state)) return 'expired';
	return nowMs >= renewsAtMs(state) ? 'renewal-due' : 'valid';
}

/** Whether a token has not expired. */
export const isAlive = ({ state }: Token, nowMs: number): boolean =>
	ageOf(state, nowMs) !== 'expired';
