import fc from 'fast-check';

import {
	afterAnswer,
	afterRefusal,
	afterSending,
	firstPace,
	MAX_TOGETHER,
	MIN_TOGETHER,
	nextSendAt,
	type Pace,
	readBusy,
	readRetryAfter,
} from '../../../aiclk/api/throttle';

const NOW = Date.parse('2026-11-27T12:00:00Z');

describe('readRetryAfter', () => {
	it.each<[unknown, number | null]>([
		['1', 1_000],
		[' 120 ', 120_000],
		['0', 0],
		['Fri, 27 Nov 2026 12:00:05 GMT', 5_000],
		['Friday, 27-Nov-26 12:00:05 GMT', 5_000],
		['Fri, 27 Nov 2026 11:59:00 GMT', 0],
		['Fri Nov 27 12:00:05 2026', 5_000],
		['Fri, 27 Nov 2026 13:00:05 +0100', 5_000],
		['-1', null],
		['1.5', null],
		['soon', null],
		['Xyz, soon', null],
		['', null],
		[undefined, null],
		[1, null],
		[['1'], null],
	])('%j says %j ms', (value, ms) => {
		expect(readRetryAfter(value, NOW)).toBe(ms);
	});

	it('never yields less than 0 ms or a value that is not a number', () => {
		fc.assert(
			fc.property(fc.string(), (text) => {
				const ms = readRetryAfter(text, NOW);
				expect(ms === null || (Number.isFinite(ms) && ms >= 0)).toBe(true);
			}),
		);
	});
});

describe('readBusy', () => {
	it.each<[number, string | undefined, number | null, unknown]>([
		[429, undefined, null, { retryAfterMs: null }],
		[429, '2', null, { retryAfterMs: 2_000 }],
		[429, 'soon', 400, { retryAfterMs: null }],
		[200, undefined, 429, { retryAfterMs: null }],
		[200, '3', 429, { retryAfterMs: 3_000 }],
		[503, '4', null, { retryAfterMs: 4_000 }],
		[503, undefined, null, null],
		[503, 'soon', null, null],
		[500, '4', null, null],
		[200, '4', 400, null],
		[403, '4', null, null],
	])('HTTP %d, Retry-After %j, code %j: %j', (statusCode, header, code, busy) => {
		const headers = header === undefined ? {} : { 'retry-after': header };
		expect(readBusy({ statusCode, headers, body: '' }, code, NOW)).toEqual(busy);
	});

	it("counts the time to a date from the answer's own time", () => {
		const headers = {
			date: 'Fri, 27 Nov 2026 13:00:00 GMT',
			'retry-after': 'Fri, 27 Nov 2026 13:00:05 GMT',
		};
		expect(readBusy({ statusCode: 429, headers, body: '' }, null, NOW)).toEqual({
			retryAfterMs: 5_000,
		});
	});

	it('reads an answer without headers', () => {
		expect(readBusy({ statusCode: 429, body: '' }, null, NOW)).toEqual({ retryAfterMs: null });
	});
});

const sendSome = (pace: Pace, times: number[]): Pace => times.reduce(afterSending, pace);
const refuse = (pace: Pace, sentAtMs: number, nowMs: number, retryAfterMs: number | null = null) =>
	afterRefusal(pace, { retryAfterMs }, { sentAtMs, nowMs, random: 0 });

describe('how many requests go out together', () => {
	it.each([
		[0, 10],
		[10, 17],
		[50, 36],
		[100, 45],
		[60_000, 45],
	])('begins with ten; after 20 answers of %d ms each it is %d', (ms, together) => {
		let pace = afterSending(firstPace(null), 1);
		expect(pace.together).toBe(MIN_TOGETHER);
		for (let n = 0; n < 20; n++) pace = afterAnswer(pace, 1, 1 + ms);
		expect(Math.round(pace.together)).toBe(together);
	});

	it('grows to fifty at most', () => {
		let pace = afterSending(firstPace(null), 1);
		for (let n = 0; n < 500; n++) pace = afterAnswer(pace, 1, 101);
		expect(pace.together).toBeCloseTo(MAX_TOGETHER);
		expect(pace.together).toBeLessThanOrEqual(MAX_TOGETHER);
	});

	it('a refusal halves the number of requests together, once per wait and never below ten', () => {
		let pace = { ...sendSome(firstPace(null), [1, 1, 1]), together: 40 };
		pace = refuse(pace, 1, 10);
		expect(pace.together).toBe(20);
		expect(refuse(pace, 1, 11).together).toBe(20);
		pace = refuse(afterSending(pace, 2_000), 2_000, 2_010);
		expect(pace.together).toBe(10);
		expect(refuse(afterSending(pace, 9_000), 9_000, 9_010).together).toBe(10);
	});

	it('the number of requests together is the batch size if Batching is set', () => {
		let pace = afterSending(firstPace({ size: 3, intervalMs: 0 }), 1);
		for (let n = 0; n < 20; n++) pace = afterAnswer(pace, 1, 101);
		expect(pace.together).toBe(3);
		expect(refuse(pace, 1, 10)).toMatchObject({ together: 3, quota: 3 });
	});
});

describe('how long a run waits', () => {
	const sent = afterSending(firstPace(null), 100);

	it.each<[string, number | null, number]>([
		['as long as AiClk says', 7_000, 7_110],
		['1 s where AiClk does not say', null, 1_110],
	])('%s', (_, retryAfterMs, at) => {
		expect(nextSendAt(refuse(sent, 100, 110, retryAfterMs))).toBe(at);
	});

	it('jitter makes a wait longer by at most a twentieth', () => {
		const times = { sentAtMs: 100, nowMs: 110, random: 1 };
		expect(nextSendAt(afterRefusal(sent, { retryAfterMs: 1_000 }, times))).toBe(1_160);
	});

	it('a wait doubles with each refusal in a row and is 1 s again after a good answer', () => {
		let pace = sent;
		const waits: number[] = [];
		for (let n = 0; n < 4; n++) {
			const nowMs = nextSendAt(pace) + 1;
			pace = refuse(afterSending(pace, nowMs), nowMs, nowMs);
			waits.push(nextSendAt(pace) - nowMs);
		}
		expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
		const nowMs = nextSendAt(pace) + 1;
		pace = afterAnswer(afterSending(pace, nowMs), nowMs, nowMs);
		expect(nextSendAt(refuse(pace, nowMs, nowMs)) - nowMs).toBe(1_000);
	});

	it.each([
		['names 0 s', 0, [0, 1_000, 2_000, 4_000]],
		['names less than that', 1_500, [1_500, 1_500, 2_000, 4_000]],
		['names more than that', 9_000, [9_000, 9_000, 9_000, 9_000]],
	])('refusals in a row wait at least 1 s, 2 s, 4 s where AiClk %s', (_, toldMs, expected) => {
		let pace = sent;
		const waits: number[] = [];
		for (let n = 0; n < 4; n++) {
			const nowMs = nextSendAt(pace) + 1;
			pace = refuse(afterSending(pace, nowMs), nowMs, nowMs, toldMs);
			waits.push(nextSendAt(pace) - nowMs);
		}
		expect(waits).toEqual(expected);
	});

	it('refusals of requests that were under way when the wait began lengthen it only if they name a longer time', () => {
		const pace = refuse(sent, 100, 110);
		expect(nextSendAt(refuse(pace, 105, 500))).toBe(1_110);
		expect(nextSendAt(refuse(pace, 105, 500, 3_000))).toBe(3_500);
	});
});

describe('a cycle', () => {
	/** 20 served at 100 ms, the next one refused at 150 ms for a second. */
	const learned = () => {
		let pace = sendSome(firstPace(null), Array<number>(21).fill(100));
		for (let n = 0; n < 20; n++) pace = afterAnswer(pace, 100, 100);
		return refuse(pace, 100, 150, 1_000);
	};

	/** Refused at 110 ms, for a second, before anything was served. */
	const refusedOnce = () => refuse(afterSending(firstPace(null), 100), 100, 110, 1_000);

	it('a cycle holds as many requests as were served before the refusal', () => {
		const pace = sendSome(learned(), Array<number>(20).fill(1_200));
		expect(learned().quota).toBe(20);
		expect(nextSendAt(sendSome(learned(), Array<number>(19).fill(1_200)))).toBeLessThanOrEqual(
			1_200,
		);
		// It takes as long as the first one: from 100 to 1,150 ms.
		expect(nextSendAt(pace)).toBe(1_200 + 1_050);
	});

	it('a cycle without a refusal is followed by one with a tenth more requests', () => {
		const pace = sendSome(learned(), [...Array<number>(20).fill(1_200), 2_250]);
		expect(pace).toMatchObject({ quota: 22, sent: 1, cycleBeganAtMs: 2_250 });
	});

	it('a cycle of fewer than ten requests spreads them over its time', () => {
		let pace = sendSome(refusedOnce(), [1_200, 1_200, 1_200]);
		pace = refuse(afterAnswer(afterAnswer(pace, 1_200, 1_200), 1_200, 1_200), 1_200, 1_210, 1_000);
		expect(pace.quota).toBe(2);
		expect(nextSendAt(afterSending(pace, 2_300)) - 2_300).toBe((2_210 - 1_200) / 2);
	});

	it('a cycle counts answers that arrive after a refusal', () => {
		let pace = sendSome(refusedOnce(), Array<number>(22).fill(1_200));
		pace = refuse(refuse(pace, 1_200, 1_210, 1_000), 1_200, 1_210, 1_000);
		for (let n = 0; n < 20; n++) pace = afterAnswer(pace, 1_200, 1_220);
		expect(pace.quota).toBe(20);
	});

	it('a cycle holds at least one request', () => {
		expect(refuse(afterSending(refusedOnce(), 1_200), 1_200, 1_201).quota).toBe(1);
	});

	it('a first refusal after a few requests sets no cycle', () => {
		expect(refusedOnce().quota).toBe(Infinity);
	});
});

describe('batches', () => {
	it('batches wait between each other, not before the first', () => {
		let pace = firstPace({ size: 2, intervalMs: 500 });
		const times: number[] = [];
		for (let n = 0; n < 7; n++) {
			times.push(Math.max(times.at(-1) ?? 10, nextSendAt(pace)));
			pace = afterSending(pace, times.at(-1) as number);
		}
		expect(times).toEqual([10, 10, 510, 510, 1_010, 1_010, 1_510]);
	});

	it('the wait between batches begins at the last request of a batch', () => {
		const pace = sendSome(firstPace({ size: 2, intervalMs: 500 }), [10, 300]);
		expect(nextSendAt(pace)).toBe(800);
	});

	it('batches wait longer if AiClk names a longer time', () => {
		const pace = sendSome(firstPace({ size: 2, intervalMs: 500 }), [10, 10]);
		expect(nextSendAt(refuse(pace, 10, 20, 9_000))).toBe(9_020);
	});
});

it('no sequence of answers makes a run send during a wait or stop for good', () => {
	const event = fc.record({
		kind: fc.constantFrom('answer', 'refusal'),
		afterMs: fc.nat(5_000),
		retryAfterMs: fc.option(fc.nat(10_000)),
		random: fc.double({ min: 0, max: 1, noNaN: true }),
	});
	const batching = fc.option(
		fc.record({ size: fc.integer({ min: 1, max: 60 }), intervalMs: fc.nat(5_000) }),
	);
	fc.assert(
		fc.property(batching, fc.array(event, { maxLength: 60 }), (batches, events) => {
			let pace = firstPace(batches);
			let nowMs = 1;
			for (const { kind, afterMs, retryAfterMs, random } of events) {
				const sentAtMs = Math.max(nowMs, nextSendAt(pace));
				expect(sentAtMs).toBeGreaterThanOrEqual(pace.resumesAtMs);
				expect(Number.isFinite(sentAtMs)).toBe(true);
				pace = afterSending(pace, sentAtMs);
				nowMs = sentAtMs + afterMs;
				pace =
					kind === 'answer'
						? afterAnswer(pace, sentAtMs, nowMs)
						: afterRefusal(pace, { retryAfterMs }, { sentAtMs, nowMs, random });
				expect(pace.together).toBeGreaterThanOrEqual(1);
				expect(pace.together).toBeLessThanOrEqual(Math.max(MAX_TOGETHER, batches?.size ?? 0));
				expect(pace.quota).toBeGreaterThanOrEqual(1);
			}
		}),
	);
});
