import { createHash } from 'node:crypto';

import { expiredAtMs, isAlive, TIMING, type Timing } from '../../aiclk/token/age.ts';
import { readToken, type Token } from '../../aiclk/token/storedToken.ts';
import { emptyRow, type Row } from '../../test/harness/fakes.ts';
import { Clock } from './clock.mts';
import { nextChance } from './draws.mts';
import { createRandom, type Random } from './random.mts';
import { LIFE_MS, Server } from './server.mts';
import { createTraffic, nextRequestMs, type Pattern, type Traffic } from './traffic.mts';
import { Worker } from './worker.mts';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-11-24T02:00:00Z');

/** How long n8n takes to store a credential, in ms. */
export const WRITE_MS = 5;

/** A life is over when its successor has been in use for so long without trouble, in ms. */
const CALM_MS = 10_000;
const WATCH_MS = 1_000;

/** While no token is alive, so many requests and so many ms are simulated one by one; then one a worker and minute. */
const FULL_RATE = { requests: 20_000, ms: 60_000 };
const THINNED_MS = 60_000;

/** The rotation workflow: every day, when the token has 30 days left. */
const ROTATION = { everyMs: DAY_MS, leftMs: 30 * DAY_MS };

export interface Scenario {
	workers: number;
	/** Requests of the whole fleet on the average. */
	perSecond: number;
	pattern: Pattern;
	strict: boolean;
	deadTokenAnswer: 'http-401' | 'body-401';
	/** From the sending of a refresh to its answer, in ms. */
	refreshMs: number;
	/** The token endpoint fails in each life, from a day of it, for so many days. */
	outage: { fromDay: number; days: number } | null;
	/** Each clock is off by up to so much, both ways, in ms. */
	clocksMs: number;
	rotation: boolean;
	timing: Timing;
	/** How many token lives are simulated. */
	lives: number;
	/** Simulates every request, even where nothing can happen: to check the skipping. */
	everyRequest: boolean;
}

export const BASE: Scenario = {
	workers: 10,
	perSecond: 1,
	pattern: 'steady',
	strict: false,
	deadTokenAnswer: 'http-401',
	refreshMs: 500,
	outage: null,
	clocksMs: 0,
	rotation: false,
	timing: TIMING,
	lives: 10,
	everyRequest: false,
};

/** What happened from one token to the next. */
export interface Life {
	/** Tokens issued to end it: 1 is what it takes. */
	refreshes: number;
	/** When the first of them was issued, ms after the token before it was stored. */
	renewedAfterMs: number;
	/** Requests that reached AiClk with a dead token. */
	dead: number;
	/** Requests that were not sent, with a clear text, because no live token could be had. */
	blocked: number;
	/** Of both: those that ended as a failed run, before any Retry On Fail. */
	failed: number;
}

const newLife = (): Life => ({ refreshes: 0, renewedAfterMs: NaN, dead: 0, blocked: 0, failed: 0 });

export interface Outcome {
	lives: Life[];
	/** Most refreshes that came in a day, failed ones included. */
	worstDay: number;
	/** Requests in all, most of them not simulated one by one. */
	requests: number;
	/** Requests simulated one by one. */
	simulated: number;
	/** False when the fleet got stuck without a token until the simulation was ended. */
	completed: boolean;
}

type Renewal = 'renewed' | 'unchanged' | 'failed';

/** A seed of its own for each scenario, so that adding one leaves the others as they were. */
export const seedOf = (value: unknown, seed: number): number =>
	createHash('sha256')
		.update(JSON.stringify([seed, value]))
		.digest()
		.readUInt32LE();

/** Workers that share one stored row, AiClk, and simulated time. */
class Fleet {
	private readonly clock = new Clock(START_MS);

	private readonly random: Random;

	private readonly server: Server;

	private readonly workers: Worker[];

	private readonly traffic: Traffic;

	/** What n8n's database holds. */
	private row: Row = emptyRow();

	private life = newLife();

	private readonly lives: Life[] = [];

	/** Token that the present life is the life of. */
	private token: Token | null = null;

	private storedMs = START_MS;

	/** Events planned for another version than this one are void. */
	private version = 0;

	/** Whether requests are simulated one by one: no token is alive, or soon none will be. */
	private isBusy = false;

	private busy = { fromMs: 0, requests: 0 };

	private isWatching = false;

	/** Questions to hooks that have not been answered. */
	private asking = 0;

	private troubleMs = START_MS;

	private simulated = 0;

	constructor(
		private readonly scenario: Scenario,
		seed: number,
	) {
		this.random = createRandom(seedOf(scenario, seed));
		this.traffic = createTraffic(scenario.pattern, scenario.perSecond);
		this.server = new Server(this.clock, scenario, () => this.onIssued());
		this.workers = Array.from({ length: scenario.workers }, () => {
			const aheadMs = (2 * this.random.uniform() - 1) * scenario.clocksMs;
			return new Worker(this.clock, this.random, scenario.timing, aheadMs);
		});
	}

	async run(): Promise<Outcome> {
		const { lives, rotation } = this.scenario;
		// A person presses Test: the first token.
		this.clock.at(START_MS, () => void this.request(this.workers[0] as Worker, 1));
		if (rotation) this.clock.after(this.random.uniform() * DAY_MS, () => this.rotate());
		const endMs = START_MS + lives * 1.1 * LIFE_MS;
		await this.clock.run(() => this.lives.length > lives || this.clock.nowMs > endMs);
		const completed = this.lives.length > lives;
		if (!completed) this.lives.push(this.life);
		return {
			// The first one only ends the time without any token.
			lives: this.lives.slice(1),
			worstDay: Math.max(...this.server.attempts.values()),
			requests: (this.clock.nowMs - START_MS) * this.traffic.averagePerMs,
			simulated: this.simulated,
			completed,
		};
	}

	private get share(): number {
		return 1 / this.workers.length;
	}

	/** A strict server has just invalidated the stored token; a lenient one lets the old one live on. */
	private onIssued(): void {
		if (this.life.refreshes++ === 0) this.life.renewedAfterMs = this.clock.nowMs - this.storedMs;
		this.troubleMs = this.clock.nowMs;
		if (this.scenario.strict && this.token !== null) this.beginBusy();
		this.watch();
	}

	private watch(): void {
		if (this.isWatching) return;
		this.isWatching = true;
		this.clock.after(WATCH_MS, () => {
			this.isWatching = false;
			if (this.isOver()) this.beginLife();
			else this.watch();
		});
	}

	/** Whether the fleet has a new token, nobody renews it any more, and nobody has had trouble for a while. */
	private isOver(): boolean {
		const { accessToken } = this.row;
		return (
			accessToken !== (this.token?.accessToken ?? '') &&
			this.server.isLive(String(accessToken)) &&
			this.server.inFlight === 0 &&
			this.asking === 0 &&
			this.clock.nowMs - this.troubleMs >= CALM_MS
		);
	}

	private beginLife(): void {
		const { outage, everyRequest } = this.scenario;
		this.lives.push(this.life);
		this.life = newLife();
		this.token = readToken(this.row) as Token;
		this.isBusy = false;
		this.version++;
		if (outage !== null) {
			const fromMs = this.storedMs + outage.fromDay * DAY_MS;
			this.server.outage = { fromMs, toMs: fromMs + outage.days * DAY_MS };
		}
		if (everyRequest) {
			this.beginBusy();
			return;
		}
		this.acquaint();
		for (const worker of this.workers) this.planDraw(worker);
		const furthestAheadMs = Math.max(...this.workers.map(({ aheadMs }) => aheadMs));
		this.plan(expiredAtMs(this.token.state) - furthestAheadMs, () => this.beginBusy());
	}

	/** Skipped requests have shown each worker the stored token. So each is asked about it once, without a jitter. */
	private acquaint(): void {
		for (const worker of this.workers) {
			worker.chosen = 0;
			void worker.manager.ensureToken({ ...this.row }, this.server.http);
		}
	}

	/** Runs something in this life, unless that has become busy or has ended. */
	private plan(atMs: number, run: () => void): void {
		const { version } = this;
		this.clock.at(atMs, () => {
			if (version === this.version) run();
		});
	}

	/** Skips to the next request of a worker whose draw may begin a renewal. */
	private planDraw(worker: Worker): void {
		const { state } = this.token as Token;
		const { timing } = this.scenario;
		const { nowMs } = this.clock;
		const chance = nextChance(worker, state, this.traffic, this.share, timing, nowMs, this.random);
		// From there on all requests are simulated anyway.
		if (chance.atMs >= expiredAtMs(state) - worker.aheadMs) return;
		this.plan(chance.atMs, () => void this.tryDraw(worker, chance.draw));
	}

	private async tryDraw(worker: Worker, draw: number): Promise<void> {
		const { version } = this;
		worker.lastDrawMs = this.clock.nowMs;
		await this.request(worker, 1, draw);
		if (version === this.version) this.planDraw(worker);
	}

	private beginBusy(): void {
		if (this.isBusy) return;
		this.isBusy = true;
		this.busy = { fromMs: this.clock.nowMs, requests: 0 };
		this.version++;
		this.planRequest();
	}

	/** Every request of the fleet, or after a long time without a token some, each of which stands for many. */
	private planRequest(): void {
		const { fromMs, requests } = this.busy;
		const { perMs } = this.traffic;
		const isLong = requests > FULL_RATE.requests && this.clock.nowMs - fromMs > FULL_RATE.ms;
		const simulatedPerMs = isLong ? Math.min(perMs, this.workers.length / THINNED_MS) : perMs;
		const traffic = { ...this.traffic, perMs: simulatedPerMs };
		this.plan(nextRequestMs(traffic, 1, this.clock.nowMs, this.random), () => {
			this.busy.requests++;
			const worker = this.workers[this.random.below(this.workers.length)] as Worker;
			void this.request(worker, perMs / simulatedPerMs);
			this.planRequest();
		});
	}

	/** What n8n does for one request of HTTP Request. @param weight how many requests it stands for */
	private async request(worker: Worker, weight: number, draw: number | null = null): Promise<void> {
		this.simulated++;
		const { life } = this;
		const credentials = { ...this.row };
		worker.chosen = draw;
		if ((await this.ask(worker, credentials)) === 'failed') {
			life.blocked += weight;
			life.failed += weight;
			return;
		}
		worker.manager.noteSent(credentials, { isSafe: true, isSingleUse: false });
		if ((await this.send(credentials, life, weight)) !== 401) return;
		const renewal = await this.ask(worker, credentials);
		if (renewal === 'renewed' && (await this.send(credentials, life, weight)) !== 401) return;
		life.failed += weight;
	}

	/** Asks the hook and stores what it returns. */
	private async ask(worker: Worker, credentials: Row): Promise<Renewal> {
		this.asking++;
		const outcome = await worker.manager.ensureToken(credentials, this.server.http);
		if (outcome.ok && outcome.value !== null) {
			await this.clock.sleep(WRITE_MS);
			if (outcome.value.accessToken !== this.row.accessToken) this.storedMs = this.clock.nowMs;
			this.row = { ...this.row, ...outcome.value };
			Object.assign(credentials, outcome.value);
		}
		this.asking--;
		if (!outcome.ok) this.troubleMs = this.clock.nowMs;
		if (!outcome.ok) return 'failed';
		return outcome.value === null ? 'unchanged' : 'renewed';
	}

	/** @returns the HTTP status */
	private async send(credentials: Row, life: Life, weight: number): Promise<number> {
		const { statusCode, body } = await this.server.call(String(credentials.accessToken));
		if (body.code === 401) {
			life.dead += weight;
			this.troubleMs = this.clock.nowMs;
			if (this.scenario.deadTokenAnswer === 'body-401') life.failed += weight;
		}
		return statusCode;
	}

	/** AiClk Token: Refresh, Only When Expiring Soon, on some worker. */
	private rotate(): void {
		this.clock.after(ROTATION.everyMs, () => this.rotate());
		const worker = this.workers[this.random.below(this.workers.length)] as Worker;
		const token = readToken(this.row);
		const nowMs = this.clock.nowMs + worker.aheadMs;
		const isFine =
			token !== null && isAlive(token, nowMs) && token.state.expiresAtMs - nowMs > ROTATION.leftMs;
		if (isFine) return;
		const credentials = { ...this.row };
		worker.manager.forceRefresh(credentials);
		void this.ask(worker, credentials);
	}
}

/** Simulates a fleet over its scenario's token lives; the same for the same scenario and seed. */
export const simulate = async (scenario: Scenario, seed: number): Promise<Outcome> =>
	await new Fleet(scenario, seed).run();
