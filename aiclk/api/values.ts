import { fail, ok, type Result } from '../util/result';
import { type Json, parseJsonToSend, toJson } from '../protocol/json';

/**
 * Reads what users type and expressions yield. Each reader returns the value, or what is wrong with it, as the end of a
 * sentence that begins with the field's name.
 */
export type Read<T> = Result<T, string>;

const MOST_UINT64 = 2n ** 64n - 1n;
const MOST_INT32 = 2 ** 31 - 1;

/** An id of AiClk (int or uint64 on its pages): digits as text, or a number that is still exact. */
export function readId(value: unknown): Read<bigint> {
	if (typeof value === 'number' && !Number.isSafeInteger(value)) {
		return fail('is a number that n8n has rounded: pass it as text');
	}
	const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
	if (text === '') return fail('is empty');
	if (!/^\d{1,20}$/.test(text) || BigInt(text) > MOST_UINT64) {
		return fail('is not an ID: digits only, e.g. 1000002');
	}
	return BigInt(text) === 0n ? fail('cannot be 0') : ok(BigInt(text));
}

/** Ids as a list, or as text with commas, blanks or line breaks between them; none is fine. */
export function readIds(value: unknown): Read<bigint[]> {
	const parts: unknown[] = Array.isArray(value)
		? value
		: typeof value === 'string'
			? value.split(/[\s,;，、]+/).filter((part) => part !== '')
			: value === undefined || value === null
				? []
				: [value];
	const ids = parts.map(readId);
	const bad = ids.findIndex(({ ok: isFine }) => !isFine);
	const first = ids[bad];
	if (first !== undefined && !first.ok)
		return fail(`has an entry (number ${bad + 1}) that ${first.failure}`);
	return ok(ids.flatMap((id) => (id.ok ? [id.value] : [])));
}

/** A whole number, typed or as text. */
export function readWholeNumber(
	value: unknown,
	{ least = -MOST_INT32 - 1, most = MOST_INT32 }: { least?: number; most?: number } = {},
): Read<number> {
	const number =
		typeof value === 'string' && /^\s*-?\d{1,15}\s*$/.test(value) ? Number(value) : value;
	if (typeof number !== 'number' || !Number.isInteger(number)) return fail('is not a whole number');
	if (number < least) return fail(`is below ${least}`);
	return number > most ? fail(`is above ${most}`) : ok(number);
}

/** An amount of money in fen, as AiClk has it (int32); negative takes money back (P10-P13). */
export function readAmount(value: unknown): Read<number> {
	const amount = readWholeNumber(value);
	if (amount.ok && amount.value === 0) return fail('cannot be 0');
	return amount.ok || amount.failure !== 'is not a whole number'
		? amount
		: fail('is not a whole number: amounts are in fen (100 fen are 1 yuan)');
}

const isDate = (value: unknown): value is Date =>
	Object.prototype.toString.call(value) === '[object Date]' && !Number.isNaN(Number(value));

/** What luxon's DateTime and Date have: n8n's expressions yield both, from another realm than this code's. */
const isoOf = (value: unknown, timeZone: string): unknown => {
	// Swedish dates are written YYYY-MM-DD.
	if (isDate(value)) return new Intl.DateTimeFormat('sv-SE', { timeZone }).format(value);
	const { toISO } = (value ?? {}) as { toISO?: unknown };
	return typeof toISO === 'function' ? (value as { toISO(): unknown }).toISO() : value;
};

/**
 * A day: a date picker's value, a text that begins with YYYY-MM-DD, or a date of n8n. The day is taken as written, in
 * whatever time zone that was: AiClk's pages name none.
 *
 * @param timeZone IANA name; a JavaScript Date is a moment and has none of its own
 * @returns YYYY-MM-DD
 */
export function readDay(value: unknown, timeZone: string): Read<string> {
	const text = isoOf(value, timeZone);
	if (text === '' || text === undefined || text === null) return fail('is empty');
	const day =
		typeof text === 'string' ? /^\d{4}-\d{2}-\d{2}(?=$|[T ])/.exec(text.trim())?.[0] : undefined;
	if (day === undefined) return fail('is not a date: write it as 2026-01-31');
	const date = new Date(`${day}T00:00:00Z`);
	return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
		? ok(day)
		: fail(`names a day that does not exist (${day})`);
}

/** A text; numbers are taken as such. Without `required` it may be empty. */
export function readText(value: unknown, { required = false } = {}): Read<string> {
	if (typeof value !== 'string' && typeof value !== 'number') {
		return value === undefined || value === null
			? readText('', { required })
			: fail('is not a text');
	}
	return required && String(value).trim() === '' ? fail('is empty') : ok(String(value));
}

/** Some of the known names, as a list or as text with commas between them; one at least unless it may be empty. */
export function readNames(
	value: unknown,
	known: readonly string[],
	{ mayBeEmpty = false } = {},
): Read<string[]> {
	const names = (Array.isArray(value) ? value : String(value ?? '').split(','))
		.map((name) => String(name).trim())
		.filter((name) => name !== '');
	if (names.length === 0 && !mayBeEmpty) return fail('is empty: choose one at least');
	const unknown = names.find((name) => !known.includes(name));
	return unknown === undefined
		? ok([...new Set(names)])
		: fail(`holds '${unknown.slice(0, 60)}', which AiClk does not document here`);
}

/**
 * A JSON object, as such or as text; ids beyond 2^53 keep every digit. Empty is `{}`. An object out of an expression is taken
 * for what JSON makes of it: no undefined members, dates as ISO 8601.
 */
export function readJsonObject(value: unknown): Read<Record<string, Json>> {
	if (value === undefined || value === null || value === '') return ok({});
	let parsed: Json;
	try {
		parsed = typeof value === 'string' ? parseJsonToSend(value) : toJson(value);
	} catch {
		return fail('is not valid JSON');
	}
	return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
		? ok(parsed)
		: fail('is not a JSON object');
}
