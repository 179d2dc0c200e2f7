import { TokenManager } from '../../aiclk/token/manager.ts';
import type { Timing } from '../../aiclk/token/age.ts';
import { LIFE_MS } from './server.mts';
import type { Clock } from './clock.mts';
import type { Random } from './random.mts';

/** A draw that never begins a renewal before its window. */
const NEVER = -1e300;

/** One n8n process: the real token manager, with a clock and a draw that the simulation owns. */
export class Worker {
	readonly manager: TokenManager;

	/** When this process drew last, in simulated time. Skipped requests draw too, so the manager does not know. */
	lastDrawMs = -Infinity;

	/** The outcome of the next draw, when the simulation has chosen it. */
	chosen: number | null = null;

	/** @param aheadMs how far its clock is ahead of AiClk's */
	constructor(
		private readonly clock: Clock,
		private readonly random: Random,
		private readonly timing: Timing,
		readonly aheadMs: number,
	) {
		const now = () => Math.floor(clock.nowMs + aheadMs);
		const silent = () => undefined;
		const log = { debug: silent, info: silent, warn: silent };
		const environment = { now, random: () => this.draw(), sleep: clock.sleep, log };
		this.manager = new TokenManager(environment, timing);
	}

	/** At least this long from one draw to the next, in ms. */
	get drawIntervalMs(): number {
		return this.timing.jitterIntervalShare * LIFE_MS;
	}

	private draw(): number {
		const { chosen } = this;
		this.chosen = null;
		if (chosen !== null) return chosen;
		if (this.clock.nowMs - this.lastDrawMs < this.drawIntervalMs) return NEVER;
		this.lastDrawMs = this.clock.nowMs;
		return this.random.uniform();
	}
}
