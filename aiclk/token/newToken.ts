import type { ProbeResult } from '../protocol/envelope';
import { PROPAGATION_MS } from './policy';
import type { Token } from './storedToken';

/** When to probe a new token that a peer may have invalidated: a peer that started with us has refreshed by then. */
const COLLISION_PROBE_MS = 1_500;

/** If this many new tokens in a row are rejected over the same stored token, no peer is the cause: it would have stored its own. */
const MAX_COLLISIONS = 3;

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
