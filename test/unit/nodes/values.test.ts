import fc from 'fast-check';

import {
	isNothing,
	oneOf,
	readAmount,
	readId,
	readIds,
	readJsonBody,
	readJsonObject,
	readSwitch,
	readText,
	readWholeNumber,
	someOf,
} from '../../../nodes/shared/values';

const MAX_UINT64 = 2n ** 64n - 1n;

const good = <T>(value: T) => ({ ok: true, value });
const bad = (failure: unknown) => ({ ok: false, failure });

describe('readId', () => {
	it.each<[unknown, bigint]>([
		['1000002', 1_000_002n],
		[' 7 ', 7n],
		[7, 7n],
		[7n, 7n],
		['1000002\u200b', 1_000_002n],
		['\ufeff 10\u200d00\u2060002\u200c\n', 1_000_002n],
		['\u202d1000002\u202c', 1_000_002n],
		[String(MAX_UINT64), MAX_UINT64],
		['007', 7n],
	])('readId accepts %p', (value, id) => {
		expect(readId(value)).toEqual(good(id));
	});

	it.each<[unknown, RegExp]>([
		['', /empty/],
		[null, /empty/],
		['\u200b', /empty/],
		[true, /digits only/],
		[{}, /digits only/],
		[['7'], /digits only/],
		['1,000,002', /digits only/],
		['1 000 002', /digits only/],
		['0', /is no ID/],
		['-1', /digits only/],
		['1.5', /digits only/],
		[-1, /digits only/],
		[String(MAX_UINT64 + 1n), /digits only/],
		[2 ** 53, /rounded/],
		[1.5, /digits only/],
		['1e3', /digits only/],
	])('readId refuses %p', (value, failure) => {
		expect(readId(value)).toEqual(bad(expect.stringMatching(failure)));
	});

	it('returns every uint64 but 0 unchanged', () => {
		fc.assert(
			fc.property(fc.bigInt({ min: 1n, max: MAX_UINT64 }), (id) => {
				expect(readId(String(id))).toEqual(good(id));
			}),
		);
	});
});

describe('readIds', () => {
	const MIXED = ['1', 2];
	it.each<[unknown, bigint[]]>([
		['1, 2;3\n4，5', [1n, 2n, 3n, 4n, 5n]],
		[7, [7n]],
		[MIXED, [1n, 2n]],
		['[77777, 88888]', [77_777n, 88_888n]],
		[' ["77777",\n"88888"]\u200b', [77_777n, 88_888n]],
		['[1,234]', [1n, 234n]],
		[`[${MAX_UINT64}]`, [MAX_UINT64]],
		['77777,88888', [77_777n, 88_888n]],
		['310000,310100,310115', [310_000n, 310_100n, 310_115n]],
		['1000002 1000003\t1000004', [1_000_002n, 1_000_003n, 1_000_004n]],
		['1, 234, 567', [1n, 234n, 567n]],
		['123、456；789\n123', [123n, 456n, 789n, 123n]],
		['12,34,5678', [12n, 34n, 5678n]],
		['1000002\u200b,\u200b1000003', [1_000_002n, 1_000_003n]],
	])('readIds accepts %p', (value, ids) => {
		expect(readIds(value)).toEqual(good(ids));
	});

	it.each([
		['1,234,567', '1,234'],
		['1，234，567', '1，234'],
		['1 234 567', '1 234'],
		['1\u00a0234\u00a0567', '1\u00a0234'],
		['1\u202f234', '1\u202f234'],
		['12,345', '12,345'],
		['1,234 12,345,678', '1,234'],
		['77777, 12,345,678', '12,345'],
		['77777\n12,345,678', '12,345'],
		['77777,1,234', '1,234'],
	])('readIds refuses %p, because %p may be one number or two', (value, grouped) => {
		expect(readIds(value)).toEqual(
			bad(
				`holds '${grouped}', which may be one number or two: write digits only, and ', ' between two`,
			),
		);
	});

	it('takes every list of IDs of five digits and more, however they are joined', () => {
		const ids = fc.array(fc.bigInt({ min: 10_000n, max: MAX_UINT64 }), { minLength: 1 });
		const gaps = fc.constantFrom(',', ', ', ' ', '，', '\n', ';', '、', ' ,\r\n');
		fc.assert(
			fc.property(ids, gaps, (list, gap) => {
				expect(readIds(list.join(gap))).toEqual(good(list));
				expect(readIds(`[${list.join()}]`)).toEqual(good(list));
			}),
		);
	});

	it.each([
		['[77777, ', 'is not valid JSON: see line 1, column 8'],
		["['77777']", "is not valid JSON: see the text '['77777']'"],
		['[77777] 88888', 'is not valid JSON: see line 1, column 9'],
	])('readIds refuses %p: it %s', (value, failure) => {
		expect(readIds(value)).toEqual(bad(failure));
	});

	it.each([[''], [[]], [undefined], [null], ['\n'], ['\u200b'], ['[]']])(
		'refuses %p as empty',
		(value) => {
			expect(readIds(value)).toEqual(bad('is empty'));
		},
	);

	const ROUNDED = 'which is a number that n8n has rounded: pass it as text';
	it.each<[unknown, number, string]>([
		['1,2,x', 3, "is 'x', which is not an ID: digits only, e.g. 1000002"],
		[',310100,310115', 1, 'is empty'],
		['1, , 2', 2, 'is empty'],
		['1;\n', 2, 'is empty'],
		[' , ', 1, 'is empty'],
		[['1', ''], 2, 'is empty'],
		[['1', null], 2, 'is empty'],
		['["1",null]', 2, 'is empty'],
		['[[1]]', 1, 'is not an ID: digits only, e.g. 1000002'],
		['[1e20]', 1, `is '100000000000000000000', ${ROUNDED}`],
		[['1', 2 ** 53], 2, `is '9007199254740992', ${ROUNDED}`],
	])('readIds refuses %j: entry %d %s', (value, position, failure) => {
		expect(readIds(value)).toEqual(bad(`has an entry (number ${position}) that ${failure}`));
	});
});

describe('readAmount', () => {
	it.each<[unknown, number]>([
		[1, 1],
		[-10_000, -10_000],
		['10000', 10_000],
		[2_147_483_647, 2_147_483_647],
		[-2_147_483_648, -2_147_483_648],
	])('readAmount accepts %p fen', (value, amount) => {
		expect(readAmount(value)).toEqual(good(amount));
	});

	it.each<[unknown, RegExp]>([
		[0, /moves nothing/],
		['0', /moves nothing/],
		[1.5, /amounts are in fen/],
		['100.00', /amounts are in fen/],
		['', /amounts are in fen/],
		[null, /amounts are in fen/],
		[Number.NaN, /amounts are in fen/],
		[2_147_483_648, /above/],
		[-2_147_483_649, /below/],
	])('readAmount refuses %p', (value, failure) => {
		expect(readAmount(value)).toEqual(bad(expect.stringMatching(failure)));
	});
});

describe('readWholeNumber', () => {
	it('ignores white space and invisible characters around digits', () => {
		expect([' 7\n', '\ufeff-7\u200b'].map((value) => readWholeNumber(value))).toEqual([
			good(7),
			good(-7),
		]);
	});

	it('refuses numbers outside its bounds', () => {
		const bounds = { min: 0, max: 2 };
		expect([-1, 0, 2, 3].map((value) => readWholeNumber(value, bounds).ok)).toEqual([
			false,
			true,
			true,
			false,
		]);
	});
});

describe('readSwitch', () => {
	it.each([
		[true, good(true)],
		['true', good(true)],
		[false, good(false)],
		['false', good(false)],
		[1, bad('is neither true nor false')],
		[0, bad('is neither true nor false')],
		['', bad('is neither true nor false')],
		['True', bad('is neither true nor false')],
		[undefined, bad('is neither true nor false')],
		[[], bad('is neither true nor false')],
	])('readSwitch of %p', (value, result) => {
		expect(readSwitch(value)).toEqual(result);
	});
});

describe('isNothing', () => {
	it.each([
		[undefined, true],
		[null, true],
		['', true],
		[' \n', true],
		[[], true],
		[0, false],
		[false, false],
		['0', false],
		[[''], false],
		[{}, false],
	])('isNothing of %p: %p', (value, isEmpty) => {
		expect(isNothing(value)).toBe(isEmpty);
	});
});

describe('readText', () => {
	it.each<[unknown, unknown]>([
		['a', good('a')],
		[7, good('7')],
		['广告😀', good('广告😀')],
		['', bad('is empty')],
		[' ', bad('is empty')],
		[undefined, bad('is empty')],
		[null, bad('is empty')],
		[{}, bad('is not text')],
		[true, bad('is not text')],
		['广告😀'.slice(0, 3), bad('holds half a character, e.g. of an emoji that was cut')],
		['😀'.slice(1), bad('holds half a character, e.g. of an emoji that was cut')],
		[2 ** 60, bad('is a number that n8n has rounded: pass it as text')],
		[Number.NaN, bad('is a number that is too large, or not a number at all')],
	])('readText of %p', (value, result) => {
		expect(readText(value)).toEqual(result);
	});
});

describe('oneOf', () => {
	it.each<[unknown, unknown]>([
		['json', good('json')],
		['JSON', bad("holds 'JSON', which AiClk does not document here")],
		[' json\u200b', good('json')],
		['', bad('is empty: choose one')],
		[undefined, bad('is empty: choose one')],
		[1, bad("holds '1', which AiClk does not document here")],
		[['json', 'form'], bad("holds 'json,form', which AiClk does not document here")],
	])('oneOf of %p', (value, result) => {
		expect(oneOf(['json', 'form'])(value)).toEqual(result);
	});

	it('oneOf accepts numbers and text alike, and shortens what it quotes', () => {
		expect([1, '1'].map(oneOf(['0', '1']))).toEqual([good('1'), good('1')]);
		expect(oneOf(['a'])('x '.repeat(90))).toEqual(
			bad(`holds '${'x '.repeat(29)}x…', which AiClk does not document here`),
		);
	});
});

describe('someOf', () => {
	it.each<[unknown, unknown]>([
		[['a', 'b'], good(['a', 'b'])],
		['a, b', good(['a', 'b'])],
		[['a', 'a'], good(['a'])],
		['a，b', good(['a', 'b'])],
		['["a","b"]', good(['a', 'b'])],
		['["a\u200b"]', good(['a'])],
		['["c"]', bad("has an entry (number 1) that holds 'c', which AiClk does not document here")],
		['["a"', bad('is not valid JSON: see line 1, column 5')],
		[[], bad('is empty')],
		[undefined, bad('is empty')],
		[[' '], bad('has an entry (number 1) that is empty: choose one')],
		[['a', ''], bad('has an entry (number 2) that is empty: choose one')],
		[['a', undefined], bad('has an entry (number 2) that is empty: choose one')],
		['a,,b', bad('has an entry (number 2) that is empty: choose one')],
		['a, ', bad('has an entry (number 2) that is empty: choose one')],
		[['c', 'a'], bad("has an entry (number 1) that holds 'c', which AiClk does not document here")],
	])('someOf of %p', (value, result) => {
		expect(someOf(['a', 'b'])(value)).toEqual(result);
	});
});

describe('readJsonObject', () => {
	const TOO_LARGE = bad(expect.stringMatching(/^has a member 'a' that is a number that is too/));
	const NO_OBJECT = bad('is not a JSON object');
	/** As n8n has them. */
	const DATES = { a: new Date(0), b: { toJSON: () => 'luxon' } };
	const ROUNDED = bad(expect.stringMatching(/^has a member 'a\.b\[1\]' that.*rounded/));

	it.each<[unknown, unknown]>([
		['{"a":18446744073709551615}', good({ a: MAX_UINT64 })],
		[{ a: 1 }, good({ a: 1 })],
		['', good({})],
		[null, good({})],
		[undefined, good({})],
		['{', bad('is not valid JSON: see line 1, column 2')],
		['{\n  "a": 1,\n}', bad('is not valid JSON: see line 3, column 1')],
		[{ a: { b: [1, 2 ** 64] } }, ROUNDED],
		['{"a":1e400}', TOO_LARGE],
		[{ a: Infinity }, TOO_LARGE],
		['{"a":1e20}', bad(expect.stringMatching(/^has a member 'a' that.*rounded/))],
		[{ 'a b': '\ud83d' }, bad(expect.stringMatching(/^has a member 'a b' that holds half/))],
		[{ ['\ud83d']: 1 }, bad(expect.stringMatching(/that holds half a character/))],
		['\u200b\ufeff{"a":"\u200b"}\u200b\ufeff', good({ a: '\u200b' })],
		['{"a":0.1,"b":-1.5e3}', good({ a: 0.1, b: -1500 })],
		['[1]', NO_OBJECT],
		['null', NO_OBJECT],
		[[], NO_OBJECT],
		[7, NO_OBJECT],
		[() => 1, NO_OBJECT],
		[new Map(), NO_OBJECT],
		[{ b: [1, null], c: MAX_UINT64 }, good({ b: [1, null], c: MAX_UINT64 })],
		[DATES, good({ a: '1970-01-01T00:00:00.000Z', b: 'luxon' })],
	])('readJsonObject of %p', (value, result) => {
		expect(readJsonObject(value)).toEqual(result);
	});

	it.each<[string, unknown, RegExp]>([
		['undefined', undefined, /undefined/],
		['an invalid date', new Date(Number.NaN), /invalid date/],
		['an invalid date of luxon', { toJSON: () => null }, /invalid date/],
		['what n8n makes of one', 'Invalid DateTime', /invalid date/],
		['a function', () => 1, /nothing that JSON can hold/],
		['a symbol', Symbol('a'), /nothing that JSON can hold/],
		['a Map', new Map(), /nothing that JSON can hold/],
		['a Set', new Set([1]), /nothing that JSON can hold/],
		['a RegExp', /a/, /nothing that JSON can hold/],
		['bytes', new Uint8Array(1), /nothing that JSON can hold/],
	])(
		'readJsonObject refuses %s as a member and as an entry, with its path',
		(_, value, failure) => {
			for (const [path, holder] of [
				['a.b', { a: { b: value } }],
				['a[1]', { a: [1, value] }],
			] as const) {
				const read = readJsonObject(holder);
				expect(read).toEqual(bad(expect.stringMatching(failure)));
				expect(read).toEqual(bad(expect.stringContaining(`has a member '${path}' that is `)));
			}
		},
	);

	it('refuses a hole in an array', () => {
		expect(readJsonObject({ a: new Array(1) })).toEqual(bad(expect.stringContaining("'a[0]'")));
	});

	it('refuses an object that refers to itself', () => {
		const endless: { self?: unknown } = {};
		endless.self = endless;
		expect(readJsonObject(endless)).toEqual(
			bad('is not JSON: it refers to itself, or is nested too deeply'),
		);
	});
});

describe('readJsonBody', () => {
	it.each<[unknown, unknown]>([
		['[{}]', good([{}])],
		[`[${MAX_UINT64}]`, good([MAX_UINT64])],
		['[]', good([])],
		[[{ a: 1 }], good([{ a: 1 }])],
		['{"a":1}', good({ a: 1 })],
		['', good({})],
		['7', bad('is neither a JSON object nor a list')],
		['"a"', bad('is neither a JSON object nor a list')],
		['null', bad('is neither a JSON object nor a list')],
		[[{ a: 2 ** 53 }], bad(expect.stringMatching(/^has a member '\[0\]\.a' that.*rounded/))],
	])('readJsonBody of %p', (value, result) => {
		expect(readJsonBody(value)).toEqual(result);
	});
});
