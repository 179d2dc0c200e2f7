import { sleep } from 'n8n-workflow';

import {
	afterAnswer,
	afterRefusal,
	afterSending,
	type Batching,
	type Busy,
	firstPace,
	MAX_BUSY_MS,
	nextSendAt,
	type Pace,
} from '../../aiclk/api/throttle';

/** Why a request was not sent. */
export type Closed =
	/** The run was stopped, or is over. */
	| { reason: 'closed' }
	/** AiClk is busy for longer than a request may wait. */
	| { reason: 'busy'; retryAfterMs: number };

/** What became of a request. */
export type Turn<T> =
	{ isSent: true; sentAtMs: number; result: T } | { isSent: false; closed: Closed };

/** ms, by a monotonic clock. */
const now = (): number => performance.now();

/**
 * Sends all requests of one run: in the order in which they ask, as many together and as fast as the pace allows. Once it is
 * closed, it sends nothing more.
 */
export class Lane {
	private pace: Pace;

	private underWay = 0;

	/** Whether the run was stopped or is over. */
	isClosed = false;

	/** Ends the waits of a closed lane. */
	private readonly closing: Promise<void>;

	private endWaits: () => void = () => {};

	/** Tells the request whose turn it is that an answer has come. */
	private onAnswer: () => void = () => {};

	/** The turn of the request that asked last. */
	private lastTurn: Promise<unknown> = Promise.resolve();

	/** @param signal closes the lane: n8n's cancel signal */
	constructor(batching: Batching | null, signal?: AbortSignal) {
		this.pace = firstPace(batching);
		this.closing = new Promise((resolve) => {
			this.endWaits = resolve;
		});
		if (signal?.aborted === true) this.close();
		signal?.addEventListener('abort', () => this.close(), { once: true });
	}

	/** Ends all waits. Requests that are under way go on. */
	close(): void {
		this.isClosed = true;
		this.endWaits();
	}

	/**
	 * Sends a request when its turn has come.
	 *
	 * @param request says whether AiClk was busy
	 * @param firstSentAtMs `sentAtMs` of its first turn, if this is a repetition
	 */
	async send<T extends { busy: Busy | null }>(
		request: () => Promise<T>,
		firstSentAtMs: number | null = null,
	): Promise<Turn<T>> {
		const turn = this.lastTurn.then(async () => await this.takeTurn(firstSentAtMs));
		this.lastTurn = turn;
		const taken = await turn;
		if ('reason' in taken) return { isSent: false, closed: taken };
		const { sentAtMs } = taken;
		try {
			const result = await request();
			const nowMs = now();
			this.pace =
				result.busy === null
					? afterAnswer(this.pace, sentAtMs, nowMs)
					: afterRefusal(this.pace, result.busy, { sentAtMs, nowMs, random: Math.random() });
			return { isSent: true, sentAtMs, result };
		} finally {
			this.underWay--;
			this.onAnswer();
		}
	}

	/** Waits until one more request may go, and counts it. */
	private async takeTurn(firstSentAtMs: number | null): Promise<Closed | { sentAtMs: number }> {
		const latestMs = (firstSentAtMs ?? now()) + MAX_BUSY_MS;
		for (;;) {
			if (this.isClosed) return { reason: 'closed' };
			const nowMs = now();
			const { resumesAtMs } = this.pace;
			const isTooLate = firstSentAtMs !== null && nowMs > latestMs;
			if (isTooLate || resumesAtMs > Math.max(nowMs, latestMs)) {
				return { reason: 'busy', retryAfterMs: Math.max(0, Math.ceil(resumesAtMs - nowMs)) };
			}
			const waitMs = nextSendAt(this.pace) - nowMs;
			if (waitMs > 0) await Promise.race([sleep(waitMs), this.closing]);
			else if (this.underWay >= Math.floor(this.pace.together)) await this.nextAnswer();
			else {
				this.underWay++;
				this.pace = afterSending(this.pace, nowMs);
				return { sentAtMs: nowMs };
			}
		}
	}

	private async nextAnswer(): Promise<void> {
		const answer = new Promise<void>((resolve) => {
			this.onAnswer = resolve;
		});
		await Promise.race([answer, this.closing]);
	}
}
