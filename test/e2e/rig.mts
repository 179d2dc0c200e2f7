import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Table from 'cli-table3';

import { type Installation, installN8n, type N8nVersion, ROOT } from '../n8n/install.mts';
import { installByHand, packTarball } from '../n8n/package.mts';
import { type Execution, N8nClient, type Workflow } from '../n8n/rest.mts';
import { type N8nServer, startN8n } from '../n8n/server.mts';
import {
	createSandbox,
	DEFAULT_CLIENT,
	type JournalEntry,
	type Sandbox,
	type SandboxSettings,
} from '../sandbox/server.ts';
import { DEFAULT_SETTINGS } from '../sandbox/settings.ts';

const LOG_TAIL = 4_000;

/** A real n8n with the package installed by hand, and a sandbox that plays AiClk: what scenarios run on. */
export class Rig {
	sandbox!: Sandbox;

	server!: N8nServer;

	n8n!: N8nClient;

	/** The client that the scenario's sandbox knows. */
	client = DEFAULT_CLIENT;

	/** The id of a credential for it, which nobody has used yet. */
	credential = '';

	private installation!: Installation;

	private clients = 0;

	private readonly typed = new Set<string>();

	private readonly rows: Array<[scenario: string, figures: string]> = [];

	/** @param suite whose tests these are: each has its own n8n */
	constructor(
		readonly version: N8nVersion,
		private readonly suite = 'e2e',
	) {}

	/** n8n 1 does a few things in its own way; every newer one is expected to do them as n8n 2 does. */
	get isN8n1(): boolean {
		return this.version.startsWith('1.');
	}

	private get userFolder(): string {
		return join(ROOT, '.n8n', this.suite, this.version);
	}

	async start(): Promise<void> {
		this.installation = await installN8n(this.version);
		await rm(this.userFolder, { recursive: true, force: true });
		await installByHand(await packTarball(this.userFolder), this.userFolder);
		this.sandbox = await createSandbox({ port: 0 });
		await this.startN8n();
	}

	/** @param env more of n8n's environment variables */
	async startN8n(env: Record<string, string> = {}): Promise<void> {
		this.server = await startN8n(this.installation, {
			userFolder: this.userFolder,
			env: { N8N_LOG_LEVEL: 'debug', ...env },
		});
		this.n8n = new N8nClient(this.server.url);
		await this.n8n.signIn();
	}

	/** Lets something happen in this n8n with sharing, which needs a licence: n8n's own test mode switches it on. */
	async withSharing<T>(happen: () => Promise<T>): Promise<T> {
		await this.server.stop();
		await this.startN8n({ E2E_TESTS: 'true' });
		await this.n8n.enableFeature('feat:sharing');
		try {
			return await happen();
		} finally {
			await this.server.stop();
			await this.startN8n();
		}
	}

	async stop(): Promise<void> {
		await this.server?.stop();
		await this.sandbox?.close();
	}

	/** A sandbox as new, with a client and a credential that nobody has used yet. */
	async begin(settings: Partial<SandboxSettings> = {}): Promise<void> {
		this.beginWithoutCredential(settings);
		this.credential = await this.newCredential();
	}

	/** A sandbox as new, with a client that nobody has used yet. */
	beginWithoutCredential(settings: Partial<SandboxSettings> = {}): void {
		this.client = this.newClient();
		this.sandbox.configure({ ...DEFAULT_SETTINGS, clients: [this.client], ...settings });
		this.sandbox.clearJournal();
	}

	/** A client whose refresh token stands nowhere else. */
	newClient() {
		const clientId = String(2_000_000 + ++this.clients);
		const refreshToken = `refresh${this.version.replaceAll('.', '')}x${this.clients}z`.repeat(8);
		this.typed.add(refreshToken);
		return { clientId, refreshToken };
	}

	async newCredential(data: Record<string, unknown> = {}): Promise<string> {
		return await this.n8n.createCredential({
			...this.client,
			accountId: '1000002',
			baseUrl: this.sandbox.url,
			...data,
		});
	}

	/** Imports a workflow with this scenario's credential, starts it by hand and waits for its end. */
	async run(workflow: Workflow, credential = this.credential): Promise<Execution> {
		return await this.n8n.run(await this.n8n.importWorkflow(workflow, credential), 'Start');
	}

	/** Imports a workflow with this scenario's credential, starts it so many times at once and waits for all ends. */
	async runAtOnce(workflow: Workflow, times: number): Promise<Execution[]> {
		const id = await this.n8n.importWorkflow(workflow, this.credential);
		return await Promise.all(
			Array.from({ length: times }, async () => await this.n8n.run(id, 'Start')),
		);
	}

	/** The address of a path of the sandbox below /openapi/v1/. */
	url(path: string): string {
		return `${this.sandbox.url}/openapi/v1/${path}`;
	}

	/** What arrived for one path below /openapi/v1/. */
	to(path: string): JournalEntry[] {
		return this.sandbox.journal().filter((entry) => entry.path === `/openapi/v1/${path}`);
	}

	get refreshes(): number {
		return this.sandbox.journal().filter(({ kind }) => kind === 'refresh').length;
	}

	/** Requests to the API that carried no live token. */
	get deadCalls(): number {
		return this.sandbox.journal().filter(({ kind, token }) => kind === 'api' && token !== 'live')
			.length;
	}

	/** Every secret that was typed into a credential or handed out by the sandbox. */
	secrets(): string[] {
		return [...this.typed, ...this.sandbox.secrets()];
	}

	/** Fails when any secret stands in clear in n8n's database (where all executions are) or in its log. */
	async assertNoSecretStored(): Promise<number> {
		const folder = join(this.userFolder, '.n8n');
		const databases = (await readdir(folder)).filter((name) => name.startsWith('database.sqlite'));
		const files = [...databases.map((name) => join(folder, name)), this.server.logFile];
		const secrets = this.secrets();
		for (const file of files) {
			const text = await readFile(file, 'latin1');
			const found = secrets.filter((secret) => text.includes(secret)).length;
			assert.equal(found, 0, `${found} secrets stand in ${file}`);
		}
		return secrets.length;
	}

	/** A row of the closing table. */
	note(scenario: string, figures: string): void {
		this.rows.push([scenario, figures]);
	}

	table(): string {
		const table = new Table({
			head: [`n8n ${this.installation?.version ?? this.version}`, 'Figures'],
			colWidths: [60, 90],
			wordWrap: true,
			style: { head: [] },
		});
		table.push(...this.rows);
		return table.toString();
	}

	/** What a person wants to see of a scenario that went wrong; secrets are masked. */
	async evidence(): Promise<string> {
		const journal = this.sandbox
			.journal()
			.slice(-60)
			.map(({ seq, method, path, token, status, code }) =>
				[seq, method, path, `token ${token}`, `HTTP ${status}`, `code ${code}`].join('  '),
			);
		const log = await readFile(this.server.logFile, 'utf8');
		const text = `The end of the sandbox's journal:\n${journal.join('\n')}\nThe end of n8n's log:\n${log.slice(-LOG_TAIL)}`;
		return this.secrets().reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
	}
}

/** Defines one test. Its body returns the figures for the closing table. */
export type Scenario = (name: string, body: () => Promise<string>) => void;

/** A file of scenarios: defines them for one n8n. */
export type Scenarios = (rig: Rig, scenario: Scenario) => void;

/** Runs scenarios on one version of n8n: each begins with a new client and credential. */
export function onN8n(version: N8nVersion, files: Scenarios[]): void {
	describe(`n8n ${version}`, () => {
		const rig = new Rig(version);
		before(async () => await rig.start());
		after(async () => {
			await rig.stop();
			console.log(rig.table());
		});
		const scenario: Scenario = (name, body) => {
			it(name, async () => {
				await rig.begin();
				try {
					rig.note(name, await body());
				} catch (error) {
					rig.note(name, 'FAILED');
					console.log(`n8n ${version}: ${name}\n${await rig.evidence()}`);
					throw error;
				}
			});
		};
		for (const define of files) define(rig, scenario);
	});
}
