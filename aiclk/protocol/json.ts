/** A JSON value as this package handles it: whole numbers that a JavaScript number would round are strings or bigints. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

/** A number as JSON writes it. */
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

const QUOTE = '"';

/** The index behind the string that starts with a quotation mark at `start`; the end of the text if it never ends. */
function endOfText(json: string, start: number): number {
	for (let from = start + 1; ;) {
		const end = json.indexOf(QUOTE, from);
		if (end === -1) return json.length;
		let backslashes = 0;
		while (json[end - 1 - backslashes] === '\\') backslashes++;
		if (backslashes % 2 === 0) return end + 1;
		from = end + 1;
	}
}

/** Turns whole numbers that a JavaScript number cannot hold exactly into strings that begin with a mark. */
function quoteLongNumbers(json: string, mark: string): string {
	const parts: string[] = [];
	let copied = 0;
	const next = /["\d-]/g;
	for (let found = next.exec(json); found !== null; found = next.exec(json)) {
		const start = found.index;
		if (found[0] === QUOTE) {
			next.lastIndex = endOfText(json, start);
			continue;
		}
		NUMBER.lastIndex = start;
		const number = NUMBER.exec(json)?.[0] ?? '';
		next.lastIndex = start + Math.max(1, number.length);
		if (!/^-?\d+$/.test(number) || Number.isSafeInteger(Number(number))) continue;
		parts.push(json.slice(copied, start), QUOTE, mark, number, QUOTE);
		copied = start + number.length;
	}
	return copied === 0 ? json : parts.join('') + json.slice(copied);
}

const hasLongNumber = (json: string): boolean => /\d{16}/.test(json);

/**
 * Like `JSON.parse`, but whole numbers beyond 2^53 become strings with every digit: AiClk's ids are uint64.
 *
 * @throws SyntaxError if the text is not JSON
 */
export const parseJson = (json: string): unknown =>
	JSON.parse(hasLongNumber(json) ? quoteLongNumbers(json, '') : json);

/** Nothing that a person types begins with it. */
const MARK = '\0';

const MARKED_NUMBER = new RegExp(`^${MARK}(-?\\d+)$`);

const unmark = (_key: string, value: Json): Json => {
	const number = typeof value === 'string' ? MARKED_NUMBER.exec(value)?.[1] : undefined;
	return number === undefined ? value : BigInt(number);
};

/**
 * `JSON.parse` for what will be sent: whole numbers beyond 2^53 become bigints, which `stringifyJson` writes as numbers.
 *
 * @throws SyntaxError if the text is not JSON
 */
export function parseJsonToSend(json: string): Json {
	if (!hasLongNumber(json)) return JSON.parse(json) as Json;
	return JSON.parse(quoteLongNumbers(json, '\\u0000'), unmark) as Json;
}

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
	Object.prototype.toString.call(value) === '[object Object]';

/** What n8n makes of an invalid date of luxon's (n8n-core cleanup-parameter-data.js). */
const INVALID_DATE = 'Invalid DateTime';

/**
 * The value of an n8n expression with its dates as ISO 8601. What JSON would drop or change (undefined members, NaN, functions,
 * a Set) is kept for `findUnsendable`; an invalid date becomes undefined.
 *
 * @throws RangeError if the value refers to itself
 */
export function toJson(value: unknown): unknown {
	if (value === INVALID_DATE) return undefined;
	if (Array.isArray(value)) return Array.from(value, toJson);
	const { toJSON } = (value ?? {}) as { toJSON?: unknown };
	if (typeof toJSON === 'function') return (value as { toJSON(): unknown }).toJSON() ?? undefined;
	if (!isPlainObject(value)) return value;
	return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toJson(member)]));
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

/** Strings as they are, anything else as JSON. */
const textOf = (value: Json): string => (typeof value === 'string' ? value : stringifyJson(value));

/** Values as text, for a URL or a form. What is null is left out. */
export const textsOf = (values: Record<string, Json>): Array<[name: string, text: string]> =>
	Object.entries(values).flatMap(([name, value]) =>
		value === null ? [] : [[name, textOf(value)]],
	);

/** Half of a character such as an emoji that was cut. Neither a URL nor UTF-8 can hold it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function faultOf(value: unknown): string | null {
	if (value === undefined) return 'is undefined or an invalid date';
	if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
		return 'is a number that n8n has rounded: pass it as text';
	}
	if (typeof value === 'number' && !Number.isFinite(value)) {
		return 'is a number that is too large, or not a number at all';
	}
	if (typeof value === 'string' && LONE_SURROGATE.test(value)) {
		return 'holds half a character, e.g. of an emoji that was cut';
	}
	const isJson =
		value === null ||
		['boolean', 'number', 'bigint', 'string'].includes(typeof value) ||
		Array.isArray(value) ||
		isPlainObject(value);
	return isJson ? null : 'is nothing that JSON can hold';
}

/** A part of a JSON value that cannot be sent as intended. */
export interface Unsendable {
	/** Its place, e.g. `a.b[2]`; '' for the value itself. */
	path: string;
	/** The end of a sentence. */
	failure: string;
}

/**
 * Finds what cannot be sent as intended: what is undefined, whole numbers that JavaScript has rounded, strings with half a
 * character, and what JSON cannot express.
 *
 * @returns the first one, or null: then the value is `Json`
 */
export function findUnsendable(value: unknown, path = ''): Unsendable | null {
	const failure = faultOf(value);
	if (failure !== null) return { path, failure };
	if (typeof value !== 'object' || value === null) return null;
	for (const [key, member] of Object.entries(value)) {
		const name = Array.isArray(value) ? `[${key}]` : `${path === '' ? '' : '.'}${key}`;
		const found = findUnsendable(key, `${path}${name}`) ?? findUnsendable(member, `${path}${name}`);
		if (found !== null) return found;
	}
	return null;
}

const JSON_SPACE = /[ \t\r\n]*/y;
const JSON_STRING = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;
const JSON_SCALAR = new RegExp(`${JSON_STRING.source}|${NUMBER.source}|true|false|null`, 'uy');

/** Reads JSON from `at` on. @returns the index behind the value; -1 if it is not JSON, and `stop` is told where */
function endOfValue(json: string, at: number, stop: (index: number) => void): number {
	const match = (pattern: RegExp, from: number): number => {
		pattern.lastIndex = from;
		return pattern.test(json) ? pattern.lastIndex : -1;
	};
	const skip = (from: number): number => match(JSON_SPACE, from);
	const fail = (index: number): number => {
		stop(index);
		return -1;
	};
	let index = skip(at);
	const close = { '{': '}', '[': ']' }[json[index] ?? ''];
	if (close === undefined) {
		const end = match(JSON_SCALAR, index);
		return end === -1 ? fail(index) : skip(end);
	}
	index = skip(index + 1);
	if (json[index] === close) return skip(index + 1);
	for (;;) {
		if (close === '}') {
			const behindKey = match(JSON_STRING, index);
			if (behindKey === -1) return fail(index);
			index = skip(behindKey);
			if (json[index] !== ':') return fail(index);
			index += 1;
		}
		index = endOfValue(json, index, stop);
		if (index === -1) return -1;
		if (json[index] === close) return skip(index + 1);
		if (json[index] !== ',') return fail(index);
		index = skip(index + 1);
	}
}

/**
 * Where a text stops being JSON. For short texts Node's own messages name no position.
 *
 * @returns line and column, counted from 1; null if the text is JSON
 */
export function findJsonError(json: string): { line: number; column: number } | null {
	let stopped = -1;
	const end = endOfValue(json, 0, (index) => (stopped = index));
	if (end === json.length) return null;
	const before = json.slice(0, end === -1 ? stopped : end).split('\n');
	return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/** Makes an object of names and values. A dot in a name leads into an inner object; undefined values are left out. */
export function nest(
	entries: Array<[name: string, value: Json | undefined]>,
): Record<string, Json> {
	const result: Record<string, Json> = {};
	for (const [name, value] of entries) {
		if (value === undefined) continue;
		const [outer = '', inner] = name.split('.');
		result[outer] =
			inner === undefined ? value : { ...(result[outer] as object | undefined), [inner]: value };
	}
	return result;
}
