import fc from 'fast-check';

import { readBusy, readRetryAfter, waitOf } from '../../../aiclk/api/throttle';

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
		['1.5', 2_000],
		['0.2', 1_000],
		['2.0', 2_000],
		['1.', null],
		['.5', null],
		['1,5', null],
		['1e3', null],
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
		[503, '1.5', null, { retryAfterMs: 2_000 }],
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

describe('how long a run waits after a refusal', () => {
	it.each<[string, number | null, number[]]>([
		['1 s, doubling, where AiClk names no time', null, [1_000, 2_000, 4_000, 8_000]],
		['as told', 9_000, [9_000, 9_000, 9_000, 9_000]],
		['at least 1 s, 2 s, 4 s when refused again', 0, [0, 1_000, 2_000, 4_000]],
		['as told or longer', 1_500, [1_500, 1_500, 2_000, 4_000]],
	])('how long a run waits after a refusal: %s', (_, retryAfterMs, expected) => {
		const waits = expected.map((_wait, before) => waitOf({ retryAfterMs }, before, 120_000));
		expect(waits).toEqual(expected);
	});

	it('a wait that AiClk did not name ends when the run gives up, one that it named does not', () => {
		expect(waitOf({ retryAfterMs: null }, 6, 57_000)).toBe(57_000);
		expect(waitOf({ retryAfterMs: 0 }, 7, 57_000)).toBe(57_000);
		expect(waitOf({ retryAfterMs: 60_000 }, 6, 57_000)).toBe(60_000);
	});

	it('a wait is never shorter than told, and once refused again never shorter than 1 s', () => {
		const told = fc.option(fc.nat(10_000_000));
		fc.assert(
			fc.property(told, fc.nat(2_000), fc.nat(120_000), (retryAfterMs, before, leftMs) => {
				const ms = waitOf({ retryAfterMs }, before, leftMs);
				expect(ms).toBeGreaterThanOrEqual(retryAfterMs ?? 0);
				if (before > 0 && leftMs >= 1_000) expect(ms).toBeGreaterThanOrEqual(1_000);
			}),
		);
	});
});
