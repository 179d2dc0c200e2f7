import { fail, ok, type Result } from '../../aiclk/util/result';
import {
	findJsonError,
	findUnsendable,
	isPlainObject,
	type Json,
	parseJsonToSend,
	toJson,
} from '../../aiclk/protocol/json';

/**
 * Reads what users type and expressions yield. Each reader returns the value, or what is wrong with it, as the end of a
 * sentence that begins with the field's name.
 */
export type Read<T> = Result<T, string>;

const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_INT32 = 2 ** 31 - 1;
const MIN_INT32 = -(2 ** 31);

/** Whether a field was left empty, or its expression yields nothing: no value, blank text, or an empty list. */
export const isNothing = (value: unknown): boolean =>
	value === undefined ||
	value === null ||
	(typeof value === 'string' && value.trim() === '') ||
	(Array.isArray(value) && value.length === 0);

/** An ID of AiClk (int or uint64 on its pages): digits as text, or a number that is still exact. */
export function readId(value: unknown): Read<bigint> {
	if (typeof value === 'number' && !Number.isSafeInteger(value)) {
		return fail('is a number that n8n has rounded: pass it as text');
	}
	const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
	if (text === '') return fail('is empty');
	if (!/^\d{1,20}$/.test(text) || BigInt(text) > MAX_UINT64) {
		return fail('is not an ID: digits only, e.g. 1000002');
	}
	return BigInt(text) === 0n ? fail('cannot be 0') : ok(BigInt(text));
}

/** The parts of a list, or of text with commas, spaces or line breaks between them. */
const partsOf = (value: unknown): unknown[] => {
	if (typeof value !== 'string') return Array.isArray(value) ? value : [value];
	return value.trim().split(/\s*[,;，、]\s*|\s+/);
};

/** Reads each part; at least one. A part that is empty is not left out: it stands for a value that is missing. */
function readEach<T>(value: unknown, read: (part: unknown) => Read<T>): Read<T[]> {
	if (isNothing(value)) return fail('is empty');
	const values: T[] = [];
	for (const [index, part] of partsOf(value).entries()) {
		const one = read(part);
		if (!one.ok) return fail(`has an entry (number ${index + 1}) that ${one.failure}`);
		values.push(one.value);
	}
	return ok(values);
}

/** Ids as a list, or as text with commas, spaces or line breaks between them; at least one. */
export const readIds = (value: unknown): Read<bigint[]> => readEach(value, readId);

/** A whole number, also as text, between `min` and `max`; by default the limits of int32. */
export function readWholeNumber(
	value: unknown,
	{ min = MIN_INT32, max = MAX_INT32 }: { min?: number; max?: number } = {},
): Read<number> {
	const number =
		typeof value === 'string' && /^\s*-?\d{1,15}\s*$/.test(value) ? Number(value) : value;
	if (typeof number !== 'number' || !Number.isInteger(number)) return fail('is not a whole number');
	if (number < min) return fail(`is below ${min}`);
	return number > max ? fail(`is above ${max}`) : ok(number);
}

/** An amount of money in fen, as AiClk has it (int32); negative takes money back (P10-P13). */
export function readAmount(value: unknown): Read<number> {
	const amount = readWholeNumber(value);
	if (amount.ok && amount.value === 0) return fail('cannot be 0');
	return amount.ok || amount.failure !== 'is not a whole number'
		? amount
		: fail('is not a whole number: amounts are in fen (100 fen are 1 yuan)');
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
	const unsendable = findUnsendable(value);
	return unsendable === null ? ok(String(value)) : fail(unsendable.failure);
}

/** Text that may be left empty. */
export const readOptionalText = (value: unknown): Read<string> =>
	isNothing(value) ? ok('') : readText(value);

const notDocumented = (name: unknown): Read<never> =>
	fail(`holds '${String(name).slice(0, 60)}', which AiClk does not document here`);

/** Reads one of some known values. Letter case counts. */
export const oneOf =
	<T extends string | number>(known: readonly T[]) =>
	(value: unknown): Read<T> => {
		const found = known.find((one) => String(one) === String(value));
		if (found !== undefined) return ok(found);
		return isNothing(value) ? fail('is empty: choose one') : notDocumented(value);
	};

/** Reads some of the known names, as a list or as text with commas between them; at least one. */
export const someOf =
	(known: readonly string[]) =>
	(value: unknown): Read<string[]> => {
		const names = readEach(value, oneOf(known));
		return names.ok ? ok([...new Set(names.value)]) : names;
	};

function parse(value: unknown): Read<unknown> {
	try {
		return ok(typeof value === 'string' ? parseJsonToSend(value) : toJson(value));
	} catch {
		const place = typeof value === 'string' ? findJsonError(value) : null;
		return fail(
			place === null
				? 'is not valid JSON'
				: `is not valid JSON: see line ${place.line}, column ${place.column}`,
		);
	}
}

/**
 * A JSON object, as such or as text. In text, IDs beyond 2^53 keep every digit. Empty input is `{}`. In an object from an
 * expression, dates become ISO 8601, and a member that yields nothing is refused.
 */
export function readJsonObject(value: unknown): Read<Record<string, Json>> {
	if (isNothing(value) && !Array.isArray(value)) return ok({});
	const parsed = parse(value);
	if (!parsed.ok) return parsed;
	if (!isPlainObject(parsed.value)) return fail('is not a JSON object');
	const unsendable = findUnsendable(parsed.value);
	return unsendable === null
		? ok(parsed.value as Record<string, Json>)
		: fail(`has a member '${unsendable.path}' that ${unsendable.failure}`);
}
