import { renewsAtMs, type Timing } from '../../aiclk/token/age.ts';
import type { TokenState } from '../../aiclk/token/storedToken.ts';
import type { Random } from './random.mts';
import { LIFE_MS } from './server.mts';
import { nextRequestMs, type Traffic } from './traffic.mts';
import type { Worker } from './worker.mts';

/** So many means before the window opens a draw has a chance of 2e-9: the search begins there. */
const SEARCH_MEANS = 20;

/** Something that may begin a renewal: when, and the draw that the policy is to judge. */
export interface Chance {
	atMs: number;
	draw: number;
}

/**
 * Finds the next request of a worker whose draw may succeed, without asking about all those that cannot: the chance
 * of a draw is known to be at most so much, so the number of failures before the next candidate is geometrically
 * distributed. Whether the candidate does succeed is left to the policy (thinning: Lewis and Shedler, 1979).
 *
 * @param share the worker's share of the traffic
 * @param nowMs simulated time, ms since 1970
 */
export function nextChance(
	worker: Worker,
	state: TokenState,
	traffic: Traffic,
	share: number,
	timing: Timing,
	nowMs: number,
	random: Random,
): Chance {
	const meanMs = timing.jitterMeanShare * LIFE_MS;
	const opensMs = renewsAtMs(state, timing) - worker.aheadMs;
	const waitMs = 1 / (traffic.perMs * share);
	const isSteady = traffic.periodMs === null;
	const spacingMs = worker.drawIntervalMs + waitMs;
	const blockMs = isSteady ? meanMs / 4 : 0;
	const drawsInBlock = Math.floor(blockMs / spacingMs);
	const slackMs = isSteady && drawsInBlock > 0 ? 5 * waitMs : 0;

	const chance = (atMs: number) => Math.min(1, Math.exp((atMs - opensMs) / meanMs));
	const next = (fromMs: number) => nextRequestMs(traffic, share, fromMs, random);
	/** The time of a later draw; of the waits between, only the last is random. */
	const later = (fromMs: number, draws: number): number =>
		draws === 0 ? fromMs : next(fromMs + (draws - 1) * spacingMs + worker.drawIntervalMs);

	const searchMs = opensMs - SEARCH_MEANS * meanMs;
	// Processes do not start in step, so they do not draw in step either.
	const phaseMs = random.uniform() * worker.drawIntervalMs;
	let atMs = next(Math.max(nowMs, worker.lastDrawMs + worker.drawIntervalMs, searchMs + phaseMs));
	for (;;) {
		const most = chance(atMs + blockMs + slackMs);
		const failures = Math.floor(Math.log(1 - random.uniform()) / Math.log(1 - most));
		if (failures > drawsInBlock) {
			atMs = later(atMs, drawsInBlock + 1);
			continue;
		}
		atMs = later(atMs, failures);
		const left = most * (1 - random.uniform());
		if (left <= chance(atMs)) return { atMs, draw: 1 - left };
		atMs = later(atMs, 1);
	}
}
