import type { ProbeResult } from '../protocol/envelope';
import { BoundedMap } from '../util/boundedMap';
import type { ProbeTrust, Token } from './storedToken';

/** How long AiClk's answer to a probe is believed, whichever way the clock moves. */
const FRESH_MS = 30_000;

/** Distrust is put to the test again after this time, so that a token distrusted wrongly does not stay unusable. */
const DISTRUST_MS = 7 * 24 * 3_600_000;

/** A token, its predecessor and what a collision leaves behind. No more are probed at a time. */
const MAX_TOKENS = 8;

/** What AiClk said of a token. */
export interface ProbeAnswer {
	/** `rejected` only if rejections can be believed. */
	result: ProbeResult;
	/** ms since 1970 */
	atMs: number;
	/** Whether it was a short while ago. An older answer must be asked for again. */
	isFresh: boolean;
}

/** What AiClk says of the tokens of one input when asked about one account. Kept for a short while. */
export class ProbeCache {
	/** By access token. */
	private readonly answers = new BoundedMap<string, { result: ProbeResult; atMs: number }>(
		MAX_TOKENS,
	);

	/** Probes under way, by access token. */
	private readonly pending = new Map<string, Promise<void>>();

	private trustRecord: ProbeTrust | null = null;

	/**
	 * @param accountId the account that AiClk is asked about: its permissions may decide the answer
	 * @param now the clock, ms since 1970
	 */
	constructor(
		private readonly accountId: string,
		private readonly now: () => number,
	) {}

	/** Whether rejections can be believed; null while nothing has shown it. */
	get trust(): ProbeTrust | null {
		const record = this.trustRecord;
		const isOver =
			record?.trust === 'distrusted' && Math.abs(this.now() - record.sinceMs) >= DISTRUST_MS;
		return isOver ? null : record;
	}

	/** Takes over what a stored token says of trust, unless this process knows better. */
	observeTrust(stored: ProbeTrust | null): void {
		if (stored?.accountId === this.accountId) this.trustRecord ??= stored;
	}

	/** AiClk rejects every token, old and new: its rejections tell nothing until it accepts one. */
	distrust(): void {
		this.setTrust('distrusted');
	}

	private setTrust(trust: ProbeTrust['trust']): void {
		if (this.trust?.trust === trust) return;
		this.trustRecord = { accountId: this.accountId, trust, sinceMs: this.now() };
	}

	/** What AiClk said of a token last; null if it was never asked. */
	last({ accessToken }: Token): ProbeAnswer | null {
		const answer = this.answers.get(accessToken);
		if (answer === undefined) return null;
		const isDistrusted = answer.result === 'rejected' && this.trust?.trust === 'distrusted';
		return {
			result: isDistrusted ? 'unknown' : answer.result,
			atMs: answer.atMs,
			isFresh: Math.abs(this.now() - answer.atMs) < FRESH_MS,
		};
	}

	/** Notes an answer that a caller received. */
	note({ accessToken }: Token, result: ProbeResult): void {
		if (result === 'accepted') this.setTrust('trusted');
		this.answers.set(accessToken, { result, atMs: this.now() });
	}

	/** Probes a token, whatever was said of it before; all who ask at the same time share one request. */
	async ask(token: Token, probe: (token: Token) => Promise<ProbeResult>): Promise<void> {
		const { accessToken } = token;
		const pending =
			this.pending.get(accessToken) ??
			probe(token)
				.then((result) => this.note(token, result))
				.finally(() => this.pending.delete(accessToken));
		this.pending.set(accessToken, pending);
		await pending;
	}

	/**
	 * A refresh may have invalidated this token, so an acceptance from before it means nothing now. A rejection stands: it is
	 * why requests that carried the token were rejected, too.
	 */
	forgetAcceptance({ accessToken }: Token): void {
		if (this.answers.get(accessToken)?.result !== 'rejected') this.answers.delete(accessToken);
	}

	/** Forgets what AiClk said of a token, but not what that showed of trust. */
	forget({ accessToken }: Token): void {
		this.answers.delete(accessToken);
	}
}
