/** A JSON value as this package handles it: whole numbers that a JavaScript number would round are strings or bigints. */
export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** Whether a value is an object with members: no list, date or the like. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
	Object.prototype.toString.call(value) === '[object Object]';

/**
 * A string, or a piece of one that has more than a thousand escapes; or a number, and whether it stands as a key, which none may.
 * Without the bound, V8's stack would overflow on strings of many megabytes.
 */
const PARTS = /(?:"|\\.)[^"\\]*(?:\\.[^"\\]*){0,999}"?|-?\d[-+.\deE]*(?=(\s*:)?)/gs;

/** Escapes raw control characters. Behind a backslash they stay: that is no JSON. */
const escapeControls = (piece: string): string =>
	piece.replace(/\\.|\p{Cc}/gsu, (one) =>
		one.length === 1 ? JSON.stringify(one).slice(1, -1) : one,
	);

/**
 * One pass over a JSON text. Whole numbers beyond 2^53 become strings that begin with the mark, and raw control characters inside
 * strings are escaped.
 *
 * @param mark escaped, as it stands in JSON
 */
const rewrite = (json: string, mark: string): string =>
	json.replace(PARTS, (part: string, colon?: string) => {
		if (/^["\\]/.test(part)) return /\p{Cc}/u.test(part) ? escapeControls(part) : part;
		const isWhole = colon === undefined && /^-?[1-9]\d*$/.test(part);
		return isWhole && !Number.isSafeInteger(Number(part)) ? `"${mark}${part}"` : part;
	});

/**
 * Where a text stops being JSON, by what Node says of it: a position, or the text around it (V8's messages; the same in Node 20
 * and 24, which adds line and column).
 */
function placeOf(json: string, { message }: Error): string {
	const around = /"(.*)"(?:\.{3})? is not valid JSON$/s.exec(message)?.[1];
	if (around !== undefined) return `the text '${around.replace(/\s+/g, ' ')}'`;
	const position = Number(/at position (\d+)/.exec(message)?.[1] ?? json.length);
	const before = json.slice(0, position);
	return `line ${before.split('\n').length}, column ${position - before.lastIndexOf('\n')}`;
}

/** @throws SyntaxError whose message is the place, e.g. `line 1, column 7` */
function parse(json: string): unknown {
	try {
		return JSON.parse(json);
	} catch (error) {
		throw Object.assign(error as Error, { message: placeOf(json, error as Error) });
	}
}

/**
 * Reads an answer. Whole numbers beyond 2^53 become strings with every digit, because AiClk's ids are uint64. A raw control
 * character inside a string, such as a tab in a title, is read as it is.
 *
 * @throws SyntaxError whose message is the place where the text stops being JSON, e.g. `line 1, column 7`
 */
export function parseJson(json: string): unknown {
	const text = /\d{16}|\p{Cc}/u.test(json) ? rewrite(json, '') : json;
	try {
		return JSON.parse(text);
	} catch {
		return parse(json);
	}
}

/**
 * Reads what will be sent. Whole numbers beyond 2^53 become bigints, which `stringifyJson` writes as numbers.
 *
 * @throws SyntaxError whose message is the place where the text stops being JSON, e.g. `line 1, column 7`
 */
export function parseJsonToSend(json: string): Json {
	const value = parse(json) as Json;
	if (!/\d{16}/.test(json)) return value;
	const NUL = '\\u0000';
	let mark = NUL;
	// JSON has one spelling of this character, so no string begins with more of them than the text holds in a row.
	while (json.includes(mark)) mark += NUL;
	const begin = '\0'.repeat(mark.length / NUL.length);
	return JSON.parse(rewrite(json, mark), (_key, one: Json) =>
		typeof one === 'string' && one.startsWith(begin) ? BigInt(one.slice(begin.length)) : one,
	) as Json;
}

/** Like `JSON.stringify`, but bigints are written as numbers with every digit. */
export function stringifyJson(value: Json): string {
	if (typeof value === 'bigint') return value.toString();
	if (Array.isArray(value)) return `[${value.map(stringifyJson).join(',')}]`;
	if (typeof value !== 'object' || value === null) return JSON.stringify(value);
	const members = Object.entries(value).map(
		([key, member]) => `${JSON.stringify(key)}:${stringifyJson(member)}`,
	);
	return `{${members.join(',')}}`;
}
