import type { ProbeResult } from '../protocol/envelope';
import { type IssuedToken, readRefreshAnswer, refreshRequest, unreachable } from './endpoint';
import type { Failure } from '../util/failure';
import { SUPERSEDED } from './errors';
import { shortFingerprint, type TokenInput } from './input';
import { decideOnNewToken } from './newToken';
import { mayCollide, type RefreshOutcome } from './policy';
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
	/** Who asked for it, if known. */
	workflow: Workflow | null;
	http: HttpRequest;
}

const isOf = ({ fingerprint }: TokenInput, token: Token | null): token is Token =>
	token?.state.fingerprint === fingerprint;

/** Makes a token of an answer: the next one of its lineage. @param rotated a new refresh token that came with it, or '' */
function toToken(
	issued: IssuedToken,
	parent: Token | null,
	rotated: string,
	issuedAtMs: number,
	{ input, reason, workflow }: RefreshOrder,
): Token {
	const { accessToken, expiresAtMs, expirySource, header, traceId } = issued;
	const record = { atMs: issuedAtMs, reason, workflow };
	return {
		accessToken,
		rotatedRefreshToken: rotated || (parent?.rotatedRefreshToken ?? ''),
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

/** Follows `decideOnNewToken` until it is clear which token to store: the new one, a peer's, or none. */
async function confirm(
	token: Token,
	isRotated: boolean,
	session: Session,
	{ input, stored, reason, http }: RefreshOrder,
	{ sleep }: Environment,
): Promise<Token | null> {
	const { notes } = session;
	const { accountId } = input;
	const probes: ProbeResult[] = [];
	let waitedMs = 0;
	let hasWatched = false;
	let peerProbe: ProbeResult | null = null;
	for (;;) {
		const decision = decideOnNewToken({
			isRotated,
			peers: mayCollide(reason),
			waitedMs,
			probes,
			hasWatched,
			peerToken: hasWatched ? session.alternativeTo(stored, accountId) : null,
			peerProbe,
			collisions: stored === null ? 0 : notes.of(stored).discarded,
		});
		switch (decision.action) {
			case 'wait':
				await sleep(decision.ms);
				waitedMs += decision.ms;
				break;
			case 'probe':
				probes.push(await session.probe(token, input, http));
				break;
			case 'watch':
				await session.watch(stored, accountId);
				hasWatched = true;
				break;
			case 'probe-peer':
				peerProbe = await session.probe(decision.token, input, http);
				break;
			case 'adopt-peer':
				return decision.token;
			case 'discard':
				return null;
			case 'distrust':
				notes.distrust(accountId);
				return token;
			case 'store':
				// A peer may invalidate the token at any moment.
				notes.forgetAnswers(token);
				return token;
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
	const { input, stored, reason, workflow, http } = order;
	const { log } = environment;
	const own = isOf(input, stored) ? stored : null;
	const parent = session.newestOf(own);
	const failWith = (failure: Failure, token: Token | null = null): RefreshOutcome => {
		if (token !== null) session.keep(token);
		log.warn(`AiClk access token not refreshed (${reason}): ${failure.message}`);
		return { reason, token, failure };
	};

	const sentAtMs = environment.now();
	quota.count(input.client, stored?.state.quota ?? null);
	const sent = parent?.rotatedRefreshToken || input.refreshToken;
	let answer: unknown;
	try {
		answer = await http(refreshRequest(input, sent));
	} catch (error) {
		const { failure, mayHaveArrived } = unreachable(error, input.baseUrl);
		if (!mayHaveArrived) quota.uncount(input.client);
		session.fail(reason, failure, own, mayHaveArrived);
		return failWith(failure);
	}
	onAnswer();
	const issued = readRefreshAnswer(answer, sentAtMs, [input.refreshToken, sent, input.clientId]);
	if (!issued.ok) {
		const { failure, refreshToken } = issued.failure;
		session.fail(reason, failure, own, failure.kind !== 'refused');
		const isNew = refreshToken !== '' && refreshToken !== sent;
		return failWith(
			failure,
			isNew ? withRefreshToken(parent, refreshToken, sentAtMs, input) : null,
		);
	}
	const { refreshToken, hasDamagedRefreshToken } = issued.value;
	if (hasDamagedRefreshToken) {
		log.warn('AiClk sent a new refresh token that cannot be stored. The old one remains in use.');
	}
	const rotated = refreshToken === sent ? '' : refreshToken;
	// It follows the newest token that is known, which a peer may have stored meanwhile.
	const newToken = () => toToken(issued.value, session.newestOf(own), rotated, sentAtMs, order);
	const issuedToken = newToken();
	const confirmed = await confirm(issuedToken, rotated !== '', session, order, environment);
	if (confirmed === null) {
		session.lose(own);
		return failWith(SUPERSEDED);
	}
	const token = confirmed === issuedToken ? newToken() : confirmed;
	if (parent !== null) session.notes.forgetAcceptance(parent);
	session.succeed(token, own);
	const by = workflow === null ? '' : `, workflow "${workflow.name}" (${workflow.id})`;
	log.info(
		`AiClk access token refreshed (${reason}${by}). Fingerprint ${shortFingerprint(token.accessToken)}, valid until ${new Date(token.state.expiresAtMs).toISOString()}, trace_id ${token.state.traceId ?? 'none'}.`,
	);
	return { reason, token, failure: null };
}
