/** AiClk's code for success; "HTTP status alone says nothing" (aiclk docs, every page's example). */
export const CODE_SUCCESS = 200;

/**
 * How AiClk says that it does not accept an access token: as HTTP status or as `code` in the body.
 * The vendor's pages name no such code; 401 is the assumption, made in this one place.
 */
export const CODE_TOKEN_REJECTED = 401;

/** The frame of every AiClk answer. `traceId` is absent on some pages, so it may be null. */
export interface Envelope {
	code: number;
	message: string;
	data: unknown;
	traceId: string | null;
	/** All that AiClk sent, with the names that it has there. */
	body: Record<string, unknown>;
}

const TRACE_ID = /^[\w.:-]{1,64}$/;

/**
 * Reads AiClk's envelope out of a parsed body.
 *
 * @param body a parsed JSON value
 * @returns null when the value is not an object with a whole-number `code`
 */
export function readEnvelope(body: unknown): Envelope | null {
	if (typeof body !== 'object' || body === null || Array.isArray(body)) return null;
	const { code, message, data, trace_id: traceId } = body as Record<string, unknown>;
	const number = typeof code === 'string' && /^\d{1,9}$/.test(code) ? Number(code) : code;
	if (typeof number !== 'number' || !Number.isInteger(number)) return null;
	return {
		code: number,
		message: typeof message === 'string' ? message : '',
		data,
		traceId: typeof traceId === 'string' && TRACE_ID.test(traceId) ? traceId : null,
		body: body as Record<string, unknown>,
	};
}

/** A full response as n8n's request helpers return it with `returnFullResponse`. */
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
 * What an answer of the Marketing-API says of the token it was asked with:
 * `accepted` (code 200), `rejected` (HTTP 401, or code 401 in the body) or `unknown` (anything else:
 * AiClk refuses requests for other reasons too, and its codes are not documented).
 */
export type ProbeResult = 'accepted' | 'rejected' | 'unknown';

/** Reads the probe on the token out of a full response. */
export function readProbe(answer: unknown): ProbeResult {
	if (!isHttpAnswer(answer)) return 'unknown';
	if (answer.statusCode === CODE_TOKEN_REJECTED) return 'rejected';
	const envelope = readEnvelope(answer.body);
	if (envelope?.code === CODE_TOKEN_REJECTED) return 'rejected';
	return envelope?.code === CODE_SUCCESS ? 'accepted' : 'unknown';
}
