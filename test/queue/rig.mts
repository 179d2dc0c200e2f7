import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';

import { chain, manualTrigger, STATUS, token, webhook } from '../e2e/workflows.mts';
import { N8N_VERSIONS } from '../harness/n8n/install.mts';
import { N8nClient, until, type Workflow } from '../harness/n8n/rest.mts';
import { type N8nProcess, type N8nServer, startN8n, startWorker } from '../harness/n8n/server.mts';
import { createSandbox, type JournalEntry, type SandboxSettings } from '../sandbox/server.ts';
import { storedToken, type TokenAge } from '../harness/storedToken.ts';
import { BaseRig, describeOnN8n } from '../harness/rig.mts';
import { type Addresses, Space } from './services.mts';

export const WORKERS = ['worker-1', 'worker-2', 'worker-3'];

/**
 * A refresh and what follows it take 5 s at most here. A run that hangs in n8n's connection to a database that was away
 * (20 s) says nothing about those that are started after it.
 */
const PROBE_MS = 10_000;

/** How n8n is set up here, beside its services. */
const QUEUE_MODE = {
	EXECUTIONS_MODE: 'queue',
	OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
	// A run whose worker was killed is given up after seconds, not minutes.
	QUEUE_WORKER_LOCK_DURATION: '10000',
	QUEUE_WORKER_LOCK_RENEW_TIME: '3000',
	QUEUE_WORKER_STALLED_INTERVAL: '5000',
};

type Node = ReturnType<typeof webhook>;

/** What the closing table says of a scenario. */
export interface Figures {
	runs: number;
	failedRuns: number;
	refreshes: number;
	/** Requests to the API that carried no live token. */
	deadCalls: number;
	/** Requests that reached AiClk with a live token after the same item's request had done so before. */
	sentTwice: number;
}

/** A workflow whose webhook is called many times. */
export interface Load {
	id: string;
	path: string;
	started: number;
}

/** n8n in queue mode: a main process and three workers on PostgreSQL and Redis, and a sandbox that plays AiClk. */
export class QueueRig extends BaseRig {
	main!: N8nServer;

	readonly workers = new Map<string, N8nProcess>();

	private env: Record<string, string> = {};

	private space!: Space;

	private loads: Load[] = [];

	private clients = 0;

	constructor() {
		super(N8N_VERSIONS[0], 'queue');
	}

	async start(at: Addresses): Promise<void> {
		const space = new Space(this.installation, at);
		await space.create();
		this.space = space;
		this.sandbox = await createSandbox();
		this.env = {
			...QUEUE_MODE,
			...this.space.env,
			N8N_ENCRYPTION_KEY: randomBytes(24).toString('hex'),
		};
		this.main = await startN8n(this.installation, { userFolder: this.userFolder, env: this.env });
		this.n8n = new N8nClient(this.main.url);
		await this.n8n.signIn();
		await Promise.all(WORKERS.map(async (name) => await this.startWorker(name)));
	}

	async startWorker(name: string): Promise<void> {
		// A machine of its own, as it were, but for the package: one installation serves all.
		const userFolder = join(this.userFolder, name);
		// Not its log: it names what this worker has done before it was killed.
		await rm(join(userFolder, '.n8n'), { recursive: true, force: true });
		await mkdir(join(userFolder, '.n8n'), { recursive: true });
		await symlink(join(this.userFolder, '.n8n', 'nodes'), join(userFolder, '.n8n', 'nodes'));
		const worker = await startWorker(this.installation, { userFolder, name, env: this.env });
		this.workers.set(name, worker);
	}

	async stop(): Promise<void> {
		await Promise.all([...this.workers.values()].map(async (worker) => await worker.stop()));
		await this.main?.stop();
		await this.sandbox?.close();
		await this.space?.drop();
	}

	/** A sandbox as new, and a client whose credential holds a token of this age, or none. */
	async begin(age: TokenAge | null, settings: Partial<SandboxSettings> = {}): Promise<void> {
		const number = ++this.clients;
		this.client = {
			clientId: String(3_000_000 + number),
			refreshToken: `queue${number}z`.repeat(12),
		};
		this.loads = [];
		this.resetSandbox(settings);
		const stored = age === null ? {} : await storedToken(this.sandbox, this.client, age);
		this.credential = await this.newCredential({ ...stored });
	}

	/** An address of the sandbox below /openapi/v1/ that is another one for each item of each run. */
	url(path: string): string {
		return `=${this.sandbox.url}/openapi/v1/${path}?n={{ $execution.id }}-{{ $itemIndex }}`;
	}

	/** Switches on a workflow that begins with a webhook, which answers at once or when the workflow has ended. */
	async load(nodes: Node[], answer: 'onReceived' | 'lastNode' = 'onReceived'): Promise<Load> {
		const path = `load-${randomBytes(4).toString('hex')}`;
		const start = webhook(path);
		start.parameters = { ...(start.parameters as object), responseMode: answer };
		const id = await this.n8n.importWorkflow(chain(path, [start, ...nodes]), this.credential);
		await this.n8n.activate(id);
		const load = { id, path, started: 0 };
		this.loads.push(load);
		return load;
	}

	/** Starts a load so many times, over so many ms. */
	async fire(load: Load, times: number, overMs = 0): Promise<void> {
		const pauseMs = times > 1 ? overMs / (times - 1) : 0;
		await Promise.all(
			Array.from({ length: times }, async (_, index) => {
				await sleep(index * pauseMs);
				const { status } = await this.n8n.callWebhook(load.path);
				if (status === 200) load.started++;
			}),
		);
	}

	/** Starts a load, which must answer with its last node. @returns whether it was answered in time, by AiClk, as it should */
	async serves(load: Load): Promise<boolean> {
		const call = this.n8n.callWebhook(load.path).catch(() => null);
		const answer = await Promise.race([call, sleep(PROBE_MS, null)]);
		if (answer === null) return false;
		load.started++;
		return (answer.data as { code?: number } | undefined)?.code === 200;
	}

	/** Starts a load again and again until it is answered as it should. @returns how many seconds that took */
	async secondsUntilServed(load: Load): Promise<number> {
		const began = Date.now();
		while (!(await this.serves(load))) {
			if (Date.now() - began > 120_000) throw new Error('No service after two minutes');
			await sleep(500);
		}
		return Math.round((Date.now() - began) / 100) / 10;
	}

	/** Runs a workflow by hand, as a schedule would. */
	async run(workflow: Workflow, trigger: string) {
		return await this.n8n.run(await this.n8n.importWorkflow(workflow, this.credential), trigger);
	}

	async until(happened: () => boolean, what: string): Promise<void> {
		if (await until(async () => happened(), Boolean, 60_000, 20)) return;
		throw new Error(`This did not happen in time: ${what}`);
	}

	/**
	 * Waits for the end of all that was started, and counts.
	 *
	 * @param limitMs how long to wait; a run that goes on after that counts as failed
	 */
	async figures(limitMs?: number): Promise<Figures> {
		const statuses = await Promise.all(
			this.loads.map(async ({ id, started }) => await this.n8n.statusesOf(id, started, limitMs)),
		);
		const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0);
		const runs = sum(statuses.flatMap((counts) => Object.values(counts)));
		const journal = this.sandbox.journal();
		const arrived = journal.filter(({ token, query }) => token === 'live' && query.n !== undefined);
		return {
			runs,
			failedRuns: runs - sum(statuses.map(({ success = 0 }) => success)),
			refreshes: this.refreshes,
			deadCalls: this.deadCalls,
			sentTwice: arrived.length - new Set(arrived.map(({ path, query }) => path + query.n)).size,
		};
	}

	/** Whether the token in the credential is alive, whatever the credential says of it. */
	async isStoredTokenAlive(): Promise<boolean> {
		const workflow = chain('Stored token', [
			manualTrigger,
			token({ ...STATUS, options: { includeAccessToken: true } }),
		]);
		const [item] = (await this.run(workflow, 'Start')).itemsOf('Token');
		const { data } = await axios.get<{ code: number }>(
			`${this.sandbox.url}/openapi/v1/sandbox/echo`,
			{
				headers: { OGW_ACCESS_TOKEN: String(item?.accessToken) },
				validateStatus: () => true,
			},
		);
		return data.code === 200;
	}

	/** The name of the worker that an execution was given to. */
	async workerOf(executionId: string): Promise<string> {
		for (const [name, { logFile }] of this.workers) {
			const log = await readFile(logFile, 'utf8');
			if (log.includes(`Worker started execution ${executionId} `)) return name;
		}
		throw new Error(`No worker's log names execution ${executionId}`);
	}

	note(scenario: string, figures: Figures, more: string): void {
		const { runs, failedRuns, refreshes, deadCalls, sentTwice } = figures;
		const numbers = [runs, failedRuns, refreshes, deadCalls, sentTwice].map(String);
		this.addRow(scenario, ...numbers, more);
	}

	protected columns(): Array<[string, number]> {
		return [
			[`n8n ${this.version}, ${WORKERS.length} workers`, 52],
			['Runs', 8],
			['Failed runs', 8],
			['Refreshes', 11],
			['Calls with dead tokens', 12],
			['Sent twice', 8],
			['', 44],
		];
	}

	/** What a person wants to see of a scenario that went wrong; the journal holds no secret. */
	evidence(): string {
		const journal = this.sandbox?.journal() ?? [];
		const [first] = journal;
		const line = ({ at, kind, method, path, query, token, status, code }: JournalEntry) =>
			[
				`${((at - (first?.at ?? at)) / 1000).toFixed(2)} s`,
				kind === 'refresh' ? 'REFRESH' : `${method} ${path} ${query.n ?? ''} token ${token}`,
				`HTTP ${status} code ${code}`,
			].join('  ');
		return `The end of the sandbox's journal:\n${journal.slice(-150).map(line).join('\n')}`;
	}
}

/** What a scenario found: its figures, and what else is worth a word. */
export interface Finding {
	figures: Figures;
	more?: string;
}

/** Defines one test. */
export type Scenario = (name: string, body: () => Promise<Finding>) => void;

/** A file of scenarios. */
export type Scenarios = (rig: QueueRig, scenario: Scenario) => void;

/**
 * Runs scenarios on an n8n in queue mode.
 *
 * @param services gives the services' addresses, and ends them afterwards
 */
export function onQueue(
	name: string,
	services: (rig: QueueRig) => Promise<{ at: Addresses; close(): Promise<void> }>,
	files: Scenarios[],
): void {
	const rig = new QueueRig();
	let close = async () => {};
	describeOnN8n(name, {
		rig,
		start: async () => {
			await rig.install();
			const { at, close: end } = await services(rig);
			close = end;
			await rig.start(at);
		},
		stop: async () => await close(),
		run: async (title: string, body: () => Promise<Finding>) => {
			const { figures, more = '' } = await body();
			rig.note(title, figures, more);
		},
		files,
	});
}
