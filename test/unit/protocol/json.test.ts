import fc from 'fast-check';

import {
	findJsonError,
	findUnsendable,
	type Json,
	nest,
	parseJson,
	parseJsonToSend,
	stringifyJson,
	textsOf,
} from '../../../aiclk/protocol/json';

const MAX_UINT64 = '18446744073709551615';

describe('parseJson', () => {
	it.each([
		[`{"id":${MAX_UINT64}}`, { id: MAX_UINT64 }],
		[
			`[-${MAX_UINT64}, 9007199254740991, 9007199254740993]`,
			[`-${MAX_UINT64}`, 9007199254740991, '9007199254740993'],
		],
		[`{"${MAX_UINT64}":"${MAX_UINT64}"}`, { [MAX_UINT64]: MAX_UINT64 }],
		[`["a\\"${MAX_UINT64}", "\\\\", ${MAX_UINT64}]`, [`a"${MAX_UINT64}`, '\\', MAX_UINT64]],
		[
			'[1.00000000000000000001, 1e25, 12345678901234567890.5]',
			[1, 1e25, Number('12345678901234567890.5')],
		],
		[MAX_UINT64, MAX_UINT64],
	])('keeps every digit of %s', (json, value) => {
		expect(parseJson(json)).toEqual(value);
	});

	/** What JSON.parse returns, but whole numbers that it cannot hold exactly are the texts that were written. */
	const exact = (value: Json): Json => {
		if (Array.isArray(value)) return value.map(exact);
		if (typeof value === 'object' && value !== null) {
			return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, exact(one)]));
		}
		const isLong = typeof value === 'number' && /^-?\d+$/.test(String(value));
		return isLong && !Number.isSafeInteger(value) ? String(value) : value;
	};

	it('reads everything else as JSON.parse does', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				const json = `[${JSON.stringify(value)},${MAX_UINT64}]`;
				expect(parseJson(json)).toEqual([
					exact(JSON.parse(JSON.stringify(value)) as Json),
					MAX_UINT64,
				]);
			}),
		);
	});

	it.each([
		`{"id":${MAX_UINT64}`,
		`[0${MAX_UINT64}]`,
		`[${MAX_UINT64}abc]`,
		`"${MAX_UINT64}`,
		`["a\\", ${MAX_UINT64}]`,
		`[--${MAX_UINT64}]`,
	])('refuses what JSON.parse refuses: %s', (json) => {
		expect(() => parseJson(json)).toThrow(SyntaxError);
		expect(() => parseJsonToSend(json)).toThrow(SyntaxError);
	});

	it('takes time that grows with the length only, whatever is in a text', () => {
		const backslashes = '\\'.repeat(200_000);
		expect(parseJson(`["${backslashes}",${MAX_UINT64}]`)).toHaveLength(2);
		expect(parseJson(`["${'\\"'.repeat(200_000)}",${MAX_UINT64}]`)).toHaveLength(2);
	});
});

describe('what was read is sent as it was', () => {
	/** Everything that JSON can hold, with whole numbers of any size. */
	const anyJson = fc.letrec<{ json: Json }>((tie) => ({
		json: fc.oneof(
			{ depthSize: 'small' },
			fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
			fc.string(),
			fc.boolean(),
			fc.constant(null),
			fc.array(tie('json'), { maxLength: 4 }),
			fc.dictionary(fc.string(), tie('json'), { maxKeys: 4 }),
		),
	})).json;

	it('with every digit', () => {
		fc.assert(
			fc.property(anyJson, (value) => {
				const text = stringifyJson(value);
				expect(stringifyJson(parseJsonToSend(text))).toBe(text);
			}),
		);
	});

	it('and is what JSON.stringify writes, where that can', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				expect(stringifyJson(value as Json)).toBe(JSON.stringify(value));
			}),
		);
	});
});

describe('textsOf', () => {
	it.each<[Json, string | null]>([
		['a b', 'a b'],
		[1, '1'],
		[BigInt(MAX_UINT64), MAX_UINT64],
		[['x', 2n], '["x",2]'],
		['', ''],
		[null, null],
	])('of %p', (value, text) => {
		expect(textsOf({ a: value })).toEqual(text === null ? [] : [['a', text]]);
	});
});

describe('findJsonError', () => {
	it.each<[string, number, number]>([
		['', 1, 1],
		['{', 1, 2],
		['{"a":}', 1, 6],
		['{"a" 1}', 1, 6],
		['{"a":1,}', 1, 8],
		['[1,]', 1, 4],
		['[1 2]', 1, 4],
		["{'a':1}", 1, 2],
		['{"a":1}x', 1, 8],
		['{\n\t"a": [1,\n\t2}\n}', 3, 3],
		['{"a":"\n"}', 1, 6],
		['01', 1, 2],
		['nul', 1, 1],
	])('%j stops being JSON at line %d, column %d', (json, line, column) => {
		expect(findJsonError(json)).toEqual({ line, column });
	});

	it('finds nothing in JSON, and something in all that JSON.parse refuses', () => {
		const nearlyJson = fc.oneof(
			fc.jsonValue().map((value) => JSON.stringify(value)),
			fc.stringMatching(/^[{}[\]",:0-9.eE+\-\\ truefalsn]{0,12}$/),
		);
		fc.assert(
			fc.property(nearlyJson, (json) => {
				let isJson = true;
				try {
					JSON.parse(json);
				} catch {
					isJson = false;
				}
				expect(findJsonError(json) === null).toBe(isJson);
			}),
		);
	});
});

describe('findUnsendable', () => {
	it.each<[Json, string | null]>([
		[{ a: 1, b: [2n ** 64n, 'x', null, true, 0.5, -1] }, null],
		[2 ** 53, ''],
		[{ a: [{ b: 2 ** 64 }] }, 'a[0].b'],
		[{ a: -Infinity }, 'a'],
		['😀'.slice(0, 1), ''],
		[{ '\udc00': 1 }, '\udc00'],
	])('in %p: %p', (value, path) => {
		expect(findUnsendable(value)?.path ?? null).toBe(path);
	});
});

describe('nest', () => {
	it('puts values under their names, and what is undefined nowhere', () => {
		expect(
			nest([
				['a', 1],
				['b.start', '1'],
				['b.end', '2'],
				['c', undefined],
				['d.end', undefined],
			]),
		).toEqual({ a: 1, b: { start: '1', end: '2' } });
	});
});
