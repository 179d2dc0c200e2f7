import type { IHttpRequestOptions } from 'n8n-workflow';

import { accountInfoRequest } from '../protocol/accountInfo';
import type { RequestSafety } from './authenticate';
import { readProbe, type ProbeResult } from '../protocol/envelope';
import { fail, ok, type Result } from '../util/result';
import { readRefreshAnswer, refreshRequest, unreachable } from './endpoint';
import { quotaSpent, SUPERSEDED, type TokenFailure } from './errors';
import { readInput, type TokenInput } from './input';
import { type QuotaUsage, QuotaTracker } from './quota';
import { type InputMemory, Memory } from './session';
import { restingAfter, withFailure } from './backoff';
import {
	type Cause,
	decide,
	type Decision,
	hadRivalTime,
	isNewer,
	RIVAL_MS,
	type PolicyInput,
	TIMING,
} from './policy';
import { readToken, type StoredFields, type Token, toStoredFields } from './storedToken';

/** After a refresh that another process may be doing too: wait this long, then see whose token lives. */
export const SETTLE_MS = 1_500;

/**
 * How often to look out for the token that another process may be about to store, as long as that one settles and asks.
 * Nobody can read the store for the sake of it, but every request of this process does in passing.
 */
const LOOKOUT_STEP_MS = 500;
const LOOKOUT_STEPS = RIVAL_MS / LOOKOUT_STEP_MS;

/** So many new tokens that AiClk refuses, with the same one stored all the time, are not lost to other processes. */
const MOST_LOST_RACES = 3;

/** n8n's HTTP helper, as the hook finds it in `this.helpers.httpRequest`. */
export type HttpRequest = (options: IHttpRequestOptions) => Promise<unknown>;

/** Clock, chance and waiting, passed in so that tests own them. */
export interface Environment {
	/** ms since 1970 */
	now(): number;
	/** [0, 1) */
	random(): number;
	/** Resolves after so many ms. */
	sleep(ms: number): Promise<void>;
}

/** Decrypted credential data. n8n hands the very same object to the hook, to `authenticate` and to the hook again. */
type Credentials = Record<string, unknown>;

interface Sent extends RequestSafety {
	atMs: number;
}

/** Whether another process may have refreshed, without its token being seen yet. */
type Rival = 'none' | 'possible' | 'certain';

type Refreshing = Extract<Decision, { action: 'refresh' }>;

/** What n8n asks, with all that is known of it. */
interface Question {
	input: TokenInput;
	memory: InputMemory;
	http: HttpRequest;
	/** What the credential holds, for whatever input. */
	stored: Token | null;
	cause: Cause;
	/** Set when a request went out with these very credentials. */
	sent: Sent | null;
	/** When it was asked, ms since 1970. */
	askedAtMs: number;
}

const ledgerOf = (token: Token | null): QuotaUsage | null => token?.state.ledger ?? null;

/** The store may hold a newer token than this process knows: another process refreshed. */
function observe({ input, memory, stored }: Question): void {
	if (stored?.state.fingerprint !== input.fingerprint) return;
	if (isNewer(stored, memory.newest)) memory.newest = stored;
}

/** A token that is to replace one that failed is asked about first: another process may have replaced it, too. */
const needsCheck = (
	decision: Decision,
	{ cause, newest }: PolicyInput,
	{ verdicts }: InputMemory,
): boolean =>
	decision.action === 'adopt' &&
	cause === 'after-failure' &&
	verdicts.known(newest as Token) === null;

/** Whether another process is about to store a token, so that a refresh here would be needless, or kill that token. */
function rivalOf(decision: Decision, situation: PolicyInput, memory: InputMemory): Rival {
	if (decision.action === 'leave') return 'certain';
	if (decision.action !== 'refresh' || decision.early) return 'none';
	if (restingFrom(decision, memory, situation.nowMs)?.kind === 'superseded') return 'certain';
	return decision.reason === 'rejected' && !hadRivalTime(situation) ? 'possible' : 'none';
}

/** The last failure, while it is too early to try again; a person's explicit refresh is never held back. */
const restingFrom = (
	{ reason, early }: Refreshing,
	{ failed }: InputMemory,
	nowMs: number,
): TokenFailure | null => (reason === 'forced' ? null : restingAfter(failed, early, nowMs));

/** Counts a race that seems lost; those over the same stored token are counted together. @returns how many they are */
function countLostRace(memory: InputMemory, stored: Token | null): number {
	const over = stored?.accessToken ?? '';
	const before = memory.lostRaces?.over === over ? memory.lostRaces.count : 0;
	memory.lostRaces = { over, count: before + 1 };
	return memory.lostRaces.count;
}

/** Asks AiClk about a token. No answer is no probe; what was thrown then holds the token and is dropped. */
async function ask(input: TokenInput, token: Token, http: HttpRequest): Promise<ProbeResult> {
	const request = accountInfoRequest(input.baseUrl, input.accountId);
	try {
		return readProbe(
			await http({ ...request, headers: { [token.state.header]: token.accessToken } }),
		);
	} catch {
		return 'unknown';
	}
}

/**
 * Keeps the tokens of all credentials of one n8n process: asks the policy, does what it says, and remembers
 * what the store cannot hold. One instance a process; nothing in it survives a restart, or has to.
 */
export class TokenManager {
	private readonly memory: Memory;

	private readonly ledgers: QuotaTracker;

	private readonly sent = new WeakMap<Credentials, Sent>();

	private readonly forced = new WeakSet<Credentials>();

	private readonly failures = new WeakMap<Credentials, TokenFailure>();

	constructor(
		private readonly environment: Environment,
		private readonly timing = TIMING,
	) {
		const now = () => environment.now();
		this.memory = new Memory(now);
		this.ledgers = new QuotaTracker(now);
	}

	/** Notes that a request goes out with these credentials; asked about them again, the manager knows that it failed. */
	noteSent(credentials: Credentials, traits: RequestSafety): void {
		this.sent.set(credentials, { ...traits, atMs: this.environment.now() });
	}

	/**
	 * Why no live token could be had when n8n last asked about these credentials; null if one was had. A node asks here,
	 * for what n8n 1 makes of an exception of the hook has lost it (n8n-workflow 1.120, execution-base.error.js: `cause`).
	 */
	failureOf(credentials: Credentials): TokenFailure | null {
		return this.failures.get(credentials) ?? null;
	}

	/** The next time that the hook is asked about these credentials it refreshes, whatever their age. */
	forceRefresh(credentials: Credentials): void {
		this.forced.add(credentials);
	}

	/** Notes what AiClk said of the token of these credentials in an answer that the caller has seen. */
	noteProbe(credentials: Credentials, probe: ProbeResult): void {
		const input = readInput(credentials);
		const token = readToken(credentials);
		if (!input.ok || token === null) return;
		this.memory.of(input.value.fingerprint).verdicts.note(token, probe);
	}

	/**
	 * Asks AiClk, unless it has just said so, whether it is the token of these credentials that it refuses: an answer to
	 * another call may mean something else. The next request before which the hook is asked has a refused token renewed.
	 */
	async isRejected(credentials: Credentials, http: HttpRequest): Promise<boolean> {
		const input = readInput(credentials);
		const token = readToken(credentials);
		if (!input.ok || token === null) return false;
		const memory = this.memory.of(input.value.fingerprint);
		return (await this.check(token, { input: input.value, memory, http })) === 'rejected';
	}

	/** Refreshes attempted today for the client of this input, stored or not. */
	refreshesToday(input: TokenInput, stored: Token | null): number {
		return this.ledgers.of(input.client, ledgerOf(stored)).attempts;
	}

	/**
	 * Answers n8n's question before a request and after a failed one.
	 *
	 * @param credentials decrypted credential data
	 * @param http n8n's HTTP helper
	 * @returns the fields to store and use; null when the stored token is to be used as it is (and, after a
	 *   failure, nothing is to be sent again); or why no live token can be had
	 */
	async ensureToken(
		credentials: Credentials,
		http: HttpRequest,
	): Promise<Result<StoredFields | null, TokenFailure>> {
		const cause = this.takeCause(credentials);
		// Told that there is no token, the legacy request method asks once more, about credentials as old as before.
		const failed = this.failures.get(credentials);
		if (cause === 'before-request' && failed !== undefined) return fail(failed);
		const answer = await this.answer(credentials, cause, http);
		if (answer.ok) this.failures.delete(credentials);
		else this.failures.set(credentials, answer.failure);
		// Given a token n8n 1 would send the empty rest of a used-up body and hang; the next request takes the token over.
		const isUsedUp = cause === 'after-failure' && this.sent.get(credentials)?.singleUse;
		return isUsedUp && answer.ok ? ok(null) : answer;
	}

	private async answer(
		credentials: Credentials,
		cause: Cause,
		http: HttpRequest,
	): Promise<Result<StoredFields | null, TokenFailure>> {
		const read = readInput(credentials);
		if (!read.ok) return read;
		const input = read.value;
		const stored = readToken(credentials);
		const memory = this.memory.of(input.fingerprint);
		const sent = this.sent.get(credentials) ?? null;
		const askedAtMs = this.environment.now();
		const question: Question = { input, memory, http, stored, cause, sent, askedAtMs };
		observe(question);

		if (memory.inFlight !== null) {
			const shared = await memory.inFlight;
			if (cause === 'forced') return this.handOver(shared, question);
		}
		let rival: Rival | null = null;
		// Each turn asks AiClk one thing that it remembers, or is the one that looks out: so the fourth at the latest is final.
		for (;;) {
			const situation = this.situation(question);
			const decision = decide(situation, this.timing);
			if (decision.action === 'check' || needsCheck(decision, situation, memory)) {
				const token = decision.action === 'check' ? stored : situation.newest;
				const probe = await this.check(token as Token, question);
				if (decision.action === 'check' && probe !== 'rejected') return ok(null);
				continue;
			}
			if (rival === null) {
				rival = rivalOf(decision, situation, memory);
				if (rival !== 'none') {
					await this.lookOut(memory);
					continue;
				}
			}
			// These credentials were read before the rival stored its token: only another request can get hold of it.
			const isLeft = decision.action === 'refresh' && rival === 'certain';
			if (decision.action === 'leave' || isLeft) return this.leave(question);
			return await this.carryOut(decision, situation, question);
		}
	}

	private takeCause(credentials: Credentials): Cause {
		if (this.forced.delete(credentials)) return 'forced';
		return this.sent.has(credentials) ? 'after-failure' : 'before-request';
	}

	private situation({ input, memory, stored, cause, sent, askedAtMs }: Question): PolicyInput {
		const { newest, verdicts, awaited, lastDrawAtMs } = memory;
		return {
			cause,
			nowMs: this.environment.now(),
			random: this.environment.random(),
			fingerprint: input.fingerprint,
			stored,
			newest: verdicts.rejectedAtMs(newest) === null ? newest : null,
			storedRejectedAtMs: verdicts.rejectedAtMs(stored),
			rivalAwaitedAtMs:
				awaited !== null && awaited.accessToken === stored?.accessToken ? awaited.atMs : null,
			lastDrawAtMs,
			refreshesToday: this.refreshesToday(input, stored),
			sent: sent && { ...sent, failedAtMs: askedAtMs },
		};
	}

	/** Leaves a token to the process that has replaced it; if it is still stored when n8n asks again, nobody has. */
	private leave({ memory, stored }: Question): Result<never, TokenFailure> {
		if (stored !== null && stored.accessToken !== memory.awaited?.accessToken) {
			memory.awaited = { accessToken: stored.accessToken, atMs: this.environment.now() };
		}
		return fail(SUPERSEDED);
	}

	/** Looks out for a rival's token, together with all others who need one. */
	private async lookOut(memory: InputMemory): Promise<void> {
		memory.lookout ??= this.untilSeen(memory, memory.newest).finally(() => {
			memory.lookout = null;
		});
		await memory.lookout;
	}

	/**
	 * Waits until a request of this process has seen in the store what replaced a token, or for as long as it may take.
	 *
	 * @returns the other token, null when none was seen
	 */
	private async untilSeen(memory: InputMemory, replaced: Token | null): Promise<Token | null> {
		for (let step = 0; ; step++) {
			const { newest, verdicts } = memory;
			if (isNewer(newest, replaced) && verdicts.rejectedAtMs(newest) === null) return newest;
			if (step === LOOKOUT_STEPS) return null;
			await this.environment.sleep(LOOKOUT_STEP_MS);
		}
	}

	private async carryOut(
		decision: Exclude<Decision, { action: 'check' | 'leave' }>,
		{ nowMs, newest }: PolicyInput,
		question: Question,
	): Promise<Result<StoredFields | null, TokenFailure>> {
		const { memory } = question;
		if (decision.reason === 'not-drawn' || decision.reason === 'renewal-window') {
			memory.lastDrawAtMs = nowMs;
		}
		switch (decision.action) {
			case 'keep':
				return ok(null);
			case 'adopt':
				return this.handOver(ok(newest as Token), question);
			case 'refuse':
				return fail(quotaSpent(nowMs));
			case 'refresh': {
				const resting = restingFrom(decision, memory, nowMs);
				if (resting !== null) return decision.early ? ok(null) : fail(resting);
				const minted = await this.refresh(decision, question);
				if (!minted.ok && decision.early) return ok(null);
				return this.handOver(minted, question);
			}
		}
	}

	/** Single flight: whoever comes while a refresh of this input is under way shares it. */
	private async refresh(
		decision: Refreshing,
		question: Question,
	): Promise<Result<Token, TokenFailure>> {
		const { memory } = question;
		memory.inFlight ??= this.mint(decision, question).then((minted) => {
			memory.inFlight = null;
			this.learn(memory, decision, minted);
			return minted;
		});
		return await memory.inFlight;
	}

	/** One refresh: count it, send it, read the answer, and where others may be at it too, see whose token lives. */
	private async mint(
		{ settle }: Refreshing,
		question: Question,
	): Promise<Result<Token, TokenFailure>> {
		const { input, memory, stored, http } = question;
		const sentAtMs = this.environment.now();
		this.ledgers.count(input.client, ledgerOf(stored));
		const previous = memory.newest;
		const refreshToken = previous?.rotatedRefreshToken || input.refreshToken;
		let answer: unknown;
		try {
			answer = await http(refreshRequest(input, refreshToken));
		} catch (error) {
			return fail(unreachable(error, input.baseUrl));
		}
		const secrets = [input.refreshToken, refreshToken, input.clientId];
		const issued = readRefreshAnswer(answer, sentAtMs, secrets);
		if (!issued.ok) return issued;
		const { accessToken, refreshToken: rotated, ...state } = issued.value;
		const token: Token = {
			accessToken,
			rotatedRefreshToken: rotated || (previous?.rotatedRefreshToken ?? ''),
			state: {
				...state,
				fingerprint: input.fingerprint,
				generation: (previous?.state.generation ?? 0) + 1,
				issuedAtMs: sentAtMs,
				ledger: this.ledgers.of(input.client, ledgerOf(stored)),
			},
		};
		if (!settle) return ok(token);
		await this.environment.sleep(SETTLE_MS);
		if ((await this.check(token, question)) !== 'rejected') return ok(token);
		const winner = await this.untilSeen(memory, previous);
		if (winner !== null) {
			return (await this.check(winner, question)) === 'rejected' ? fail(SUPERSEDED) : ok(winner);
		}
		if (countLostRace(memory, stored) < MOST_LOST_RACES) return fail(SUPERSEDED);
		// Nobody has won: it is the question about the account that AiClk refuses, whatever the token.
		memory.verdicts.doubtRejections();
		return ok(token);
	}

	private learn(
		memory: InputMemory,
		{ early }: Refreshing,
		minted: Result<Token, TokenFailure>,
	): void {
		if (!minted.ok) {
			memory.failed = withFailure(memory.failed, early, minted.failure, this.environment.now());
			return;
		}
		if (memory.newest !== null) memory.verdicts.forgetAcceptance(memory.newest);
		memory.newest = minted.value;
		memory.failed = null;
		memory.lostRaces = null;
	}

	/** Asks AiClk about a token: one request for all who want to know, believed for a short while. */
	private async check(
		token: Token,
		{ input, memory, http }: Pick<Question, 'input' | 'memory' | 'http'>,
	): Promise<ProbeResult> {
		return await memory.verdicts.of(token, async () => await ask(input, token, http));
	}

	/** Gives a token to n8n for storing, and with it all attempts that could not be stored before. */
	private handOver(
		minted: Result<Token, TokenFailure>,
		{ input, stored }: Question,
	): Result<StoredFields, TokenFailure> {
		if (!minted.ok) return minted;
		const ledger = this.ledgers.of(input.client, ledgerOf(stored));
		this.ledgers.noteStored(ledger);
		return ok(toStoredFields(minted.value, ledger));
	}
}
