import fc from 'fast-check';

import {
	readAmount,
	readDay,
	readId,
	readIds,
	readJsonObject,
	readNames,
	readText,
	readWholeNumber,
} from '../../../aiclk/api/values';

const MOST = 2n ** 64n - 1n;

const good = <T>(value: T) => ({ ok: true, value });
const bad = (failure: unknown) => ({ ok: false, failure });

describe('readId', () => {
	it.each<[unknown, bigint]>([
		['1000002', 1_000_002n],
		[' 7 ', 7n],
		[7, 7n],
		[String(MOST), MOST],
		['007', 7n],
	])('takes %p', (value, id) => {
		expect(readId(value)).toEqual(good(id));
	});

	it.each<[unknown, RegExp]>([
		['', /empty/],
		[null, /empty/],
		[true, /empty/],
		['0', /cannot be 0/],
		['-1', /digits only/],
		['1.5', /digits only/],
		[-1, /digits only/],
		[String(MOST + 1n), /digits only/],
		[2 ** 53, /rounded/],
		[1.5, /rounded/],
		['1e3', /digits only/],
	])('refuses %p', (value, failure) => {
		expect(readId(value)).toEqual(bad(expect.stringMatching(failure)));
	});

	it('gives back what it read, for every uint64 but 0', () => {
		fc.assert(
			fc.property(fc.bigInt({ min: 1n, max: MOST }), (id) => {
				expect(readId(String(id))).toEqual(good(id));
			}),
		);
	});
});

describe('readIds', () => {
	it.each<[unknown, bigint[]]>([
		['1, 2;3\n4，5', [1n, 2n, 3n, 4n, 5n]],
		[
			['1', 2],
			[1n, 2n],
		],
		[7, [7n]],
		['', []],
		[undefined, []],
		[null, []],
	])('takes %p', (value, ids) => {
		expect(readIds(value)).toEqual(good(ids));
	});

	it('names the entry that is none', () => {
		expect(readIds('1,2,x')).toEqual(bad(expect.stringMatching(/number 3.*digits only/)));
	});
});

describe('readAmount', () => {
	it.each<[unknown, number]>([
		[1, 1],
		[-10_000, -10_000],
		['10000', 10_000],
		[2_147_483_647, 2_147_483_647],
		[-2_147_483_648, -2_147_483_648],
	])('takes %p fen', (value, amount) => {
		expect(readAmount(value)).toEqual(good(amount));
	});

	it.each<[unknown, RegExp]>([
		[0, /cannot be 0/],
		['0', /cannot be 0/],
		[1.5, /amounts are in fen/],
		['100.00', /amounts are in fen/],
		['', /amounts are in fen/],
		[null, /amounts are in fen/],
		[Number.NaN, /amounts are in fen/],
		[2_147_483_648, /above/],
		[-2_147_483_649, /below/],
	])('refuses %p', (value, failure) => {
		expect(readAmount(value)).toEqual(bad(expect.stringMatching(failure)));
	});
});

describe('readWholeNumber', () => {
	it('keeps to its bounds', () => {
		const bounds = { least: 0, most: 2 };
		expect([-1, 0, 2, 3].map((value) => readWholeNumber(value, bounds).ok)).toEqual([
			false,
			true,
			true,
			false,
		]);
	});
});

describe('readDay', () => {
	it.each<[unknown, string]>([
		['2026-01-31', '2026-01-31'],
		['2026-01-31T00:00:00', '2026-01-31'],
		['2026-01-31T23:59:59.999+08:00', '2026-01-31'],
		['2026-01-31 08:00', '2026-01-31'],
		['2024-02-29', '2024-02-29'],
		[new Date('2026-01-31T12:00:00Z'), '2026-01-31'],
		[{ toISO: () => '2026-01-31T00:00:00.000+08:00' }, '2026-01-31'],
	])('takes %p as written', (value, day) => {
		expect(readDay(value, 'Asia/Shanghai')).toEqual(good(day));
	});

	it.each([
		['Asia/Shanghai', '2026-02-01'],
		['UTC', '2026-01-31'],
		['America/New_York', '2026-01-31'],
	])('takes the day that a JavaScript Date falls on in %s', (timeZone, day) => {
		expect(readDay(new Date('2026-01-31T16:00:00Z'), timeZone)).toEqual(good(day));
	});

	it.each<[unknown, RegExp]>([
		['', /empty/],
		[undefined, /empty/],
		[null, /empty/],
		['2026-02-30', /does not exist/],
		['2026-13-01', /does not exist/],
		['31.01.2026', /write it as/],
		['2026-01-311', /write it as/],
		[1_769_817_600_000, /write it as/],
		[new Date(Number.NaN), /write it as/],
		[{}, /write it as/],
	])('refuses %p', (value, failure) => {
		expect(readDay(value, 'UTC')).toEqual(bad(expect.stringMatching(failure)));
	});

	it('takes every day there is', () => {
		const days = fc.date({
			min: new Date('1970-01-01'),
			max: new Date('9999-12-31'),
			noInvalidDate: true,
		});
		fc.assert(
			fc.property(days, (date) => {
				const iso = date.toISOString();
				expect(readDay(iso, 'UTC')).toEqual(good(iso.slice(0, 10)));
			}),
		);
	});
});

describe('readText', () => {
	it.each<[unknown, boolean, unknown]>([
		['a', true, good('a')],
		[7, true, good('7')],
		['', false, good('')],
		[undefined, false, good('')],
		[' ', true, bad('is empty')],
		[null, true, bad('is empty')],
		[{}, false, bad('is not a text')],
		[true, false, bad('is not a text')],
	])('%p, required: %p', (value, required, result) => {
		expect(readText(value, { required })).toEqual(result);
	});
});

describe('readNames', () => {
	const KNOWN = ['a', 'b'];

	it.each<[unknown, unknown]>([
		[['a', 'b'], good(['a', 'b'])],
		['a, b', good(['a', 'b'])],
		[['a', 'a'], good(['a'])],
		[[], bad('is empty: choose one at least')],
		[undefined, bad('is empty: choose one at least')],
		[['a', 'c'], bad("holds 'c', which AiClk does not document here")],
	])('%p', (value, result) => {
		expect(readNames(value, KNOWN)).toEqual(result);
	});

	it('may be empty where that means something', () => {
		expect(readNames('', KNOWN, { mayBeEmpty: true })).toEqual(good([]));
	});
});

describe('readJsonObject', () => {
	it.each<[unknown, unknown]>([
		['{"a":18446744073709551615}', good({ a: MOST })],
		[{ a: 1 }, good({ a: 1 })],
		['', good({})],
		[null, good({})],
		[undefined, good({})],
		['{', bad('is not valid JSON')],
		['[1]', bad('is not a JSON object')],
		['null', bad('is not a JSON object')],
		[[], bad('is not a JSON object')],
		[7, bad('is not a JSON object')],
		[() => 1, bad('is not a JSON object')],
		[{ a: undefined, b: [1, undefined], c: MOST }, good({ b: [1, null], c: MOST })],
		[
			{ a: new Date(0), b: { toJSON: () => 'luxon' } },
			good({ a: '1970-01-01T00:00:00.000Z', b: 'luxon' }),
		],
	])('%p', (value, result) => {
		expect(readJsonObject(value)).toEqual(result);
	});

	it('refuses an object that refers to itself', () => {
		const endless: { self?: unknown } = {};
		endless.self = endless;
		expect(readJsonObject(endless)).toEqual(bad('is not valid JSON'));
	});
});
