import type { ProbeResult } from '../protocol/envelope';
import { BoundedMap } from '../util/boundedMap';
import type { Token } from './storedToken';

/** How long AiClk's probe on a token is believed. */
const VERDICT_MS = 30_000;

/** A token, its predecessor and what a race leaves behind: more is never asked about at a time. */
const MOST_TOKENS = 8;

/** What AiClk said of a token. */
interface Answer {
	probe: ProbeResult;
	/** ms since 1970 */
	atMs: number;
}

interface Check {
	running: Promise<ProbeResult>;
	/** Null while it is on its way. */
	answer: Answer | null;
}

/** What AiClk says of the tokens of one input, remembered for a short while. */
export class ProbeCache {
	/** By access token. */
	private readonly checks = new BoundedMap<string, Check>(MOST_TOKENS);

	private areRejectionsDoubted = false;

	/** @param now the clock, ms since 1970 */
	constructor(private readonly now: () => number) {}

	/** What AiClk said a short while ago; null when it was not asked or has not answered yet. */
	known(token: Token): Answer | null {
		const answer = this.checks.get(token.accessToken)?.answer ?? null;
		return answer !== null && this.now() < answer.atMs + VERDICT_MS
			? { ...answer, probe: this.believed(answer.probe) }
			: null;
	}

	/**
	 * AiClk refuses to answer the question about any token, as it may for lack of a permission: until it accepts one, its
	 * refusals tell nothing.
	 */
	doubtRejections(): void {
		this.areRejectionsDoubted = true;
	}

	private believed(probe: ProbeResult): ProbeResult {
		return probe === 'rejected' && this.areRejectionsDoubted ? 'unknown' : probe;
	}

	private learn(probe: ProbeResult): void {
		if (probe === 'accepted') this.areRejectionsDoubted = false;
	}

	/** When AiClk rejected a token, ms since 1970; null unless that was a short while ago. */
	rejectedAtMs(token: Token | null): number | null {
		const answer = token && this.known(token);
		return answer?.probe === 'rejected' ? answer.atMs : null;
	}

	/** Notes a probe that somebody else got. */
	note(token: Token, probe: ProbeResult): void {
		this.learn(probe);
		this.checks.set(token.accessToken, {
			running: Promise.resolve(probe),
			answer: { probe, atMs: this.now() },
		});
	}

	/** One question for all who want to know; none while the last answer is believed. */
	async of(token: Token, ask: () => Promise<ProbeResult>): Promise<ProbeResult> {
		const last = this.checks.get(token.accessToken);
		if (last !== undefined && (last.answer === null || this.known(token) !== null)) {
			return this.believed(await last.running);
		}
		const check: Check = {
			running: ask().then((probe) => {
				this.learn(probe);
				check.answer = { probe, atMs: this.now() };
				return probe;
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
		if (this.checks.get(accessToken)?.answer?.probe !== 'rejected') {
			this.checks.delete(accessToken);
		}
	}
}
