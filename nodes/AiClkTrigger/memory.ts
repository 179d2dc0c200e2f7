import { hash } from 'node:crypto';

import { BoundedMap } from '../../aiclk/util/boundedMap';

/**
 * What is remembered of the rows of an account: a value by id, those that were seen last at the end. A value is JSON: the watched
 * fields of a row as a list of texts.
 */
export type ValuesById = Map<string, string>;

/** What is known of one account, as it is stored. Each event uses some of it. */
export interface Known {
	/** Alarms: what was true at the last look. */
	is?: string;
	/** Lists: when the account was last read in full, ISO 8601. */
	full?: string;
	/** Creatives: the day of the last look, YYYY-MM-DD in UTC. */
	day?: string;
	/** Materials: the highest id so far. */
	newest?: string;
	/** Each value once. */
	values?: string[][];
	/**
	 * `<id>:<index of its value>` for the first row, then `<difference to the id before>`, with an index where that is another one.
	 * So a row with a close id takes 2 bytes.
	 */
	rows?: string;
	/** So many rows at the end are never forgotten to save room: the next looks find them again and would emit them. */
	keepLast?: number;
	/** Whether rows were forgotten, so that an unknown row is not necessarily new. */
	hasForgotten?: boolean;
}

/** All that a trigger remembers. */
export interface State {
	/** When it was written, ISO 8601. Of two states the later one counts. */
	at: string;
	/** The configuration that it belongs to: to another one it means nothing. */
	configuration: string;
	accounts: Record<string, Known>;
	/** What was reported in the last hour, by cause. */
	reports: Record<string, { at: string; accounts: string[] }>;
}

/**
 * How large a state may be in n8n's static data, in bytes: n8n copies it into every execution. The node's name takes the rest of
 * the 256 kB.
 */
export const MAX_STATE_BYTES = 255 * 1024;

const toShown = (value: unknown): string => {
	if (value === undefined || value === null) return '';
	if (Array.isArray(value)) return JSON.stringify(value.map(toShown).sort());
	return (typeof value === 'object' ? JSON.stringify(value) : String(value)).replace(/\s+/g, ' ');
};

/** Some fields of a row, as text. White space becomes a single space; the order of a list does not count. */
export const toValue = (row: Record<string, unknown>, fields: readonly string[]): string =>
	JSON.stringify(fields.map((field) => toShown(row[field])));

/** The fields in a value, by name. */
export function fromValue(value: string, fields: readonly string[]): Record<string, string> {
	const texts = JSON.parse(value) as string[];
	return Object.fromEntries(fields.map((field, index) => [field, texts[index] ?? '']));
}

/** @returns what is remembered of the rows of an account, in the order in which it was stored */
export function decodeRows({ values = [], rows = '' }: Known): ValuesById {
	const texts = values.map((value) => JSON.stringify(value));
	const valuesById: ValuesById = new Map();
	let id = 0n;
	let value = '';
	for (const [, difference = '', index] of rows.matchAll(/(-?\d+)(?::(\d+))?/g)) {
		id += BigInt(difference);
		if (index !== undefined) value = texts[Number(index)] ?? '';
		valuesById.set(`${id}`, value);
	}
	return valuesById;
}

/** @returns the same as it is stored */
export function encodeRows(valuesById: ValuesById): Required<Pick<Known, 'values' | 'rows'>> {
	const indexes = new Map<string, number>();
	let before = 0n;
	let last = -1;
	const texts = [...valuesById].map(([digits, value]) => {
		const index = indexes.get(value) ?? indexes.size;
		indexes.set(value, index);
		const id = BigInt(digits);
		const text = `${id - before}${index === last ? '' : `:${index}`}`;
		before = id;
		last = index;
		return text;
	});
	const values = [...indexes.keys()].map((value) => JSON.parse(value) as string[]);
	return { values, rows: texts.join(' ') };
}

const hashOf = (...parts: unknown[]): string =>
	hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 16);

/** Of the states that this code writes. Count it up when their shape changes. */
const VERSION = 4;

/** Identifies a configuration of a trigger: what was remembered for one means nothing to another. */
export const configurationOf = (...parts: unknown[]): string => hashOf(VERSION, ...parts);

/** Reads a state from n8n's static data; null unless exactly this was written. */
export function readState(text: unknown): State | null {
	try {
		const { sum, ...state } = JSON.parse(String(text)) as State & { sum: unknown };
		return sum === hashOf(state) ? state : null;
	} catch {
		return null;
	}
}

/** A state as text: n8n watches every object in its static data. The checksum tells a damaged one. */
export const writeState = (state: State): string =>
	JSON.stringify({ ...state, sum: hashOf(state) });

/** Bytes in n8n's static data, where a state is JSON inside a JSON string. */
export const sizeOf = (value: unknown): number =>
	Buffer.byteLength(JSON.stringify(JSON.stringify(value)));

/** An account without the oldest tenth of its rows; null if they must all be kept. */
function shrink(known: Known): Known | null {
	const rows = [...decodeRows(known)];
	const count = Math.max(known.keepLast ?? 0, Math.floor(rows.length * 0.9));
	const newest = new Map(rows.slice(rows.length - count));
	return count < rows.length ? { ...known, ...encodeRows(newest), hasForgotten: true } : null;
}

/**
 * Makes a state fit. All accounts that are no longer watched are forgotten first, then the oldest rows of the account that takes
 * most, until it fits or every account is as small as it can be.
 *
 * @returns the state, and the watched accounts that have to go as well, because even so it is too large; most often none
 */
export function fit(state: State, watched: ReadonlySet<string>, maxBytes = MAX_STATE_BYTES) {
	// With the checksum, and the member of n8n's static data that holds the state.
	const excessOf = (one: State): number => sizeOf(one) + 64 - maxBytes;
	if (excessOf(state) <= 0) return { state, tooLarge: [] };
	const isWatched = ([account]: [string, Known]): boolean => watched.has(account);
	const accounts = Object.fromEntries(Object.entries(state.accounts).filter(isWatched));
	let excess = excessOf({ ...state, accounts });
	const parts = Object.entries(accounts).map(([account, known]) => ({
		account,
		bytes: sizeOf([known]),
		canShrink: Boolean(known.rows),
	}));
	const largestFirst = () => parts.sort((one, other) => other.bytes - one.bytes);
	while (excess > 0) {
		const largest = largestFirst().find(({ canShrink }) => canShrink);
		if (largest === undefined) break;
		const smaller = shrink(accounts[largest.account] ?? {});
		largest.canShrink = smaller !== null;
		if (smaller === null) continue;
		accounts[largest.account] = smaller;
		excess -= largest.bytes;
		largest.bytes = sizeOf([smaller]);
		excess += largest.bytes;
	}
	const tooLarge: string[] = [];
	for (const { account, bytes } of largestFirst()) {
		if (excess <= 0) break;
		tooLarge.push(account);
		excess -= bytes;
	}
	return { state: { ...state, accounts }, tooLarge };
}

/** What one process remembers of a trigger. */
export interface ProcessMemory {
	/** The last state that n8n may not have saved; null for none. */
	text: string | null;
	/** Whether a poll is under way: it is the only one, except for runs by hand. */
	isPolling: boolean;
}

const memories = new BoundedMap<string, ProcessMemory>(1_000);

/**
 * What this process remembers of a trigger. n8n's classic polling does not save what a poll without items has written, its durable
 * scheduler begins each poll with what is saved, and n8n 1 may poll one trigger twice, each with a memory of its own.
 */
export const processMemoryOf = (workflowId: string | undefined, nodeId: string): ProcessMemory =>
	memories.ensure(`${workflowId}/${nodeId}`, () => ({ text: null, isPolling: false }));
