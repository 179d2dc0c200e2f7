import { TOKEN_TIMEOUT_MS } from '../protocol/accountInfo';
import type { ProbeResult } from '../protocol/envelope';
import { backingOff, type FailedRefreshes, isBackingOff } from './backoff';
import type { Failure } from '../util/failure';
import { quotaReserved, quotaSpent, SUPERSEDED } from './errors';
import type { ProbeAnswer } from './probeCache';
import { REFRESHES_PER_DAY, RESERVED_REFRESHES } from './quota';
import type { ProbeTrust, RefreshReason, Token, TokenState } from './storedToken';

/**
 * Clock skew: a token counts as expired this long before its expiry, because clocks differ and requests take time. It is 1 % of
 * the life if that is less, so that a new token is never expired.
 */
const CLOCK_SKEW_MS = 60_000;
const CLOCK_SKEW_SHARE = 0.01;

/** A token issued further in the future than this was stamped by a wrong clock, so its expiry cannot be trusted. */
const MAX_FUTURE_MS = 5 * 60_000;

/** When renewal begins and how it is spread, in shares of a token's life. */
export interface Timing {
	/** Renewal begins after this share. */
	renewalShare: number;
	/** Mean of the exponentially distributed jitter, which keeps processes from renewing at the same time. */
	jitterMeanShare: number;
	/** A process applies the jitter at most once in this share. */
	jitterIntervalShare: number;
}

/** With 90 days: day 75, one day, 5 minutes. docs/performance.md says why, and what a simulated fleet did with others. */
export const TIMING: Timing = {
	renewalShare: 5 / 6,
	jitterMeanShare: 1 / 90,
	jitterIntervalShare: 1 / 25_920,
};

/**
 * A token that is rejected this soon after its issue was invalidated by a peer that refreshed at the same time. Within this time
 * both have refreshed, probed and stored.
 */
const COLLISION_MS = 10_000;

/**
 * From this share of a token's life on (day 54 of 90) a rejection most likely means that a peer has renewed it: a rotation does
 * that on day 60, renewals do from day 62 on.
 */
const LIKELY_RENEWED_SHARE = 3 / 5;

/** A process that saw a token for the first time this recently may run a single workflow and exit. */
const NEWLY_SEEN_MS = 10_000;

/** A watch never takes longer than this, even in a busy process. */
const MAX_WATCH_MS = 60_000;

/** Rejections arrive within this time. A request that failed later may have been carried out before its token was invalidated. */
const PROMPT_MS = 10_000;

/** When to probe a new token that a peer may have invalidated: a peer that started with us has refreshed by then. */
export const COLLISION_PROBE_MS = 1_500;

/** Propagation: AiClk's servers may take this long to learn of a new token. A token rejected earlier is probed a second time. */
export const PROPAGATION_MS = 3_000;

/** If this many new tokens in a row are rejected over the same stored token, no peer is the cause: it would have stored its own. */
const MAX_COLLISIONS = 3;

/** Why n8n asks the hook. */
export type Cause =
	/** It is about to send a request. */
	| 'before-request'
	/** A request sent with this same credentials object has failed, for whatever reason. */
	| 'after-failure'
	/** A person or a schedule asked for a new token. */
	| 'forced';

/** What decides whether a request that was sent may be sent again. */
export interface SentRequest {
	/** ms since 1970 */
	sentAtMs: number;
	/** GET, HEAD or OPTIONS (RFC 9110, "Safe Methods"): sending it again does no harm. */
	isSafe: boolean;
	/** Its body is a stream or a form, which can be read only once. */
	isSingleUse: boolean;
}

/** How a refresh ended. */
export type RefreshOutcome = {
	/** Whether it was a renewal, so the old token still works. */
	early: boolean;
	/** Whether AiClk has accepted a probe of the token. */
	isAccepted: boolean;
} &
	/** A token beside a failure has no usable access token. It carries a new refresh token, of which no other copy exists. */
	({ token: Token; failure: Failure | null } | { token: null; failure: Failure });

/** Everything the decision depends on. Times in ms since 1970. */
export interface PolicyInput {
	cause: Cause;
	/** When n8n asked. */
	askedAtMs: number;
	/** When n8n first asked about this credentials object, just after reading it from its database. */
	readAtMs: number;
	nowMs: number;
	/** In [0, 1), for the jitter. */
	random: number;
	/** Of the current input. */
	fingerprint: string;
	/** The token in the credential, whatever input it was issued for. */
	stored: Token | null;
	/** The best other token for this input in this process's memory: not expired and not rejected. */
	known: Token | null;
	/** When the latest known refresh of this input was sent, apart from the one that issued the stored token; null for none. */
	refreshSentAtMs: number | null;
	/** AiClk's last answers about the stored and the known token. */
	storedProbe: ProbeAnswer | null;
	knownProbe: ProbeAnswer | null;
	probeTrust: ProbeTrust['trust'] | null;
	/** When this process first saw the stored token. */
	storedSeenAtMs: number;
	/** When a renewal was sent that failed and may have invalidated the stored token; otherwise null. */
	suspectSinceMs: number | null;
	/** When this process deferred to a peer over the stored token, which is still stored; otherwise null. */
	deferredAtMs: number | null;
	/** Whether this question has already waited for a peer's token. */
	hasWatched: boolean;
	/** When this process last applied the jitter for this input. */
	jitteredAtMs: number | null;
	/** The refresh in flight in this process. If a renewal fails, nothing is lost. */
	inFlight: 'none' | 'renewal-sent' | 'renewal-answered' | 'refresh';
	/** The outcome of the last refresh that this question waited for; null for none. */
	outcome: RefreshOutcome | null;
	/** Failed refreshes since the last successful one. */
	failed: FailedRefreshes | null;
	/** Refreshes attempted for this client today. */
	refreshesToday: number;
	/** `after-failure` only. */
	request: SentRequest | null;
}

export type Decision =
	/** Nothing to do: the stored token stays in use, and a failed request is not sent again. */
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
	/** Wait for a token that a peer may be about to store, then decide again. */
	| { action: 'watch'; reason: 'peer-may-have-renewed' }
	/** A peer has most likely renewed this token and is about to store the new one, which a refresh would invalidate. */
	| { action: 'defer'; reason: 'peer-has-renewed'; failure: Failure }
	/**
	 * Refresh, or share the refresh in flight, then decide again. `early`: the old token still works, so a failure costs
	 * nothing. `peers`: another process may be refreshing at the same time, so the new token is probed before it is stored.
	 */
	| { action: 'refresh'; reason: RefreshReason; early: boolean; peers: boolean }
	/** No valid token can be provided. */
	| {
			action: 'fail';
			reason: 'quota-spent' | 'quota-reserved' | 'backing-off' | 'refresh-failed';
			failure: Failure;
	  };

type Keep = Extract<Decision, { action: 'keep' }>;

const keep = (reason: Keep['reason']): Decision => ({ action: 'keep', reason });
const adopt = (token: Token): Decision => ({ action: 'adopt', reason: 'known-here', token });
const fail = (
	reason: Extract<Decision, { action: 'fail' }>['reason'],
	failure: Failure,
): Decision => ({ action: 'fail', reason, failure });

const lifeMs = (state: TokenState): number => state.expiresAtMs - state.issuedAtMs;

/** When the token counts as expired, ms since 1970. */
export const expiredAtMs = (state: TokenState): number =>
	state.expiresAtMs - Math.min(CLOCK_SKEW_MS, lifeMs(state) * CLOCK_SKEW_SHARE);

/** When renewal begins, ms since 1970. */
export const renewsAtMs = (state: TokenState, { renewalShare } = TIMING): number =>
	Math.round(state.issuedAtMs + lifeMs(state) * renewalShare);

/** How old a token is, by the clock alone. */
export type Age = 'valid' | 'renewal-due' | 'expired';

/** The age of a token. One issued in the future counts as expired, because its times cannot be trusted. */
export function ageOf(state: TokenState, nowMs: number): Age {
	const isFromFuture = state.issuedAtMs - nowMs > MAX_FUTURE_MS;
	if (isFromFuture || nowMs >= expiredAtMs(state)) return 'expired';
	return nowMs >= renewsAtMs(state) ? 'renewal-due' : 'valid';
}

/** Whether there is a token and it has not expired. */
export const isAlive = (token: Token | null, nowMs: number): token is Token =>
	token !== null && ageOf(token.state, nowMs) !== 'expired';

/** Whether a token came after another one of the same lineage. Generations of different lineages cannot be compared. */
export const isSuccessor = (token: Token, of: Token): boolean =>
	token.state.lineage === of.state.lineage && token.state.generation > of.state.generation;

/** Whether AiClk has rotated this token's refresh token, so that each refresh uses up one that cannot be had again. */
const isRotating = (token: Token): boolean => token.rotatedRefreshToken !== '';

const isRejected = (probe: ProbeAnswer | null): probe is ProbeAnswer & { result: 'rejected' } =>
	probe?.result === 'rejected';

/** Whether a token was rejected so soon after its issue that AiClk's servers may not have known it yet. */
const isTooEarly = ({ atMs }: ProbeAnswer, { state }: Token): boolean =>
	atMs >= state.issuedAtMs && atMs - state.issuedAtMs < PROPAGATION_MS;

/** A refresh that requests depend on, unless the quota or the backoff forbids it. */
function neededRefresh(input: PolicyInput, reason: RefreshReason, peers: boolean): Decision {
	const { refreshesToday, failed, nowMs, askedAtMs, inFlight } = input;
	if (inFlight !== 'none') return { action: 'refresh', reason, early: false, peers };
	if (refreshesToday >= REFRESHES_PER_DAY) return fail('quota-spent', quotaSpent(nowMs));
	if (failed?.failure.kind === 'superseded') {
		if (isBackingOff(failed, false, askedAtMs)) return deferToPeer(input);
	} else if (isBackingOff(failed, false, nowMs)) {
		return fail('backing-off', backingOff(failed));
	}
	return { action: 'refresh', reason, early: false, peers };
}

/** Waits once for the peer's token. If it does not turn up, only another request can read it. */
const deferToPeer = ({ hasWatched }: PolicyInput): Decision =>
	hasWatched
		? { action: 'defer', reason: 'peer-has-renewed', failure: SUPERSEDED }
		: { action: 'watch', reason: 'peer-may-have-renewed' };

/**
 * Whether a peer that had renewed the stored token would have stored the new one before these credentials were read: this
 * process deferred to it before that. A clock that jumped back proves nothing.
 */
function hasPeerHadTime({ readAtMs, deferredAtMs }: PolicyInput): boolean {
	if (deferredAtMs === null) return false;
	const laterMs = readAtMs - deferredAtMs;
	return laterMs >= 0 || laterMs < -MAX_WATCH_MS;
}

/**
 * Whether a peer has most likely replaced a rejected token. A process that saw the token for the first time moments ago refreshes
 * all the same: if it exits after this request, nobody else may ever refresh.
 */
function isLikelyRenewed(input: PolicyInput, { state }: Token): boolean {
	const { nowMs, readAtMs, storedSeenAtMs } = input;
	if (Math.abs(nowMs - state.issuedAtMs) < COLLISION_MS) return true;
	const isOld = nowMs >= state.issuedAtMs + lifeMs(state) * LIKELY_RENEWED_SHARE;
	return isOld && Math.abs(readAtMs - storedSeenAtMs) >= NEWLY_SEEN_MS;
}

/**
 * AiClk has rejected the stored token, which has not expired. Where a refresh invalidates older tokens, a renewal makes the
 * requests of all other processes fail for a moment. If those refreshed as well, each would invalidate the token before.
 */
function replaceRejected(input: PolicyInput, stored: Token): Decision {
	const { storedProbe, hasWatched, suspectSinceMs } = input;
	// The watch took as long as propagation does.
	if (storedProbe !== null && hasWatched && isTooEarly(storedProbe, stored)) {
		return { action: 'probe', reason: 'rejected-before', token: stored };
	}
	// Most likely a renewal of this process invalidated it, so there is no peer to wait for.
	const mayBeRenewed = suspectSinceMs === null && !hasPeerHadTime(input);
	if (mayBeRenewed && (!hasWatched || isLikelyRenewed(input, stored))) return deferToPeer(input);
	return neededRefresh(input, 'rejected', true);
}

/** No token for this input is stored: first request, edited input, or several clients in one credential. */
function decideWithoutToken(input: PolicyInput): Decision {
	const { known, stored } = input;
	if (known !== null) return adopt(known);
	return neededRefresh(input, stored === null ? 'no-token' : 'input-changed', false);
}

/** Whether the jitter may be applied now, which is at most once in its interval. */
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

/** The stored token is valid: renew it or keep it. No request waits for a renewal that AiClk has not answered. */
function decideRenewal(input: PolicyInput, { state }: Token, timing: Timing): Decision {
	const { inFlight, failed, nowMs, refreshesToday } = input;
	const renewal: Decision = { action: 'refresh', reason: 'renewal', early: true, peers: true };
	// Once AiClk has answered, the old token may be invalid. Waiting is short: only the probe of the new one is left.
	if (inFlight === 'renewal-answered' || inFlight === 'refresh') return renewal;
	if (inFlight === 'renewal-sent') return keep('renewal-under-way');
	if (!mayApplyJitter(input, state, timing)) return keep('fresh');
	if (!isRenewalDue(input, state, timing)) return keep('renewal-not-due');
	if (refreshesToday >= REFRESHES_PER_DAY - RESERVED_REFRESHES) return keep('quota-reserved');
	return isBackingOff(failed, true, nowMs) ? keep('renewal-failed') : renewal;
}

/** Whether a failed renewal may have invalidated the stored token, and AiClk has not accepted it since. */
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
	if (isSuspect(input) && input.inFlight === 'none' && storedProbe?.isFresh !== true) {
		return { action: 'probe', reason: 'suspect', token: stored };
	}
	return decideRenewal(input, stored, timing);
}

/**
 * Whether the rejection proves that the request was not carried out. It does if it was prompt and no refresh was in flight that
 * could have caused it. AiClk answers a refresh within 15 s, or never.
 *
 * The refresh of a peer cannot be seen here. A rejection that it caused is taken for proof all the same.
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
 * After a failed request. n8n sends the request again if a token is returned (n8n-core authentication.js). So after an unsafe
 * request a token is returned only if AiClk certainly rejected the old one, and therefore did nothing.
 */
function decideAfterFailure(input: PolicyInput, stored: Token): Decision {
	const { nowMs, known, storedProbe, knownProbe, request } = input;
	const isSafe = request?.isSafe === true;
	// It has expired since the request was sent, so a rejection would prove nothing.
	if (!isAlive(stored, nowMs)) return keep('expired-meanwhile');
	if (!isSafe && !isRejectionConclusive(input)) return keep('may-have-been-carried-out');
	if (storedProbe?.isFresh !== true)
		return { action: 'probe', reason: 'after-failure', token: stored };
	if (!isRejected(storedProbe)) return keep('not-rejected');
	// A token that cannot be returned cannot be stored. The next request finds the rejection remembered and refreshes.
	if (request === null || request.isSingleUse) return keep('left-to-next-request');
	if (known !== null) {
		if (knownProbe?.isFresh !== true)
			return { action: 'probe', reason: 'after-failure', token: known };
		return isSafe || knownProbe.result === 'accepted' ? adopt(known) : keep('left-to-next-request');
	}
	if (!isSafe && isRotating(stored)) return keep('left-to-next-request');
	return replaceRejected(input, stored);
}

/** Whether the stored token can be sent: issued for this input, not expired, not rejected. */
const isUsable = ({ stored, storedProbe, fingerprint, nowMs }: PolicyInput): boolean =>
	stored?.state.fingerprint === fingerprint && isAlive(stored, nowMs) && !isRejected(storedProbe);

/** A failed renewal changes nothing, and neither does a failed refresh for a request that can use the stored token. */
const isDecisive = (input: PolicyInput, { token, early }: RefreshOutcome): boolean =>
	token !== null || (!early && !(input.cause === 'before-request' && isUsable(input)));

/**
 * A refresh that this question waited for has ended. After an unsafe request its token is returned only if AiClk accepts it:
 * that shows that AiClk had rejected the old token, and not the request.
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
	// It came with a new refresh token, so it was stored without a probe.
	const isUnproven = known?.accessToken === token.accessToken && knownProbe?.isFresh !== true;
	if (!isCertain && isUnproven) return { action: 'probe', reason: 'after-failure', token };
	return isCertain ? { action: 'adopt', reason: 'refreshed', token } : keep('left-to-next-request');
}

/** A person or a schedule asked for a new token. While the stored one is valid, the day's last refreshes are reserved. */
function decideForced(input: PolicyInput): Decision {
	const { nowMs, refreshesToday, inFlight } = input;
	const refresh: Decision = { action: 'refresh', reason: 'forced', early: false, peers: false };
	if (inFlight !== 'none') return refresh;
	if (refreshesToday >= REFRESHES_PER_DAY) return fail('quota-spent', quotaSpent(nowMs));
	if (isUsable(input) && refreshesToday >= REFRESHES_PER_DAY - RESERVED_REFRESHES)
		return fail('quota-reserved', quotaReserved(nowMs));
	return refresh;
}

/**
 * The token policy as a pure function: what to do now, and why. docs/how-it-works.md has the rules in words.
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

/** A token that AiClk has just issued, and what has been done with it so far. */
export interface NewTokenInput {
	/** AiClk sent a new refresh token along with it. */
	isRotated: boolean;
	/** A peer may have refreshed at the same time. */
	peers: boolean;
	/** Time spent waiting since the answer, in ms. */
	waitedMs: number;
	/** AiClk's answers about it, one for each probe. */
	probes: readonly ProbeResult[];
	/** Whether it has already waited for a peer's token. */
	hasWatched: boolean;
	/** The peer's token, if one turned up. */
	peerToken: Token | null;
	peerProbe: ProbeResult | null;
	/** How many new tokens in a row were discarded over the same stored token. */
	collisions: number;
}

export type NewTokenDecision =
	| { action: 'store' | 'probe' | 'watch' | 'discard' | 'distrust' }
	| { action: 'wait'; ms: number }
	| { action: 'probe-peer' | 'adopt-peer'; token: Token };

/**
 * What to do with a new token before it is stored. If a new refresh token came with it, both are stored at once, because it cannot
 * be had again. Otherwise the token is probed if a peer may have invalidated it.
 */
export function decideOnNewToken(input: NewTokenInput): NewTokenDecision {
	const { isRotated, peers, waitedMs, probes, hasWatched, peerToken, peerProbe } = input;
	const wait = (untilMs: number): NewTokenDecision =>
		waitedMs < untilMs ? { action: 'wait', ms: untilMs - waitedMs } : { action: 'probe' };
	if (isRotated || !peers) return { action: 'store' };
	if (probes.length === 0) return wait(COLLISION_PROBE_MS);
	if (probes.at(-1) !== 'rejected') return { action: 'store' };
	if (probes.length === 1) return wait(PROPAGATION_MS);
	if (!hasWatched) return { action: 'watch' };
	if (peerToken !== null && peerProbe === null) return { action: 'probe-peer', token: peerToken };
	if (peerToken !== null && peerProbe !== 'rejected')
		return { action: 'adopt-peer', token: peerToken };
	// A peer would have stored its token by now, so after several collisions there is no peer.
	return { action: input.collisions + 1 < MAX_COLLISIONS ? 'discard' : 'distrust' };
}

/**
 * The exit gate for failures: whether n8n is told why no token can be provided.
 *
 * - Before a request: yes, with one exception. Until AiClk has accepted a probe, a token that it seems to reject is used all the
 *   same, because AiClk may have refused the account and not the token. If the token is invalid, the request will show it.
 * - After a safe request whose token was certainly rejected: yes, because nothing else happened.
 * - After any other request: no. It may have been carried out, so its own error counts.
 */
export function isFailureShown(input: PolicyInput, { kind }: Failure): boolean {
	const { cause, storedProbe, probeTrust, request, stored, fingerprint, nowMs } = input;
	if (cause === 'after-failure') {
		return request?.isSafe === true && isRejected(storedProbe) && probeTrust === 'trusted';
	}
	const isAliveOurs = stored?.state.fingerprint === fingerprint && isAlive(stored, nowMs);
	return kind !== 'superseded' || probeTrust !== null || !isAliveOurs;
}
