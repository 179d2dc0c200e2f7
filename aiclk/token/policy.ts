import { TOKEN_TIMEOUT_MS } from '../protocol/accountInfo';
import type { ProbeResult } from '../protocol/envelope';
import { backingOff, type FailedRefreshes, isBackingOff } from './backoff';
import { quotaReserved, quotaSpent, SUPERSEDED, type TokenFailure } from './errors';
import type { ProbeAnswer } from './probeCache';
import { REFRESHES_PER_DAY, RESERVED_REFRESHES } from './quota';
import type { ProbeTrust, RefreshReason, Token, TokenState } from './storedToken';

/**
 * Clock skew: a token counts as expired this long before its expiry, because clocks differ and requests take time. It is 1 % of
 * the life if that is less, so that a new token is never expired.
 */
const CLOCK_SKEW_MS = 60_000;
const CLOCK_SKEW_SHARE = 0.01;

/** A token issued this far in the future was stamped by a wrong clock, so its expiry cannot be believed. */
const MAX_FUTURE_MS = 5 * 60_000;

/** When renewal begins and how it is spread, in shares of a token's life. */
export interface Timing {
	/** Renewal begins after this share. */
	renewalShare: number;
	/** Mean of the jitter, which is exponentially distributed: spreads processes that decide alone. */
	jitterMeanShare: number;
	/** The jitter is applied at most once a process in this share. */
	jitterIntervalShare: number;
}

/** Of 90 days: day 75, one day, 5 minutes. Why these: docs/performance.md, where a simulated fleet tries others. */
export const TIMING: Timing = {
	renewalShare: 5 / 6,
	jitterMeanShare: 1 / 90,
	jitterIntervalShare: 1 / 25_920,
};

/**
 * A token that is rejected so soon after it was issued was invalidated by a peer that refreshed at the same time: by then, both
 * have refreshed, probed and stored.
 */
const COLLISION_MS = 10_000;

/**
 * From this share of a token's life on (day 54 of 90) a rejection most likely means that a peer has renewed it: a rotation does
 * that on day 60, renewals do from day 62 on.
 */
const LIKELY_RENEWED_SHARE = 3 / 5;

/** A process that first saw a token less than this before it used it may be one that runs a single workflow and ends. */
const NEWLY_SEEN_MS = 10_000;

/** No watch lasts longer than this, however busy the process is. */
const MAX_WATCH_MS = 60_000;

/** A rejection comes this fast. A request that failed later may have been carried out before its token was invalidated. */
const PROMPT_MS = 10_000;

/** A new token that a peer may have invalidated is probed after this time: a peer that began with us has refreshed by then. */
export const COLLISION_PROBE_MS = 1_500;

/** AiClk's servers may need this long to learn of a new token. A rejection before that is asked for again. */
export const SPREAD_MS = 3_000;

/** So many new tokens rejected in a row, over the same stored token, were not invalidated by peers: one would have stored its own. */
const MAX_COLLISIONS = 3;

/** Why n8n asks the hook. */
export type Cause =
	/** It is about to send a request. */
	| 'before-request'
	/** A request that was sent with these very credentials has failed, for whatever reason. */
	| 'after-failure'
	/** A person or a schedule asked for a new token. */
	| 'forced';

/** A request that was sent, as far as a second sending is concerned. */
export interface SentRequest {
	/** ms since 1970 */
	sentAtMs: number;
	/** GET, HEAD or OPTIONS (RFC 9110, "Safe Methods"): sending it again does no harm. */
	isSafe: boolean;
	/** Its body is a stream or a form, which the first sending uses up. */
	isSingleUse: boolean;
}

/** How a refresh ended. */
export type RefreshOutcome = {
	/** Whether it was a renewal, so that the old token is still there. */
	early: boolean;
	/** Whether AiClk has accepted a probe of the token. */
	isAccepted: boolean;
} &
	/** With a failure, the token holds no usable access token, but a refresh token that exists once. */
	({ token: Token; failure: TokenFailure | null } | { token: null; failure: TokenFailure });

/** All that the decision depends on. Times in ms since 1970. */
export interface PolicyInput {
	cause: Cause;
	/** When n8n asked. */
	askedAtMs: number;
	/** When n8n first asked about these very credentials: it had just read them from its database. */
	readAtMs: number;
	nowMs: number;
	/** From [0, 1): the jitter. */
	random: number;
	/** Of the input as it is now. */
	fingerprint: string;
	/** What the credential holds, for whatever input. */
	stored: Token | null;
	/** The best other token of this input that this process knows: alive by the clock, and not rejected. */
	known: Token | null;
	/** When the latest refresh of this input was sent that this process knows of, besides the stored token's; null for none. */
	refreshSentAtMs: number | null;
	/** What AiClk said last of the stored and of the known token. */
	storedProbe: ProbeAnswer | null;
	knownProbe: ProbeAnswer | null;
	probeTrust: ProbeTrust['trust'] | null;
	/** When this process first saw the stored token. */
	storedSeenAtMs: number;
	/** When a renewal of the stored token was sent whose end is unknown, and which may have invalidated it; else null. */
	suspectSinceMs: number | null;
	/** When this process last deferred to a peer over the stored token, in vain so far; else null. */
	deferredAtMs: number | null;
	/** Whether this question has waited for a peer's token already. */
	hasWatched: boolean;
	/** When this process last applied the jitter for this input. */
	jitteredAtMs: number | null;
	/** The refresh that is under way in this process. `renewal`: nothing is lost if it fails. */
	flight: 'none' | 'renewal-sent' | 'renewal-answered' | 'refresh';
	/** How the refresh ended that this question waited for last; null if it waited for none. */
	outcome: RefreshOutcome | null;
	/** Refreshes that failed since the last one that succeeded. */
	failed: FailedRefreshes | null;
	/** Refreshes attempted today for this client. */
	refreshesToday: number;
	/** `after-failure` only. */
	request: SentRequest | null;
}

export type Decision =
	/** Nothing to do: the stored token is used as it is, and after a failure nothing is sent again. */
	| {
			action: 'keep';
			reason:
				| 'fresh'
				| 'renewal-not-due'
				| 'renewal-under-way'
				| 'renewal-failed'
				| 'quota-reserved'
				| 'input-changed'
				| 'expired-meanwhile'
				| 'may-have-been-carried-out'
				| 'not-rejected'
				| 'left-to-next-request';
	  }
	/** Use and store this token. */
	| { action: 'adopt'; reason: 'known-here' | 'refreshed'; token: Token }
	/** Ask AiClk about this token, then decide again. */
	| { action: 'probe'; reason: 'after-failure' | 'suspect' | 'rejected-before'; token: Token }
	/** Wait for the token that a peer may be about to store, then decide again. */
	| { action: 'watch'; reason: 'peer-may-have-renewed' }
	/** A peer has most likely renewed this token and is about to store its own. A refresh would invalidate that one. */
	| { action: 'defer'; reason: 'peer-has-renewed'; failure: TokenFailure }
	/**
	 * Refresh, or share the refresh that is under way, then decide again. `early`: the old token still serves, so a failure
	 * costs nothing. `peers`: another process may be refreshing at the same time, so the new token is probed before it is stored.
	 */
	| { action: 'refresh'; reason: RefreshReason; early: boolean; peers: boolean }
	/** No valid token can be provided. */
	| {
			action: 'fail';
			reason: 'quota-spent' | 'quota-reserved' | 'backing-off' | 'refresh-failed';
			failure: TokenFailure;
	  };

type Keep = Extract<Decision, { action: 'keep' }>;

const keep = (reason: Keep['reason']): Decision => ({ action: 'keep', reason });
const adopt = (token: Token): Decision => ({ action: 'adopt', reason: 'known-here', token });
const fail = (
	reason: Extract<Decision, { action: 'fail' }>['reason'],
	failure: TokenFailure,
): Decision => ({ action: 'fail', reason, failure });

const lifeMs = (state: TokenState): number => state.expiresAtMs - state.issuedAtMs;

/** When the token counts as expired, ms since 1970. */
export const expiredAtMs = (state: TokenState): number =>
	state.expiresAtMs - Math.min(CLOCK_SKEW_MS, lifeMs(state) * CLOCK_SKEW_SHARE);

/** When renewal begins, ms since 1970. */
export const renewsAtMs = (state: TokenState, { renewalShare } = TIMING): number =>
	Math.round(state.issuedAtMs + lifeMs(state) * renewalShare);

/** A token is valid, due for renewal or expired, by the clock alone. */
export type Age = 'valid' | 'renewal-due' | 'expired';

/** Judges a token by the clock. One that was issued in the future counts as expired: its times cannot be believed. */
export function ageOf(state: TokenState, nowMs: number): Age {
	const isFromFuture = state.issuedAtMs - nowMs > MAX_FUTURE_MS;
	if (isFromFuture || nowMs >= expiredAtMs(state)) return 'expired';
	return nowMs >= renewsAtMs(state) ? 'renewal-due' : 'valid';
}

/** Whether there is a token that is not expired. */
export const isAlive = (token: Token | null, nowMs: number): token is Token =>
	token !== null && ageOf(token.state, nowMs) !== 'expired';

/** Whether a token followed another one in the same lineage. Generations of two lineages cannot be compared. */
export const isSuccessor = (token: Token, of: Token): boolean =>
	token.state.lineage === of.state.lineage && token.state.generation > of.state.generation;

/** Whether AiClk has ever rotated this token's refresh token, so that each refresh spends one that exists once. */
const isRotating = (token: Token): boolean => token.rotatedRefreshToken !== '';

const isRejected = (probe: ProbeAnswer | null): probe is ProbeAnswer & { result: 'rejected' } =>
	probe?.result === 'rejected';

/** Whether AiClk rejected a token so soon after it was issued that its servers may not have known it yet. */
const isTooEarly = ({ atMs }: ProbeAnswer, { state }: Token): boolean =>
	atMs >= state.issuedAtMs && atMs - state.issuedAtMs < SPREAD_MS;

/** A refresh that requests depend on, unless the day's quota or the backoff forbids it. */
function neededRefresh(input: PolicyInput, reason: RefreshReason, peers: boolean): Decision {
	const { refreshesToday, failed, nowMs, askedAtMs, flight } = input;
	if (flight !== 'none') return { action: 'refresh', reason, early: false, peers };
	if (refreshesToday >= REFRESHES_PER_DAY) return fail('quota-spent', quotaSpent(nowMs));
	if (failed?.failure.kind === 'superseded') {
		if (isBackingOff(failed, false, askedAtMs)) return leaveToPeer(input);
	} else if (isBackingOff(failed, false, nowMs)) {
		return fail('backing-off', backingOff(failed));
	}
	return { action: 'refresh', reason, early: false, peers };
}

/** Waits for the peer's token once. If it was not seen by then, only another request can read it. */
const leaveToPeer = ({ hasWatched }: PolicyInput): Decision =>
	hasWatched
		? { action: 'defer', reason: 'peer-has-renewed', failure: SUPERSEDED }
		: { action: 'watch', reason: 'peer-may-have-renewed' };

/**
 * Whether a peer that renewed the stored token would have stored its own before these credentials were read: this process has
 * waited for that in vain since then. A clock that jumped back says nothing.
 */
function hasPeerHadTime({ readAtMs, deferredAtMs }: PolicyInput): boolean {
	if (deferredAtMs === null) return false;
	const laterMs = readAtMs - deferredAtMs;
	return laterMs >= 0 || laterMs < -MAX_WATCH_MS;
}

/**
 * Whether a peer most likely replaced a rejected token. A process that first saw it moments ago cannot tell. If it ended with this
 * request, nobody would ever refresh, so it does.
 */
function isLikelyRenewed(input: PolicyInput, { state }: Token): boolean {
	const { nowMs, readAtMs, storedSeenAtMs } = input;
	if (Math.abs(nowMs - state.issuedAtMs) < COLLISION_MS) return true;
	const isOld = nowMs >= state.issuedAtMs + lifeMs(state) * LIKELY_RENEWED_SHARE;
	return isOld && Math.abs(readAtMs - storedSeenAtMs) >= NEWLY_SEEN_MS;
}

/**
 * AiClk has rejected the stored token, which is alive by the clock. Where a refresh invalidates older tokens, a process that
 * renews makes all others fail for a moment. If they refreshed, too, each would invalidate the token of the one before.
 */
function replaceRejected(input: PolicyInput, stored: Token): Decision {
	const { storedProbe, hasWatched, suspectSinceMs } = input;
	// The watch takes as long as the servers need.
	if (storedProbe !== null && hasWatched && isTooEarly(storedProbe, stored)) {
		return { action: 'probe', reason: 'rejected-before', token: stored };
	}
	// A renewal of this process has most likely invalidated it, so there is no peer to wait for.
	const mayBeRenewed = suspectSinceMs === null && !hasPeerHadTime(input);
	if (mayBeRenewed && (!hasWatched || isLikelyRenewed(input, stored))) return leaveToPeer(input);
	return neededRefresh(input, 'rejected', true);
}

/** No token of this input is stored: it is the first request, the input was edited, or clients share the credential. */
function decideWithoutToken(input: PolicyInput): Decision {
	const { known, stored } = input;
	if (known !== null) return adopt(known);
	return neededRefresh(input, stored === null ? 'no-token' : 'input-changed', false);
}

/** Whether the jitter may be applied now: at most once in its interval. */
const mayApplyJitter = (
	{ jitteredAtMs, nowMs }: PolicyInput,
	state: TokenState,
	{ jitterIntervalShare }: Timing,
): boolean =>
	jitteredAtMs === null || Math.abs(nowMs - jitteredAtMs) >= lifeMs(state) * jitterIntervalShare;

/**
 * Probabilistic early expiration: the clock is put forward by an exponentially distributed jitter, so that processes that cannot
 * talk to each other rarely begin a renewal at the same time.
 */
const isRenewalDue = ({ nowMs, random }: PolicyInput, state: TokenState, timing: Timing): boolean =>
	nowMs - lifeMs(state) * timing.jitterMeanShare * Math.log(1 - random) >=
	renewsAtMs(state, timing);

/** The stored token is valid: it is renewed early, or kept. Nobody waits for a renewal that AiClk has not answered. */
function decideRenewal(input: PolicyInput, { state }: Token, timing: Timing): Decision {
	const { flight, failed, nowMs, refreshesToday } = input;
	const renewal: Decision = { action: 'refresh', reason: 'renewal', early: true, peers: true };
	// Once AiClk has answered, the old token may be invalid. The new one is probed at that time, which is soon over.
	if (flight === 'renewal-answered' || flight === 'refresh') return renewal;
	if (flight === 'renewal-sent') return keep('renewal-under-way');
	if (!mayApplyJitter(input, state, timing)) return keep('fresh');
	if (!isRenewalDue(input, state, timing)) return keep('renewal-not-due');
	if (refreshesToday >= REFRESHES_PER_DAY - RESERVED_REFRESHES) return keep('quota-reserved');
	return isBackingOff(failed, true, nowMs) ? keep('renewal-failed') : renewal;
}

/** Whether a renewal may have invalidated the stored token without AiClk having accepted it since. */
const isSuspect = ({ suspectSinceMs, storedProbe }: PolicyInput): boolean =>
	suspectSinceMs !== null &&
	(storedProbe?.result !== 'accepted' || storedProbe.atMs < suspectSinceMs);

function decideBeforeRequest(input: PolicyInput, stored: Token, timing: Timing): Decision {
	const { known, nowMs, storedProbe } = input;
	if (known !== null && isSuccessor(known, stored)) return adopt(known);
	if (!isAlive(stored, nowMs)) {
		return known !== null ? adopt(known) : neededRefresh(input, 'expired', true);
	}
	if (isRejected(storedProbe)) {
		if (known !== null) return adopt(known);
		if (!storedProbe.isFresh) return { action: 'probe', reason: 'rejected-before', token: stored };
		return replaceRejected(input, stored);
	}
	if (isSuspect(input) && input.flight === 'none' && storedProbe?.isFresh !== true) {
		return { action: 'probe', reason: 'suspect', token: stored };
	}
	return decideRenewal(input, stored, timing);
}

/**
 * Whether the rejection of a request proves that it was not carried out: it was prompt, and no refresh was under way at the same
 * time, so that the rejection cannot be the effect of that. AiClk answers a refresh within 15 s, or never.
 *
 * A peer's refresh that this process has not seen cannot be told. Its rejection is taken for proof.
 */
function isRejectionConclusive({
	askedAtMs,
	storedProbe,
	refreshSentAtMs,
	request,
}: PolicyInput): boolean {
	if (request === null) return false;
	const tookMs = askedAtMs - request.sentAtMs;
	if (tookMs < 0 || tookMs >= PROMPT_MS) return false;
	if (refreshSentAtMs === null || request.sentAtMs > refreshSentAtMs + TOKEN_TIMEOUT_MS)
		return true;
	return isRejected(storedProbe) && storedProbe.atMs <= refreshSentAtMs;
}

/**
 * After a failed request. n8n would send the request again if a token were returned (n8n-core authentication.js). So for a request
 * that is not safe, nothing but the certainty that AiClk rejected the token, and thus did nothing, ends in a token.
 */
function decideAfterFailure(input: PolicyInput, stored: Token): Decision {
	const { nowMs, known, storedProbe, knownProbe, request } = input;
	const isSafe = request?.isSafe === true;
	// It was alive when the request was sent and has expired since: its rejection would prove nothing.
	if (!isAlive(stored, nowMs)) return keep('expired-meanwhile');
	if (!isSafe && !isRejectionConclusive(input)) return keep('may-have-been-carried-out');
	if (storedProbe?.isFresh !== true)
		return { action: 'probe', reason: 'after-failure', token: stored };
	if (!isRejected(storedProbe)) return keep('not-rejected');
	// What cannot be returned is not refreshed: the next request finds the rejection remembered, and its token is stored at once.
	if (request === null || request.isSingleUse) return keep('left-to-next-request');
	if (known !== null) {
		if (knownProbe?.isFresh !== true)
			return { action: 'probe', reason: 'after-failure', token: known };
		return isSafe || knownProbe.result === 'accepted' ? adopt(known) : keep('left-to-next-request');
	}
	if (!isSafe && isRotating(stored)) return keep('left-to-next-request');
	return replaceRejected(input, stored);
}

/** Whether the stored token can be sent: it is of this input, alive, and not rejected. */
const isUsable = ({ stored, storedProbe, fingerprint, nowMs }: PolicyInput): boolean =>
	stored?.state.fingerprint === fingerprint && isAlive(stored, nowMs) && !isRejected(storedProbe);

/** A refresh that failed leaves everything as it was for a request that can do with the stored token, and so does a renewal. */
const isDecisive = (input: PolicyInput, { token, early }: RefreshOutcome): boolean =>
	token !== null || (!early && !(input.cause === 'before-request' && isUsable(input)));

/**
 * A refresh that this question waited for has ended. After a failed request that is not safe, its token is returned only if AiClk
 * accepts it: then it was the old token, and nothing else, that AiClk rejected.
 */
function decideOnOutcome(input: PolicyInput, outcome: RefreshOutcome): Decision {
	const { cause, request, known, knownProbe } = input;
	const { token, isAccepted } = outcome;
	if (token === null) return fail('refresh-failed', outcome.failure);
	const isCertain =
		cause !== 'after-failure' ||
		request?.isSafe === true ||
		isAccepted ||
		knownProbe?.result === 'accepted';
	// A refresh token that exists once came with it: it was not probed, so that it can be stored at once.
	const isUnproven = known?.accessToken === token.accessToken && knownProbe?.isFresh !== true;
	if (!isCertain && isUnproven) return { action: 'probe', reason: 'after-failure', token };
	return isCertain ? { action: 'adopt', reason: 'refreshed', token } : keep('left-to-next-request');
}

/** A person or a schedule wants a new token. While the stored one is valid, the last refreshes of the day are kept. */
function decideForced(input: PolicyInput): Decision {
	const { nowMs, refreshesToday, flight } = input;
	const refresh: Decision = { action: 'refresh', reason: 'forced', early: false, peers: false };
	if (flight !== 'none') return refresh;
	if (refreshesToday >= REFRESHES_PER_DAY) return fail('quota-spent', quotaSpent(nowMs));
	if (isUsable(input) && refreshesToday >= REFRESHES_PER_DAY - RESERVED_REFRESHES)
		return fail('quota-reserved', quotaReserved(nowMs));
	return refresh;
}

/**
 * The policy of the token, as a pure function: what to do now, and why. The rules in words: docs/how-it-works.md.
 */
export function decide(input: PolicyInput, timing = TIMING): Decision {
	const { cause, stored, fingerprint, outcome } = input;
	if (outcome !== null && isDecisive(input, outcome)) return decideOnOutcome(input, outcome);
	if (cause === 'forced') return decideForced(input);
	if (stored === null || stored.state.fingerprint !== fingerprint) {
		return cause === 'after-failure' ? keep('input-changed') : decideWithoutToken(input);
	}
	return cause === 'after-failure'
		? decideAfterFailure(input, stored)
		: decideBeforeRequest(input, stored, timing);
}

/** A token that AiClk has just issued, and what has been done about it so far. */
export interface NewTokenInput {
	/** AiClk sent a new refresh token with it. */
	isRotated: boolean;
	/** A peer may have refreshed at the same time. */
	peers: boolean;
	/** How long it has been waited since the answer, in ms. */
	waitedMs: number;
	/** What AiClk said of it, probe by probe. */
	probes: readonly ProbeResult[];
	/** Whether the peer's token was waited for. */
	hasWatched: boolean;
	/** The peer's token, if it was seen. */
	peerToken: Token | null;
	peerProbe: ProbeResult | null;
	/** New tokens in a row that were discarded, all over the same stored token. */
	collisions: number;
}

export type NewTokenDecision =
	| { action: 'store' | 'probe' | 'watch' | 'discard' | 'distrust' }
	| { action: 'wait'; ms: number }
	| { action: 'probe-peer' | 'adopt-peer'; token: Token };

/**
 * What to do with a new token before it is stored. A refresh token that AiClk sent with it exists once, so it is stored at once.
 * Otherwise the token is probed where a peer may have invalidated it.
 */
export function decideOnNewToken(input: NewTokenInput): NewTokenDecision {
	const { isRotated, peers, waitedMs, probes, hasWatched, peerToken, peerProbe } = input;
	const wait = (untilMs: number): NewTokenDecision =>
		waitedMs < untilMs ? { action: 'wait', ms: untilMs - waitedMs } : { action: 'probe' };
	if (isRotated || !peers) return { action: 'store' };
	if (probes.length === 0) return wait(COLLISION_PROBE_MS);
	if (probes.at(-1) !== 'rejected') return { action: 'store' };
	if (probes.length === 1) return wait(SPREAD_MS);
	if (!hasWatched) return { action: 'watch' };
	if (peerToken !== null && peerProbe === null) return { action: 'probe-peer', token: peerToken };
	if (peerToken !== null && peerProbe !== 'rejected')
		return { action: 'adopt-peer', token: peerToken };
	// A peer would have stored its token, so after several collisions there is none.
	return { action: input.collisions + 1 < MAX_COLLISIONS ? 'discard' : 'distrust' };
}

/**
 * The exit gate for failures: whether n8n is told why no token can be provided.
 *
 * - Before a request it is, but for one case: while AiClk has never accepted a probe, a token that it seems to reject is used all
 *   the same, because it may be the account that AiClk does not show. If the token is invalid, the request shows it.
 * - After a safe request whose token was certainly rejected it is: nothing else happened.
 * - After any other request it is not. The request may have been carried out, so its own error counts.
 */
export function isFailureShown(input: PolicyInput, { kind }: TokenFailure): boolean {
	const { cause, storedProbe, probeTrust, request, stored, fingerprint, nowMs } = input;
	if (cause === 'after-failure') {
		return request?.isSafe === true && isRejected(storedProbe) && probeTrust === 'trusted';
	}
	const isAliveOurs = stored?.state.fingerprint === fingerprint && isAlive(stored, nowMs);
	return kind !== 'superseded' || probeTrust !== null || !isAliveOurs;
}
