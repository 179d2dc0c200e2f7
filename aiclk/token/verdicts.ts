import type { Verdict } from '../api/envelope';
import { BoundedMap } from '../boundedMap';
import type { Token } from './state';

/** How long AiClk's verdict on a token is believed. */
const VERDICT_MS = 30_000;

/** A token, its predecessor and what a race leaves behind: more is never asked about at a time. */
const MOST_TOKENS = 8;

/** What AiClk said of a token. */
interface Answer {
	verdict: Verdict;
	/** ms since 1970 */
	atMs: number;
}

interface Check {
	running: Promise<Verdict>;
	/** Null while it is on its way. */
	answer: Answer | null;
}

/** What AiClk says of the tokens of one input, remembered for a short while. */
export class Verdicts {
	/** By access token. */
	private readonly checks = new BoundedMap<string, Check>(MOST_TOKENS);

	private areRejectionsDoubted = false;

	/** @param now the clock, ms since 1970 */
	constructor(private readonly now: () => number) {}

	/** What AiClk said a short while ago; null when it was not asked or has not answered yet. */
	known(token: Token): Answer | null {
		const answer = this.checks.get(token.accessToken)?.answer ?? null;
		return answer !== null && this.now() < answer.atMs + VERDICT_MS
			? { ...answer, verdict: this.believed(answer.verdict) }
			: null;
	}

	/**
	 * AiClk refuses to answer the question about any token, as it may for lack of a permission: until it accepts one, its
	 * refusals tell nothing.
	 */
	doubtRejections(): void {
		this.areRejectionsDoubted = true;
	}

	private believed(verdict: Verdict): Verdict {
		return verdict === 'rejected' && this.areRejectionsDoubted ? 'unknown' : verdict;
	}

	private learn(verdict: Verdict): void {
		if (verdict === 'accepted') this.areRejectionsDoubted = false;
	}

	/** When AiClk rejected a token, ms since 1970; null unless that was a short while ago. */
	rejectedAtMs(token: Token | null): number | null {
		const answer = token && this.known(token);
		return answer?.verdict === 'rejected' ? answer.atMs : null;
	}

	/** Notes a verdict that somebody else got. */
	note(token: Token, verdict: Verdict): void {
		this.learn(verdict);
		this.checks.set(token.accessToken, {
			running: Promise.resolve(verdict),
			answer: { verdict, atMs: this.now() },
		});
	}

	/** One question for all who want to know; none while the last answer is believed. */
	async of(token: Token, ask: () => Promise<Verdict>): Promise<Verdict> {
		const last = this.checks.get(token.accessToken);
		if (last !== undefined && (last.answer === null || this.known(token) !== null)) {
			return this.believed(await last.running);
		}
		const check: Check = {
			running: ask().then((verdict) => {
				this.learn(verdict);
				check.answer = { verdict, atMs: this.now() };
				return verdict;
			}),
			answer: null,
		};
		this.checks.set(token.accessToken, check);
		return this.believed(await check.running);
	}

	/**
	 * A refresh may have killed this token, so an acceptance from before it means nothing now. A rejection stands: it is why
	 * requests that went out with the token were refused, too.
	 */
	forgetAcceptance({ accessToken }: Token): void {
		if (this.checks.get(accessToken)?.answer?.verdict !== 'rejected') {
			this.checks.delete(accessToken);
		}
	}
}
