/** A JSON value as this package handles it: whole numbers that a JavaScript number would round are texts or bigints. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

/** Whole numbers as JSON writes them, and whatever else begins like one. */
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

const QUOTE = '"';

/** The index behind the text that begins at `start` with a quotation mark; the end if it never ends. */
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

/** Makes texts, which begin with a mark, of whole numbers that a JavaScript number cannot hold exactly. */
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
 * `JSON.parse`, but whole numbers beyond 2^53 come as texts with every digit: AiClk's ids are uint64.
 *
 * @throws SyntaxError when the text is no JSON
 */
export const parseJson = (json: string): unknown =>
	JSON.parse(hasLongNumber(json) ? quoteLongNumbers(json, '') : json);

/** No text of a person begins with it. */
const MARK = '\0';

const MARKED_NUMBER = new RegExp(`^${MARK}-?\\d+$`);

const unmark = (_key: string, value: Json): Json =>
	typeof value === 'string' && MARKED_NUMBER.test(value) ? BigInt(value.slice(1)) : value;

/**
 * `JSON.parse` for what is to be sent on: whole numbers beyond 2^53 come as bigints, which `stringifyJson` writes as numbers.
 *
 * @throws SyntaxError when the text is no JSON
 */
export function parseJsonToSend(json: string): Json {
	if (!hasLongNumber(json)) return JSON.parse(json) as Json;
	return JSON.parse(quoteLongNumbers(json, '\\u0000'), unmark) as Json;
}

/**
 * What JSON can hold of a value, with bigints.
 *
 * @throws TypeError when it refers to itself
 */
export function toJson(value: unknown): Json {
	const json = JSON.stringify(value, (_key, member: unknown) =>
		typeof member === 'bigint' ? `${MARK}${member}` : member,
	) as string | undefined;
	return json === undefined ? null : (JSON.parse(json, unmark) as Json);
}

/** `JSON.stringify`, but bigints are written as numbers, with every digit. */
export function stringifyJson(value: Json): string {
	if (typeof value === 'bigint') return value.toString();
	if (Array.isArray(value)) return `[${value.map(stringifyJson).join(',')}]`;
	if (typeof value !== 'object' || value === null) return JSON.stringify(value);
	const members = Object.entries(value).map(
		([key, member]) => `${JSON.stringify(key)}:${stringifyJson(member)}`,
	);
	return `{${members.join(',')}}`;
}

/** A value where only texts travel, as in a URL or a form: texts as they are, all else as JSON. */
export const textOf = (value: Json): string =>
	typeof value === 'string' ? value : stringifyJson(value);
