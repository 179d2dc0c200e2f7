import fc from 'fast-check';
import type { IHttpRequestOptions } from 'n8n-workflow';

import { TokenManager } from '../../../../aiclk/token/manager';
import { answer, DAY_MS, emptyRow, NOW, type Row, TYPED } from '../../../harness/fakes';
import { step } from '../../steps';

/** AiClk: a refresh spends the refresh token that was sent, if the answer holds a new one. */
class Server {
	rotates = false;

	/** Whether the answers hold no usable access token. */
	isDamaged = false;

	/** Refresh tokens sent so far, the newest last. */
	readonly sent = [TYPED.refreshToken];

	private live = new Set<string>();

	private issued = 0;

	constructor(private readonly strict: boolean) {}

	revoke(): void {
		this.live.clear();
	}

	isLive(accessToken: unknown): boolean {
		return this.live.has(String(accessToken));
	}

	refresh({ body }: IHttpRequestOptions): Row {
		if ((body as Row).refresh_token !== this.sent.at(-1)) return { code: 400, message: 'spent' };
		if (this.strict) this.live.clear();
		const number = ++this.issued;
		const accessToken = this.isDamaged ? '' : `access-${number}`;
		if (!this.isDamaged) this.live.add(accessToken);
		const data: Row = { access_token: accessToken, expires_in: 90 * 86_400 };
		if (this.rotates) this.sent.push((data.refresh_token = `rotated-${number}`) as string);
		return { code: 200, data };
	}
}

/** A worker of n8n that can be killed wherever it waits for the network or for time. */
class Worker {
	isAlive = true;

	readonly manager = new TokenManager({
		now: () => this.world.nowMs,
		random: () => 0,
		sleep: async (ms) => {
			await this.pause();
			this.world.nowMs += ms;
		},
		log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
	});

	constructor(private readonly world: World) {}

	/** Others go on meanwhile. A killed worker never does. */
	private async pause(): Promise<void> {
		await this.world.scheduler.schedule(Promise.resolve());
		if (!this.isAlive) await new Promise(() => undefined);
	}

	private readonly http = async (options: IHttpRequestOptions): Promise<unknown> => {
		const { server } = this.world;
		await this.pause();
		if (options.url.endsWith('/oauth2/token')) {
			const body = server.refresh(options);
			await this.pause();
			const { refresh_token } = (body.data ?? {}) as Row;
			if (refresh_token !== undefined) this.world.read = String(refresh_token);
			return answer(body);
		}
		const isLive = server.isLive(options.headers?.OGW_ACCESS_TOKEN);
		await this.pause();
		return { statusCode: isLive ? 200 : 401, body: { code: isLive ? 200 : 401 } };
	};

	/** n8n 2.34 and newer: what the hook returns is put into the row as it is then. */
	private async ask(index: number, credentials: Row): Promise<void> {
		const outcome = await this.manager.ensureToken(credentials, this.http);
		if (!outcome.ok || outcome.value === null || !this.isAlive) return;
		const { rows } = this.world;
		rows[index] = { ...rows[index], ...outcome.value };
		Object.assign(credentials, outcome.value);
	}

	async request(index: number, isSafe: boolean): Promise<void> {
		const credentials = { ...this.world.rows[index] };
		await this.ask(index, credentials);
		this.manager.observeRequest(credentials, isSafe);
		await this.pause();
		if (!this.world.server.isLive(credentials.accessToken)) await this.ask(index, credentials);
	}

	async force(index: number): Promise<void> {
		const credentials = { ...this.world.rows[index] };
		this.manager.forceRefresh(credentials, null);
		await this.ask(index, credentials);
	}
}

class World {
	nowMs = NOW;

	/** Two credentials with the same input. */
	rows: Row[] = [emptyRow(), emptyRow()];

	/** The newest refresh token in an answer that a worker has read. */
	read: string | null = null;

	readonly server: Server;

	readonly workers: Worker[];

	constructor(
		readonly scheduler: fc.Scheduler,
		strict: boolean,
	) {
		this.server = new Server(strict);
		this.workers = Array.from({ length: 3 }, () => new Worker(this));
	}

	kill(index: number): void {
		(this.workers[index] as Worker).isAlive = false;
		this.workers[index] = new Worker(this);
	}
}

/** Lets everything run that waits for neither the network nor time. */
async function settle(): Promise<void> {
	for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}

const index = fc.nat({ max: 1 });
const worker = fc.nat({ max: 2 });
const event = fc.oneof(
	{ weight: 6, arbitrary: step('request', { worker, index, isSafe: fc.boolean() }) },
	{ weight: 2, arbitrary: step('force', { worker, index }) },
	{
		weight: 3,
		arbitrary: step('wait', {
			ms: fc.oneof(fc.nat({ max: 60_000 }), fc.nat({ max: 40 * DAY_MS })),
		}),
	},
	{ weight: 3, arbitrary: step('step', { many: fc.nat({ max: 9 }) }) },
	{ weight: 1, arbitrary: step('kill', { worker }) },
	{ weight: 1, arbitrary: step('revoke') },
	{ weight: 1, arbitrary: step('behave', { rotates: fc.boolean(), isDamaged: fc.boolean() }) },
);

it('the newest refresh token that was read is never lost, whatever two rows and three processes do', async () => {
	let rotations = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.scheduler(),
			fc.boolean(),
			fc.array(event, { minLength: 5, maxLength: 30 }),
			async (scheduler, strict, events) => {
				const world = new World(scheduler, strict);
				const check = () => {
					if (world.read === null) return;
					expect(world.rows.map((row) => row.rotatedRefreshToken)).toContain(world.read);
				};
				for (const one of events) {
					if (one.do === 'request')
						void (world.workers[one.worker] as Worker).request(one.index, one.isSafe);
					if (one.do === 'force') void (world.workers[one.worker] as Worker).force(one.index);
					if (one.do === 'wait') world.nowMs += one.ms;
					if (one.do === 'kill') world.kill(one.worker);
					if (one.do === 'revoke') world.server.revoke();
					if (one.do === 'behave') Object.assign(world.server, one);
					for (let many = 0; one.do === 'step' && many < one.many; many++) {
						if (scheduler.count() > 0) await scheduler.waitOne();
						// n8n stores what the hook returns before anything else happens.
						await settle();
						check();
					}
				}
				await scheduler.waitIdle();
				await settle();
				check();
				if (world.read !== null) rotations++;
			},
		),
		{ numRuns: 3_000 },
	);
	expect(rotations).toBeGreaterThan(500);
}, 120_000);
