import { sleep } from 'n8n-workflow';

import type { Busy } from '../../../aiclk/api/throttle';
import { Lane, type Turn } from '../../../nodes/shared/lane';

beforeEach(() => {
	jest.useFakeTimers();
});
afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

/** Says how long to wait, in ms, or null for a good answer. */
type Server = (atMs: number) => number | null;

/** Sends so many reads through one lane, each again until it is served. @returns what that took */
async function sendAll(lane: Lane, count: number, latencyMs: number, server: Server) {
	let requests = 0;
	let together = 0;
	let most = 0;
	const order: number[] = [];
	const beganAtMs = performance.now();
	const request = (n: number) => async () => {
		requests++;
		order.push(n);
		most = Math.max(most, ++together);
		await sleep(latencyMs / 2);
		const retryAfterMs = server(performance.now());
		await sleep(latencyMs / 2);
		together--;
		return { busy: retryAfterMs === null ? null : ({ retryAfterMs } satisfies Busy) };
	};
	const sendOne = async (n: number) => {
		for (let first: number | null = null; ;) {
			const turn: Turn<{ busy: Busy | null }> = await lane.send(request(n), first);
			if (!turn.isSent) return turn.closed.reason;
			if (turn.result.busy === null) return 'served';
			first ??= turn.sentAtMs;
		}
	};
	let hasEnded = false;
	const all = Promise.all(Array.from({ length: count }, async (_, n) => await sendOne(n)));
	void all.then(() => {
		hasEnded = true;
	});
	while (!hasEnded) await jest.advanceTimersToNextTimerAsync();
	return { ends: await all, requests, most, order, ms: performance.now() - beganAtMs };
}

const wellServed: Server = () => null;

/** So many requests in each window of a second, which begins with its first request. */
const windows = (limit: number): Server => {
	let beganAtMs = -Infinity;
	let count = 0;
	return (atMs) => {
		if (atMs - beganAtMs >= 1_000) [beganAtMs, count] = [atMs, 0];
		return ++count > limit ? 1_000 : null;
	};
};

/** So many requests in any second. */
const sliding = (limit: number): Server => {
	const times: number[] = [];
	return (atMs) => {
		while (atMs - (times[0] ?? atMs) >= 1_000) times.shift();
		if (times.length >= limit) return 1_000;
		times.push(atMs);
		return null;
	};
};

/** So many requests a second, and so many at once. */
const bucket = (limit: number, size: number): Server => {
	let tokens = size;
	let lastMs = 0;
	return (atMs) => {
		tokens = Math.min(size, tokens + ((atMs - lastMs) * limit) / 1_000);
		lastMs = atMs;
		if (tokens < 1) return 1_000;
		tokens--;
		return null;
	};
};

const served = (count: number) => Array<string>(count).fill('served');

describe('a lane', () => {
	it('sends requests in the order in which they ask', async () => {
		const { order } = await sendAll(new Lane(null), 60, 100, wellServed);
		expect(order).toEqual([...Array(60).keys()]);
	});

	it('sends ten together at first, and more while answers come well', async () => {
		expect((await sendAll(new Lane(null), 10, 100, wellServed)).ms).toBe(100);
		const { ms, most } = await sendAll(new Lane(null), 200, 100, wellServed);
		expect(most).toBe(49);
		// Some 10, 33, 45, 50, 50 and the rest.
		expect(ms).toBeLessThanOrEqual(600);
	});

	it.each([
		['windows of a second', windows(20)],
		['any second', sliding(20)],
		['a bucket of 20', bucket(20, 20)],
	])('serves 100 reads under 20 a second in 5.75 s: %s', async (_, server) => {
		for (const latencyMs of [0, 20, 100]) {
			const { ends, ms, requests } = await sendAll(new Lane(null), 100, latencyMs, server);
			expect(ends).toEqual(served(100));
			expect(ms).toBeLessThanOrEqual(5_750);
			expect(requests).toBeLessThanOrEqual(150);
			await jest.advanceTimersByTimeAsync(10_000);
		}
	});

	it('serves all reads of a server that takes requests one by one', async () => {
		const { ends, ms, requests } = await sendAll(new Lane(null), 100, 20, bucket(20, 1));
		expect(ends).toEqual(served(100));
		expect(ms).toBeLessThanOrEqual(30_000);
		expect(requests).toBeLessThanOrEqual(150);
	});

	it('gives up a read that AiClk keeps refusing after two minutes at most', async () => {
		const { ends, requests, ms } = await sendAll(new Lane(null), 1, 10, () => 50_000);
		expect([ends, requests]).toEqual([['busy'], 3]);
		expect(ms).toBeLessThanOrEqual(120_000);
	});

	it.each([0, 1, 5_000])('gives up reads that AiClk always refuses for %d ms', async (told) => {
		const { ends, requests, ms } = await sendAll(new Lane(null), 20, 10, () => told);
		expect(ends).toEqual(Array(20).fill('busy'));
		expect(ms).toBeLessThanOrEqual(4 * 60_000);
		expect(requests).toBeLessThanOrEqual(20 * 10);
	});

	it('waits between batches for longer than a read may wait for a busy AiClk', async () => {
		const lane = new Lane({ size: 1, intervalMs: 5 * 60_000 });
		expect((await sendAll(lane, 2, 0, wellServed)).ends).toEqual(served(2));
	});

	it('gives up all reads at once if AiClk says to come back in an hour', async () => {
		const { ends, requests, ms } = await sendAll(new Lane(null), 30, 10, () => 3_600_000);
		expect(ends).toEqual(Array(30).fill('busy'));
		expect([requests, ms]).toEqual([10, 10]);
	});

	it('sends in batches and waits between them', async () => {
		const lane = new Lane({ size: 5, intervalMs: 1_000 });
		const { ms, most } = await sendAll(lane, 20, 0, wellServed);
		expect(most).toBe(5);
		// Jest's timers do not end before 1 ms.
		expect(ms - 3_000).toBeLessThanOrEqual(1);
	});

	it('sends no more than one batch together if answers are slower than the interval', async () => {
		const lane = new Lane({ size: 5, intervalMs: 10 });
		expect((await sendAll(lane, 20, 1_000, wellServed)).most).toBe(5);
	});

	it('a closed lane sends nothing more and ends every wait at once', async () => {
		const stop = new AbortController();
		const lane = new Lane(null, stop.signal);
		void sleep(500).then(() => stop.abort());
		const { ends, ms, requests } = await sendAll(lane, 30, 10, () => 60_000);
		expect(ends).toEqual(Array(30).fill('closed'));
		expect([ms, requests]).toEqual([500, 10]);
	});

	it('a lane closed while all requests are under way lets them end', async () => {
		const stop = new AbortController();
		void sleep(50).then(() => stop.abort());
		const { ends } = await sendAll(new Lane(null, stop.signal), 12, 100, wellServed);
		expect(ends).toEqual([...served(10), 'closed', 'closed']);
	});

	it('a lane of a run that was stopped before sends nothing', async () => {
		const lane = new Lane(null, AbortSignal.abort());
		expect((await sendAll(lane, 3, 10, wellServed)).ends).toEqual(Array(3).fill('closed'));
	});

	it('a request that throws makes room for the next one', async () => {
		const lane = new Lane({ size: 1, intervalMs: 0 });
		await expect(lane.send(() => Promise.reject(new Error('unforeseen')))).rejects.toThrow();
		expect((await sendAll(lane, 1, 10, wellServed)).ends).toEqual(['served']);
	});
});
