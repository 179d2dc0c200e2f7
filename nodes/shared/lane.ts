import { sleep } from 'n8n-workflow';

import { type Batching, MAX_TOGETHER, waitOf } from '../../aiclk/api/throttle';
import { BoundedMap } from '../../aiclk/util/boundedMap';
import { fail, type Failure, newFailure, type Result } from '../../aiclk/util/failure';

const FIRST_WIDTH = 10;
/** How many more go together after a round of good answers: until AiClk first refuses, and from then on. */
const GROWTH = { first: 15, then: 1 };

/** At a width below two, requests go one by one, with a gap of this many ms divided by the width. */
const GAP_MS = 100;
const MIN_WIDTH = 0.1;
const GROWTH_BELOW_TWO = 0.05;

/**
 * At its first refusal since a good answer, a run waits a little longer than told, by half to all of this share: a run of another
 * process that was refused more often in a row comes first.
 */
const JITTER = 0.05;

/**
 * By client: when AiClk takes requests again. All runs of this process wait for it; once one of them has given up, it is forgotten,
 * so that the next run asks AiClk itself.
 */
const resumptions = new BoundedMap<string, number>(1_000);

const CLOSED = newFailure({
	kind: 'aborted',
	message: 'The run was stopped before this item was sent.',
	description: 'Run it again when you want it to be sent.',
});

/** Whether AiClk took a request and answered it, if only with a no. An outage, or no answer, says nothing of the pace. */
const isServed = (answer: Result<unknown, Failure>): boolean =>
	answer.ok || answer.failure.kind === 'refused' || answer.failure.kind === 'rejected';

interface Waiting {
	clientKey: string;
	isRepetition: boolean;
	isOver: () => boolean;
	go: (closed: Failure | null) => void;
}

/**
 * Sends the requests of one run, as many together as AiClk serves: some more after good answers, half after a refusal. Batching
 * rules where it is set. Once it is closed, it sends nothing more. All times are ms by a monotonic clock.
 */
export class Lane {
	isClosed = false;
	/** How long requests waited because AiClk is busy, in ms. */
	waitedMs = 0;
	/** How many go together; a fraction counts towards the next one. */
	private width = FIRST_WIDTH;
	private growth = GROWTH.first;
	private underWay = 0;
	private sentInBatch = 0;
	private lastSentAtMs = -Infinity;

	/** How often AiClk began to refuse: refusals of what was under way together count as one. */
	private refusals = 0;
	private resumesAtMs = -Infinity;
	/** What came since the last good answer: refusals, the waits after them, and how many requests were refused. */
	private sinceServed = { refusals: 0, waitedMs: 0, requests: 0 };

	/** In the order in which they ask. One that is sent again asks again, so that it keeps no other back. */
	private readonly waiting: Waiting[] = [];
	private isSleeping = false;

	/**
	 * @param signal closes the lane: n8n's cancel signal
	 * @param maxBusyMs how long a run waits for a busy AiClk without a good answer
	 */
	constructor(
		private readonly batching: Batching | null,
		signal?: AbortSignal,
		private readonly maxBusyMs = 2 * 60_000,
	) {
		if (signal?.aborted === true) this.close();
		signal?.addEventListener('abort', () => this.close());
	}

	/** Ends all waits. Requests that are under way go on. */
	close(): void {
		this.isClosed = true;
		this.advance();
	}

	/**
	 * Runs a request when its turn has come.
	 *
	 * @param clientKey for whom: `TokenInput.clientKey`
	 * @param isRepetition whether it was sent before
	 * @param isOver whether it is no longer needed when its turn has come
	 * @returns what `request` returns; `aborted` or `busy` with the outcome `not-sent` where its turn does not come
	 */
	async run<T>(
		clientKey: string,
		request: () => Promise<Result<T, Failure>>,
		isRepetition = false,
		isOver = () => false,
	): Promise<Result<T, Failure>> {
		const closed = await new Promise<Failure | null>((go) => {
			this.waiting.push({ clientKey, isRepetition, isOver, go });
			this.advance();
		});
		if (closed !== null) return fail(closed);
		const { refusals } = this;
		try {
			const answer = await request();
			if (isServed(answer)) this.speedUp();
			if (answer.ok || answer.failure.kind !== 'busy') return answer;
			if (!isRepetition) this.sinceServed.requests++;
			if (refusals === this.refusals) this.backOff(answer.failure, clientKey);
			return answer;
		} finally {
			this.underWay--;
			this.advance();
		}
	}

	/** Lets those go whose turn it is. */
	private advance(): void {
		for (;;) {
			const [next] = this.waiting;
			if (next === undefined) return;
			const nowMs = performance.now();
			const busyMs = Math.max(this.resumesAtMs, resumptions.get(next.clientKey) ?? 0) - nowMs;
			const closed = this.closedFor(next, busyMs);
			if (closed === null) {
				const waitMs = Math.max(busyMs, this.lastSentAtMs + this.gapMs - nowMs);
				if (waitMs > 0) return this.advanceAfter(waitMs, busyMs > 0 || this.batching === null);
				if (this.underWay >= Math.max(1, Math.floor(this.batching?.size ?? this.width))) return;
				this.underWay++;
				this.sentInBatch = this.sentInBatch === this.batching?.size ? 1 : this.sentInBatch + 1;
				this.lastSentAtMs = nowMs;
			}
			this.waiting.shift();
			next.go(closed);
		}
	}

	/** @param isBusy whether AiClk is the reason; otherwise it is Batching */
	private advanceAfter(waitMs: number, isBusy: boolean): void {
		if (this.isSleeping) return;
		this.isSleeping = true;
		void sleep(Math.ceil(waitMs)).then(() => {
			this.isSleeping = false;
			if (isBusy) this.waitedMs += waitMs;
			this.advance();
		});
	}

	/**
	 * Why a request is not sent; null if it is. After the longest wait, one that was refused gives up. One that was not sent yet does so
	 * only if several were refused: a single one that is always refused must not end the others.
	 *
	 * @param busyMs how long AiClk takes no requests
	 */
	private closedFor({ isRepetition, isOver }: Waiting, busyMs: number): Failure | null {
		if (this.isClosed || isOver()) return CLOSED;
		const { waitedMs, requests } = this.sinceServed;
		const hasWaited = waitedMs > this.maxBusyMs && (isRepetition || requests > 1);
		const isTooLong = busyMs > this.maxBusyMs * (1 + JITTER);
		if (busyMs <= 0 || !(hasWaited || isTooLong)) return null;
		return newFailure({
			kind: 'busy',
			message: `AiClk takes no more requests for another ${Math.ceil(busyMs / 1000)} s. Nothing was sent.`,
			description: 'Run this again later, with fewer requests at a time.',
			retryAfterMs: Math.ceil(busyMs),
		});
	}

	private get gapMs(): number {
		if (this.batching === null) return this.width < 2 ? GAP_MS / this.width : 0;
		return this.sentInBatch === this.batching.size ? this.batching.intervalMs : 0;
	}

	private speedUp(): void {
		this.sinceServed = { refusals: 0, waitedMs: 0, requests: 0 };
		const more = this.width < 2 ? GROWTH_BELOW_TWO : this.growth / this.width;
		this.width = Math.min(MAX_TOGETHER, this.width + more);
	}

	private backOff(busy: Failure, clientKey: string): void {
		const { sinceServed, maxBusyMs } = this;
		const waitMs = waitOf(busy, sinceServed.refusals, maxBusyMs - sinceServed.waitedMs);
		this.refusals++;
		sinceServed.refusals++;
		sinceServed.waitedMs += waitMs;
		this.width = Math.max(MIN_WIDTH, this.width / 2);
		this.growth = GROWTH.then;
		const jitter = sinceServed.refusals > 1 ? 0 : JITTER * (0.5 + Math.random() / 2);
		this.resumesAtMs = performance.now() + waitMs * (1 + jitter);
		if (sinceServed.waitedMs > maxBusyMs) resumptions.set(clientKey, 0);
		else resumptions.set(clientKey, Math.max(this.resumesAtMs, resumptions.get(clientKey) ?? 0));
	}
}
