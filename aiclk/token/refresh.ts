import type { ProbeResult } from '../protocol/envelope';
import { type IssuedToken, readRefreshAnswer, refreshRequest, unreachable } from './endpoint';
import type { Failure } from '../util/failure';
import { SUPERSEDED } from './errors';
import { shortFingerprint, type TokenInput } from './input';
import { decideOnNewToken, type RefreshOutcome } from './policy';
import type { QuotaTracker } from './quota';
import type { Environment, HttpRequest, Session } from './session';
import {
	addRecord,
	DEFAULT_TOKEN_HEADER,
	type RefreshReason,
	type Token,
	type Workflow,
} from './storedToken';

/** What to refresh, and why. */
export interface RefreshOrder {
	input: TokenInput;
	/** The token in the credential, whatever input it was issued for. */
	stored: Token | null;
	reason: RefreshReason;
	/** Whether it is a renewal: the stored token still works. */
	early: boolean;
	/** Whether another n8n process may be refreshing at the same time. */
	peers: boolean;
	/** Who asked for it, if known. */
	workflow: Workflow | null;
	http: HttpRequest;
}

const isOf = ({ fingerprint }: TokenInput, token: Token | null): token is Token =>
	token?.state.fingerprint === fingerprint;

/** Makes a token of an answer: the next one of its lineage. */
function toToken(
	issued: IssuedToken,
	parent: Token | null,
	isRotated: boolean,
	issuedAtMs: number,
	{ input, reason, workflow }: RefreshOrder,
): Token {
	const { accessToken, refreshToken, expiresAtMs, expirySource, header, traceId } = issued;
	const record = { atMs: issuedAtMs, reason, workflow };
	return {
		accessToken,
		rotatedRefreshToken: isRotated ? refreshToken : (parent?.rotatedRefreshToken ?? ''),
		state: {
			fingerprint: input.fingerprint,
			lineage: parent?.state.lineage ?? shortFingerprint(accessToken),
			generation: (parent?.state.generation ?? 0) + 1,
			issuedAtMs,
			expiresAtMs,
			expirySource,
			header,
			traceId,
			quota: null,
			probeTrust: null,
			refreshes: addRecord(parent?.state.refreshes ?? [], record),
		},
	};
}

/** A new refresh token that came with an unusable access token must not be lost, either. It is stored with its parent's access token. */
function withRefreshToken(
	parent: Token | null,
	rotatedRefreshToken: string,
	issuedAtMs: number,
	{ fingerprint }: TokenInput,
): Token {
	const { accessToken, state } = parent ?? {
		accessToken: '',
		state: {
			fingerprint,
			lineage: shortFingerprint(rotatedRefreshToken),
			generation: 0,
			issuedAtMs: issuedAtMs - 1,
			expiresAtMs: issuedAtMs,
			expirySource: 'assumed' as const,
			header: DEFAULT_TOKEN_HEADER,
			traceId: null,
			quota: null,
			probeTrust: null,
			refreshes: [],
		},
	};
	return {
		accessToken,
		rotatedRefreshToken,
		state: { ...state, generation: state.generation + 1 },
	};
}

/** Follows `decideOnNewToken` until it is clear which token to store; null to discard the new one. */
async function confirm(
	token: Token,
	isRotated: boolean,
	session: Session,
	{ input, stored, peers, http }: RefreshOrder,
	{ sleep }: Environment,
): Promise<{ token: Token; isAccepted: boolean } | null> {
	const probes = session.probesFor(input.accountId);
	const results: ProbeResult[] = [];
	let waitedMs = 0;
	let hasWatched = false;
	let peerProbe: ProbeResult | null = null;
	for (;;) {
		const peerToken = hasWatched ? session.alternativeTo(stored, probes) : null;
		const decision = decideOnNewToken({
			isRotated,
			peers,
			waitedMs,
			probes: results,
			hasWatched,
			peerToken,
			peerProbe,
			collisions: session.collisionsOver(stored),
		});
		switch (decision.action) {
			case 'wait':
				await sleep(decision.ms);
				waitedMs += decision.ms;
				break;
			case 'probe':
				results.push(await session.probe(token, input, http));
				break;
			case 'watch':
				await session.watch(stored, probes);
				hasWatched = true;
				break;
			case 'probe-peer':
				peerProbe = await session.probe(decision.token, input, http);
				break;
			case 'adopt-peer':
				return { token: decision.token, isAccepted: peerProbe === 'accepted' };
			case 'discard':
				session.countCollision(stored);
				return null;
			case 'distrust':
				probes.distrust();
				return { token, isAccepted: false };
			case 'store':
				// A peer may invalidate the token at any moment.
				probes.forget(token);
				return { token, isAccepted: results.at(-1) === 'accepted' };
		}
	}
}

/**
 * Makes one refresh: counts it, sends it, reads the answer, confirms the new token and tells the session how it ended.
 *
 * @param onAnswer called when AiClk has answered: from then on, the stored token may be invalid
 * @returns the outcome; never throws because of AiClk or the network
 */
export async function refreshToken(
	order: RefreshOrder,
	session: Session,
	quota: QuotaTracker,
	environment: Environment,
	onAnswer: () => void,
): Promise<RefreshOutcome> {
	const { input, stored, early, reason, workflow, http } = order;
	const { log } = environment;
	const parent = session.newestOf(isOf(input, stored) ? stored : null);
	const failWith = (failure: Failure, mayBeInvalid: boolean, token: Token | null = null) => {
		session.fail(early, failure, stored, mayBeInvalid);
		if (token !== null) session.keep(token);
		log.warn(`AiClk access token not refreshed (${reason}): ${failure.message}`);
		return { early, token, isAccepted: false, failure };
	};

	const sentAtMs = environment.now();
	session.sentAtMs = sentAtMs;
	quota.count(input.client, stored?.state.quota ?? null);
	const sent = parent?.rotatedRefreshToken || input.refreshToken;
	let answer: unknown;
	try {
		answer = await http(refreshRequest(input, sent));
	} catch (error) {
		const { failure, mayHaveArrived } = unreachable(error, input.baseUrl);
		if (!mayHaveArrived) quota.uncount(input.client);
		return failWith(failure, mayHaveArrived);
	}
	onAnswer();
	const issued = readRefreshAnswer(answer, sentAtMs, [input.refreshToken, sent, input.clientId]);
	if (!issued.ok) {
		const { failure, refreshToken } = issued.failure;
		const isNew = refreshToken !== '' && refreshToken !== sent;
		const token = isNew ? withRefreshToken(parent, refreshToken, sentAtMs, input) : null;
		return failWith(failure, failure.kind !== 'refused', token);
	}
	if (issued.value.hasDamagedRefreshToken) {
		log.warn('AiClk sent a new refresh token that cannot be stored. The old one remains in use.');
	}
	const isRotated = issued.value.refreshToken !== '' && issued.value.refreshToken !== sent;
	const issuedToken = toToken(issued.value, parent, isRotated, sentAtMs, order);
	const confirmed = await confirm(issuedToken, isRotated, session, order, environment);
	if (confirmed === null) return failWith(SUPERSEDED, true);
	const { token } = confirmed;
	if (parent !== null) session.probesFor(input.accountId).forgetAcceptance(parent);
	session.succeed(token);
	const by = workflow === null ? '' : `, workflow "${workflow.name}" (${workflow.id})`;
	log.info(
		`AiClk access token refreshed (${reason}${by}). Fingerprint ${shortFingerprint(token.accessToken)}, valid until ${new Date(token.state.expiresAtMs).toISOString()}, trace_id ${token.state.traceId ?? 'none'}.`,
	);
	return { early, ...confirmed, failure: null };
}
