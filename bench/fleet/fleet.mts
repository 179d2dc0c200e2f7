import { expiredAtMs, isAlive } from '../../aiclk/token/age.ts';
import { readToken, type Token } from '../../aiclk/token/storedToken.ts';
import { emptyRow, type Row } from '../../test/harness/fakes.ts';
import { Clock } from './clock.mts';
import { createRandom, type Random } from './random.mts';
import { LIFE_MS, Server } from './server.mts';
import { createTraffic, nextRequestMs, type Pattern, type Traffic } from './traffic.mts';
import { Worker } from './worker.mts';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-11-24T02:00:00Z');

/** How long n8n takes to store a credential, in ms. */
const WRITE_MS = 5;

/** A life is over when its successor has been in use for so long without trouble, in ms. */
const CALM_MS = 10_000;
const WATCH_MS = 1_000;

/** The rotation workflow: every day, when the token has 30 days left. */
const ROTATION = { everyMs: DAY_MS, leftMs: 30 * DAY_MS };

export interface Scenario {
	workers: number;
	/** Requests of the whole fleet on the average. */
	perSecond: number;
	pattern: Pattern;
	/** A refresh kills the older tokens. */
	strict: boolean;
	/** How a dead token is answered: by the HTTP status, or by the code beside HTTP 200. */
	deadTokenAnswer: 'http-401' | 'body-401';
	/** From the sending of a refresh to its answer, in ms; it takes effect half-way. */
	refreshMs: number;
	/** The token endpoint fails in each life, from a day of it, for so many days. */
	outage: { fromDay: number; days: number } | null;
	/** Each clock is off by up to so much, both ways, in ms. */
	clocksMs: number;
	rotation: boolean;
	/** How many token lives are simulated. */
	lives: number;
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
	lives: 10,
};

/** What happened from one token to the next. */
export interface Life {
	/** Tokens issued to end it: 1 is what it takes. */
	refreshes: number;
	/** When the first of them was issued, ms after the token before it was stored. */
	renewedAfterMs: number;
	/** Requests that reached AiClk with a dead token. */
	dead: number;
	/** Of them and of those that were not sent for want of a live token: those that ended as a failed run, before any Retry On Fail. */
	failed: number;
}

const newLife = (): Life => ({ refreshes: 0, renewedAfterMs: NaN, dead: 0, failed: 0 });

export interface Outcome {
	lives: Life[];
	/** Most refreshes that came in a day, failed ones included. */
	worstDay: number;
	/** False when the fleet got stuck without a token until the simulation was ended. */
	completed: boolean;
}

type Renewal = 'renewed' | 'unchanged' | 'failed';

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

	private isWatching = false;

	/** Questions to hooks that have not been answered. */
	private asking = 0;

	private troubleMs = START_MS;

	constructor(
		private readonly scenario: Scenario,
		seed: number,
	) {
		this.random = createRandom(seed);
		this.traffic = createTraffic(scenario.pattern, scenario.perSecond);
		this.server = new Server(this.clock, scenario, () => this.onIssued());
		this.workers = Array.from({ length: scenario.workers }, () => {
			const aheadMs = (2 * this.random() - 1) * scenario.clocksMs;
			return new Worker(this.clock, this.random, aheadMs);
		});
	}

	async run(): Promise<Outcome> {
		const { lives, rotation } = this.scenario;
		// A person presses Test: the first token.
		this.clock.at(START_MS, () => void this.request(this.workers[0] as Worker));
		if (rotation) this.clock.after(this.random() * DAY_MS, () => this.rotate());
		const endMs = START_MS + lives * 1.1 * LIFE_MS;
		await this.clock.run(() => this.lives.length > lives || this.clock.nowMs > endMs);
		const completed = this.lives.length > lives;
		if (!completed) this.lives.push(this.life);
		return {
			// The first one only ends the time without any token.
			lives: this.lives.slice(1),
			worstDay: Math.max(...this.server.attempts.values()),
			completed,
		};
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
		const { outage } = this.scenario;
		this.lives.push(this.life);
		this.life = newLife();
		this.token = readToken(this.row) as Token;
		this.isBusy = false;
		this.version++;
		if (outage !== null) {
			const fromMs = this.storedMs + outage.fromDay * DAY_MS;
			this.server.outage = { fromMs, toMs: fromMs + outage.days * DAY_MS };
		}
		this.acquaint();
		for (const worker of this.workers) this.planRenewal(worker);
		const furthestAheadMs = Math.max(...this.workers.map(({ aheadMs }) => aheadMs));
		this.plan(expiredAtMs(this.token.state) - furthestAheadMs, () => this.beginBusy());
	}

	/** Requests that are not simulated have shown each worker the stored token. So each is asked about it once, without a jitter. */
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

	/** While the stored token lives, only a worker's next request that may begin a renewal is simulated. */
	private planRenewal(worker: Worker): void {
		const { state } = this.token as Token;
		const { atMs, draw } = worker.nextRenewal(state, this.traffic, this.workers.length);
		// From there on all requests are simulated anyway.
		if (atMs >= expiredAtMs(state) - worker.aheadMs) return;
		this.plan(atMs, async () => {
			const { version } = this;
			worker.lastDrawMs = this.clock.nowMs;
			worker.chosen = draw;
			await this.request(worker);
			if (version === this.version) this.planRenewal(worker);
		});
	}

	private beginBusy(): void {
		if (this.isBusy) return;
		this.isBusy = true;
		this.version++;
		this.planRequest();
	}

	/** Every request of the fleet. */
	private planRequest(): void {
		this.plan(nextRequestMs(this.traffic, this.clock.nowMs, this.random), () => {
			void this.request(this.anyWorker());
			this.planRequest();
		});
	}

	private anyWorker(): Worker {
		return this.workers[Math.floor(this.random() * this.workers.length)] as Worker;
	}

	/** What n8n does for one request of HTTP Request. */
	private async request(worker: Worker): Promise<void> {
		const { life } = this;
		const credentials = { ...this.row };
		if ((await this.ask(worker, credentials)) === 'failed') {
			life.failed++;
			return;
		}
		worker.manager.observeRequest(credentials, true);
		if ((await this.send(credentials, life)) !== 401) return;
		const renewal = await this.ask(worker, credentials);
		if (renewal === 'renewed' && (await this.send(credentials, life)) !== 401) return;
		life.failed++;
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
		if (!outcome.ok) {
			this.troubleMs = this.clock.nowMs;
			return 'failed';
		}
		return outcome.value === null ? 'unchanged' : 'renewed';
	}

	/** @returns the HTTP status */
	private async send(credentials: Row, life: Life): Promise<number> {
		const { statusCode, body } = await this.server.call(String(credentials.accessToken));
		if (body.code === 401) {
			life.dead++;
			this.troubleMs = this.clock.nowMs;
			if (this.scenario.deadTokenAnswer === 'body-401') life.failed++;
		}
		return statusCode;
	}

	/** AiClk Token: Refresh, Only When Expiring Soon, on some worker. */
	private rotate(): void {
		this.clock.after(ROTATION.everyMs, () => this.rotate());
		const worker = this.anyWorker();
		const token = readToken(this.row);
		const nowMs = this.clock.nowMs + worker.aheadMs;
		const isFine =
			token !== null && isAlive(token, nowMs) && token.state.expiresAtMs - nowMs > ROTATION.leftMs;
		if (isFine) return;
		const credentials = { ...this.row };
		worker.manager.forceRefresh(credentials, null);
		void this.ask(worker, credentials);
	}
}

/** Simulates a fleet over its scenario's token lives; the same for the same scenario and seed. */
export const simulate = async (scenario: Scenario, seed: number): Promise<Outcome> =>
	await new Fleet(scenario, seed).run();
