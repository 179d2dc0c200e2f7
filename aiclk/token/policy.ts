import type { Failure } from '../util/failure';
import { isAlive, lifeMs, renewsAtMs, TIMING } from './age';
import { backingOff, type FailedRefreshes, isBackingOff } from './backoff';
import { quotaReserved, quotaSpent, SUPERSEDED } from './errors';
import type { Note, ProbeAnswer } from './notes';
import { REFRESHES_PER_DAY, RESERVED_REFRESHES } from './quota';
import type { ProbeTrust, RefreshReason, Token } from './storedToken';

/**
 * A token that is rejected this soon after its issue was most likely invalidated by a peer. Its issuer needs this long at most to
 * get, probe and store it: two time limits of 15 s, and the waits between.
 */
const NEWLY_ISSUED_MS = 40_000;

/** A request is left to a peer for this long. Whoever reads the same token from the store later refreshes. */
const PEER_MS = 6_000;

/**
 * From this share of a token's life on (day 54 of 90) a rejection most likely means that a peer has renewed it: a rotation does
 * that on day 60, renewals do from day 62 on.
 */
const LIKELY_RENEWED_SHARE = 3 / 5;

/** A process that saw a token for the first time this recently may run a single workflow and exit. */
const NEWLY_SEEN_MS = 10_000;

/** A clock that jumped back by more than this proves nothing. */
const MAX_JUMP_MS = 60_000;

/** Propagation: AiClk's servers may take this long to learn of a new token. A token rejected earlier is probed a second time. */
export const PROPAGATION_MS = 3_000;

/** How a refresh ended. A token beside a failure has no usable access token, but a new refresh token, of which there is no other copy. */
export type RefreshResult = { reason: RefreshReason } & (
	{ token: Token; failure: Failure | null } | { token: null; failure: Failure }
);

/** Everything the decision depends on. */
export interface PolicyInput {
	/**
	 * Why n8n asks the hook: it is about to send a request; a request sent with this same credentials object has failed, for whatever
	 * reason; or a person or a schedule asked for a new token.
	 */
	cause: 'before-request' | 'after-failure' | 'forced';
	/** `after-failure` only: sending the request again does no harm, and is possible. */
	mayResend: boolean;
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
	alternative: Token | null;
	/** AiClk's last answers about the stored and the known token. */
	storedProbe: ProbeAnswer | null;
	alternativeProbe: ProbeAnswer | null;
	probeTrust: ProbeTrust['trust'] | null;
	/** What this process remembers about the stored token; null if there is none. */
	note: Pick<Note, 'seenAtMs' | 'deferredAtMs' | 'isSuspect'> | null;
	/** When this question last waited for a peer's token; null if it did not. */
	watchedAtMs: number | null;
	/** When this process last applied the jitter for this input. */
	jitteredAtMs: number | null;
	/** The refresh in flight in this process. If a renewal fails, nothing is lost. */
	inFlight: 'none' | 'renewal-sent' | 'renewal-answered' | 'refresh';
	/** The outcome of the last refresh that this question waited for; null for none. */
	refreshResult: RefreshResult | null;
	/** Failed refreshes since the last successful one. */
	failedRefreshes: FailedRefreshes | null;
	/** Refreshes attempted for this client today. */
	refreshesToday: number;
}

/** What to do, and why. */
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
				| 'not-rejected'
				| 'left-to-next-request';
	  }
	/** Store this token and, unless there is a failure beside it, use it. */
	| { action: 'adopt'; reason: 'known-here' | 'refreshed'; token: Token; failure: Failure | null }
	/** Ask AiClk about this token, then decide again. */
	| {
			action: 'probe';
			reason: 'after-failure' | 'suspect' | 'rejected-before' | 'known-here';
			token: Token;
	  }
	/** Wait for a token that a peer may be about to store, then decide again. */
	| { action: 'watch'; reason: 'peer-may-have-renewed' }
	/** A peer has most likely renewed this token and is about to store the new one, which a refresh would invalidate. */
	| { action: 'defer'; reason: 'peer-has-renewed'; failure: Failure }
	/** Refresh, or share the refresh in flight, then decide again. */
	| { action: 'refresh'; reason: RefreshReason }
	/** No valid token can be provided. */
	| {
			action: 'fail';
			reason: 'quota-spent' | 'quota-reserved' | 'backing-off' | 'refresh-failed';
			failure: Failure;
	  };

type Reason<A extends Decision['action']> = Extract<Decision, { action: A }>['reason'];

const keep = (reason: Reason<'keep'>): Decision => ({ action: 'keep', reason });
const probe = (reason: Reason<'probe'>, token: Token): Decision => ({
	action: 'probe',
	reason,
	token,
});
const refresh = (reason: RefreshReason): Decision => ({ action: 'refresh', reason });
const cannot = (reason: Reason<'fail'>, failure: Failure): Decision => ({
	action: 'fail',
	reason,
	failure,
});

/**
 * Whether a token came after another one of the same lineage. Generations of different lineages cannot be compared. Of two tokens
 * of one generation, the one that brought a refresh token counts as the later one: that refresh token exists once.
 */
export const isSuccessor = (token: Token, of: Token): boolean =>
	token.state.lineage === of.state.lineage &&
	(token.state.generation > of.state.generation ||
		(token.state.generation === of.state.generation &&
			token.rotatedRefreshToken !== '' &&
			of.rotatedRefreshToken === ''));

/**
 * Whether a token from memory may take the place of the stored one. A refresh token that AiClk sent exists once, so what holds one
 * is replaced by its successor only.
 */
export function mayReplace(token: Token, stored: Token | null): boolean {
	if (stored === null || stored.state.fingerprint !== token.state.fingerprint) return true;
	if (isSuccessor(token, stored)) return true;
	return token.accessToken !== stored.accessToken && stored.rotatedRefreshToken === '';
}

/** Why no refresh may be sent any more today; null if one may. */
const refusalByQuota = ({ refreshesToday, nowMs }: PolicyInput): Decision | null =>
	refreshesToday >= REFRESHES_PER_DAY ? cannot('quota-spent', quotaSpent(nowMs)) : null;

/** Whether what is left of the day's refreshes is reserved for requests without a valid token. */
const isReserved = ({ refreshesToday }: PolicyInput): boolean =>
	refreshesToday >= REFRESHES_PER_DAY - RESERVED_REFRESHES;

/** Why no refresh may be sent now; null if one may. */
function refusal(input: PolicyInput): Decision | null {
	const { failedRefreshes, nowMs } = input;
	const refused = refusalByQuota(input);
	if (refused !== null) return refused;
	return isBackingOff(failedRefreshes, false, nowMs)
		? cannot('backing-off', backingOff(failedRefreshes))
		: null;
}

/**
 * Whether a peer has most likely replaced a rejected token. A process that saw the token for the first time moments ago refreshes
 * all the same: if it exits after this request, nobody else may ever refresh.
 */
function isLikelyRenewed({ nowMs, readAtMs, note }: PolicyInput, { state }: Token): boolean {
	if (Math.abs(nowMs - state.issuedAtMs) < NEWLY_ISSUED_MS) return true;
	const isOld = nowMs >= state.issuedAtMs + lifeMs(state) * LIKELY_RENEWED_SHARE;
	return isOld && Math.abs(readAtMs - (note?.seenAtMs ?? readAtMs)) >= NEWLY_SEEN_MS;
}

/**
 * The stored token must be replaced: by a refresh, or by the one in flight. It is left to a peer first if one may have renewed it,
 * until these credentials were read so late that the peer would have stored its token before.
 */
function replace(input: PolicyInput, reason: RefreshReason, mayBeRenewed = false): Decision {
	const { inFlight, note, readAtMs, watchedAtMs } = input;
	if (inFlight !== 'none') return refresh(reason);
	const refused = refusal(input);
	if (refused !== null) return refused;
	const deferredAtMs = note?.deferredAtMs ?? null;
	const laterMs = readAtMs - (deferredAtMs ?? readAtMs);
	const isLeft =
		deferredAtMs === null ? mayBeRenewed : laterMs < PEER_MS && laterMs >= -MAX_JUMP_MS;
	if (!isLeft) return refresh(reason);
	// Another request of this process may read the peer's token meanwhile.
	return watchedAtMs === null
		? { action: 'watch', reason: 'peer-may-have-renewed' }
		: { action: 'defer', reason: 'peer-has-renewed', failure: SUPERSEDED };
}

/**
 * AiClk has rejected the stored token, which has not expired. Where a refresh invalidates older tokens, a renewal makes the
 * requests of all other processes fail for a moment. If those refreshed as well, each would invalidate the token before.
 */
function replaceRejected(input: PolicyInput, stored: Token, probedAtMs: number): Decision {
	const { watchedAtMs, note } = input;
	const ageMs = probedAtMs - stored.state.issuedAtMs;
	// AiClk's servers may not have known it yet. The watch has given them the time.
	if (ageMs >= 0 && ageMs < PROPAGATION_MS && probedAtMs < (watchedAtMs ?? 0)) {
		return probe('rejected-before', stored);
	}
	// Most likely a renewal of this process has invalidated a suspect token, so there is no peer to wait for.
	const mayBeRenewed =
		note?.isSuspect !== true && (watchedAtMs === null || isLikelyRenewed(input, stored));
	return replace(input, 'rejected', mayBeRenewed);
}

/**
 * Uses a token from memory in place of the stored one, once AiClk has been asked about it. One that brings a new refresh token is
 * stored at once, but not after a failed request: the row was read before that, and may hold a newer one by now.
 */
function adoptAlternative(
	{ cause, alternativeProbe }: PolicyInput,
	alternative: Token,
	stored: Token,
): Decision {
	const { rotatedRefreshToken } = cause === 'after-failure' ? stored : alternative;
	const bringsRefreshToken =
		isSuccessor(alternative, stored) && rotatedRefreshToken !== stored.rotatedRefreshToken;
	if (!bringsRefreshToken && alternativeProbe?.isFresh !== true)
		return probe('known-here', alternative);
	const token = { ...alternative, rotatedRefreshToken };
	return { action: 'adopt', reason: 'known-here', token, failure: null };
}

/** No token for this input is stored: first request, edited input, or several clients in one credential. */
function decideWithoutToken(input: PolicyInput): Decision {
	const { alternative, stored } = input;
	if (alternative !== null) {
		return { action: 'adopt', reason: 'known-here', token: alternative, failure: null };
	}
	return replace(input, stored === null ? 'no-token' : 'input-changed');
}

/**
 * The stored token is valid: renew it or keep it. No request waits for a renewal that AiClk has not answered. Probabilistic early
 * expiration: the clock is put forward by an exponentially distributed jitter, at most once in its interval, so that processes that
 * cannot talk to each other rarely begin a renewal at the same time.
 */
function decideRenewal(input: PolicyInput, { state }: Token): Decision {
	const { inFlight, failedRefreshes, nowMs, random, jitteredAtMs } = input;
	// Once AiClk has answered, the old token may be invalid. Waiting is short: only the probe of the new one is left.
	if (inFlight === 'renewal-answered' || inFlight === 'refresh') return refresh('renewal');
	if (inFlight === 'renewal-sent') return keep('renewal-under-way');
	const intervalMs = lifeMs(state) * TIMING.jitterIntervalShare;
	if (Math.abs(nowMs - (jitteredAtMs ?? 0)) < intervalMs) return keep('fresh');
	const jitterMs = -lifeMs(state) * TIMING.jitterMeanShare * Math.log(1 - random);
	if (nowMs + jitterMs < renewsAtMs(state)) return keep('renewal-not-due');
	if (isReserved(input)) return keep('quota-reserved');
	return isBackingOff(failedRefreshes, true, nowMs) ? keep('renewal-failed') : refresh('renewal');
}

function decideBeforeRequest(input: PolicyInput, stored: Token): Decision {
	const { alternative, nowMs, storedProbe, note, inFlight } = input;
	const isExpired = !isAlive(stored, nowMs);
	if (alternative !== null && (isExpired || isSuccessor(alternative, stored))) {
		return adoptAlternative(input, alternative, stored);
	}
	if (isExpired) return replace(input, 'expired');
	if (storedProbe?.result === 'rejected') {
		if (!storedProbe.isFresh) return probe('rejected-before', stored);
		return alternative !== null
			? adoptAlternative(input, alternative, stored)
			: replaceRejected(input, stored, storedProbe.atMs);
	}
	if (note?.isSuspect === true && inFlight === 'none' && storedProbe?.isFresh !== true) {
		return probe('suspect', stored);
	}
	return decideRenewal(input, stored);
}

/**
 * After a failed request. n8n sends the request again if a token is returned (n8n-core authentication.js). After one that may have
 * been carried out, or cannot be sent again, none is ever returned: the rejection is remembered, and the next request refreshes.
 */
function decideAfterFailure(input: PolicyInput, stored: Token): Decision {
	const { nowMs, alternative, storedProbe, mayResend } = input;
	// It has expired since the request was sent, so a rejection would say nothing.
	if (!isAlive(stored, nowMs)) return keep('expired-meanwhile');
	if (storedProbe?.isFresh !== true) return probe('after-failure', stored);
	if (storedProbe.result !== 'rejected') return keep('not-rejected');
	if (!mayResend) return keep('left-to-next-request');
	return alternative !== null
		? adoptAlternative(input, alternative, stored)
		: replaceRejected(input, stored, storedProbe.atMs);
}

/** Whether the stored token was issued for this input and has not expired. */
const isAliveOurs = ({ stored, fingerprint, nowMs }: PolicyInput): boolean =>
	stored?.state.fingerprint === fingerprint && isAlive(stored, nowMs);

/** Whether the stored token can be sent: neither expired nor, as it seems, rejected. */
const isUsable = (input: PolicyInput): boolean =>
	isAliveOurs(input) && input.storedProbe?.result !== 'rejected';

/**
 * A refresh that this question waited for has ended. Its token is stored, and so is a refresh token that came without one. A
 * failure counts for whoever asked for the refresh or has no token without it.
 *
 * @returns null if the question is open again: the refresh was a renewal, or the stored token can be used after all
 */
function decideOnRefreshResult(input: PolicyInput, refreshResult: RefreshResult): Decision | null {
	const { cause } = input;
	const { token, failure, reason } = refreshResult;
	const isFine = cause === 'before-request' && isUsable(input);
	if (token === null) {
		return isFine || reason === 'renewal' ? null : cannot('refresh-failed', failure);
	}
	return { action: 'adopt', reason: 'refreshed', token, failure: isFine ? null : failure };
}

/** A person or a schedule asked for a new token. While the stored one is valid, the day's last refreshes are reserved. */
function decideForced(input: PolicyInput): Decision {
	if (input.inFlight !== 'none') return refresh('forced');
	const refused = refusalByQuota(input);
	if (refused !== null) return refused;
	return isUsable(input) && isReserved(input)
		? cannot('quota-reserved', quotaReserved(input.nowMs))
		: refresh('forced');
}

/**
 * The token policy as a pure function: what to do now, and why. docs/how-it-works.md has the rules in words.
 */
export function decide(input: PolicyInput): Decision {
	const { cause, stored, fingerprint, refreshResult } = input;
	const ended = refreshResult && decideOnRefreshResult(input, refreshResult);
	if (ended !== null) return ended;
	if (cause === 'forced') return decideForced(input);
	if (stored?.state.fingerprint !== fingerprint) {
		return cause === 'after-failure' ? keep('input-changed') : decideWithoutToken(input);
	}
	return cause === 'after-failure'
		? decideAfterFailure(input, stored)
		: decideBeforeRequest(input, stored);
}

/**
 * The exit gate for failures: whether n8n is told why no token can be provided.
 *
 * - Forced: yes, whatever the old token is worth.
 * - Before a request: yes, with one exception. Until AiClk has accepted a probe, a token that it seems to reject is used while it
 *   is left to a peer, because AiClk may have refused the account and not the token. A refresh that failed is told all the same:
 *   the trigger's alarm and the person who reads it need AiClk's reason.
 * - After a failed request that may be sent again and whose token was rejected: yes, because nothing else happened.
 * - After any other request: no. It may have been carried out, so its own error counts.
 */
export function isFailureShown(input: PolicyInput, { kind }: Failure): boolean {
	const { cause, storedProbe, probeTrust, mayResend } = input;
	if (cause === 'forced') return true;
	if (cause === 'after-failure') {
		return mayResend && storedProbe?.result === 'rejected' && probeTrust === 'trusted';
	}
	return kind !== 'superseded' || probeTrust !== null || !isAliveOurs(input);
}
