import {
	isPlainObject,
	type Json,
	type JsonObject,
	parseJsonToSend,
} from '../../aiclk/protocol/json';
import { fail, ok, type Result } from '../../aiclk/util/failure';
import { shorten } from '../../aiclk/util/sanitize';

/**
 * Reads what users type and expressions yield. Each reader returns the value, or what is wrong with it, as the end of a
 * sentence that begins with the field's name.
 */
export type Read<T> = Result<T, string>;

const ROUNDED = 'is a number that n8n has rounded: pass it as text';
const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_INT32 = 2 ** 31 - 1;
const MIN_INT32 = -(2 ** 31);

/** Whether a field was left empty, or its expression yields nothing: no value, blank text, or an empty list. */
export const isNothing = (value: unknown): boolean =>
	value === undefined ||
	value === null ||
	(typeof value === 'string' && value.trim() === '') ||
	(Array.isArray(value) && value.length === 0);

/** Text without white space around it and without invisible characters, which come along when it is pasted; else as it is. */
export const trim = (value: unknown): unknown =>
	typeof value === 'string' ? value.replace(/\p{Cf}/gu, '').trim() : value;

/** An ID of AiClk (int or uint64 on its pages): digits as text, or a number that is still exact. */
export function readId(value: unknown): Read<bigint> {
	const typed = trim(value);
	if (isNothing(typed)) return fail('is empty');
	if (Number.isInteger(typed) && !Number.isSafeInteger(typed)) return fail(ROUNDED);
	const isId = ['string', 'number', 'bigint'].includes(typeof typed);
	if (!isId || !/^\d{1,20}$/.test(String(typed)) || BigInt(String(typed)) > MAX_UINT64) {
		return fail('is not an ID: digits only, e.g. 1000002');
	}
	const id = BigInt(String(typed));
	return id === 0n ? fail('is no ID') : ok(id);
}

function parse(json: string): Read<Json> {
	try {
		return ok(parseJsonToSend(json));
	} catch (error) {
		return fail(`is not valid JSON: see ${(error as Error).message}`);
	}
}

const SEPARATOR = /\s*[,;，；、]\s*|\s+/;

/** Looks like one number with its digits grouped, as 1,234,567 or 1 234 567, and like several short IDs. */
const GROUPED = /(?<!\d)\d{1,3}[,，\p{Zs}]\d{3}(?!\d)/u;

/**
 * The parts of a list: of an array, of JSON text, or of text with commas, spaces or line breaks between them; at least one. A part
 * that is empty is not left out: it stands for a value that is missing.
 */
function partsOf(value: unknown): Read<unknown[]> {
	const typed = trim(value);
	if (isNothing(typed)) return fail('is empty');
	if (typeof typed !== 'string') return ok(Array.isArray(typed) ? typed : [typed]);
	if (!typed.startsWith('[')) {
		const [grouped] = GROUPED.exec(typed) ?? [];
		return grouped === undefined
			? ok(typed.split(SEPARATOR))
			: fail(
					`holds '${shorten(grouped)}', which may be one number or two: write digits only, and ', ' between two`,
				);
	}
	const list = parse(typed);
	return list.ok ? partsOf(list.value) : list;
}

/**
 * What is wrong with a value, together with the value: `is 'abc', which is not an ID`. What is empty is not shown, nor what has no
 * short form (an object, a list).
 *
 * @param failure the end of a sentence; where it begins with an entry or a quotation, it shows the value itself
 */
export function withValue(value: unknown, failure: string): string {
	const typed = trim(value);
	const isShort = ['string', 'number', 'boolean', 'bigint'].includes(typeof typed);
	if (!isShort || isNothing(typed) || /^(has an entry|holds ')/.test(failure)) return failure;
	return `is '${shorten(String(typed))}', which ${failure}`;
}

function readEach<T>(value: unknown, read: (part: unknown) => Read<T>): Read<T[]> {
	const parts = partsOf(value);
	if (!parts.ok) return parts;
	const values: T[] = [];
	for (const [index, part] of parts.value.entries()) {
		const one = read(part);
		if (!one.ok)
			return fail(`has an entry (number ${index + 1}) that ${withValue(part, one.failure)}`);
		values.push(one.value);
	}
	return ok(values);
}

/** An ID as an item shows it: a number where that is exact, else text. */
export const toItemId = (id: bigint | string): number | string =>
	Number.isSafeInteger(Number(id)) ? Number(id) : String(id);

/** IDs, as a list or as text; at least one. */
export const readIds = (value: unknown): Read<bigint[]> => readEach(value, readId);

/** A whole number, also as text, between `min` and `max`; by default the limits of int32. */
export function readWholeNumber(
	value: unknown,
	{ min = MIN_INT32, max = MAX_INT32 }: { min?: number; max?: number } = {},
): Read<number> {
	const typed = trim(value);
	const number = typeof typed === 'string' && /^-?\d{1,15}$/.test(typed) ? Number(typed) : typed;
	if (typeof number !== 'number' || !Number.isInteger(number)) return fail('is not a whole number');
	if (number < min) return fail(`is below ${min}`);
	return number > max ? fail(`is above ${max}`) : ok(number);
}

/** An amount of money in fen, as AiClk has it (int32); negative takes money back (P10-P13). */
export function readAmount(value: unknown): Read<number> {
	const amount = readWholeNumber(value);
	if (amount.ok) return amount.value === 0 ? fail('moves nothing') : amount;
	return amount.failure === 'is not a whole number'
		? fail('is not a whole number: amounts are in fen (100 fen are 1 yuan)')
		: amount;
}

/** A switch: true or false, also as text, which is what expressions often yield. */
export function readSwitch(value: unknown): Read<boolean> {
	if (value === true || value === 'true') return ok(true);
	return value === false || value === 'false' ? ok(false) : fail('is neither true nor false');
}

/** Text with at least one character other than white space. A number is read as text. */
export function readText(value: unknown): Read<string> {
	if (isNothing(value)) return fail('is empty');
	if (typeof value !== 'string' && typeof value !== 'number') return fail('is not text');
	const fault = faultOf(value);
	return fault === null ? ok(String(value)) : fail(fault);
}

/** Reads one of some known values. Letter case counts. */
export const oneOf =
	<T extends string>(known: readonly T[]) =>
	(value: unknown): Read<T> => {
		const found = known.find((one) => one === String(trim(value)));
		if (found !== undefined) return ok(found);
		return isNothing(value)
			? fail('is empty: choose one')
			: fail(`holds '${shorten(String(value))}', which AiClk does not document here`);
	};

/** Reads some of the known names, as a list or as text with commas between them; at least one. */
export const someOf =
	(known: readonly string[]) =>
	(value: unknown): Read<string[]> => {
		const names = readEach(value, oneOf(known));
		return names.ok ? ok([...new Set(names.value)]) : names;
	};

/** What n8n makes of an invalid date of luxon's (n8n-core cleanup-parameter-data.js). */
const INVALID_DATE = 'Invalid DateTime';

/**
 * A date of n8n's expressions (JavaScript's, or luxon's) as ISO 8601, and null for an invalid one; anything else as it is. The dates
 * come from another realm than this code.
 */
export function dateToText(value: unknown): unknown {
	const { toJSON } = (value ?? {}) as { toJSON?: unknown };
	const isDate = typeof value === 'object' && typeof toJSON === 'function';
	return isDate ? (value as { toJSON(): unknown }).toJSON() : value;
}

/**
 * The value of an n8n expression with its dates as ISO 8601. What JSON would drop or change (undefined members, NaN, functions,
 * a Set) is kept for `findUnsendable`; an invalid date becomes undefined.
 */
function toJson(value: unknown): unknown {
	if (value === INVALID_DATE) return undefined;
	if (Array.isArray(value)) return Array.from(value, toJson);
	const text = dateToText(value);
	if (text !== value) return text ?? undefined;
	if (!isPlainObject(value)) return value;
	return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toJson(member)]));
}

/** Half of a character such as an emoji that was cut. Neither a URL nor UTF-8 can hold it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Why a value cannot be sent as intended, as the end of a sentence; null if it can, apart from its members. */
export function faultOf(value: unknown): string | null {
	if (value === undefined) return 'is undefined or an invalid date';
	if (typeof value === 'number' && !Number.isFinite(value)) {
		return 'is a number that is too large, or not a number at all';
	}
	if (Number.isInteger(value) && !Number.isSafeInteger(value)) return ROUNDED;
	if (typeof value === 'string') {
		return LONE_SURROGATE.test(value)
			? 'holds half a character, e.g. of an emoji that was cut'
			: null;
	}
	if (['boolean', 'number', 'bigint'].includes(typeof value)) return null;
	if (value === null || Array.isArray(value) || isPlainObject(value)) return null;
	return 'is nothing that JSON can hold';
}

/**
 * Finds what cannot be sent as intended: what is undefined, whole numbers that JavaScript has rounded, strings with half a
 * character, and what JSON cannot express.
 *
 * @param path of the value, e.g. `a.b[2]`; '' for the whole, which is a list or an object
 * @returns the end of a sentence about the first one, or null: then the value is `Json`
 */
function findUnsendable(value: unknown, path = ''): string | null {
	const fault = faultOf(value);
	if (fault !== null) return `has a member '${path}' that ${fault}`;
	if (typeof value !== 'object' || value === null) return null;
	for (const [key, member] of Object.entries(value)) {
		const name = Array.isArray(value) ? `[${key}]` : `${path === '' ? '' : '.'}${key}`;
		const found = findUnsendable(key, path + name) ?? findUnsendable(member, path + name);
		if (found !== null) return found;
	}
	return null;
}

/**
 * Makes a reader of JSON, as such or as text. In text, IDs beyond 2^53 keep every digit. Empty input is `{}`. In a value from an
 * expression, dates become ISO 8601, and a member that yields nothing is refused.
 */
const jsonReader =
	<T>(isWanted: (value: unknown) => boolean, otherwise: string) =>
	(value: unknown): Read<T> => {
		if (isNothing(value) && !Array.isArray(value)) return ok({} as T);
		try {
			const parsed =
				typeof value === 'string'
					? parse(value.replace(/^\p{Cf}+|\p{Cf}+$/gu, ''))
					: ok(toJson(value));
			if (!parsed.ok) return parsed;
			if (!isWanted(parsed.value)) return fail(otherwise);
			const unsendable = findUnsendable(parsed.value);
			return unsendable === null ? ok(parsed.value as T) : fail(unsendable);
		} catch {
			return fail('is not JSON: it refers to itself, or is nested too deeply');
		}
	};

export const readJsonObject = jsonReader<JsonObject>(isPlainObject, 'is not a JSON object');

/** A JSON body may be a list, too. */
export const readJsonBody = jsonReader<JsonObject | Json[]>(
	(value) => isPlainObject(value) || Array.isArray(value),
	'is neither a JSON object nor a list',
);
