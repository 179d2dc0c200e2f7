import { type IssuedToken, readRefreshAnswer, refreshRequest, unreachable } from './endpoint';
import type { Failure } from '../util/failure';
import { SUPERSEDED } from './errors';
import { shortFingerprint, type TokenInput } from './input';
import { addFailure } from './backoff';
import { PROPAGATION_MS, type RefreshResult } from './policy';
import type { Note } from './notes';
import type { QuotaTracker } from './quota';
import type { HttpRequest, Session } from './session';
import {
	DEFAULT_TOKEN_HEADER,
	type RefreshReason,
	type Token,
	type AskingWorkflow,
} from './storedToken';

/** What to refresh, and why. */
export interface RefreshOrder {
	input: TokenInput;
	session: Session;
	/** The token in the credential, whatever input it was issued for. */
	stored: Token | null;
	reason: RefreshReason;
	/** Who asked for it, if known. */
	workflow: AskingWorkflow | null;
	http: HttpRequest;
}

/** How many past refreshes are stored. */
const MAX_RECORDS = 10;

/** Makes a token of an answer: the next one of its lineage. @param rotated a new refresh token that came with it, or '' */
function toToken(
	issued: IssuedToken,
	parent: Token | null,
	rotated: string,
	issuedAtMs: number,
	{ input, reason, workflow }: RefreshOrder,
): Token {
	const { accessToken, ...facts } = issued;
	const record = { atMs: issuedAtMs, reason, workflow };
	return {
		accessToken,
		rotatedRefreshToken: rotated || (parent?.rotatedRefreshToken ?? ''),
		state: {
			fingerprint: input.fingerprint,
			lineage: parent?.state.lineage ?? shortFingerprint(accessToken || rotated),
			generation: (parent?.state.generation ?? 0) + 1,
			issuedAtMs,
			...facts,
			quota: null,
			probeTrust: null,
			refreshes: [record, ...(parent?.state.refreshes ?? [])].slice(0, MAX_RECORDS),
		},
	};
}

/** A new refresh token that came with an unusable access token must not be lost, either. It is stored with its parent's access token. */
function withRefreshToken(
	parent: Token | null,
	rotated: string,
	nowMs: number,
	order: RefreshOrder,
): Token {
	if (parent !== null) {
		const state = { ...parent.state, generation: parent.state.generation + 1 };
		return { ...parent, rotatedRefreshToken: rotated, state };
	}
	const none = {
		accessToken: '',
		expiresAtMs: nowMs,
		expirySource: 'assumed' as const,
		header: DEFAULT_TOKEN_HEADER,
		traceId: null,
	};
	// Expired from the start. It is issued 1 ms before that, because a state without a life cannot be read back.
	const token = toToken(none, null, rotated, nowMs - 1, order);
	return { ...token, state: { ...token.state, refreshes: [] } };
}

/** When to probe a new token that a peer may have invalidated: a peer that started with us has refreshed by then. */
const COLLISION_PROBE_MS = 1_500;

/** If this many new tokens in a row are rejected over the same stored token, no peer is the cause: it would have stored its own. */
const MAX_COLLISIONS = 3;

/**
 * Finds out which token to store where a peer may have invalidated the new one. If AiClk rejects it even when its servers must know
 * it, a peer's token counts; without one the new token is discarded, unless that happens time and again.
 *
 * @param note about the stored token
 * @returns the new token, a peer's, or null
 */
async function confirm(
	token: Token,
	note: Note,
	{ input, session, stored, http }: RefreshOrder,
): Promise<Token | null> {
	const { now, sleep } = session.environment;
	const isRejected = async (one: Token): Promise<boolean> =>
		(await session.probe(one, input, http)) === 'rejected';
	await sleep(COLLISION_PROBE_MS);
	if (!(await isRejected(token))) return token;
	await sleep(PROPAGATION_MS - COLLISION_PROBE_MS);
	if (!(await isRejected(token))) return token;
	await session.watch(stored, input.accountId);
	const peers = session.alternativeTo(stored, input.accountId);
	if (peers !== null && !(await isRejected(peers))) return peers;
	if (note.discarded + 1 < MAX_COLLISIONS) {
		note.deferredAtMs = now();
		note.discarded++;
		return null;
	}
	session.notes.setTrust(input.accountId, 'distrusted');
	return token;
}

/**
 * Makes one refresh: counts it, sends it, reads the answer, confirms the new token and tells the session how it ended.
 *
 * @returns the outcome; never throws because of AiClk or the network
 */
export async function makeRefresh(
	order: RefreshOrder,
	quota: QuotaTracker,
): Promise<RefreshResult> {
	const { input, session, stored, reason, workflow, http } = order;
	const { now, log } = session.environment;
	const own = stored?.state.fingerprint === input.fingerprint ? stored : null;
	const note = own && session.notes.of(own);
	const parent = session.newestOf(own);
	const failWith = (
		failure: Failure,
		mayBeInvalid: boolean,
		token: Token | null = null,
	): RefreshResult => {
		// In a collision it was a peer that succeeded.
		if (failure !== SUPERSEDED) {
			session.failedRefreshes = addFailure(
				session.failedRefreshes,
				reason === 'renewal',
				failure,
				now(),
			);
		}
		if (note !== null && mayBeInvalid) note.isSuspect = true;
		if (token !== null) session.remember(token);
		log.warn(`AiClk access token not refreshed (${reason}): ${failure.message}`);
		return { reason, token, failure };
	};

	const sentAtMs = now();
	quota.count(input.clientKey);
	const sent = parent?.rotatedRefreshToken || input.refreshToken;
	let answer: unknown;
	try {
		answer = await http(refreshRequest(input, sent));
	} catch (error) {
		const { failure, mayHaveArrived } = unreachable(error, input.baseUrl);
		if (!mayHaveArrived) quota.uncount(input.clientKey);
		return failWith(failure, mayHaveArrived);
	}
	session.observeAnswer();
	const secrets = [input.refreshToken, sent, input.clientId];
	const { issued, refreshToken } = readRefreshAnswer(answer, sentAtMs, secrets);
	const rotated = refreshToken === null || refreshToken === sent ? '' : refreshToken;
	if (!issued.ok) {
		const { failure } = issued;
		const token = rotated === '' ? null : withRefreshToken(parent, rotated, sentAtMs, order);
		return failWith(failure, failure.kind !== 'refused', token);
	}
	if (refreshToken === null) {
		log.warn('AiClk sent a new refresh token that cannot be stored. The old one remains in use.');
	}
	// It follows the newest token that is known, which a peer may have stored meanwhile.
	const newToken = () => toToken(issued.value, session.newestOf(own), rotated, sentAtMs, order);
	const issuedToken = newToken();
	// No peer refreshes at the same time where no token of this input was stored, or where somebody asked for a new one. And AiClk
	// itself has decided a race if it sent a new refresh token, which cannot be had again.
	const isSafe = note === null || reason === 'forced' || rotated !== '';
	const confirmed = isSafe ? issuedToken : await confirm(issuedToken, note, order);
	if (confirmed === null) return failWith(SUPERSEDED, true);
	const token = confirmed === issuedToken ? newToken() : confirmed;
	// A peer may invalidate it at any moment.
	session.notes.forgetAcceptance(token);
	if (parent !== null) session.notes.forgetAcceptance(parent);
	session.remember(token);
	session.failedRefreshes = null;
	const by = workflow === null ? '' : `, workflow "${workflow.name}" (${workflow.id})`;
	log.info(
		`AiClk access token refreshed (${reason}${by}). Fingerprint ${shortFingerprint(token.accessToken)}, valid until ${new Date(token.state.expiresAtMs).toISOString()}, trace_id ${token.state.traceId ?? 'none'}.`,
	);
	return { reason, token, failure: null };
}
