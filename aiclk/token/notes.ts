import type { ProbeResult } from '../protocol/envelope';
import { BoundedMap } from '../util/boundedMap';
import type { ProbeTrust, Token } from './storedToken';

/** How long AiClk's answer to a probe is believed, whichever way the clock moves. */
const FRESH_MS = 30_000;

/** Distrust ends after this time, in case it was wrong. */
const DISTRUST_MS = 7 * 24 * 3_600_000;

/** Tokens of one input, and accounts that they were probed with, that are told apart. */
const MAX_TOKENS = 64;
const MAX_ACCOUNTS = 256;

/** An answer of AiClk's about a token. */
interface Answer {
	accountId: string;
	result: ProbeResult;
	atMs: number;
}

/**
 * What AiClk's answers say about a token, to someone who would ask with a certain account. `rejected` only while rejections are not
 * distrusted.
 */
export interface ProbeAnswer extends Omit<Answer, 'accountId'> {
	/** Whether it can be believed without asking again. */
	isFresh: boolean;
}

/** What this process remembers about one access token. */
export interface Note {
	readonly seenAtMs: number;
	/** When a request was first left to a peer that may have replaced this token; null if none was. */
	deferredAtMs: number | null;
	/** A renewal that failed may have invalidated it. */
	isSuspect: boolean;
	/** New tokens in a row that were to replace it and that AiClk rejected. */
	discarded: number;
	/** AiClk's last answer to a probe with each account, newest first. */
	answers: readonly Answer[];
}

/** Notes about the tokens of one input, and whether AiClk's rejections can be believed. */
export class TokenNotes {
	private readonly notes = new BoundedMap<string, Note>(MAX_TOKENS);

	/** By account, because AiClk's answer may depend on its permissions. */
	private readonly trust = new BoundedMap<string, ProbeTrust>(MAX_ACCOUNTS);

	/** The account that AiClk accepted a probe with last; null if that is not known. */
	provenAccount: string | null = null;

	constructor(private readonly now: () => number) {}

	/** The note about a token, begun when it is first seen. */
	of({ accessToken }: Token): Note {
		return this.notes.ensure(accessToken, () => ({
			seenAtMs: this.now(),
			deferredAtMs: null,
			isSuspect: false,
			discarded: 0,
			answers: [],
		}));
	}

	/** Whether rejections with an account can be believed; null while that is unknown. */
	trustIn(accountId: string): ProbeTrust | null {
		const known = this.trust.get(accountId);
		const isOver =
			known?.trust === 'distrusted' && Math.abs(this.now() - known.sinceMs) >= DISTRUST_MS;
		return known === undefined || isOver ? null : known;
	}

	/** Adopts the trust that was stored with a token, unless this process has its own. */
	observeTrust(stored: ProbeTrust | null): void {
		if (stored === null) return;
		this.trust.ensure(stored.accountId, () => stored);
		if (stored.trust === 'trusted') this.provenAccount ??= stored.accountId;
	}

	/** `distrusted`: AiClk rejects old and new tokens alike, so its rejections mean nothing until it accepts one. */
	setTrust(accountId: string, trust: ProbeTrust['trust']): void {
		if (this.trustIn(accountId)?.trust === trust) return;
		this.trust.set(accountId, { accountId, trust, sinceMs: this.now() });
	}

	/**
	 * What is known about a token; null if AiClk was never asked. An acceptance counts whichever account it came with. A rejection
	 * with another account is a reason to ask again: that account may lack a permission.
	 */
	answerFor(accountId: string, token: Token): ProbeAnswer | null {
		const answers = this.of(token).answers.map((answer) => this.asBelieved(answer));
		const [newest] = answers;
		if (newest === undefined) return null;
		const told = ({ result, atMs }: Answer): ProbeAnswer => ({
			result,
			atMs,
			isFresh: Math.abs(this.now() - atMs) < FRESH_MS,
		});
		const telling = answers.findIndex(({ result }) => result !== 'unknown');
		const rejection = answers[telling];
		if (rejection?.result !== 'rejected') return told(newest);
		// With this account, AiClk has rejected it as well, or has said nothing of use since.
		const own = answers.find(
			(answer, index) =>
				answer.accountId === accountId && (answer.result === 'rejected' || index < telling),
		);
		return own === undefined ? { ...told(rejection), isFresh: false } : told(own);
	}

	/** A distrusted rejection says nothing. */
	private asBelieved(answer: Answer): Answer {
		const isDistrusted = this.trustIn(answer.accountId)?.trust === 'distrusted';
		return answer.result === 'rejected' && isDistrusted ? { ...answer, result: 'unknown' } : answer;
	}

	/** Adds an answer of AiClk's. An acceptance ends all that was held against the token. */
	add(accountId: string, token: Token, result: ProbeResult, atMs = this.now()): void {
		const note = this.of(token);
		const others = note.answers.filter((answer) => answer.accountId !== accountId);
		note.answers = [{ accountId, result, atMs }, ...others].slice(0, MAX_ACCOUNTS);
		if (result !== 'accepted') return;
		this.provenAccount = accountId;
		this.setTrust(accountId, 'trusted');
		note.deferredAtMs = null;
		note.isSuspect = false;
		note.discarded = 0;
	}

	/**
	 * A refresh may have invalidated this token, so an earlier acceptance means nothing now. A rejection still counts: it explains
	 * why requests with this token failed.
	 */
	forgetAcceptance(token: Token): void {
		const note = this.of(token);
		note.answers = note.answers.filter(({ result }) => result === 'rejected');
	}
}
