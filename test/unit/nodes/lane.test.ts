import fc from 'fast-check';
import { sleep } from 'n8n-workflow';

import type { Batching } from '../../../aiclk/api/throttle';
import { fail, type Failure, newFailure, ok } from '../../../aiclk/util/failure';
import { Lane } from '../../../nodes/shared/lane';

beforeEach(() => {
	jest.useFakeTimers();
	// The jitter: figures must not depend on chance.
	jest.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

/** What a server says to request `n` at a time in ms: when to come again in ms, null without a time; undefined if it serves. */
type Server = (atMs: number, n: number) => number | null | undefined;

interface Reads {
	count: number;
	latencyMs?: number;
	server: Server;
	client?: string;
	/** How many ask at the same time: the others come when one has ended. */
	width?: number;
}

let clients = 0;

const BUSY = { kind: 'busy', outcome: 'refused', message: '', description: '' } as const;

/** Sends reads through a lane in simulated time, each again until it is served. @returns what that took */
async function sendAll(lane: Lane, reads: Reads) {
	const { count, latencyMs = 0, server, client = `client ${++clients}`, width = count } = reads;
	let requests = 0;
	let together = 0;
	let most = 0;
	const order: number[] = [];
	const times: number[] = [];
	const ends: string[] = [];
	const beganAtMs = performance.now();
	const request = (n: number) => async () => {
		requests++;
		order.push(n);
		times.push(performance.now() - beganAtMs);
		most = Math.max(most, ++together);
		await sleep(latencyMs / 2);
		const told = server(performance.now(), n);
		await sleep(latencyMs / 2);
		together--;
		return told === undefined ? ok(null) : fail(newFailure({ ...BUSY, retryAfterMs: told }));
	};
	const sendOne = async (n: number) => {
		for (let isRepetition = false; ; isRepetition = true) {
			const answer = await lane.run(client, request(n), isRepetition);
			if (answer.ok) return 'served';
			const { kind, outcome } = answer.failure;
			if (outcome === 'not-sent') return kind === 'busy' ? 'busy' : 'closed';
		}
	};
	const numbers = [...Array(count).keys()].values();
	const sendSome = async () => {
		for (const n of numbers) ends[n] = await sendOne(n);
	};
	await Promise.all(Array.from({ length: width }, sendSome));
	return { ends, requests, most, order, times, ms: performance.now() - beganAtMs };
}

/** Lets simulated time pass until all runs have ended. */
async function inSimulatedTime<T>(run: Promise<T>): Promise<T> {
	let hasEnded = false;
	const end = () => {
		hasEnded = true;
	};
	run.then(end, end);
	while (!hasEnded) await jest.advanceTimersToNextTimerAsync();
	return await run;
}

const send = async (lane: Lane, reads: Reads) => await inSimulatedTime(sendAll(lane, reads));

const wellServed: Server = () => undefined;

const inSeconds = (ms: number): number => Math.ceil(ms / 1_000) * 1_000;

/** So many requests in each window, which begins with its first request. */
const windows = (limit: number, windowMs: number, tell = inSeconds): Server => {
	let beganAtMs = -Infinity;
	let count = 0;
	return (atMs) => {
		if (atMs - beganAtMs >= windowMs) [beganAtMs, count] = [atMs, 0];
		return ++count > limit ? tell(beganAtMs + windowMs - atMs) : undefined;
	};
};

/** So many requests in any span of this length. */
const sliding = (limit: number, spanMs: number): Server => {
	const times: number[] = [];
	return (atMs) => {
		while (atMs - (times[0] ?? atMs) >= spanMs) times.shift();
		if (times.length >= limit) return inSeconds((times[0] ?? atMs) + spanMs - atMs);
		times.push(atMs);
		return undefined;
	};
};

/** So many requests a second, and so many at once. */
const bucket = (limit: number, size: number): Server => {
	let tokens = size;
	let lastMs = 0;
	return (atMs) => {
		tokens = Math.min(size, tokens + ((atMs - lastMs) * limit) / 1_000);
		lastMs = atMs;
		if (tokens < 1) return inSeconds(((1 - tokens) / limit) * 1_000);
		tokens--;
		return undefined;
	};
};

/** Refuses only these requests, counted from 1 as they come. */
const refusing = (told: number | null, ...which: number[]): Server => {
	let n = 0;
	return () => (which.includes(++n) ? told : undefined);
};

const MINUTE_MS = 60_000;
const LATENCIES_MS = [0, 20, 100, 2_000];

/** 50 requests wait at a time, as those of a run do. */
const ofRun = (count: number, latencyMs: number, server: Server): Reads => ({
	count,
	latencyMs,
	server,
	width: 50,
});

const countOf = (ends: string[], end: string): number => ends.filter((one) => one === end).length;

describe('how many requests go together', () => {
	it('sends requests in the order in which they ask', async () => {
		const { order } = await send(new Lane(null), { count: 60, latencyMs: 100, server: wellServed });
		expect(order).toEqual([...Array(60).keys()]);
	});

	it('sends ten together at first, and up to fifty after good answers', async () => {
		const one = await send(new Lane(null), { count: 10, latencyMs: 100, server: wellServed });
		expect(one.ms).toBe(100);
		const { ms, most } = await send(new Lane(null), {
			count: 200,
			latencyMs: 100,
			server: wellServed,
		});
		// Some 10, 20, 31, 44, 50 and the rest.
		expect([ms, most]).toEqual([600, 50]);
	});

	it('a refusal halves the number together; refusals of those under way together count as one', async () => {
		const lane = new Lane(null);
		const refused = await send(lane, {
			count: 10,
			latencyMs: 100,
			server: refusing(1_000, 1, 2, 3),
		});
		expect(countOf(refused.ends, 'served')).toBe(10);
		const { times } = await send(lane, { count: 20, latencyMs: 100, server: wellServed });
		const first = times.filter((ms) => ms === 0).length;
		// Ten grow by seven answers, are halved once, and grow by three answers more.
		expect(first).toBeGreaterThanOrEqual(5);
		expect(first).toBeLessThanOrEqual(10);
	});

	it('below two together, requests go one by one with gaps, which good answers make shorter', async () => {
		const lane = new Lane(null);
		await send(lane, { count: 1, server: refusing(0, 1, 2, 3) });
		const { times, most } = await send(lane, { count: 40, server: wellServed });
		const gaps = times.slice(1).map((ms, index) => ms - (times[index] ?? 0));
		expect(most).toBeGreaterThan(1);
		expect(gaps[0]).toBeGreaterThan(50);
		expect(gaps.at(-1)).toBeLessThan(50);
	});

	it('what is no answer makes a run neither faster nor slower', async () => {
		const lane = new Lane(null);
		const lost = async () =>
			await sleep(10).then(() => fail(newFailure({ ...BUSY, kind: 'unavailable' })));
		await inSimulatedTime(Promise.all(Array.from({ length: 99 }, () => lane.run('c', lost))));
		expect((await send(lane, { count: 99, latencyMs: 10, server: wellServed })).times[10]).toBe(10);
	});

	it.each(['refused', 'rejected'] as const)(
		'answers make a run faster if they say no, too: %s',
		async (kind) => {
			const lane = new Lane(null);
			const no = async () => await sleep(10).then(() => fail(newFailure({ ...BUSY, kind })));
			await inSimulatedTime(Promise.all(Array.from({ length: 99 }, () => lane.run('c', no))));
			const { times } = await send(lane, { count: 99, latencyMs: 10, server: wellServed });
			expect(times[10]).toBe(0);
		},
	);

	it('a request that throws makes room for the next one', async () => {
		const lane = new Lane({ size: 1, intervalMs: 0 });
		await expect(lane.run('c', () => Promise.reject(new Error('unforeseen')))).rejects.toThrow();
		const { ends } = await send(lane, { count: 1, latencyMs: 10, server: wellServed });
		expect(ends).toEqual(['served']);
	});
});

describe('a limited AiClk', () => {
	/** @param most the time in ms and the requests that so many reads may take at most, at each latency */
	async function expectServed(
		server: () => Server,
		count: number,
		latenciesMs: number[],
		most: { ms: (latencyMs: number) => number; requests: number },
	) {
		for (const latencyMs of latenciesMs) {
			const ran = await send(new Lane(null), ofRun(count, latencyMs, server()));
			expect(countOf(ran.ends, 'served')).toBe(count);
			expect(ran.ms).toBeLessThanOrEqual(most.ms(latencyMs));
			expect(ran.requests).toBeLessThanOrEqual(most.requests);
		}
	}

	it.each([10, 20, 30, 60, 300])(
		'serves all of 300 reads under %d a minute in 1.15 times what the limit takes',
		async (limit) => {
			// At best the last window takes no time.
			const ms = () => 1.15 * Math.max(1, 300 / limit - 1) * MINUTE_MS;
			const server = () => windows(limit, MINUTE_MS);
			await expectServed(server, 300, LATENCIES_MS, { ms, requests: 480 });
		},
	);

	it.each([
		['windows of a second', () => windows(20, 1_000)],
		['any second', () => sliding(20, 1_000)],
		['a bucket of 20', () => bucket(20, 20)],
	])('serves 100 reads under 20 a second in 6 s with 1.6 calls a read: %s', async (_, server) => {
		await expectServed(server, 100, [0, 20, 100], { ms: () => 6_000, requests: 160 });
	});

	it.each([5, 10, 20, 50])(
		'serves 100 reads under %d in any second at any latency',
		async (limit) => {
			// A latency of 2 s costs a few rounds more.
			const ms = (latencyMs: number) => 1.8 * (100 / limit) * 1_000 + 6 * latencyMs;
			await expectServed(() => sliding(limit, 1_000), 100, LATENCIES_MS, { ms, requests: 175 });
		},
	);

	it.each([
		['in each 10 s', () => windows(30, 10_000)],
		['in any 10 s', () => sliding(30, 10_000)],
	])('serves 120 reads under 30 %s in 1.3 times its time, 1.5 calls a read', async (_, server) => {
		await expectServed(server, 120, [0, 20, 100, 500], { ms: () => 39_000, requests: 180 });
	});

	it.each<[string, number | null]>([
		['names none', null],
		['always names 1 s', 1_000],
	])('serves all reads under 30 in each 10 s if AiClk %s', async (_, told) => {
		const server = () => windows(30, 10_000, () => told as number);
		await expectServed(server, 120, [20], { ms: () => 70_000, requests: Infinity });
	});

	it('serves all reads of a server that takes requests one by one', async () => {
		await expectServed(() => bucket(20, 1), 100, [20], { ms: () => 20_000, requests: 140 });
	});

	it.each([
		[60, [60, 300]],
		[60, [300, 300]],
		[10, [100, 100]],
	])(
		'serves all reads of runs that share %d a minute and a clientKey: %j',
		async (limit, counts) => {
			const server = windows(limit, MINUTE_MS);
			const total = counts.reduce((sum, count) => sum + count);
			const runs = counts.map((count) =>
				sendAll(new Lane(null), { ...ofRun(count, 50, server), client: `shared by ${total}` }),
			);
			const ran = await inSimulatedTime(Promise.all(runs));
			expect(ran.map(({ ends }) => countOf(ends, 'served'))).toEqual(counts);
			expect(ran.map(({ ms }) => ms).sort((a, b) => b - a)[0]).toBeLessThanOrEqual(
				1.15 * (total / limit - 1) * MINUTE_MS,
			);
		},
	);

	it.each([
		[60, 5, [300, 300]],
		[60, 50, [60, 300]],
		[60, 500, [300, 300]],
		[10, 50, [100, 100]],
	])(
		'serves all reads of two processes under %d a minute at %d ms: %j',
		async (limit, latencyMs, counts) => {
			let seed = 1;
			jest.spyOn(Math, 'random').mockImplementation(() => {
				seed = (seed * 16_807) % 2_147_483_647;
				return seed / 2_147_483_647;
			});
			const server = windows(limit, MINUTE_MS);
			// Other clients stand for other processes: they share nothing but the limit.
			const runs = counts.map((count) => sendAll(new Lane(null), ofRun(count, latencyMs, server)));
			const ran = await inSimulatedTime(Promise.all(runs));
			expect(ran.map(({ ends }) => countOf(ends, 'served'))).toEqual(counts);
		},
	);

	it('a run waits for what AiClk said to another run of the client, and only of that client', async () => {
		const refused = sendAll(new Lane(null), { count: 1, server: refusing(30_000, 1), client: 'A' });
		await jest.advanceTimersByTimeAsync(10);
		const others = ['A', 'B'].map((client) =>
			sendAll(new Lane(null), { count: 1, server: wellServed, client }),
		);
		const [one, other] = await inSimulatedTime(Promise.all(others));
		expect(one?.ms).toBeGreaterThan(29_000);
		expect(other?.ms).toBeLessThan(10);
		await inSimulatedTime(refused);
	});

	it('of two times that AiClk named to runs of a client, the later one counts for the next run', async () => {
		const client = 'told twice';
		const toldMs = (ms: number) =>
			sendAll(new Lane(null), { count: 1, latencyMs: 10, server: refusing(ms, 1), client });
		const told = [toldMs(60_000), toldMs(1_000)];
		await jest.advanceTimersByTimeAsync(20);
		const next = sendAll(new Lane(null), { count: 1, server: wellServed, client });
		const [{ ms }] = await inSimulatedTime(Promise.all([next, ...told]));
		expect(ms).toBeGreaterThan(59_000);
	});

	it('a time that no run waits for does not keep back the next run of the client', async () => {
		const client = 'told an hour';
		await send(new Lane(null), { count: 1, server: refusing(3_600_000, 1), client });
		const { ends, ms } = await send(new Lane(null), { count: 1, server: wellServed, client });
		expect(ends).toEqual(['served']);
		expect(ms).toBeLessThan(10);
	});
});

describe('when requests give up', () => {
	it.each<[string, number | null]>([
		['names no time', null],
		['names 0 s', 0],
		['names 1 s', 1_000],
		['names 5 s', 5_000],
		['names 50 s', 50_000],
	])('all reads give up after two minutes without a good answer if AiClk %s', async (_, told) => {
		const ran = await send(new Lane(null), { count: 20, latencyMs: 10, server: () => told });
		expect(ran.ends).toEqual(Array(20).fill('busy'));
		expect(ran.ms).toBeGreaterThanOrEqual(99_000);
		expect(ran.ms).toBeLessThanOrEqual(128_000);
		expect(ran.requests).toBeLessThanOrEqual(60);
	});

	it('under Batching, waits for a busy AiClk are counted, and waits for a batch are not', async () => {
		const lane = new Lane({ size: 1, intervalMs: 1_000 });
		await send(lane, { count: 5, server: refusing(30_000, 1) });
		expect(lane.waitedMs).toBeGreaterThanOrEqual(30_000);
		expect(lane.waitedMs).toBeLessThan(31_500);
	});

	it('waits for a time that is hardly shorter than the longest wait', async () => {
		const { ends } = await send(new Lane(null), { count: 3, server: refusing(119_000, 1) });
		expect(ends).toEqual(Array(3).fill('served'));
	});

	it('a run may wait for a shorter time', async () => {
		const lane = new Lane(null, undefined, 10_000);
		const { ends, ms } = await send(lane, { count: 20, server: () => null });
		expect(ends).toEqual(Array(20).fill('busy'));
		expect(ms).toBeLessThanOrEqual(10_600);
	});

	it('all reads give up at once if AiClk names an hour, and say how long it is', async () => {
		const lane = new Lane(null);
		const hour = () => 3_600_000;
		const { ends, requests, ms } = await send(lane, { count: 30, latencyMs: 10, server: hour });
		expect(ends).toEqual(Array(30).fill('busy'));
		expect([requests, ms]).toEqual([10, 10]);
		const answer = await lane.run('c', () => Promise.reject(new Error('sent')));
		expect(answer).toMatchObject({ failure: { kind: 'busy', outcome: 'not-sent' } });
		const { message, retryAfterMs } = answer.ok ? ({} as Failure) : answer.failure;
		expect(retryAfterMs).toBeGreaterThan(3_599_000);
		expect(message).toContain(`for another ${Math.ceil(Number(retryAfterMs) / 1_000)} s.`);
	});

	it.each([
		[{ size: 1, intervalMs: 3_000 }, 300_000],
		[{ size: 10, intervalMs: 30_000 }, 300_000],
		[{ size: 1, intervalMs: 300_000 }, 30_000_000],
	])('one refusal fails nothing under Batching of %j', async (batching, ms) => {
		const ran = await send(new Lane(batching), ofRun(100, 0, refusing(1_000, 5)));
		expect(countOf(ran.ends, 'served')).toBe(100);
		expect(ran.requests).toBe(101);
		expect(ran.ms).toBeLessThanOrEqual(1.01 * ms);
	});

	it('waiting for a batch does not count: two refusals in a row under Batching of 1 in 5 minutes', async () => {
		const lane = new Lane({ size: 1, intervalMs: 5 * MINUTE_MS });
		const { ends } = await send(lane, { count: 3, server: refusing(1_000, 2, 3) });
		expect(ends).toEqual(Array(3).fill('served'));
	});

	it('a request that is sent again keeps no other back', async () => {
		const lane = new Lane({ size: 1, intervalMs: 1_000 });
		const { order } = await send(lane, { count: 8, server: refusing(1_000, 5) });
		expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 4]);
	});

	it.each([
		['one read that is always refused fails alone, after two minutes', 7, 1_000, 100, 50],
		['of requests that go one after the other, too', 5, null, 20, 1],
	])('%s', async (...row) => {
		const [, refused, told, count, width] = row;
		const server: Server = (_, n) => (n === refused ? told : undefined);
		const { ends, ms } = await send(new Lane(null), { count, latencyMs: 20, server, width });
		expect(ends.filter((end, n) => end !== (n === refused ? 'busy' : 'served'))).toEqual([]);
		expect(ms).toBeLessThanOrEqual(10 * MINUTE_MS);
	});

	it('of requests that go one after the other, all give up at once if AiClk names an hour', async () => {
		const server: Server = (_, n) => (n === 5 ? 3_600_000 : undefined);
		const reads = { count: 20, latencyMs: 20, server, width: 1 };
		const { ends, ms } = await send(new Lane(null), reads);
		expect(ends.slice(5)).toEqual(Array(15).fill('busy'));
		expect(ms).toBeLessThanOrEqual(1_000);
	});

	it('of requests that go one after the other, all give up soon if all are refused', async () => {
		const reads = { count: 20, latencyMs: 20, server: () => null, width: 1 };
		const { ends, ms } = await send(new Lane(null), reads);
		expect(ends).toEqual(Array(20).fill('busy'));
		expect(ms).toBeLessThanOrEqual(6 * MINUTE_MS);
	});
});

describe('batches', () => {
	it('sends in batches and waits from the last of one to the first of the next', async () => {
		const lane = new Lane({ size: 5, intervalMs: 1_000 });
		const { times, most } = await send(lane, { count: 20, server: wellServed });
		expect(most).toBe(5);
		for (const [n, ms] of times.entries()) {
			expect(Math.abs(ms - Math.floor(n / 5) * 1_000)).toBeLessThanOrEqual(3);
		}
	});

	it('sends no more than one batch together if answers are slower than the interval', async () => {
		const lane = new Lane({ size: 5, intervalMs: 10 });
		const { most } = await send(lane, { count: 20, latencyMs: 1_000, server: wellServed });
		expect(most).toBe(5);
	});

	it('a refusal makes batches wait and leaves them as they are', async () => {
		const lane = new Lane({ size: 4, intervalMs: 2_000 });
		const { times } = await send(lane, { count: 8, server: refusing(9_000, 1) });
		expect(times.slice(0, 4).every((ms) => ms === 0)).toBe(true);
		expect(times.slice(4).every((ms) => ms >= 9_000)).toBe(true);
		expect(Math.max(...times.slice(4, 8)) - Math.min(...times.slice(4, 8))).toBeLessThan(5);
	});
});

describe('a closed lane', () => {
	it.each<[string, Batching | null, Server, number]>([
		['a busy AiClk', null, () => 60_000, 10],
		['a batch', { size: 1, intervalMs: 60_000 }, wellServed, 1],
	])('ends the wait for %s at once and sends nothing more', async (_, batching, server, sent) => {
		const stop = new AbortController();
		void sleep(500).then(() => stop.abort());
		const lane = new Lane(batching, stop.signal);
		const { ends, ms, requests } = await send(lane, { count: 30, latencyMs: 10, server });
		expect(countOf(ends, 'closed')).toBe(batching === null ? 30 : 29);
		expect([ms, requests]).toEqual([500, sent]);
	});

	it('lets requests that are under way end', async () => {
		const stop = new AbortController();
		void sleep(50).then(() => stop.abort());
		const lane = new Lane(null, stop.signal);
		const { ends } = await send(lane, { count: 12, latencyMs: 100, server: wellServed });
		expect(ends).toEqual([...Array<string>(10).fill('served'), 'closed', 'closed']);
	});

	it('sends nothing if the run was stopped before', async () => {
		const lane = new Lane(null, AbortSignal.abort());
		const { ends } = await send(lane, { count: 3, server: wellServed });
		expect(ends).toEqual(Array(3).fill('closed'));
	});
});

it('whatever a correct Retry-After allows is served', async () => {
	const limit = fc.record({
		kind: fc.constantFrom('windows', 'any span', 'bucket'),
		limit: fc.integer({ min: 1, max: 60 }),
		spanMs: fc.integer({ min: 500, max: 110_000 }),
	});
	const batching = fc.option(
		fc.record({ size: fc.integer({ min: 1, max: 60 }), intervalMs: fc.nat(200_000) }),
	);
	const numbers = fc.integer({ min: 1, max: 60 });
	const property = fc.asyncProperty(
		limit,
		batching,
		numbers,
		numbers,
		fc.nat(2_000),
		async ({ kind, limit: most, spanMs }, batches, count, width, latencyMs) => {
			const limited =
				kind === 'windows'
					? windows(most, spanMs)
					: kind === 'any span'
						? sliding(most, spanMs)
						: bucket((most / spanMs) * 1_000, 1 + (most % 5));
			const reads = { count, width, latencyMs, server: limited };
			expect(countOf((await send(new Lane(batches), reads)).ends, 'served')).toBe(count);
		},
	);
	await fc.assert(property, { numRuns: 60 });
});

it('no sequence of answers makes a run wait for ever', async () => {
	const told = fc.option(fc.nat(200_000));
	const answers = fc.array(fc.option(told, { nil: undefined }), { minLength: 1, maxLength: 30 });
	const property = fc.asyncProperty(answers, fc.nat(2_000), async (said, latencyMs) => {
		let n = 0;
		const server: Server = () => said[n++ % said.length];
		const { ends } = await send(new Lane(null), ofRun(40, latencyMs, server));
		expect(ends).toHaveLength(40);
	});
	await fc.assert(property, { numRuns: 60 });
});
