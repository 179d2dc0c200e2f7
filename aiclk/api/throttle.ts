import type { HttpAnswer } from '../protocol/envelope';

/**
 * How fast a run sends its requests, and how long it waits when AiClk is busy. Pure: a pace is a value, and time and
 * randomness are passed in.
 */

/** Requests under way together when a run begins: they hide a latency of 100 ms (bench/n8n.md). */
export const MIN_TOGETHER = 10;

/** Requests under way together at most, after answers came well: more of them made no run faster (bench/n8n.md). */
export const MAX_TOGETHER = 50;

/** The longest that one request waits for a busy AiClk, in ms. */
export const MAX_BUSY_MS = 2 * 60_000;

/** The first wait where AiClk names none, in ms; it doubles with each refusal in a row. */
const FIRST_WAIT_MS = 1_000;

/** A run waits longer than told by up to this share, so that several runs do not resume at the same moment. */
const JITTER = 0.05;

/** By which share of the distance to MAX_TOGETHER a good answer raises the number of requests together. */
const GROWTH = 1 / 10;

/** An answer that takes this long, in ms, counts fully: the faster answers are, the fewer requests fill the time. */
const SLOW_ANSWER_MS = 100;

/** The factor by which a cycle without a refusal raises the quota of the next one. */
const QUOTA_GROWTH = 1.1;

/** Batches as the user has set them. */
export interface Batching {
	/** Requests a batch, 1 or more. */
	size: number;
	/** From the last request of a batch to the first of the next, in ms. */
	intervalMs: number;
}

/** AiClk says that it takes no more requests at the moment. */
export interface Busy {
	/** How long to wait, in ms; null where the answer does not say. */
	retryAfterMs: number | null;
}

/**
 * How fast a run sends. Once AiClk has refused a request, the run goes in cycles: as many requests as were served before the
 * refusal, in the time that passed until AiClk accepted the next one. All times are ms, by one clock.
 */
export interface Pace {
	/** Set by the user; then the pace does not adapt. */
	batching: Batching | null;
	/** Requests that may be under way together; a fraction is on its way to the next one. */
	together: number;
	/** Requests a cycle. */
	quota: number;
	/** How long a cycle takes, in ms. */
	cycleMs: number;
	cycleBeganAtMs: number;
	/** Requests sent in this cycle, and those of them that were served. */
	sent: number;
	served: number;
	lastSentAtMs: number;
	/** When AiClk last began to refuse, and until when nothing is sent. */
	pausedAtMs: number;
	resumesAtMs: number;
	/** Refusals in a row; those of requests that were under way together count as one. */
	refusals: number;
}

/** The pace at which a run begins. */
export const firstPace = (batching: Batching | null): Pace => ({
	batching,
	together: batching?.size ?? MIN_TOGETHER,
	quota: batching?.size ?? Infinity,
	cycleMs: 0,
	cycleBeganAtMs: -Infinity,
	sent: 0,
	served: 0,
	lastSentAtMs: -Infinity,
	pausedAtMs: -Infinity,
	resumesAtMs: 0,
	refusals: 0,
});

const isCycleOver = ({ sent, quota, cycleBeganAtMs, resumesAtMs }: Pace): boolean =>
	sent >= Math.floor(quota) || cycleBeganAtMs < resumesAtMs;

/** When the next request may go; in the past when at once. */
export function nextSendAt(pace: Pace): number {
	const { batching, quota, cycleMs, cycleBeganAtMs, sent, lastSentAtMs, resumesAtMs } = pace;
	if (!isCycleOver(pace)) {
		// A server that refuses even a few at once takes them one by one.
		const gapMs = batching === null && quota < MIN_TOGETHER ? cycleMs / quota : 0;
		return Math.max(resumesAtMs, sent > 0 ? lastSentAtMs + gapMs : resumesAtMs);
	}
	const isFull = sent >= Math.floor(quota);
	if (!isFull) return resumesAtMs;
	return Math.max(
		resumesAtMs,
		batching === null ? cycleBeganAtMs + cycleMs : lastSentAtMs + batching.intervalMs,
	);
}

/** The pace once a request is sent. */
export function afterSending(pace: Pace, nowMs: number): Pace {
	const { batching, sent, quota, resumesAtMs, cycleBeganAtMs } = pace;
	if (!isCycleOver(pace)) return { ...pace, sent: sent + 1, lastSentAtMs: nowMs };
	const wentWell = batching === null && cycleBeganAtMs >= resumesAtMs;
	return {
		...pace,
		quota: wentWell ? Math.max(quota + 1, quota * QUOTA_GROWTH) : quota,
		cycleBeganAtMs: nowMs,
		sent: 1,
		served: 0,
		lastSentAtMs: nowMs,
	};
}

/** The pace after an answer that was no refusal. @param sentAtMs when its request was sent */
export function afterAnswer(pace: Pace, sentAtMs: number, nowMs: number): Pace {
	const { batching, cycleBeganAtMs, pausedAtMs } = pace;
	const served = pace.served + (sentAtMs >= cycleBeganAtMs ? 1 : 0);
	if (batching !== null) return { ...pace, served, refusals: 0 };
	const share = GROWTH * Math.min(1, (nowMs - sentAtMs) / SLOW_ANSWER_MS);
	const together = pace.together + (MAX_TOGETHER - pace.together) * share;
	// A refusal may overtake the answers to requests that were sent before it.
	const quota = pausedAtMs >= cycleBeganAtMs ? Math.max(pace.quota, served) : pace.quota;
	return { ...pace, together, quota, served, refusals: 0 };
}

/**
 * The pace after a refusal: the whole run waits as AiClk says, or else 1 s, 2 s, 4 s and so on. After a second refusal in a row,
 * it waits at least as long even if AiClk says less. Requests that were under way when a wait began can only make it longer.
 *
 * @param sentAtMs when the refused request was sent
 * @param random from 0 to 1
 */
export function afterRefusal(
	pace: Pace,
	{ retryAfterMs }: Busy,
	{ sentAtMs, nowMs, random }: { sentAtMs: number; nowMs: number; random: number },
): Pace {
	const isFirst = sentAtMs > pace.pausedAtMs;
	// A server that says 0 s again and again would be asked without end.
	const refusals = retryAfterMs === null ? pace.refusals : pace.refusals - 1;
	const ownMs = isFirst && refusals >= 0 ? FIRST_WAIT_MS * 2 ** refusals : 0;
	const waitMs = Math.max(retryAfterMs ?? 0, ownMs);
	const resumesAtMs = Math.max(pace.resumesAtMs, nowMs + waitMs * (1 + JITTER * random));
	const waiting = { ...pace, resumesAtMs, cycleMs: resumesAtMs - pace.cycleBeganAtMs };
	if (!isFirst) return waiting;
	const paused = { ...waiting, pausedAtMs: nowMs, refusals: pace.refusals + 1 };
	if (pace.batching !== null) return paused;
	// A run before this one may have used the limit up: a first refusal after a few requests says little.
	const isTelling = pace.pausedAtMs > 0 || pace.served >= MIN_TOGETHER;
	return {
		...paused,
		together: Math.max(MIN_TOGETHER, pace.together / 2),
		quota: isTelling ? Math.max(1, pace.served) : Infinity,
	};
}

/**
 * Reads the header `Retry-After` (RFC 9110): seconds, or a date, which is in GMT.
 *
 * @param nowMs ms since 1970
 * @returns ms from now on, not below 0; null if it is neither
 */
export function readRetryAfter(value: unknown, nowMs: number): number | null {
	if (typeof value !== 'string') return null;
	if (/^\s*\d{1,10}\s*$/.test(value)) return Number(value) * 1_000;
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
 */
export function readBusy(
	{ statusCode, headers }: HttpAnswer,
	code: number | null,
	nowMs: number,
): Busy | null {
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
