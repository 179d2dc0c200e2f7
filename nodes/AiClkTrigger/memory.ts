import { hash } from 'node:crypto';

/**
 * What was last seen of each row, oldest change first. A key is `<account>/<id>`, both in base 36. A value is the row's watched
 * values as one text (`toText`), or their hash where the text itself has been forgotten.
 */
export type Memory = Map<string, string>;

/** A memory as it is stored: two texts, because n8n watches every object in its static data. */
export interface StoredMemory {
	/** Each value once, one a line. */
	values: string;
	/** `<account>/<id>.<line>`, with blanks between them; the account is left out where it is that of the row before. */
	rows: string;
}

/** An empty memory. */
export const NOTHING: StoredMemory = { values: '', rows: '' };

const RADIX = 36;
const FIELD_END = '\t';
const HASH_LENGTH = 8;

/**
 * `<account>/<id>` in base 36.
 *
 * @param id whole number as AiClk sends it, digits where a number would be rounded
 */
export const keyOf = (account: bigint, id: unknown): string =>
	`${account.toString(RADIX)}/${BigInt(String(id)).toString(RADIX)}`;

/** The id in a key. */
export const idOf = (key: string): bigint =>
	[...key.slice(key.indexOf('/') + 1)].reduce(
		(number, digit) => number * BigInt(RADIX) + BigInt(parseInt(digit, RADIX)),
		0n,
	);

const shown = (value: unknown): string =>
	value === undefined || value === null
		? ''
		: typeof value === 'object'
			? JSON.stringify(value)
			: String(value);

/** Some fields of a row as one text; each value keeps its words, all white space in it becomes a blank. */
export const toText = (row: Record<string, unknown>, fields: readonly string[]): string =>
	fields.map((field) => shown(row[field]).replace(/\s+/g, ' ') + FIELD_END).join('');

/** The fields in a text, by name; null when only its hash is left. */
export function fromText(text: string, fields: readonly string[]): Record<string, string> | null {
	if (!text.endsWith(FIELD_END)) return null;
	const values = text.split(FIELD_END);
	return Object.fromEntries(fields.map((field, index) => [field, values[index] ?? '']));
}

const hashOf = (text: string): string =>
	text.endsWith(FIELD_END) ? hash('sha256', text, 'base64url').slice(0, HASH_LENGTH) : text;

/** Whether two texts stand for the same values; either may be a hash. */
export const isSame = (one: string, other: string): boolean =>
	one === other || hashOf(one) === hashOf(other);

/** Reads a memory back, as far as it is about these accounts. */
export function recall(stored: StoredMemory | undefined, accounts: readonly bigint[]): Memory {
	const owners = new Set(accounts.map((account) => account.toString(RADIX)));
	const lines = stored?.values.split('\n') ?? [];
	const memory: Memory = new Map();
	let owner = '';
	for (const row of stored?.rows.split(' ') ?? []) {
		const [key = '', line = ''] = row.split('.');
		const slash = key.indexOf('/');
		if (slash >= 0) owner = key.slice(0, slash);
		const value = lines[parseInt(line, RADIX)];
		if (value === undefined || !owners.has(owner)) continue;
		memory.set(`${owner}/${key.slice(slash + 1)}`, value);
	}
	return memory;
}

/** Bytes that a value takes in n8n's static data, where it stands as JSON in a text of JSON. */
export const sizeOf = (value: unknown): number =>
	Buffer.byteLength(JSON.stringify(JSON.stringify(value)));

/** Bytes of a text there, without its quotation marks. */
const bytesOf = (text: string): number => sizeOf(text) - sizeOf('');

const LINE_END_BYTES = bytesOf('\n');
const HASH_LINE_BYTES = HASH_LENGTH + LINE_END_BYTES;

/**
 * Writes a memory into so many bytes. What does not fit is forgotten, the oldest first: the texts of values, of which a hash
 * stays, and then whole rows. Texts may take half of the bytes from rows that are not needed.
 *
 * @param needed so many of the newest rows must not be forgotten
 * @param maxBytes of both texts in n8n's static data
 * @returns the texts, and whether rows were forgotten; null when the rows that are needed do not fit
 */
export function remember(
	memory: Memory,
	needed: number,
	maxBytes: number,
): { stored: StoredMemory; hasForgotten: boolean } | null {
	const newestFirst = [...memory].reverse();
	const lineDigits = new Set(memory.values()).size.toString(RADIX).length;
	const bytesOfRow = (name: string): number => name.length + '. '.length + lineDigits;
	/** With hashes only. */
	const bytesOfRows = (rows: typeof newestFirst): number =>
		rows.reduce((sum, [key]) => sum + bytesOfRow(key.slice(key.indexOf('/') + 1)), 0) +
		new Set(rows.map(([, value]) => value)).size * HASH_LINE_BYTES;
	const maxTextBytes = Math.max(
		maxBytes - bytesOfRows(newestFirst),
		Math.min(maxBytes / 2, maxBytes - bytesOfRows(newestFirst.slice(0, needed))),
	);

	const lines = new Map<string, number>();
	const texts: string[] = [];
	let textBytes = 0;
	let bytes = 0;
	let kept = 0;
	let account = '';
	for (const [key, value] of newestFirst) {
		const [owner = '', id = ''] = key.split('/');
		bytes += bytesOfRow(owner === account ? id : key);
		account = owner;
		const isNew = !lines.has(value);
		if (isNew) textBytes += Math.max(0, bytesOf(value) + LINE_END_BYTES - HASH_LINE_BYTES);
		const text = textBytes <= maxTextBytes ? value : hashOf(value);
		if (isNew) bytes += bytesOf(text) + LINE_END_BYTES;
		if (bytes > maxBytes) break;
		if (isNew) lines.set(value, texts.push(text) - 1);
		kept++;
	}
	if (kept < needed) return null;

	account = '';
	const rows = newestFirst.slice(0, kept).reverse();
	const names = rows.map(([key, value]) => {
		const [owner = '', id] = key.split('/');
		const name = owner === account ? id : key;
		account = owner;
		return `${name}.${lines.get(value)?.toString(RADIX)}`;
	});
	const stored = { values: texts.join('\n'), rows: names.join(' ') };
	return { stored, hasForgotten: kept < memory.size };
}
