import type { ProbeResult } from '../protocol/envelope';
import { BoundedMap } from '../util/boundedMap';
import type { ProbeTrust, Token } from './storedToken';

/** How long AiClk's answer to a probe is believed, whichever way the clock moves. */
const FRESH_MS = 30_000;

/** Distrust ends after this time, in case it was wrong. */
const DISTRUST_MS = 7 * 24 * 3_600_000;

/** A token, its predecessor and a few discarded ones. No more than these are probed at a time. */
const MAX_TOKENS = 8;

/** AiClk's answer about a token. */
export interface ProbeAnswer {
	/** `rejected` only while rejections are not distrusted. */
	result: ProbeResult;
	/** ms since 1970 */
	atMs: number;
	/** Whether it is recent enough to be believed. */
	isFresh: boolean;
}

/** AiClk's recent answers about the tokens of one input, when asked with one account. */
export class ProbeCache {
	/** By access token. */
	private readonly answers = new BoundedMap<string, { result: ProbeResult; atMs: number }>(
		MAX_TOKENS,
	);

	/** Probes in flight, by access token. */
	private readonly pending = new Map<string, Promise<void>>();

	private trustRecord: ProbeTrust | null = null;

	/**
	 * @param accountId the account of the probes: AiClk's answer may depend on its permissions
	 * @param now the clock, ms since 1970
	 */
	constructor(
		private readonly accountId: string,
		private readonly now: () => number,
	) {}

	/** Whether rejections can be believed; null while that is unknown. */
	get trust(): ProbeTrust | null {
		const record = this.trustRecord;
		const isOver =
			record?.trust === 'distrusted' && Math.abs(this.now() - record.sinceMs) >= DISTRUST_MS;
		return isOver ? null : record;
	}

	/** Adopts the trust that was stored with a token, unless this process has its own. */
	observeTrust(stored: ProbeTrust | null): void {
		if (stored?.accountId === this.accountId) this.trustRecord ??= stored;
	}

	/** AiClk rejects old and new tokens alike: its rejections mean nothing until it accepts one. */
	distrust(): void {
		this.setTrust('distrusted');
	}

	private setTrust(trust: ProbeTrust['trust']): void {
		if (this.trust?.trust === trust) return;
		this.trustRecord = { accountId: this.accountId, trust, sinceMs: this.now() };
	}

	/** AiClk's last answer about a token; null if it was never asked. */
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

	/** Probes a token, whatever AiClk said before. All who ask at the same time share one request. */
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
	 * A refresh may have invalidated this token, so an earlier acceptance means nothing now. A rejection still counts: it explains
	 * why requests with this token failed.
	 */
	forgetAcceptance({ accessToken }: Token): void {
		if (this.answers.get(accessToken)?.result !== 'rejected') this.answers.delete(accessToken);
	}

	/** Forgets AiClk's answer about a token, but keeps the trust that came of it. */
	forget({ accessToken }: Token): void {
		this.answers.delete(accessToken);
	}
}
