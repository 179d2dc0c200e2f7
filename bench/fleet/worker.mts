import { renewsAtMs, TIMING } from '../../aiclk/token/age.ts';
import { TokenManager } from '../../aiclk/token/manager.ts';
import type { TokenState } from '../../aiclk/token/storedToken.ts';
import type { Clock } from './clock.mts';
import type { Random } from './random.mts';
import { LIFE_MS } from './server.mts';
import { nextRequestMs, type Traffic } from './traffic.mts';

/** So many mean jitters before the renewal window, a draw succeeds with a chance of 2e-9. */
const SEARCH_MEANS = 20;

/** Mean of the jitter, and the least time between two of a process, in ms. */
const JITTER_MEAN_MS = TIMING.jitterMeanShare * LIFE_MS;
const JITTER_INTERVAL_MS = TIMING.jitterIntervalShare * LIFE_MS;

/** A draw that never begins a renewal before its window. */
const NEVER = -1e300;

/** One n8n process: the real token manager, with a clock and a draw that the simulation owns. */
export class Worker {
	readonly manager: TokenManager;

	/** When this process drew last, in simulated time. Requests that are not simulated draw too, so the manager does not know. */
	lastDrawMs = -Infinity;

	/** The outcome of the next draw, when the simulation has chosen it. */
	chosen: number | null = null;

	/** @param aheadMs how far its clock is ahead of AiClk's */
	constructor(
		private readonly clock: Clock,
		private readonly random: Random,
		readonly aheadMs: number,
	) {
		const now = () => Math.floor(clock.nowMs + aheadMs);
		const silent = () => undefined;
		const log = { debug: silent, info: silent, warn: silent };
		const environment = { now, random: () => this.draw(), sleep: clock.sleep, log };
		this.manager = new TokenManager(environment);
	}

	/**
	 * Steps through the requests that draw, one an interval, to the next one whose draw may begin a renewal. Whether it does is left to
	 * the policy.
	 *
	 * @param workers how many processes share the traffic
	 * @returns when that request comes, ms since 1970, and its draw
	 */
	nextRenewal(
		state: TokenState,
		traffic: Traffic,
		workers: number,
	): { atMs: number; draw: number } {
		const own = { ...traffic, perMs: traffic.perMs / workers };
		const opensMs = renewsAtMs(state) - this.aheadMs;
		// Processes do not start in step, so they do not draw in step either.
		const searchMs = opensMs - SEARCH_MEANS * JITTER_MEAN_MS + this.random() * JITTER_INTERVAL_MS;
		let fromMs = Math.max(this.clock.nowMs, this.lastDrawMs + JITTER_INTERVAL_MS, searchMs);
		for (;;) {
			const atMs = nextRequestMs(own, fromMs, this.random);
			const draw = this.random();
			if (atMs - JITTER_MEAN_MS * Math.log(1 - draw) >= opensMs) return { atMs, draw };
			fromMs = atMs + JITTER_INTERVAL_MS;
		}
	}

	private draw(): number {
		const { chosen } = this;
		this.chosen = null;
		if (chosen !== null) return chosen;
		if (this.clock.nowMs - this.lastDrawMs < JITTER_INTERVAL_MS) return NEVER;
		this.lastDrawMs = this.clock.nowMs;
		return this.random();
	}
}
