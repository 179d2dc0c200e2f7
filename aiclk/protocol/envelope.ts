import { isPlainObject } from './json';

/** AiClk's code for success (the example on every page). The HTTP status alone says nothing. */
export const CODE_SUCCESS = 200;

/**
 * How AiClk rejects an access token: as HTTP status, or as `code` in the body. AiClk's pages name no such code. This is the one
 * place that assumes 401.
 */
export const CODE_TOKEN_REJECTED = 401;

/** The frame of every answer of AiClk's. Some pages show no `trace_id`, so `traceId` may be null. */
export interface Envelope {
	code: number;
	message: string;
	data: unknown;
	traceId: string | null;
	/** The whole body, with AiClk's own names. */
	body: Record<string, unknown>;
}

const TRACE_ID = /^[\w.:-]{1,64}$/;

/**
 * Reads AiClk's envelope from a parsed body.
 *
 * @param body a parsed JSON value
 * @returns null unless the value is an object with a whole number as `code`
 */
export function readEnvelope(body: unknown): Envelope | null {
	if (!isPlainObject(body)) return null;
	const { code, message, data, trace_id: traceId } = body;
	const number = typeof code === 'string' && /^-?\d{1,9}$/.test(code) ? Number(code) : code;
	if (typeof number !== 'number' || !Number.isInteger(number)) return null;
	return {
		code: number,
		message: typeof message === 'string' ? message : '',
		data,
		traceId: typeof traceId === 'string' && TRACE_ID.test(traceId) ? traceId : null,
		body,
	};
}

/** A full response, as n8n's request helpers return it for `returnFullResponse`. */
export interface HttpAnswer {
	statusCode: number;
	body: unknown;
	headers?: Record<string, unknown>;
}

/** Whether a value is a full response of n8n's request helpers. */
export function isHttpAnswer(value: unknown): value is HttpAnswer {
	return (
		typeof value === 'object' &&
		value !== null &&
		typeof (value as { statusCode?: unknown }).statusCode === 'number'
	);
}

/**
 * What an answer of the Marketing API says about the token of its request: `accepted` (code 200), `rejected` (HTTP 401, or code 401
 * in the body) or `unknown` (anything else, because AiClk refuses requests for other reasons, too, and documents no codes).
 */
export type ProbeResult = 'accepted' | 'rejected' | 'unknown';

/** Reads from a full response what it says about the token. */
export function readProbe(answer: unknown): ProbeResult {
	if (!isHttpAnswer(answer)) return 'unknown';
	if (answer.statusCode === CODE_TOKEN_REJECTED) return 'rejected';
	const envelope = readEnvelope(answer.body);
	if (envelope?.code === CODE_TOKEN_REJECTED) return 'rejected';
	return envelope?.code === CODE_SUCCESS ? 'accepted' : 'unknown';
}
