import type { HttpAnswer } from '../protocol/envelope';
import type { Failure } from '../util/failure';

/** Batches as the user has set them. */
export interface Batching {
	/** Requests a batch, 1 or more. */
	size: number;
	/** From the last request of a batch to the first of the next, in ms. */
	intervalMs: number;
}

/** Requests under way together at most: more of them made no run faster (bench/n8n-together.md). */
export const MAX_TOGETHER = 50;

/**
 * How long to wait after a refusal, in ms: as AiClk says, else 1 s, 2 s, 4 s and so on up to 64 s. Refused again, a run waits at
 * least 1 s, 2 s and so on whatever AiClk says: a server that says 0 s again and again would be asked without end.
 *
 * @param before refusals in a row before this one
 * @param leftMs until a run gives up; no wait that AiClk does not name goes beyond it
 */
export function waitOf(
	{ retryAfterMs }: Pick<Failure, 'retryAfterMs'>,
	before: number,
	leftMs: number,
): number {
	const doublings = retryAfterMs === null ? before : before - 1;
	const ownMs = doublings < 0 ? 0 : 1_000 * 2 ** Math.min(doublings, 6);
	return Math.max(retryAfterMs ?? 0, leftMs > 0 ? Math.min(ownMs, leftMs) : ownMs);
}

/**
 * Reads the header `Retry-After` (RFC 9110): seconds, which some servers send with decimals, or a date in GMT.
 *
 * @param nowMs ms since 1970
 * @returns ms from now on, not below 0; null if it is neither
 */
export function readRetryAfter(value: unknown, nowMs: number): number | null {
	if (typeof value !== 'string') return null;
	if (/^\s*\d{1,10}(\.\d{1,10})?\s*$/.test(value)) return Math.ceil(Number(value)) * 1_000;
	const date = /[A-Z]{3}|[+-]\d{4}\s*$/.test(value) ? value : `${value} GMT`;
	const atMs = /^\s*[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(date) : NaN;
	return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}

const TOO_MANY_REQUESTS = 429;
const SERVICE_UNAVAILABLE = 503;

/**
 * Whether an answer says that AiClk, or a gateway before it, is busy: HTTP 429, code 429 in the body, or HTTP 503 with a
 * readable Retry-After (RFC 6585, RFC 9110). AiClk's pages name no limit and no code for one.
 *
 * @param code of AiClk's envelope; null without one
 * @param nowMs ms since 1970, by n8n's clock: for a date in an answer that does not name the time itself
 * @returns how long AiClk says to wait; null if it is not busy
 */
export function readBusy(
	{ statusCode, headers }: HttpAnswer,
	code: number | null,
	nowMs: number,
): Pick<Failure, 'retryAfterMs'> | null {
	const answeredAtMs = Date.parse(String(headers?.date));
	const retryAfterMs = readRetryAfter(
		headers?.['retry-after'],
		Number.isNaN(answeredAtMs) ? nowMs : answeredAtMs,
	);
	const isBusy =
		statusCode === TOO_MANY_REQUESTS ||
		code === TOO_MANY_REQUESTS ||
		(statusCode === SERVICE_UNAVAILABLE && retryAfterMs !== null);
	return isBusy ? { retryAfterMs } : null;
}
