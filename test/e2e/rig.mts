import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';

import { EXTERNAL_N8N, NeedsOwnN8n, needsOwnN8n } from '../harness/n8n/external.mts';
import type { N8nVersion } from '../harness/n8n/install.mts';
import { type Execution, N8nClient, type Workflow } from '../harness/n8n/rest.mts';
import { type N8nServer, startN8n, WITHOUT_EDITOR } from '../harness/n8n/server.mts';
import { createSandbox, type SandboxSettings } from '../sandbox/server.ts';
import { BaseRig, describeOnN8n } from '../harness/rig.mts';

const LOG_TAIL = 4_000;

/** A real n8n with the package installed by hand, and a sandbox that plays AiClk: what scenarios run on. */
export class Rig extends BaseRig {
	server!: N8nServer;

	/** In an n8n that somebody else started, clients of an earlier suite may be known. */
	private readonly clients = { made: this.isExternal ? randomInt(1_000_000, 9_000_000) : 0 };

	private readonly typed = new Set<string>();

	/** @param suite whose tests these are: each has its own n8n */
	constructor(version: N8nVersion, suite: string) {
		super(version, suite);
	}

	private get isExternal(): boolean {
		return this.version === 'external';
	}

	/** n8n 1 does a few things in its own way; every newer one is expected to do them as n8n 2 does. */
	get isN8n1(): boolean {
		return (this.installation?.version ?? this.version).startsWith('1.');
	}

	async start(): Promise<void> {
		if (this.isExternal) return await this.startOnExternalN8n();
		await this.install();
		this.sandbox = await createSandbox({ port: 0 });
		// The first one has the list of nodes that the editor shows.
		await this.startN8n({ N8N_DISABLE_UI: 'false' });
	}

	/** The same n8n with another sandbox, for scenarios that run beside others. They must not restart it. */
	beside(): Rig {
		return Object.create(this) as Rig;
	}

	async openSandbox(): Promise<void> {
		this.sandbox = await createSandbox({ port: 0 });
	}

	/** What it handed out stays secret. */
	async closeSandbox(): Promise<void> {
		for (const secret of this.sandbox.secrets()) this.typed.add(secret);
		await this.sandbox.close();
	}

	/** Signs in to an n8n that somebody else started. */
	private async startOnExternalN8n(): Promise<void> {
		if (EXTERNAL_N8N === null) throw new Error('AICLK_N8N_URL names no n8n');
		const { url, logFile } = EXTERNAL_N8N;
		this.server = {
			url,
			logFile: logFile ?? '',
			stop: needsOwnN8n('ends n8n'),
			kill: needsOwnN8n('ends n8n'),
		};
		this.n8n = new N8nClient(url);
		await this.n8n.signIn();
		this.installation = { version: await this.n8n.readVersion(), node: '', n8n: '' };
		const types = await this.n8n.nodeTypes();
		if (!types.includes('n8n-nodes-aiclk.aiClk')) {
			throw new Error(
				`n8n at ${url} has no node n8n-nodes-aiclk.aiClk: install the package into it (npm run test:e2e:install -- <folder>)`,
			);
		}
		this.sandbox = await createSandbox({ port: 0 });
	}

	/**
	 * Starts n8n again, or for the first time: without its editor, unless the environment says otherwise.
	 *
	 * @param env more of n8n's environment variables
	 */
	async startN8n(env: Record<string, string> = {}): Promise<void> {
		if (this.isExternal) throw new NeedsOwnN8n('restarts n8n');
		this.server = await startN8n(this.installation, {
			userFolder: this.userFolder,
			env: { N8N_LOG_LEVEL: 'debug', ...WITHOUT_EDITOR, ...env },
		});
		this.n8n = new N8nClient(this.server.url);
		await this.n8n.signIn();
	}

	/** From here on this n8n has sharing, which needs a license: n8n's own test mode switches it on. */
	async restartWithSharing(): Promise<void> {
		await this.server.stop();
		await this.startN8n({ E2E_TESTS: 'true' });
		await this.n8n.enableFeature('feat:sharing');
	}

	async stop(): Promise<void> {
		if (!this.isExternal) await this.server?.stop();
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
		this.resetSandbox(settings);
	}

	/** A client whose refresh token stands nowhere else. */
	newClient() {
		const number = ++this.clients.made;
		const clientId = String(2_000_000 + number);
		const refreshToken = `refresh${this.version.replaceAll('.', '')}x${number}z`.repeat(8);
		this.typed.add(refreshToken);
		return { clientId, refreshToken };
	}

	/** The scenario puts this refresh token into items, where n8n stores it in clear: it is no secret any more. */
	disclose(refreshToken: string): void {
		this.typed.delete(refreshToken);
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

	/** Every secret that was typed into a credential or handed out by the sandbox. */
	secrets(): string[] {
		return [...this.typed, ...this.sandbox.secrets()];
	}

	/** Fails when any secret stands in clear in n8n's database (where all executions are) or in its log. */
	async assertNoSecretStored(): Promise<number> {
		const folder = join(this.databaseFolder(), '.n8n');
		const databases = (await readdir(folder)).filter((name) => name.startsWith('database.sqlite'));
		assert.ok(databases.length > 0, `${folder} holds no database`);
		const files = [...databases.map((name) => join(folder, name)), this.server.logFile];
		const secrets = this.secrets();
		for (const file of files) {
			const text = await readFile(file, 'latin1');
			const found = secrets.filter((secret) => text.includes(secret)).length;
			assert.equal(found, 0, `${found} secrets stand in ${file}`);
		}
		return secrets.length;
	}

	private databaseFolder(): string {
		if (!this.isExternal) return this.userFolder;
		const { folder, logFile } = EXTERNAL_N8N ?? {};
		if (!folder || !logFile) throw new NeedsOwnN8n('reads AICLK_N8N_FOLDER and AICLK_N8N_LOG');
		return folder;
	}

	/** A row of the closing table. */
	note(scenario: string, figures: string): void {
		this.addRow(scenario, figures);
	}

	protected columns(): Array<[string, number]> {
		return [
			[`n8n ${this.installation?.version ?? this.version}`, 60],
			['Figures', 90],
		];
	}

	/** What a person wants to see of a scenario that went wrong; secrets are masked. */
	async evidence(): Promise<string> {
		const journal = this.sandbox
			.journal()
			.slice(-60)
			.map(({ seq, method, path, token, status, code }) =>
				[seq, method, path, `token ${token}`, `HTTP ${status}`, `code ${code}`].join('  '),
			);
		const log = await readFile(this.server.logFile, 'utf8').catch(() => '(cannot be read)');
		const text = `The end of the sandbox's journal:\n${journal.join('\n')}\nThe end of n8n's log:\n${log.slice(-LOG_TAIL)}`;
		return this.secrets().reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
	}
}

/** Defines one test, on the suite's rig unless another one is named. Its body returns the figures for the closing table. */
export type Scenario = (name: string, body: () => Promise<string>, on?: Rig) => void;

/** A file of scenarios: defines them for one n8n. */
export type Scenarios = (rig: Rig, scenario: Scenario) => void;

/** Files that mostly wait run beside each other on one n8n, each with a sandbox of its own. */
export const together =
	(...files: Scenarios[]): Scenarios =>
	(rig, scenario) => {
		describe('beside each other', { concurrency: files.length }, () => {
			for (const define of files) {
				describe(define.name, { concurrency: 1 }, () => {
					const own = rig.beside();
					before(async () => await own.openSandbox());
					after(async () => await own.closeSandbox());
					define(own, (name, body) => scenario(name, body, own));
				});
			}
		});
	};

/**
 * Runs scenarios on one version of n8n: each begins with a new client and credential.
 *
 * @param suite whose tests these are: each has its own n8n
 */
export function onN8n(version: N8nVersion, suite: string, files: Scenarios[]): void {
	const rig = new Rig(version, suite);
	describeOnN8n(`${suite} on n8n ${version}`, {
		rig,
		start: async () => await rig.start(),
		run: async (name: string, body: () => Promise<string>, on: Rig) => {
			await on.begin();
			on.note(name, await body());
		},
		files,
	});
}
