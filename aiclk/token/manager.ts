import type { ProbeResult } from '../protocol/envelope';
import { BoundedMap } from '../util/boundedMap';
import { fail, type Failure, ok, type Result } from '../util/failure';
import { readInput, type TokenInput } from './input';
import { decide, isFailureShown, type PolicyInput } from './policy';
import { QuotaTracker } from './quota';
import { makeRefresh, type RefreshOrder } from './refresh';
import { type Environment, type HttpRequest, Session } from './session';
import {
	readToken,
	type StoredFields,
	type Token,
	toStoredFields,
	type AskingWorkflow,
} from './storedToken';

/** So many inputs are remembered. Beyond that, the least recently used ones are forgotten. */
const MAX_SESSIONS = 10_000;

/** Decrypted credential data. n8n passes the same object to the hook, to `authenticate` and to the hook again. */
type Credentials = Record<string, unknown>;

/** What happened to one credentials object so far. */
interface History {
	/** As in `PolicyInput`. */
	readAtMs?: number;
	/** Once a request has been sent with it: whether that may be sent again. */
	mayResend?: boolean;
	/** Until the next question: who asked for a refresh; null if that is not known. */
	forcedBy?: AskingWorkflow | null;
	/** Why no valid token could be provided when n8n last asked. */
	failure?: Failure;
}

/** A question of n8n's, and what has been done about it so far. */
interface Question
	extends
		Omit<RefreshOrder, 'reason'>,
		Pick<
			PolicyInput,
			'cause' | 'mayResend' | 'readAtMs' | 'fingerprint' | 'watchedAtMs' | 'refreshResult'
		> {}

/**
 * Provides tokens for all credentials of one n8n process, which has one instance. It finds out why n8n asks, gathers the facts and
 * carries out what the policy decides. It decides one thing: a failure is repeated when the same question comes again.
 */
export class TokenManager {
	private readonly sessions = new BoundedMap<string, Session>(MAX_SESSIONS);

	private readonly quota: QuotaTracker;

	private readonly histories = new WeakMap<Credentials, History>();

	constructor(private readonly environment: Environment) {
		this.quota = new QuotaTracker(() => environment.now());
	}

	/** A request is being sent with these credentials. If n8n asks about them again, it has failed. */
	observeRequest(credentials: Credentials, mayResend: boolean): void {
		this.historyOf(credentials).mayResend = mayResend;
	}

	/**
	 * Why no valid token could be provided when n8n last asked about these credentials; null if one could. Nodes read it here, because
	 * n8n 1 loses the text of an exception that the hook throws (n8n-workflow 1.120, execution-base.error.js: `cause`).
	 */
	failureOf(credentials: Credentials): Failure | null {
		return this.historyOf(credentials).failure ?? null;
	}

	/** Makes the hook refresh the next time it is asked about these credentials. @param workflow who asked for it, if known */
	forceRefresh(credentials: Credentials, workflow: AskingWorkflow | null): void {
		this.historyOf(credentials).forcedBy = workflow;
	}

	/** The caller has an answer of AiClk's, which says this about the token of these credentials. */
	observeProbe(credentials: Credentials, result: ProbeResult): void {
		const subject = this.subjectOf(credentials);
		if (subject === null) return;
		const { notes } = subject.session;
		const { accountId } = subject.input;
		// A rejection with another account than the one that AiClk accepted last is dated 1970. So it is not fresh, and the hook checks it.
		const isChecked = result !== 'rejected' || [null, accountId].includes(notes.provenAccount);
		notes.add(accountId, subject.token, result, isChecked ? this.environment.now() : 0);
	}

	/**
	 * Asks AiClk about the token of these credentials, unless that was done a moment ago: it may have rejected a call for another
	 * reason. The hook replaces a rejected token the next time it is asked before a request.
	 *
	 * @returns what AiClk says about the token
	 */
	async probe(credentials: Credentials, http: HttpRequest): Promise<ProbeResult> {
		const subject = this.subjectOf(credentials);
		if (subject === null) return 'unknown';
		const { session, input, token } = subject;
		const last = session.notes.answerFor(input.accountId, token);
		return last?.isFresh === true ? last.result : await session.probe(token, input, http);
	}

	private subjectOf(credentials: Credentials) {
		const input = readInput(credentials);
		const token = readToken(credentials);
		if (!input.ok || token === null) return null;
		return { input: input.value, token, session: this.sessionOf(input.value) };
	}

	/**
	 * Refreshes attempted today for the client of this input, including those that are not stored yet. What is stored is observed
	 * first: AiClk Token shows a status without asking the hook.
	 */
	refreshesToday({ clientKey }: TokenInput, stored: Token | null): number {
		if (stored?.state.quota) this.quota.observe(stored.state.quota);
		return this.quota.usage(clientKey).attempts;
	}

	/**
	 * Answers n8n before a request and after a failed one.
	 *
	 * @returns the fields to store and use; null to use the stored token as it is and, after a failure, to send nothing again; or
	 *   why no valid token can be provided
	 */
	async ensureToken(
		credentials: Credentials,
		http: HttpRequest,
	): Promise<Result<StoredFields | null, Failure>> {
		const history = this.historyOf(credentials);
		const { forcedBy, mayResend, failure } = history;
		const causeBySending = mayResend === undefined ? 'before-request' : 'after-failure';
		const cause = forcedBy === undefined ? causeBySending : 'forced';
		// After an exception of the hook, the legacy request method asks once more with the same credentials object.
		if (cause === 'before-request' && failure !== undefined) return fail(failure);
		delete history.forcedBy;
		delete history.failure;

		const read = readInput(credentials);
		if (!read.ok) {
			history.failure = read.failure;
			return read;
		}
		const input = read.value;
		const session = this.sessionOf(input);
		const stored = readToken(credentials);
		if (stored?.state.fingerprint === input.fingerprint) session.observe(stored, input.accountId);
		history.readAtMs ??= this.environment.now();
		return await this.answer(history, {
			input,
			session,
			http,
			workflow: forcedBy ?? null,
			cause,
			mayResend: mayResend === true,
			readAtMs: history.readAtMs,
			fingerprint: input.fingerprint,
			stored,
			watchedAtMs: null,
			refreshResult: null,
		});
	}

	private historyOf(credentials: Credentials): History {
		const history = this.histories.get(credentials) ?? {};
		this.histories.set(credentials, history);
		return history;
	}

	private sessionOf({ fingerprint }: TokenInput): Session {
		return this.sessions.ensure(fingerprint, () => new Session(this.environment));
	}

	/** Asks the policy and carries out its decisions until one of them is an answer for n8n. */
	private async answer(
		history: History,
		question: Question,
	): Promise<Result<StoredFields | null, Failure>> {
		const { input, session, http, cause, stored } = question;
		for (;;) {
			const facts = this.gather(question);
			const decision = decide(facts);
			const { action, reason } = decision;
			this.environment.log.debug(`AiClk access token, ${cause}: ${action} (${reason})`);
			if (reason === 'renewal-not-due' || reason === 'renewal') {
				session.jitteredAtMs = facts.nowMs;
			}
			switch (decision.action) {
				case 'keep':
					return ok(null);
				case 'adopt':
					// Only its refresh token can be used: `authenticate` refuses to send the access token.
					if (decision.failure !== null) history.failure = decision.failure;
					return ok(this.toStore(decision.token, question));
				case 'probe':
					await session.probe(decision.token, input, http);
					break;
				case 'watch':
					await session.watch(stored, input.accountId);
					question = { ...question, watchedAtMs: this.environment.now() };
					break;
				case 'refresh': {
					const order = { ...question, reason: decision.reason };
					const refreshResult = await session.refresh(
						order.reason,
						async () => await makeRefresh(order, this.quota),
					);
					question = { ...question, refreshResult };
					break;
				}
				case 'defer':
				case 'fail': {
					if (action === 'defer' && facts.note !== null) facts.note.deferredAtMs ??= facts.nowMs;
					const { failure } = decision;
					if (!isFailureShown(facts, failure)) return ok(null);
					history.failure = failure;
					return fail(failure);
				}
			}
		}
	}

	private gather(question: Question): PolicyInput {
		const { input, session, stored } = question;
		const { notes } = session;
		const { accountId } = input;
		const alternative = session.alternativeTo(stored, accountId);
		return {
			...question,
			nowMs: this.environment.now(),
			random: this.environment.random(),
			alternative,
			storedProbe: stored && notes.answerFor(accountId, stored),
			alternativeProbe: alternative && notes.answerFor(accountId, alternative),
			probeTrust: notes.trustIn(accountId)?.trust ?? null,
			note: stored && notes.of(stored),
			jitteredAtMs: session.jitteredAtMs,
			inFlight: session.inFlight,
			failedRefreshes: session.failedRefreshes,
			refreshesToday: this.refreshesToday(input, stored),
		};
	}

	/** The fields of a token, with everything that could not be stored earlier. */
	private toStore(token: Token, { input, session, stored }: Question): StoredFields {
		const quota = this.quota.usage(input.clientKey);
		this.quota.markStored(quota);
		const probeTrust = session.notes.trustIn(input.accountId);
		return toStoredFields(token, { quota, probeTrust }, stored);
	}
}
