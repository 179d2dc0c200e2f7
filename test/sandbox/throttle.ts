import type { FastifyReply } from 'fastify';

import { envelope } from './answers';
import type { SandboxSettings } from './settings';

const WINDOW_MS = 1000;

/** Counts requests in windows of a second; the first request after a window begins the next one. */
export class Throttle {
	private beganAt = -Infinity;

	private requests = 0;

	/** Counts a request. @param now ms since 1970 @returns whether it is one too many in its window */
	isExcess(now: number, limit: number | null): boolean {
		if (limit === null) return false;
		const elapsed = now - this.beganAt;
		// The sandbox's clock can be moved back, too.
		if (elapsed < 0 || elapsed >= WINDOW_MS) {
			this.beganAt = now;
			this.requests = 0;
		}
		return ++this.requests > limit;
	}
}

/** Refuses a request for now. */
export async function sendThrottled(
	reply: FastifyReply,
	{ retryAfter }: SandboxSettings,
): Promise<FastifyReply> {
	if (retryAfter !== null) reply.header('retry-after', retryAfter);
	return await reply.code(429).send(envelope(429, '请求过于频繁，请稍后再试'));
}
