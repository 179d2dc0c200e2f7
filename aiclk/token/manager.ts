import type { ProbeResult } from '../protocol/envelope';
import { BoundedMap } from '../util/boundedMap';
import { fail, ok, type Result } from '../util/result';
import type { RequestSafety } from './authenticate';
import type { Failure } from '../util/failure';
import { readInput, type TokenInput } from './input';
import {
	type Cause,
	decide,
	type Decision,
	isAlive,
	isFailureShown,
	type PolicyInput,
	type RefreshOutcome,
	type SentRequest,
	TIMING,
} from './policy';
import type { ProbeCache } from './probeCache';
import { QuotaTracker } from './quota';
import { refreshToken } from './refresh';
import { type Environment, type HttpRequest, Session } from './session';
import {
	readToken,
	type StoredFields,
	type Token,
	toStoredFields,
	type Workflow,
} from './storedToken';

/** At least this many inputs are remembered. Beyond that, the least recently used ones are forgotten. */
const MAX_SESSIONS = 10_000;

/** Decrypted credential data. n8n passes the same object to the hook, to `authenticate` and to the hook again. */
type Credentials = Record<string, unknown>;

/** A question of n8n's, and what has been done about it so far. */
interface Question {
	input: TokenInput;
	session: Session;
	probes: ProbeCache;
	http: HttpRequest;
	/** The token in the credential, whatever input it was issued for. */
	stored: Token | null;
	cause: Cause;
	/** Set if a request was sent with this same credentials object. */
	sent: SentRequest | null;
	/** When n8n asked, and when it first asked about these credentials, ms since 1970. */
	askedAtMs: number;
	readAtMs: number;
	workflow: Workflow | null;
	hasWatched: boolean;
	outcome: RefreshOutcome | null;
}

/**
 * Provides tokens for all credentials of one n8n process, which has one instance. It gathers the facts, asks the policy and carries
 * out what the policy decides. It decides nothing itself.
 */
export class TokenManager {
	private readonly sessions = new BoundedMap<string, Session>(MAX_SESSIONS);

	private readonly quota: QuotaTracker;

	private readonly sent = new WeakMap<Credentials, SentRequest>();

	private readonly readAtMs = new WeakMap<Credentials, number>();

	private readonly forced = new WeakMap<Credentials, Workflow | null>();

	private readonly failures = new WeakMap<Credentials, Failure>();

	/** @param timing when renewal begins, and its jitter */
	constructor(
		private readonly environment: Environment,
		private readonly timing = TIMING,
	) {
		this.quota = new QuotaTracker(() => environment.now());
	}

	/** Notes that a request is being sent with these credentials. If n8n asks about them again, that request has failed. */
	noteSent(credentials: Credentials, safety: RequestSafety): void {
		this.sent.set(credentials, { ...safety, sentAtMs: this.environment.now() });
	}

	/**
	 * Why no valid token could be provided when n8n last asked about these credentials; null if one could. Nodes read it here, because
	 * n8n 1 loses the text of an exception that the hook throws (n8n-workflow 1.120, execution-base.error.js: `cause`).
	 */
	failureOf(credentials: Credentials): Failure | null {
		return this.failures.get(credentials) ?? null;
	}

	/** Makes the hook refresh the next time it is asked about these credentials. @param workflow who asked for it, if known */
	forceRefresh(credentials: Credentials, workflow: Workflow | null = null): void {
		this.forced.set(credentials, workflow);
	}

	/** Notes what an answer that the caller received says about the token of these credentials. */
	noteProbe(credentials: Credentials, result: ProbeResult): void {
		const input = readInput(credentials);
		const token = readToken(credentials);
		if (!input.ok || token === null) return;
		this.sessionOf(input.value).probesFor(input.value.accountId).note(token, result);
	}

	/**
	 * Probes the token of these credentials, unless that was done a moment ago: AiClk may have rejected a call for another reason.
	 * The hook replaces a rejected token the next time it is asked before a request.
	 *
	 * @returns whether AiClk rejects the token
	 */
	async isRejected(credentials: Credentials, http: HttpRequest): Promise<boolean> {
		const read = readInput(credentials);
		const token = readToken(credentials);
		if (!read.ok || token === null) return false;
		const session = this.sessionOf(read.value);
		const last = session.probesFor(read.value.accountId).last(token);
		const result =
			last?.isFresh === true ? last.result : await session.probe(token, read.value, http);
		return result === 'rejected';
	}

	/** Refreshes attempted today for the client of this input, including those that are not stored yet. */
	refreshesToday({ client }: TokenInput, stored: Token | null): number {
		return this.quota.usage(client, stored?.state.quota ?? null).attempts;
	}

	/**
	 * Answers n8n before a request and after a failed one.
	 *
	 * @param credentials decrypted credential data
	 * @param http n8n's HTTP helper
	 * @returns the fields to store and use; null to use the stored token as it is and, after a failure, to send nothing again; or
	 *   why no valid token can be provided
	 */
	async ensureToken(
		credentials: Credentials,
		http: HttpRequest,
	): Promise<Result<StoredFields | null, Failure>> {
		const workflow = this.forced.get(credentials);
		const sent = this.sent.get(credentials) ?? null;
		const cause = workflow !== undefined ? 'forced' : sent ? 'after-failure' : 'before-request';
		this.forced.delete(credentials);
		// After an exception of the hook, the legacy request method asks once more with the same credentials object.
		const failed = this.failures.get(credentials);
		if (cause === 'before-request' && failed !== undefined) return fail(failed);
		this.failures.delete(credentials);

		const read = readInput(credentials);
		if (!read.ok) return this.failed(credentials, read.failure);
		const input = read.value;
		const session = this.sessionOf(input);
		const probes = session.probesFor(input.accountId);
		const stored = readToken(credentials);
		if (stored?.state.fingerprint === input.fingerprint) session.observe(stored, probes);
		const askedAtMs = this.environment.now();
		const readAtMs = this.readAtMs.get(credentials) ?? askedAtMs;
		this.readAtMs.set(credentials, readAtMs);
		return await this.answer(credentials, {
			input,
			session,
			probes,
			http,
			stored,
			cause,
			sent,
			askedAtMs,
			readAtMs,
			workflow: workflow ?? null,
			hasWatched: false,
			outcome: null,
		});
	}

	private sessionOf({ fingerprint }: TokenInput): Session {
		return this.sessions.ensure(fingerprint, () => new Session(this.environment));
	}

	private failed(credentials: Credentials, failure: Failure): Result<never, Failure> {
		this.failures.set(credentials, failure);
		return fail(failure);
	}

	/** Asks the policy and carries out its decisions until one of them is an answer for n8n. */
	private async answer(
		credentials: Credentials,
		question: Question,
	): Promise<Result<StoredFields | null, Failure>> {
		const { input, session, probes, stored, http } = question;
		for (;;) {
			const facts = this.gather(question);
			const decision = decide(facts, this.timing);
			if (decision.reason === 'renewal-not-due' || decision.reason === 'renewal') {
				session.jitteredAtMs = facts.nowMs;
			}
			switch (decision.action) {
				case 'keep':
					return ok(null);
				case 'adopt':
					return ok(this.toStore(credentials, decision.token, question));
				case 'probe':
					await session.probe(decision.token, input, http);
					break;
				case 'watch':
					await session.watch(stored, probes);
					question.hasWatched = true;
					break;
				case 'refresh':
					question.outcome = await this.refresh(decision, question);
					break;
				case 'defer':
				case 'fail': {
					if (decision.action === 'defer' && stored !== null) session.defer(stored);
					const { failure } = decision;
					return isFailureShown(facts, failure) ? this.failed(credentials, failure) : ok(null);
				}
			}
		}
	}

	private gather(question: Question): PolicyInput {
		const { input, session, probes, stored, cause, sent, askedAtMs, readAtMs } = question;
		const known = session.alternativeTo(stored, probes);
		return {
			cause,
			askedAtMs,
			readAtMs,
			nowMs: this.environment.now(),
			random: this.environment.random(),
			fingerprint: input.fingerprint,
			stored,
			known,
			refreshSentAtMs: session.refreshSentAtMs(stored),
			storedProbe: stored && probes.last(stored),
			knownProbe: known && probes.last(known),
			probeTrust: probes.trust?.trust ?? null,
			storedSeenAtMs: stored === null ? askedAtMs : session.firstSeenAtMs(stored),
			suspectSinceMs: session.suspectSinceMs(stored),
			deferredAtMs: session.deferredAtMs(stored),
			hasWatched: question.hasWatched,
			jitteredAtMs: session.jitteredAtMs,
			inFlight: session.inFlight?.phase ?? 'none',
			outcome: question.outcome,
			failed: session.failed,
			refreshesToday: this.refreshesToday(input, stored),
			request: sent,
		};
	}

	private async refresh(
		{ reason, early, peers }: Extract<Decision, { action: 'refresh' }>,
		{ input, session, stored, workflow, http }: Question,
	): Promise<RefreshOutcome> {
		const order = { input, stored, reason, early, peers, workflow, http };
		return await session.refresh(
			early,
			async (onAnswer) =>
				await refreshToken(order, session, this.quota, this.environment, onAnswer),
		);
	}

	/** The fields of a token, with everything that could not be stored earlier. */
	private toStore(
		credentials: Credentials,
		token: Token,
		{ input, probes, stored, outcome }: Question,
	): StoredFields {
		const quota = this.quota.usage(input.client, stored?.state.quota ?? null);
		this.quota.noteStored(quota);
		// Only its refresh token is worth storing: `authenticate` refuses to send the access token.
		const isUsable = isAlive(token, this.environment.now());
		if (!isUsable && outcome?.failure) this.failures.set(credentials, outcome.failure);
		return toStoredFields(token, { quota, probeTrust: probes.trust });
	}
}
