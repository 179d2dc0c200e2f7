import fc from 'fast-check';

import { LosslessNumber, parse as losslessParse } from 'lossless-json';

import { type Json, parseJson, parseJsonToSend, stringifyJson } from '../../../aiclk/protocol/json';

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

	it.each([
		`{"id":${MAX_UINT64}`,
		`[0${MAX_UINT64}]`,
		`[${MAX_UINT64}abc]`,
		`"${MAX_UINT64}`,
		`["a\\", ${MAX_UINT64}]`,
		`[--${MAX_UINT64}]`,
		`[-0${MAX_UINT64}]`,
		`[+${MAX_UINT64}]`,
		`[1.${MAX_UINT64}.5]`,
		`{${MAX_UINT64}:1}`,
		`{${MAX_UINT64} \t:1}`,
		`"a\\${MAX_UINT64}`,
		`["a"${MAX_UINT64}]`,
	])('refuses what JSON.parse refuses: %s', (json) => {
		expect(() => parseJson(json)).toThrow(SyntaxError);
		expect(() => parseJsonToSend(json)).toThrow(SyntaxError);
	});

	it.each(['\t', '\r\n', '\0', '\x1f'])('reads a raw %j inside a string as it is', (raw) => {
		const json = `{"ti${raw}tle":"a${raw}\\"b${raw}", "id" : ${MAX_UINT64}}`;
		expect(parseJson(json)).toEqual({ [`ti${raw}tle`]: `a${raw}"b${raw}`, id: MAX_UINT64 });
	});

	it('refuses raw control characters between values, and behind a backslash', () => {
		for (const json of ['[1,\x1f2]', '["a\\\tb"]', '[\0]']) {
			expect(() => parseJson(json)).toThrow(SyntaxError);
		}
	});
});

describe('a text of many megabytes', () => {
	it.each([
		['quotation marks', '\\"'],
		['backslashes', '\\\\'],
		['characters written as numbers', '\\u4f60'],
		['digits', '1234567890'],
		['plain characters', 'abcdefgh'],
	])('may hold 13 MB of %s in one string', (_, unit) => {
		const text = unit.repeat(Math.ceil(13_000_000 / unit.length));
		const [read, id] = parseJson(`["${text}",${MAX_UINT64}]`) as string[];
		expect(read === JSON.parse(`"${text}"`)).toBe(true);
		expect(id).toBe(MAX_UINT64);
	});

	it.each([
		['a number of digits', '7'],
		['white space', ' '],
	])('may hold 13 MB of %s', (_, unit) => {
		const json = `[${unit.repeat(13_000_000)}${MAX_UINT64}]`;
		const [read] = parseJson(json) as string[];
		expect(read === json.slice(1, -1).trim()).toBe(true);
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

/** JSON texts: any strings, keys and nesting, white space, and numbers of every form and length. */
const anyText = (() => {
	const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
	const number = fc.oneof(
		fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
		fc.constantFrom(-1n, 0n, 1n, 2n).map((more) => String(2n ** 53n + more)),
		fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 60n }), digits(20)).map((parts) => parts.join('.')),
		fc.tuple(fc.bigInt({ min: -(2n ** 60n), max: 9n }), digits(2)).map((parts) => parts.join('e')),
	);
	const string = fc
		.oneof(
			fc.string({ unit: 'binary' }),
			fc.string({ unit: fc.constantFrom('\0', '"', '\\', '1', '9', ':', '\t', 'u0000', '-') }),
			fc.bigInt({ min: 2n ** 50n, max: 2n ** 64n }).map((id) => `\0${id}`),
		)
		.map((one) => JSON.stringify(one));
	const space = fc.constantFrom('', ' ', '\n\t', '\r\n');
	return fc.letrec<{ json: string }>((tie) => ({
		json: fc.oneof(
			{ depthSize: 'small' },
			number,
			string,
			fc.constantFrom('true', 'false', 'null'),
			fc
				.tuple(fc.array(tie('json'), { maxLength: 4 }), space)
				.map(([values, gap]) => `[${gap}${values.join(`${gap},`)}${gap}]`),
			fc
				.tuple(fc.array(fc.tuple(string, tie('json')), { maxLength: 4 }), space)
				.map(([members, gap]) => {
					const unique = new Map(members);
					const texts = [...unique].map(([key, value]) => `${key}${gap}:${gap}${value}`);
					return `{${texts.join(`${gap},${gap}`)}}`;
				}),
		),
	})).json;
})();

/** What another parser reads, with its long whole numbers made by `long`. */
function reference(json: string, long: (digits: string) => unknown): unknown {
	const convert = (value: unknown): unknown => {
		if (value instanceof LosslessNumber) {
			const digits = value.toString();
			const isLong = /^-?\d+$/.test(digits) && !Number.isSafeInteger(Number(digits));
			return isLong ? long(digits) : Number(digits);
		}
		if (Array.isArray(value)) return value.map(convert);
		if (typeof value !== 'object' || value === null) return value;
		return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, convert(one)]));
	};
	return convert(losslessParse(json));
}

describe('any JSON', () => {
	it('is read as another parser reads it, with long numbers as text', () => {
		fc.assert(
			fc.property(anyText, (json) => {
				expect(parseJson(json)).toStrictEqual(reference(json, String));
			}),
			{ numRuns: 1000 },
		);
	});

	it('to send is read as another parser reads it, with long numbers as bigints', () => {
		fc.assert(
			fc.property(anyText, (json) => {
				expect(parseJsonToSend(json)).toStrictEqual(reference(json, BigInt));
			}),
			{ numRuns: 1000 },
		);
	});

	it('that was cut or changed in one place is refused exactly where JSON.parse refuses it', () => {
		const broken = fc.tuple(
			anyText,
			fc.nat(),
			fc.constantFrom('', '"', '\\', ':', ',', '1', '-', '}'),
		);
		fc.assert(
			fc.property(broken, ([json, at, put]) => {
				const place = at % json.length;
				const text = json.slice(0, place) + put + (put === '' ? '' : json.slice(place + 1));
				const isJson = (read: (one: string) => unknown) => {
					try {
						return [true, read(text)] as const;
					} catch (error) {
						return [false, (error as Error).name] as const;
					}
				};
				const [expected] = isJson(JSON.parse);
				// What stands between quotation marks changes its place with them, control characters, too.
				if (expected || !/\p{Cc}/u.test(text)) expect(isJson(parseJson)[0]).toBe(expected);
				expect(isJson(parseJsonToSend)[0]).toBe(expected);
			}),
			{ numRuns: 1000 },
		);
	});
});

describe('the place of an error', () => {
	/** Some messages of Node's name a position, others show the text; Node 20 and 24 agree on which. */
	it.each<[string, string]>([
		['', 'line 1, column 1'],
		['{', 'line 1, column 2'],
		['nul', 'line 1, column 4'],
		['{"a" 1}', 'line 1, column 6'],
		['{"a":1,}', 'line 1, column 8'],
		['[1 2]', 'line 1, column 4'],
		["{'a':1}", 'line 1, column 2'],
		['{"a":1}x', 'line 1, column 8'],
		['{\n\t"a": [1,\n\t2}\n}', 'line 3, column 3'],
		['{"a":"\n"}', 'line 1, column 7'],
		['01', 'line 1, column 2'],
		['{"a":}', `the text '{"a":}'`],
		['[1,\n]', "the text '[1, ]'"],
		['undefined', "the text 'undefined'"],
		['at position 99', "the text 'at position 99'"],
		[`{"first": "member",\n"second": x,\n"third": 1}`, `the text '"second": x, "third"'`],
		['<html><head><title>502</title></head></html>', "the text '<html><hea'"],
	])('in %j is %s', (json, place) => {
		const refusal = expect.objectContaining({ name: 'SyntaxError', message: place });
		expect(() => parseJsonToSend(json)).toThrow(refusal);
		if (json !== '{"a":"\n"}') expect(() => parseJson(json)).toThrow(refusal);
	});

	it('is that of the text as it came, whatever stands before it', () => {
		const json = `{"id":${MAX_UINT64},\n"title":"a b", "x" 1}`;
		expect(() => parseJson(json)).toThrow('line 2, column 20');
		expect(() => parseJsonToSend(json)).toThrow('line 2, column 20');
	});
});
