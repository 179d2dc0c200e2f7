import { EARLY_REFRESHES_PER_DAY, REFRESHES_PER_DAY } from './quota';
import type { Token, TokenState } from './storedToken';

/**
 * A token counts as dead this long before its expiry (clocks differ, requests take time),
 * or 1 % of its life if that is shorter: never so much that a fresh token would be dead.
 */
const SKEW_MS = 60_000;
const SKEW_SHARE = 0.01;

/** When renewal ahead of time begins and how it is spread, in shares of a token's life. */
export interface Timing {
	/** Renewal ahead of time begins after this share. */
	renewalShare: number;
	/** Mean of the exponential draw: spreads processes that decide alone. */
	drawMeanShare: number;
	/** At most one draw a process in this share. */
	drawIntervalShare: number;
}

/** Of 90 days: day 75, one day, 5 minutes. Why these: docs/performance.md, where a simulated fleet tries others. */
export const TIMING: Timing = {
	renewalShare: 5 / 6,
	drawMeanShare: 1 / 90,
	drawIntervalShare: 1 / 25_920,
};

/** A token minted by this process so long ago may still stand in for a row that was read before it was stored. */
export const ADOPTION_MS = 5 * 60_000;

/**
 * Rejected so soon after it was issued, a token was killed by another process that refreshed at the same moment:
 * with answers in time, settling, asking and storing are over by then.
 */
const COLLISION_MS = 10_000;

/**
 * From this share of a token's life on (day 54 of 90) a rejection most likely means that another process has renewed
 * it: a rotation does that on day 60, draws do from day 62 on.
 */
const REPLACED_SHARE = 3 / 5;

/** How long to look out for the token of another process that replaced one: as a rule it is stored by then. */
export const RIVAL_MS = 3_000;

/**
 * A refusal comes this fast. What failed later may have been carried out, and only then was its token replaced by somebody.
 */
const PROMPT_MS = 10_000;

/** Why the hook is asked. */
export type Cause =
	/** n8n is about to send a request. */
	| 'before-request'
	/** A request made with these very credentials has failed, for whatever reason. */
	| 'after-failure'
	/** A person or a schedule asked for a new token. */
	| 'forced';

/** A token is due, dead or fine, by the clock alone. */
export type Age = 'fresh' | 'renewal-due' | 'expired';

export type Decision =
	/** Nothing to do: the stored token is used as it is. */
	| {
			action: 'keep';
			reason:
				| 'fresh'
				| 'not-drawn'
				| 'early-budget-spent'
				| 'may-have-been-carried-out'
				| 'expired-meanwhile'
				| 'credentials-changed-meanwhile';
	  }
	/** A newer token is known in this process: use and store that one. */
	| { action: 'adopt'; reason: 'newer-known' }
	/** Ask AiClk whether it is the token that it refuses. */
	| { action: 'check'; reason: 'after-failure' }
	/** Another process has most likely replaced this token and is about to store its own: refreshing would kill that one. */
	| { action: 'leave'; reason: 'replaced-elsewhere' }
	/**
	 * Get a new token. `early`: the old one still works, so a failure costs nothing.
	 * `settle`: another process may be doing the same, so see who wins before storing.
	 */
	| {
			action: 'refresh';
			reason:
				'forced' | 'no-token' | 'credentials-changed' | 'expired' | 'rejected' | 'renewal-window';
			early: boolean;
			settle: boolean;
	  }
	/** A new token is needed but the day's refreshes are used up. */
	| { action: 'refuse'; reason: 'budget-spent' };

/** Everything the decision depends on. Times in ms since 1970, spans in ms. */
export interface PolicyInput {
	cause: Cause;
	nowMs: number;
	/** A number from [0, 1): the draw. */
	random: number;
	/** Of the input as it is now. */
	fingerprint: string;
	/** What the credential holds, for whatever input. */
	stored: Token | null;
	/** The newest token that this process has seen or minted for this input. */
	newest: Token | null;
	/** When AiClk rejected the stored token, if that was a short while ago. */
	storedRejectedAtMs: number | null;
	/** When this process had looked out in vain for the token of another one that may have replaced the stored one. */
	rivalAwaitedAtMs: number | null;
	/** When this process last drew for this input. */
	lastDrawAtMs: number | null;
	/** Refreshes attempted today for this client. */
	refreshesToday: number;
	/**
	 * `after-failure` only: when the failed request went out and when n8n told of it, and whether sending it again is
	 * harmless (GET, HEAD, OPTIONS).
	 */
	sent: { atMs: number; failedAtMs: number; repeatable: boolean } | null;
}

const lifeMs = (state: TokenState): number => state.expiresAtMs - state.issuedAtMs;

/** When the token counts as dead, ms since 1970. */
export const deadAtMs = (state: TokenState): number =>
	state.expiresAtMs - Math.min(SKEW_MS, lifeMs(state) * SKEW_SHARE);

/** When renewal ahead of time begins, ms since 1970. */
export const renewsAtMs = (state: TokenState, { renewalShare } = TIMING): number =>
	Math.round(state.issuedAtMs + lifeMs(state) * renewalShare);

/** Judges a token by the clock. */
export function age(state: TokenState, nowMs: number): Age {
	if (nowMs >= deadAtMs(state)) return 'expired';
	return nowMs >= renewsAtMs(state) ? 'renewal-due' : 'fresh';
}

/** Whether this process may draw now: at most once in its interval. */
const mayDraw = (
	{ lastDrawAtMs, nowMs }: PolicyInput,
	state: TokenState,
	{ drawIntervalShare }: Timing,
): boolean =>
	lastDrawAtMs === null || Math.abs(nowMs - lastDrawAtMs) >= lifeMs(state) * drawIntervalShare;

/**
 * Probabilistic early expiration: the clock is put forward by an exponentially distributed span, so that
 * processes that cannot talk to each other rarely begin a renewal at the same time.
 */
const isDrawn = ({ nowMs, random }: PolicyInput, state: TokenState, timing: Timing): boolean =>
	nowMs - lifeMs(state) * timing.drawMeanShare * Math.log(1 - random) >= renewsAtMs(state, timing);

/** Whether a token was issued after another one of the same input. Two processes may have given both the same number. */
export const isNewer = (token: Token | null, other: Token | null): token is Token =>
	token !== null &&
	(other === null ||
		token.state.generation > other.state.generation ||
		(token.state.generation === other.state.generation &&
			token.state.issuedAtMs > other.state.issuedAtMs));

/** Whether a token is alive by the clock. */
export const isAlive = (token: Token | null, nowMs: number): token is Token =>
	token !== null && age(token.state, nowMs) !== 'expired';

type Refresh = Extract<Decision, { action: 'refresh' }>;

const keep = (reason: Extract<Decision, { action: 'keep' }>['reason']): Decision => ({
	action: 'keep',
	reason,
});
const ADOPT: Decision = { action: 'adopt', reason: 'newer-known' };

/** A refresh that cannot wait, if the day's budget allows it. */
const refresh = (reason: Refresh['reason'], settle: boolean, refreshesToday: number): Decision =>
	refreshesToday < REFRESHES_PER_DAY
		? { action: 'refresh', reason, early: false, settle }
		: { action: 'refuse', reason: 'budget-spent' };

/**
 * Whether another process that replaced the stored token would have stored its own before these credentials were read:
 * they are read when n8n is about to send a request.
 */
export const hadRivalTime = ({ cause, sent, rivalAwaitedAtMs }: PolicyInput): boolean =>
	rivalAwaitedAtMs !== null &&
	(cause === 'before-request' || (sent !== null && sent.atMs >= rivalAwaitedAtMs));

/**
 * AiClk has rejected the stored token, which is alive by the clock. Where a refresh kills older tokens, a process that renews
 * makes all others fail for a moment; did they refresh, too, each would kill the token of the one before.
 */
function replaceRejected(situation: PolicyInput, { state }: Token): Decision {
	const { nowMs, refreshesToday } = situation;
	const isLikelyReplaced =
		Math.abs(nowMs - state.issuedAtMs) < COLLISION_MS ||
		nowMs >= state.issuedAtMs + lifeMs(state) * REPLACED_SHARE;
	return isLikelyReplaced && !hadRivalTime(situation)
		? { action: 'leave', reason: 'replaced-elsewhere' }
		: refresh('rejected', true, refreshesToday);
}

/** No token of this input is stored: another request of this process may just have minted one. */
function decideWithoutToken(situation: PolicyInput): Decision {
	const { newest, nowMs, stored, refreshesToday } = situation;
	const isRecent = isAlive(newest, nowMs) && nowMs - newest.state.issuedAtMs < ADOPTION_MS;
	if (isRecent) return ADOPT;
	return refresh(stored === null ? 'no-token' : 'credentials-changed', false, refreshesToday);
}

/**
 * After a failed request. n8n would send the request again if it were handed a token, so anything but the
 * certainty that AiClk refused the token, and thus did nothing, ends in `keep`.
 */
function decideAfterFailure(situation: PolicyInput, stored: Token, newer: Token | null): Decision {
	const { nowMs, sent, storedRejectedAtMs } = situation;
	// It lived when the request went out and is dead now: its rejection would prove nothing.
	if (!isAlive(stored, nowMs)) return keep('expired-meanwhile');
	// The same if the refresh that replaced it happened while the request was on its way, and may be what killed it.
	const wasReplacedMeanwhile =
		newer !== null &&
		(sent === null || sent.atMs <= newer.state.issuedAtMs) &&
		(storedRejectedAtMs === null || storedRejectedAtMs > newer.state.issuedAtMs);
	const isPrompt = sent !== null && sent.failedAtMs - sent.atMs < PROMPT_MS;
	if ((wasReplacedMeanwhile || !isPrompt) && !sent?.repeatable) {
		return keep('may-have-been-carried-out');
	}
	if (storedRejectedAtMs === null) return { action: 'check', reason: 'after-failure' };
	return isAlive(newer, nowMs) ? ADOPT : replaceRejected(situation, stored);
}

function decideBeforeRequest(
	situation: PolicyInput,
	stored: Token,
	newer: Token | null,
	timing: Timing,
): Decision {
	const { nowMs, storedRejectedAtMs, refreshesToday } = situation;
	if (isAlive(newer, nowMs)) return ADOPT;
	if (!isAlive(stored, nowMs)) return refresh('expired', true, refreshesToday);
	if (storedRejectedAtMs !== null) return replaceRejected(situation, stored);
	if (!mayDraw(situation, stored.state, timing)) return keep('fresh');
	if (!isDrawn(situation, stored.state, timing)) return keep('not-drawn');
	if (refreshesToday >= EARLY_REFRESHES_PER_DAY) return keep('early-budget-spent');
	return { action: 'refresh', reason: 'renewal-window', early: true, settle: true };
}

/**
 * The policy of the token, as a pure function: which of six things to do now, and why.
 * Rules and figures: docs/how-it-works.md.
 */
export function decide(situation: PolicyInput, timing = TIMING): Decision {
	const { cause, stored, newest, fingerprint, refreshesToday } = situation;
	if (cause === 'forced') return refresh('forced', false, refreshesToday);
	if (stored === null || stored.state.fingerprint !== fingerprint) {
		return cause === 'after-failure'
			? keep('credentials-changed-meanwhile')
			: decideWithoutToken(situation);
	}
	if (cause === 'after-failure') {
		return decideAfterFailure(situation, stored, isNewer(newest, stored) ? newest : null);
	}
	// Of two with the same number the store's counts, unless it has failed: clocks that differ may call the wrong one newer.
	const isLater = newest !== null && newest.state.generation > stored.state.generation;
	return decideBeforeRequest(situation, stored, isLater ? newest : null, timing);
}
