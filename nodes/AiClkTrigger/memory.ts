import { hash } from 'node:crypto';

/**
 * What was last seen of each row, oldest change first. A key is `<account>/<id>`. A value is the row's watched values as one string
 * (`toText`), or a hash of it if the string itself was forgotten.
 */
export type Memory = Map<string, string>;

/** A memory as it is stored: two strings, because n8n watches every object in its static data. */
export interface StoredMemory {
	/** Each value once, one per line. */
	values: string;
	/**
	 * One `<account>/<id><line>` per row, or `<difference><line>` to the id before if the account is the same. Numbers are in base 36.
	 * The line is in capital letters, which end the row. So rows with close ids take 2 bytes.
	 */
	rows: string;
}

/** An empty memory. */
export const NOTHING: StoredMemory = { values: '', rows: '' };

const RADIX = 36;
const LETTERS = 26;
const FIRST_LETTER = 'A'.charCodeAt(0);
const ROW = /(?:([0-9a-z]+)\/)?(-?)([0-9a-z]+)([A-Z]+)/g;
const FIELD_END = '\t';
const HASH_LENGTH = 8;

/** The extra bytes of the first row, which is not a difference. */
const MAX_FIRST_ROW_BYTES = 32;

/** `<account>/<id>`. @param id a whole number, or its digits if a number would be rounded */
export const keyOf = (account: bigint, id: unknown): string => `${account}/${BigInt(String(id))}`;

const split = (key: string): [account: bigint, id: bigint] => {
	const [account = '', id = ''] = key.split('/');
	return [BigInt(account), BigInt(id)];
};

/** The id in a key. */
export const idOf = (key: string): bigint => split(key)[1];

const shown = (value: unknown): string =>
	value === undefined || value === null
		? ''
		: Array.isArray(value)
			? JSON.stringify(value.map((part) => shown(part)).sort())
			: typeof value === 'object'
				? JSON.stringify(value)
				: String(value);

/** Some fields of a row as one string. White space in a value becomes a single space; the order of a list does not count. */
export const toText = (row: Record<string, unknown>, fields: readonly string[]): string =>
	fields.map((field) => shown(row[field]).replace(/\s+/g, ' ') + FIELD_END).join('');

/** The fields in such a string, by name; null if it is a hash. */
export function fromText(text: string, fields: readonly string[]): Record<string, string> | null {
	if (!text.endsWith(FIELD_END)) return null;
	const values = text.split(FIELD_END);
	return Object.fromEntries(fields.map((field, index) => [field, values[index] ?? '']));
}

const hashOf = (text: string): string =>
	text.endsWith(FIELD_END) ? hash('sha256', text, 'base64url').slice(0, HASH_LENGTH) : text;

/** Whether two strings stand for the same values. Either may be a hash. */
export const isSame = (one: string, other: string): boolean =>
	one === other || hashOf(one) === hashOf(other);

const toLetters = (line: number): string =>
	[...line.toString(LETTERS)]
		.map((digit) => String.fromCharCode(FIRST_LETTER + parseInt(digit, LETTERS)))
		.join('');

const fromLetters = (letters: string): number =>
	[...letters].reduce((line, letter) => line * LETTERS + letter.charCodeAt(0) - FIRST_LETTER, 0);

const fromDigits = (digits: string): bigint =>
	[...digits].reduce(
		(number, digit) => number * BigInt(RADIX) + BigInt(parseInt(digit, RADIX)),
		0n,
	);

/** How a row is written, without its line. @param before the key of the previous row, if any */
function nameOf(key: string, before: string | undefined): string {
	const [account, id] = split(key);
	const [accountBefore, idBefore] = split(before ?? '0/0');
	return account === accountBefore
		? (id - idBefore).toString(RADIX)
		: `${account.toString(RADIX)}/${id.toString(RADIX)}`;
}

/** Reads what is stored about these accounts. */
export function recall(stored: StoredMemory | undefined, accounts: readonly bigint[]): Memory {
	const lines = stored?.values.split('\n') ?? [];
	const memory: Memory = new Map();
	let account = 0n;
	let id = 0n;
	for (const [, owner, sign, digits = '', line = ''] of (stored?.rows ?? '').matchAll(ROW)) {
		const number = fromDigits(digits);
		if (owner !== undefined) account = fromDigits(owner);
		id = owner !== undefined ? number : sign === '-' ? id - number : id + number;
		const value = lines[fromLetters(line)];
		if (value !== undefined && accounts.includes(account)) memory.set(`${account}/${id}`, value);
	}
	return memory;
}

/** Bytes that a value takes in n8n's static data, where it is JSON inside a JSON string. */
export const sizeOf = (value: unknown): number =>
	Buffer.byteLength(JSON.stringify(JSON.stringify(value)));

/** Bytes of a line there. */
const bytesOfLine = (text: string): number => sizeOf(`${text}\n`) - sizeOf('');

const HASH_LINE_BYTES = HASH_LENGTH + bytesOfLine('');

/**
 * Writes a memory into a number of bytes. What does not fit is forgotten, oldest first: first values, of which a hash remains, then
 * whole rows. Values may take up to half of the bytes from rows that are not needed.
 *
 * @param needed how many of the newest rows must not be forgotten
 * @param maxBytes of both strings in n8n's static data
 * @returns the strings, and whether rows were forgotten; null if the needed rows do not fit
 */
export function remember(
	memory: Memory,
	needed: number,
	maxBytes: number,
): { stored: StoredMemory; hasForgotten: boolean } | null {
	const lineBytes = toLetters(new Set(memory.values()).size).length;
	const newestFirst = [...memory]
		.map(([key, value], index, all) => ({ key, value, bytes: 0, before: all[index - 1]?.[0] }))
		.reverse();
	for (const row of newestFirst) row.bytes = nameOf(row.key, row.before).length;
	/** As if all values were hashes and all lines had the most letters. */
	const bytesOf = (rows: typeof newestFirst): number =>
		rows.reduce((sum, { bytes }) => sum + bytes + lineBytes, MAX_FIRST_ROW_BYTES) +
		new Set(rows.map(({ value }) => value)).size * HASH_LINE_BYTES;
	const maxTextBytes = Math.max(
		maxBytes - bytesOf(newestFirst),
		Math.min(maxBytes / 2, maxBytes - bytesOf(newestFirst.slice(0, needed))),
	);

	const lines = new Map<string, number>();
	const texts: string[] = [];
	let textBytes = 0;
	let bytes = MAX_FIRST_ROW_BYTES;
	let kept = 0;
	for (const row of newestFirst) {
		bytes += row.bytes + toLetters(lines.get(row.value) ?? texts.length).length;
		const isNew = !lines.has(row.value);
		if (isNew) textBytes += Math.max(0, bytesOfLine(row.value) - HASH_LINE_BYTES);
		const text = textBytes <= maxTextBytes ? row.value : hashOf(row.value);
		if (isNew) bytes += bytesOfLine(text);
		if (bytes > maxBytes) break;
		if (isNew) lines.set(row.value, texts.push(text) - 1);
		kept++;
	}
	if (kept < needed) return null;

	const rows = newestFirst.slice(0, kept).reverse();
	const names = rows.map(
		({ key, value }, index) => nameOf(key, rows[index - 1]?.key) + toLetters(lines.get(value) ?? 0),
	);
	const stored = { values: texts.join('\n'), rows: names.join('') };
	return { stored, hasForgotten: kept < memory.size };
}
