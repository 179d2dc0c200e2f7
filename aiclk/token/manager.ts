import type { IHttpRequestOptions } from 'n8n-workflow';

import { accountInfoRequest } from '../api/accountInfo';
import type { RequestTraits } from '../api/authenticate';
import { tokenVerdict, type Verdict } from '../api/envelope';
import { fail, ok, type Result } from '../result';
import { readRefreshAnswer, refreshRequest, unreachable } from './endpoint';
import type { TokenFailure } from './failure';
import type { TokenInput } from './input';
import { readInput } from './input';
import {
	attempts,
	foldLedger,
	type Ledger,
	QUOTA_TIME_ZONE,
	quotaDayEndsAtMs,
	REFRESHES_PER_DAY,
} from './ledger';
import { type Check, type FailedRefreshes, type InputMemory, Memory } from './memory';
import {
	type Cause,
	decide,
	type Decision,
	hadRivalTime,
	isNewer,
	RIVAL_MS,
	type Situation,
	TIMING,
} from './policy';
import { readToken, type StoredFields, type Token, toStoredFields } from './state';

/** After a refresh that another process may be doing too: wait this long, then see whose token lives. */
export const SETTLE_MS = 1_500;

/**
 * How often to look out for the token that another process may be about to store, as long as that one settles and asks.
 * Nobody can read the store for the sake of it, but every request of this process does in passing.
 */
const LOOKOUT_STEP_MS = 500;
const LOOKOUT_STEPS = RIVAL_MS / LOOKOUT_STEP_MS;

/** How long AiClk's verdict on a token is believed. */
const VERDICT_MS = 30_000;

/** Pauses after failed refreshes, doubling: short when requests have no token, long while the old one serves. */
const PAUSE_MS = {
	needed: { first: 10_000, most: 300_000 },
	early: { first: 60_000, most: 900_000 },
};

/** After a lost race the winner's token is in the store by the time n8n tries again; this is for when it never comes. */
const PAUSE_AFTER_LOST_RACE_MS = 5_000;

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

interface Sent extends RequestTraits {
	atMs: number;
}

/** Whether another process may have refreshed, without its token being seen yet. */
type Rival = 'none' | 'possible' | 'certain';

type Refreshing = Extract<Decision, { action: 'refresh' }>;

/** How long to leave the token endpoint alone after failures in a row, in ms. */
function pauseMs(failed: FailedRefreshes, early: boolean): number {
	if (failed.failure.kind === 'superseded') return PAUSE_AFTER_LOST_RACE_MS;
	const { first, most } = early ? PAUSE_MS.early : PAUSE_MS.needed;
	// Days of failures ahead of time must not hold back the first refresh that a request cannot do without.
	const inARow = failed.early === early ? failed.count : 1;
	return Math.min(most, first * 2 ** Math.min(inARow - 1, 20));
}

const superseded: TokenFailure = {
	kind: 'superseded',
	message: 'The AiClk access token was renewed by another n8n process at the same moment',
	description:
		"The other process's token is kept. Run again; n8n's Retry On Fail does that by itself.",
};

/** The day's refreshes are used up: said before anything is sent. */
function quotaSpent(nowMs: number): TokenFailure {
	const resetsAtMs = quotaDayEndsAtMs(nowMs);
	return {
		kind: 'quota',
		message: `All ${REFRESHES_PER_DAY} refreshes that AiClk allows in a day are used up for this client`,
		description: `No refresh was sent. The day ends at ${new Date(resetsAtMs).toISOString()} (midnight in ${QUOTA_TIME_ZONE}). Find out what refreshes so often: one scheduled AiClk Token node is enough.`,
		resetsAtMs,
	};
}

/**
 * Keeps the tokens of all credentials of one n8n process: asks the policy, does what it says, and remembers
 * what the store cannot hold. One instance a process; nothing in it survives a restart, or has to.
 */
export class TokenManager {
	private readonly memory = new Memory();

	private readonly sent = new WeakMap<Credentials, Sent>();

	private readonly forced = new WeakSet<Credentials>();

	private readonly failures = new WeakMap<Credentials, TokenFailure>();

	constructor(
		private readonly environment: Environment,
		private readonly timing = TIMING,
	) {}

	/** Notes that a request goes out with these credentials; asked about them again, the manager knows that it failed. */
	markSent(credentials: Credentials, traits: RequestTraits): void {
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
	force(credentials: Credentials): void {
		this.forced.add(credentials);
	}

	/** Notes what AiClk said of the token of these credentials in an answer that the caller has seen. */
	noteVerdict(credentials: Credentials, verdict: Verdict): void {
		const input = readInput(credentials);
		const token = readToken(credentials);
		if (!input.ok || token === null) return;
		this.memory.of(input.value.fingerprint).checks.set(token.accessToken, {
			running: Promise.resolve(verdict),
			answer: { verdict, atMs: this.environment.now() },
		});
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
		return (await this.check(memory, input.value, token, http)) === 'rejected';
	}

	/** Refreshes attempted today for the client of this input, stored or not. */
	attemptsToday(input: TokenInput, stored: Token | null): number {
		return attempts(this.foldedLedger(input, stored));
	}

	/**
	 * Answers n8n's question before a request and after a failed one.
	 *
	 * @param credentials decrypted credential data
	 * @param http n8n's HTTP helper
	 * @returns the fields to store and use; null when the stored token is to be used as it is (and, after a
	 *   failure, nothing is to be sent again); or why no live token can be had
	 */
	async renew(
		credentials: Credentials,
		http: HttpRequest,
	): Promise<Result<StoredFields | null, TokenFailure>> {
		const cause = this.takeCause(credentials);
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
		this.observe(memory, stored, input);

		if (memory.inFlight !== null) {
			const shared = await memory.inFlight;
			if (cause === 'forced') return this.handOver(shared, input, stored);
		}
		let rival: Rival | null = null;
		// Each turn asks AiClk one thing that it remembers, or is the one that looks out: so the fourth at the latest is final.
		for (;;) {
			const situation = this.situation(input, memory, stored, cause, credentials);
			const decision = decide(situation, this.timing);
			if (decision.action === 'check' || this.needsCheck(decision, situation, memory)) {
				const token = decision.action === 'check' ? stored : situation.newest;
				const verdict = await this.check(memory, input, token as Token, http);
				if (decision.action === 'check' && verdict !== 'rejected') return ok(null);
				continue;
			}
			if (rival === null) {
				rival = this.rival(decision, memory, situation);
				if (rival !== 'none') {
					await this.lookOut(memory);
					continue;
				}
			}
			// These credentials were read before the rival stored its token: only another request can get hold of it.
			const isLeft = decision.action === 'refresh' && rival === 'certain';
			if (decision.action === 'leave' || isLeft) return this.leave(memory, stored);
			return await this.carryOut(decision, { input, memory, stored, situation, http });
		}
	}

	private takeCause(credentials: Credentials): Cause {
		if (this.forced.delete(credentials)) return 'forced';
		return this.sent.has(credentials) ? 'after-failure' : 'before-request';
	}

	/** The store may hold a newer token than this process knows: another process refreshed. */
	private observe(memory: InputMemory, stored: Token | null, input: TokenInput): void {
		if (stored?.state.fingerprint !== input.fingerprint) return;
		if (isNewer(stored, memory.newest)) memory.newest = stored;
	}

	/** Whether another process is about to store a token, so that a refresh here would be needless, or kill that token. */
	private rival(decision: Decision, memory: InputMemory, situation: Situation): Rival {
		if (decision.action === 'leave') return 'certain';
		if (decision.action !== 'refresh' || decision.early) return 'none';
		if (this.resting(memory, decision, situation.nowMs)?.kind === 'superseded') return 'certain';
		return decision.reason === 'rejected' && !hadRivalTime(situation) ? 'possible' : 'none';
	}

	/** Leaves a token to the process that has replaced it; if it is still stored when n8n asks again, nobody has. */
	private leave(memory: InputMemory, stored: Token | null): Result<never, TokenFailure> {
		if (stored !== null && stored.accessToken !== memory.awaited?.accessToken) {
			memory.awaited = { accessToken: stored.accessToken, atMs: this.environment.now() };
		}
		return fail(superseded);
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
			const { newest } = memory;
			const isOther = isNewer(newest, replaced) && this.rejectedAtMs(memory, newest) === null;
			if (isOther) return newest;
			if (step === LOOKOUT_STEPS) return null;
			await this.environment.sleep(LOOKOUT_STEP_MS);
		}
	}

	private situation(
		input: TokenInput,
		memory: InputMemory,
		stored: Token | null,
		cause: Cause,
		credentials: Credentials,
	): Situation {
		return {
			cause,
			nowMs: this.environment.now(),
			random: this.environment.random(),
			fingerprint: input.fingerprint,
			stored,
			newest: this.rejectedAtMs(memory, memory.newest) === null ? memory.newest : null,
			storedRejectedAtMs: this.rejectedAtMs(memory, stored),
			rivalAwaitedAtMs:
				memory.awaited !== null && memory.awaited.accessToken === stored?.accessToken
					? memory.awaited.atMs
					: null,
			lastDrawAtMs: memory.lastDrawAtMs,
			attemptsToday: this.attemptsToday(input, stored),
			sent: this.sent.get(credentials) ?? null,
		};
	}

	/** A token that is to replace one that failed is asked about first: another process may have replaced it, too. */
	private needsCheck(decision: Decision, situation: Situation, memory: InputMemory): boolean {
		return (
			decision.action === 'adopt' &&
			situation.cause === 'after-failure' &&
			this.knownAnswer(memory, situation.newest as Token) === null
		);
	}

	private async carryOut(
		decision: Exclude<Decision, { action: 'check' | 'leave' }>,
		context: {
			input: TokenInput;
			memory: InputMemory;
			stored: Token | null;
			situation: Situation;
			http: HttpRequest;
		},
	): Promise<Result<StoredFields | null, TokenFailure>> {
		const { input, memory, stored, situation, http } = context;
		if (decision.reason === 'not-drawn' || decision.reason === 'renewal-window') {
			memory.lastDrawAtMs = situation.nowMs;
		}
		switch (decision.action) {
			case 'keep':
				return ok(null);
			case 'adopt':
				return this.handOver(ok(situation.newest as Token), input, stored);
			case 'refuse':
				return fail(quotaSpent(situation.nowMs));
			case 'refresh': {
				const resting = this.resting(memory, decision, situation.nowMs);
				if (resting !== null) return decision.early ? ok(null) : fail(resting);
				const minted = await this.refresh(memory, input, stored, decision, http);
				if (!minted.ok && decision.early) return ok(null);
				return this.handOver(minted, input, stored);
			}
		}
	}

	/** The last failure, while it is too early to try again; a person's explicit refresh is never held back. */
	private resting(memory: InputMemory, decision: Refreshing, nowMs: number): TokenFailure | null {
		const { failed } = memory;
		if (failed === null || decision.reason === 'forced') return null;
		return Math.abs(nowMs - failed.lastAtMs) < pauseMs(failed, decision.early)
			? failed.failure
			: null;
	}

	/** Single flight: whoever comes while a refresh of this input is under way shares it. */
	private async refresh(
		memory: InputMemory,
		input: TokenInput,
		stored: Token | null,
		decision: Refreshing,
		http: HttpRequest,
	): Promise<Result<Token, TokenFailure>> {
		memory.inFlight ??= this.mint(memory, input, stored, decision, http).then((minted) => {
			memory.inFlight = null;
			this.learn(memory, decision, minted);
			return minted;
		});
		return await memory.inFlight;
	}

	/** One refresh: count it, send it, read the answer, and where others may be at it too, see whose token lives. */
	private async mint(
		memory: InputMemory,
		input: TokenInput,
		stored: Token | null,
		{ settle }: Refreshing,
		http: HttpRequest,
	): Promise<Result<Token, TokenFailure>> {
		const sentAtMs = this.environment.now();
		this.countAttempt(input, stored);
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
				ledger: this.ledger(input, stored),
			},
		};
		if (!settle) return ok(token);
		await this.environment.sleep(SETTLE_MS);
		if ((await this.check(memory, input, token, http)) !== 'rejected') return ok(token);
		const winner = await this.untilSeen(memory, previous);
		if (winner === null) return fail(superseded);
		return (await this.check(memory, input, winner, http)) === 'rejected'
			? fail(superseded)
			: ok(winner);
	}

	private learn(
		memory: InputMemory,
		{ early }: Refreshing,
		minted: Result<Token, TokenFailure>,
	): void {
		if (!minted.ok) {
			const last = memory.failed;
			memory.failed = {
				early,
				count: last?.early === early ? last.count + 1 : 1,
				lastAtMs: this.environment.now(),
				failure: minted.failure,
			};
			return;
		}
		// The refresh may have killed the old token, so an acceptance from before it means nothing now. A rejection
		// stands: it is why requests that went out with the old token were refused, too.
		const old = memory.newest?.accessToken;
		if (old !== undefined && memory.checks.get(old)?.answer?.verdict !== 'rejected') {
			memory.checks.delete(old);
		}
		memory.newest = minted.value;
		memory.failed = null;
	}

	/** What AiClk said of a token a short while ago; null when it was not asked or has not answered yet. */
	private knownAnswer(memory: InputMemory, token: Token): Check['answer'] {
		const answer = memory.checks.get(token.accessToken)?.answer ?? null;
		return answer !== null && this.environment.now() < answer.atMs + VERDICT_MS ? answer : null;
	}

	private rejectedAtMs(memory: InputMemory, token: Token | null): number | null {
		const answer = token && this.knownAnswer(memory, token);
		return answer?.verdict === 'rejected' ? answer.atMs : null;
	}

	/** Asks AiClk about a token: one request for all who want to know, believed for a short while. */
	private async check(
		memory: InputMemory,
		input: TokenInput,
		token: Token,
		http: HttpRequest,
	): Promise<Verdict> {
		const last = memory.checks.get(token.accessToken);
		if (last !== undefined && (last.answer === null || this.knownAnswer(memory, token) !== null)) {
			return await last.running;
		}
		const check: Check = {
			running: this.ask(input, token, http).then((verdict) => {
				check.answer = { verdict, atMs: this.environment.now() };
				return verdict;
			}),
			answer: null,
		};
		memory.checks.set(token.accessToken, check);
		return await check.running;
	}

	private async ask(input: TokenInput, token: Token, http: HttpRequest): Promise<Verdict> {
		const request = accountInfoRequest(input.baseUrl, input.accountId);
		try {
			return tokenVerdict(
				await http({ ...request, headers: { [token.state.header]: token.accessToken } }),
			);
		} catch {
			// No answer is no verdict; the value thrown holds the token and is dropped.
			return 'unknown';
		}
	}

	private foldedLedger(input: TokenInput, stored: Token | null) {
		const { client } = input;
		const remembered = this.memory.ledgers.get(client);
		return foldLedger(remembered, stored?.state.ledger ?? null, client, this.environment.now());
	}

	/** An attempt counts before it is sent: a lost answer may still have counted at AiClk. */
	private countAttempt(input: TokenInput, stored: Token | null): void {
		const ledger = this.foldedLedger(input, stored);
		this.memory.ledgers.set(input.client, { ...ledger, unstored: ledger.unstored + 1 });
	}

	private ledger(input: TokenInput, stored: Token | null): Ledger {
		const folded = this.foldedLedger(input, stored);
		return { client: input.client, day: folded.day, attempts: attempts(folded) };
	}

	/** Gives a token to n8n for storing, and with it all attempts that could not be stored before. */
	private handOver(
		minted: Result<Token, TokenFailure>,
		input: TokenInput,
		stored: Token | null,
	): Result<StoredFields, TokenFailure> {
		if (!minted.ok) return minted;
		const ledger = this.ledger(input, stored);
		this.memory.ledgers.set(input.client, {
			day: ledger.day,
			stored: ledger.attempts,
			unstored: 0,
		});
		return ok(toStoredFields(minted.value, ledger));
	}
}
