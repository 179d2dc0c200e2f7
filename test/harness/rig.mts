import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Table from 'cli-table3';

import { NeedsOwnN8n } from './n8n/external.mts';
import { type Installation, installN8n, type N8nVersion, ROOT } from './n8n/install.mts';
import { installByHand, packTarball } from './n8n/package.mts';
import type { N8nClient } from './n8n/rest.mts';
import {
	DEFAULT_CLIENT,
	type JournalEntry,
	type Sandbox,
	type SandboxSettings,
} from '../sandbox/server.ts';
import { DEFAULT_SETTINGS } from '../sandbox/settings.ts';

/** Suites of one process that run beside each other share what takes long to make. */
const installations = new Map<N8nVersion, Promise<Installation>>();
let tarball: Promise<string> | null = null;

/** What every suite on a real n8n has: an n8n with the package installed by hand, and a sandbox that plays AiClk. */
export abstract class BaseRig {
	sandbox!: Sandbox;

	n8n!: N8nClient;

	installation!: Installation;

	/** The client that the scenario's sandbox knows. */
	client = DEFAULT_CLIENT;

	/** The id of a credential for it. */
	credential = '';

	protected readonly rows: string[][] = [];

	constructor(
		readonly version: N8nVersion,
		/** Each suite has an n8n of its own. */
		private readonly suite: string,
	) {}

	protected get userFolder(): string {
		return join(ROOT, '.n8n', this.suite, this.version);
	}

	abstract stop(): Promise<void>;

	/** Installs n8n, and the package as a user would, in an empty folder. */
	async install(): Promise<void> {
		const installed = installations.get(this.version) ?? installN8n(this.version);
		installations.set(this.version, installed);
		this.installation = await installed;
		tarball ??= packTarball(join(ROOT, '.n8n', this.suite, 'tarball'));
		await rm(this.userFolder, { recursive: true, force: true });
		await installByHand(await tarball, this.userFolder);
	}

	/** A sandbox as new, which knows this scenario's client. */
	protected resetSandbox(settings: Partial<SandboxSettings>): void {
		this.sandbox.configure({ ...DEFAULT_SETTINGS, clients: [this.client], ...settings });
		this.sandbox.clearJournal();
	}

	/** A credential for this scenario's client. */
	async newCredential(data: Record<string, unknown> = {}): Promise<string> {
		return await this.n8n.createCredential({
			...this.client,
			accountId: '1000002',
			baseUrl: this.sandbox.url,
			...data,
		});
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

	/** What a person wants to see of a scenario that failed, without secrets. */
	abstract evidence(): string | Promise<string>;

	/** Head and widths of the closing table. */
	protected abstract columns(): Array<[head: string, width: number]>;

	/** The closing table: what each scenario measured. */
	table(): string {
		const columns = this.columns();
		const table = new Table({
			head: columns.map(([head]) => head),
			colWidths: columns.map(([, width]) => width),
			wordWrap: true,
			style: { head: [], border: [] },
		});
		const fill = (row: string[]) => [...row, ...Array(columns.length).fill('')];
		table.push(...this.rows.map((row) => fill(row).slice(0, columns.length)));
		return table.toString();
	}

	/** A row of the closing table. */
	protected addRow(...cells: string[]): void {
		this.rows.push(cells);
	}

	noteFailure(scenario: string): void {
		this.addRow(scenario, 'FAILED');
	}
}

/** Defines one test, on the suite's rig unless another one is named. */
type Scenario<Rig extends BaseRig, Body> = (name: string, body: Body, on?: Rig) => void;

interface Suite<Rig extends BaseRig, Body> {
	rig: Rig;
	start(): Promise<void>;
	stop?(): Promise<void>;
	/** Runs one scenario and notes what it measured. */
	run(name: string, body: Body, on: Rig): Promise<void>;
	/** More evidence of a scenario that failed. */
	failed?(): Promise<void>;
	/** Each defines scenarios. */
	files: Array<(rig: Rig, scenario: Scenario<Rig, Body>) => void>;
}

/** Runs scenarios on one n8n, one after the other, and prints the closing table. */
export function describeOnN8n<Rig extends BaseRig, Body>(
	title: string,
	{ rig, start, stop, run, failed, files }: Suite<Rig, Body>,
): void {
	describe(title, { concurrency: 1 }, () => {
		before(start);
		after(async () => {
			await rig.stop();
			await stop?.();
			console.log(rig.table());
		});
		const scenario: Scenario<Rig, Body> = (name, body, on = rig) => {
			it(name, async (test) => {
				try {
					await run(name, body, on);
				} catch (error) {
					if (error instanceof NeedsOwnN8n) return test.skip(error.message);
					on.noteFailure(name);
					await failed?.();
					console.log(`${title}: ${name}\n${await on.evidence()}`);
					throw error;
				}
			});
		};
		for (const define of files) define(rig, scenario);
	});
}
