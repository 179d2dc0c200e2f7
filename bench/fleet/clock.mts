import TinyQueue from 'tinyqueue';

interface Event {
	atMs: number;
	/** Keeps the order of events of the same moment. */
	seq: number;
	run: () => void;
}

/** Resolves when every promise that could go on has gone on. */
const settled = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

/** Simulated time: events in order, with nothing between them. */
export class Clock {
	/** ms since 1970 */
	nowMs: number;

	private seq = 0;

	private readonly queue = new TinyQueue<Event>([], (a, b) => a.atMs - b.atMs || a.seq - b.seq);

	constructor(startMs: number) {
		this.nowMs = startMs;
	}

	/** Runs something at a time; at once if that is past. */
	at(atMs: number, run: () => void): void {
		this.queue.push({ atMs: Math.max(atMs, this.nowMs), seq: this.seq++, run });
	}

	after(ms: number, run: () => void): void {
		this.at(this.nowMs + ms, run);
	}

	/** Resolves after so many simulated ms. */
	readonly sleep = async (ms: number): Promise<void> =>
		await new Promise((resolve) => this.after(ms, resolve));

	/** Runs events until none is left or `isDone` says so; promises settle between one event and the next. */
	async run(isDone: () => boolean): Promise<void> {
		while (!isDone()) {
			const event = this.queue.pop();
			if (event === undefined) return;
			this.nowMs = event.atMs;
			event.run();
			await settled();
		}
	}
}
