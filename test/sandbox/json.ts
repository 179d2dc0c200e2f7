import { isInteger, isSafeNumber, parse, stringify } from 'lossless-json';

/** Whole numbers that a JavaScript number would round come as bigints: AiClk's ids are uint64. */
const parseNumber = (digits: string): number | bigint =>
	isInteger(digits) && !isSafeNumber(digits) ? BigInt(digits) : Number(digits);

/**
 * `JSON.parse` without losing a digit of an id.
 *
 * @throws SyntaxError when the text is no JSON
 */
export const parseJson = (text: string): unknown => parse(text, undefined, parseNumber);

/** `JSON.stringify`, but bigints are written as numbers, with every digit. */
export const stringifyJson = (value: unknown): string => stringify(value) ?? 'null';
