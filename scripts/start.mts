import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import axios from 'axios';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { Listr } from 'listr2';

import { type Installation, installN8n, ROOT } from '../test/harness/n8n/install.mts';
import { installByHand, packTarball } from '../test/harness/n8n/package.mts';
import { type Execution, N8nClient, OWNER, type Workflow } from '../test/harness/n8n/rest.mts';
import { type N8nServer, startN8n } from '../test/harness/n8n/server.mts';
import { createSandbox, DEFAULT_CLIENT, type Sandbox } from '../test/sandbox/server.ts';

const N8N = '2.41.1';
const REAL_API = 'https://openapi.aiclk.com';

/** AiClk's day. Without it n8n's schedules and dates follow New York. */
const TIME_ZONE = 'Asia/Shanghai';

/** The example workflows, the trigger that starts each, and the node whose output shows the result. */
const EXAMPLES = [
	{ file: 'token-rotation', trigger: 'Every day', node: 'AiClk Token' },
	{ file: 'account-info-http-request', trigger: 'Start', node: 'Account info' },
	{ file: 'token-alert', trigger: 'Every day', node: 'Token status' },
];

/** How often a step says that it goes on: a terminal rewrites the line, a log grows by one. */
const PROGRESS_MS = process.stdout.isTTY ? 1_000 : 15_000;

const readPort = (text: string): number => {
	const port = Number(text);
	if (!Number.isInteger(port) || port < 1 || port > 65_535)
		throw new InvalidArgumentError('A port is a whole number from 1 to 65535.');
	return port;
};

interface Options {
	once?: boolean;
	fresh?: boolean;
	port?: number;
	sandboxPort?: number;
}

const options = new Command('npm start --')
	.description(
		'A real n8n with this package and a local mock of AiClk (the sandbox). The first start installs n8n and runs three example workflows; later starts keep everything that you built.',
	)
	.option('--fresh', 'delete what earlier starts left, and start with an empty n8n')
	.option(
		'--once',
		'run the examples in an n8n of their own, print the results and exit; exit code 0 only if every example worked',
	)
	.option('--port <number>', "n8n's port; another free one is used if it is taken", readPort)
	.option('--sandbox-port <number>', "the sandbox's port, likewise", readPort)
	.parse()
	.opts<Options>();

const USER_FOLDER = join(ROOT, '.n8n', options.once ? 'start-once' : 'start');

/** What the last start of this folder used. Workflows name the sandbox's address, so it stays the same where it can. */
interface LastStart {
	/** Missing once that start has ended as it should. */
	pid?: number;
	sandboxPort?: number;
	n8nPort?: number;
}
const LAST_START = join(USER_FOLDER, 'last-start.json');
const readLastStart = async (): Promise<LastStart> =>
	await readFile(LAST_START, 'utf8').then(
		(text) => JSON.parse(text) as LastStart,
		() => ({}),
	);

const isAlive = (pid: number): boolean => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
};

const answers = async (url: string): Promise<boolean> =>
	await axios.get(url, { timeout: 2_000 }).then(
		() => true,
		() => false,
	);

/** Two starts in one folder would write to one database. A start that was killed may have left its n8n behind. */
async function refuseSecondStart({ pid, sandboxPort, n8nPort }: LastStart): Promise<void> {
	if (pid === undefined) return;
	const editor = `http://127.0.0.1:${n8nPort}`;
	if (isAlive(pid) && (await answers(`http://127.0.0.1:${sandboxPort}/__sandbox/state`))) {
		throw new Error(
			`npm start is already running here (process ${pid}).${n8nPort ? ` Its editor: ${editor}` : ''}`,
		);
	}
	if (n8nPort !== undefined && (await answers(`${editor}/rest/settings`))) {
		throw new Error(
			`An n8n still answers at ${editor}, left by an earlier npm start that was killed. End that process, then start again.`,
		);
	}
}

/** What is running, to be ended in reverse order. */
const closers: Array<() => Promise<void>> = [];
let closing: Promise<void> | null = null;
const closeAll = async (): Promise<void> => {
	closing ??= (async () => {
		for (const close of closers.reverse()) await close().catch(() => undefined);
	})();
	await closing;
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
	process.on(signal, () => {
		if (closing === null) console.log('\nEnding n8n and the sandbox ...');
		void closeAll().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
	});
}

async function readExample(file: string, api: string): Promise<Workflow> {
	const text = await readFile(join(ROOT, 'examples', `${file}.json`), 'utf8');
	return JSON.parse(text.replaceAll(REAL_API, api)) as Workflow;
}

/** The result of a run in a few words. */
function describeRun(execution: Execution, node: string): string {
	if (execution.error !== null) return execution.error.message;
	const [item] = execution.itemsOf(node);
	if (item === undefined) return 'no output';
	return 'status' in item
		? `${String(item.status)}, refreshed: ${String(item.refreshed)}, ${String(item.expiresInDays)} days left`
		: `code ${String(item.code)}, ${String(item.message)}`;
}

interface Row {
	name: string;
	isSuccess: boolean;
	what: string;
}

interface Context {
	last: LastStart;
	installation: Installation;
	sandbox: Sandbox;
	server: N8nServer;
	rows: Row[];
}

/** A step that says at least every 30 seconds that it goes on, with or without a terminal. */
const step = (
	title: string,
	work: (context: Context, phase: (text: string) => void) => Promise<void>,
) => ({
	title,
	task: async (context: Context, task: { output: string }) => {
		const began = Date.now();
		let now = '';
		const timer = setInterval(() => {
			task.output = `${now}${Math.round((Date.now() - began) / 1000)} s`;
		}, PROGRESS_MS);
		try {
			await work(context, (text) => {
				now = `${text}, `;
			});
		} finally {
			clearInterval(timer);
		}
	},
});

/** The credential for the sandbox. n8n keeps it, so a later start only changes its address. */
async function prepareCredential(client: N8nClient, sandbox: Sandbox): Promise<string> {
	const [credential] = await client.listCredentials('aiClkApi');
	if (credential === undefined) {
		const accountId = sandbox.settings().accountIds[0];
		return await client.createCredential({ ...DEFAULT_CLIENT, accountId, baseUrl: sandbox.url });
	}
	const { baseUrl } = await client.readCredential(credential.id);
	if (baseUrl !== sandbox.url && /^http:\/\/127\.0\.0\.1:/.test(String(baseUrl))) {
		await client.editCredential(credential.id, { baseUrl: sandbox.url }, credential.name);
	}
	return credential.id;
}

const tasks = new Listr<Context>(
	[
		step('Start the sandbox', async (context) => {
			context.last = await readLastStart();
			await refuseSecondStart(context.last);
			if (options.fresh || options.once) await rm(USER_FOLDER, { recursive: true, force: true });
			const port = options.sandboxPort ?? context.last.sandboxPort ?? 5790;
			context.sandbox = await createSandbox({ port }).catch(async () => await createSandbox());
			closers.push(async () => await context.sandbox.close());
		}),
		step(`Install n8n ${N8N} and Node 24 (once: some 6 minutes)`, async (context, phase) => {
			const aborter = new AbortController();
			closers.push(async () => aborter.abort());
			context.installation = await installN8n(N8N, phase, aborter.signal);
		}),
		step(
			'Build the package, pack it, install it as a user would by hand',
			async ({ sandbox, last }) => {
				await installByHand(await packTarball(USER_FOLDER), USER_FOLDER);
				await saveStart({ ...last, pid: process.pid, sandboxPort: sandbox.port });
				closers.push(async () => await saveStart({ ...(await readLastStart()), pid: undefined }));
			},
		),
		step('Start n8n', async (context) => {
			context.server = await startN8n(context.installation, {
				userFolder: USER_FOLDER,
				port: options.port ?? context.last.n8nPort ?? 5678,
				env: { GENERIC_TIMEZONE: TIME_ZONE },
			});
			closers.push(async () => await context.server.stop());
			const n8nPort = Number(new URL(context.server.url).port);
			await saveStart({ pid: process.pid, sandboxPort: context.sandbox.port, n8nPort });
		}),
		step(
			'Import a credential and three workflows where they are missing, run what is new',
			async (context) => {
				const { sandbox, server } = context;
				const client = new N8nClient(server.url);
				await client.signIn();
				const credential = await prepareCredential(client, sandbox);
				const known = new Set((await client.listWorkflows()).map(({ name }) => name));
				context.rows = [];
				for (const { file, trigger, node } of EXAMPLES) {
					const workflow = await readExample(file, sandbox.url);
					if (known.has(workflow.name)) continue;
					const id = await client.importWorkflow(workflow, credential);
					const execution = await client.run(id, trigger);
					const isSuccess = execution.status === 'success' && execution.itemsOf(node).length === 1;
					context.rows.push({ name: workflow.name, isSuccess, what: describeRun(execution, node) });
				}
				if (context.rows.length === EXAMPLES.length) {
					const refreshes = sandbox.state().refreshesToday;
					const what = `refreshes that the sandbox saw: ${refreshes}`;
					const isSuccess = refreshes === 1;
					context.rows.push({ name: 'One refresh for all of them', isSuccess, what });
				}
			},
		),
	],
	{ rendererOptions: { collapseSubtasks: false }, fallbackRenderer: 'simple' },
);

async function saveStart(start: LastStart): Promise<void> {
	await writeFile(LAST_START, JSON.stringify(start));
}

/** @returns how many examples failed */
function report(rows: Row[]): number {
	const table = new Table({
		head: ['What', 'Worked', 'What happened'],
		style: { head: [], border: [] },
	});
	table.push(...rows.map(({ name, isSuccess, what }) => [name, isSuccess ? 'yes' : 'NO', what]));
	if (rows.length > 0) console.log(`\n${table.toString()}`);
	const failed = rows.filter(({ isSuccess }) => !isSuccess).length;
	if (rows.length > 0) console.log(`${rows.length - failed} passed, ${failed} failed`);
	return failed;
}

try {
	const { rows, sandbox, server, last } = await tasks.run({} as Context);
	const failed = report(rows);
	if (options.once) {
		await closeAll();
		process.exitCode = failed === 0 ? 0 : 1;
	} else {
		if (last.sandboxPort !== undefined && last.sandboxPort !== sandbox.port) {
			console.log(
				`\nPort ${last.sandboxPort} is taken, so the sandbox now listens on ${sandbox.port}. The credential follows; HTTP Request nodes with the old address need the new one.`,
			);
		}
		console.log(`
Editor    ${server.url}
Login     ${OWNER.email}
Password  ${OWNER.password}
Time zone ${TIME_ZONE}
Sandbox   ${sandbox.url}/__sandbox/journal (every call it got)
n8n's log ${server.logFile}
Kept in   ${USER_FOLDER} (npm start -- --fresh deletes it)

Ctrl-C ends both.`);
	}
} catch (error) {
	await closeAll();
	console.error(`\n${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 1;
}
