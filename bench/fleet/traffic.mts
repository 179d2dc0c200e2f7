import type { Random } from './random.mts';

export type Pattern = 'steady' | 'hourly' | 'daily' | 'weekly';

const PERIOD_MS = { hourly: 3_600_000, daily: 86_400_000, weekly: 7 * 86_400_000 };

/** All requests of a period come in its first minute. */
const BURST_MS = 60_000;

/** More than this no fleet sends at the height of a burst, requests/s. */
const MAX_PER_SECOND = 1_000;

/** Requests that arrive at random (Poisson), all the time or in bursts. */
export interface Traffic {
	/** ms from one burst to the next; null when steady. */
	periodMs: number | null;
	/** Requests/ms while they come. */
	perMs: number;
}

/** @param perSecond requests of the whole fleet on the average */
export function createTraffic(pattern: Pattern, perSecond: number): Traffic {
	if (pattern === 'steady') return { periodMs: null, perMs: perSecond / 1000 };
	const periodMs = PERIOD_MS[pattern];
	return { periodMs, perMs: Math.min(MAX_PER_SECOND, (perSecond * periodMs) / BURST_MS) / 1000 };
}

/** When the next request comes after a time, both in ms since 1970. Bursts begin at multiples of their period. */
export function nextRequestMs(
	{ periodMs, perMs }: Traffic,
	fromMs: number,
	random: Random,
): number {
	const wait = -Math.log(1 - random()) / perMs;
	if (periodMs === null) return fromMs + wait;
	const phase = fromMs % periodMs;
	const start = fromMs - phase;
	// Time counts only while a burst lasts.
	const active = Math.min(phase, BURST_MS) + wait;
	return start + Math.floor(active / BURST_MS) * periodMs + (active % BURST_MS);
}
