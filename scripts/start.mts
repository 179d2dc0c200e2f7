import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import getPort from 'get-port';
import { Listr } from 'listr2';

import { type Installation, installN8n, ROOT } from '../test/n8n/install.mts';
import { installByHand, packTarball } from '../test/n8n/package.mts';
import { type Execution, N8nClient, OWNER, type Workflow } from '../test/n8n/rest.mts';
import { type N8nServer, startN8n } from '../test/n8n/server.mts';
import { createSandbox, DEFAULT_CLIENT, type Sandbox } from '../test/sandbox/server.ts';

const N8N = '2.41.1';
const USER_FOLDER = join(ROOT, '.n8n', 'start');
const REAL_API = 'https://openapi.aiclk.com';

/** The example workflows, the trigger that starts each, and the node whose output tells what happened. */
const EXAMPLES = [
	{ file: 'token-rotation', trigger: 'Every day', node: 'AiClk Token' },
	{ file: 'account-info-http-request', trigger: 'Start', node: 'Account info' },
	{ file: 'token-alert', trigger: 'Every day', node: 'Token status' },
];

const readPort = (text: string): number => {
	const port = Number(text);
	if (!Number.isInteger(port) || port < 1 || port > 65_535)
		throw new InvalidArgumentError('A port is a whole number from 1 to 65535.');
	return port;
};

interface Options {
	once?: boolean;
	port: number;
	sandboxPort: number;
}

const options = new Command('npm start --')
	.description(
		'A real n8n with this package, against a local AiClk: installs, starts, runs three examples',
	)
	.option('--once', 'end after the table; exit code 0 only if every example worked')
	.option('--port <number>', "n8n's port", readPort, 5678)
	.option('--sandbox-port <number>', "the sandbox's port", readPort, 5790)
	.parse()
	.opts<Options>();

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

async function requireFree(port: number, flag: string): Promise<void> {
	if ((await getPort({ port, host: '127.0.0.1' })) !== port) {
		throw new Error(
			`Port ${port} is taken by another program. End that one, or choose another port: npm start -- ${flag} <number>`,
		);
	}
}

async function readExample(file: string, api: string): Promise<Workflow> {
	const text = await readFile(join(ROOT, 'examples', `${file}.json`), 'utf8');
	return JSON.parse(text.replaceAll(REAL_API, api)) as Workflow;
}

/** In a few words, what a run did. */
function tell(execution: Execution, node: string): string {
	if (execution.error !== null) return execution.error.message;
	const [item] = execution.itemsOf(node);
	if (item === undefined) return 'no output';
	return 'status' in item
		? `${String(item.status)}, refreshed: ${String(item.refreshed)}, ${String(item.expiresInDays)} days left`
		: `code ${String(item.code)}, ${String(item.message)}`;
}

interface Context {
	installation: Installation;
	tarball: string;
	sandbox: Sandbox;
	server: N8nServer;
	client: N8nClient;
	rows: Array<{ name: string; isSuccess: boolean; what: string }>;
}

const tasks = new Listr<Context>(
	[
		{
			title: 'Look for free ports',
			task: async () => {
				await requireFree(options.port, '--port');
				await requireFree(options.sandboxPort, '--sandbox-port');
			},
		},
		{
			title: `Install n8n ${N8N} and Node 24 (once: some 5 minutes and 3 GB)`,
			task: async (context, task) => {
				const aborter = new AbortController();
				closers.push(async () => aborter.abort());
				context.installation = await installN8n(
					N8N,
					(text) => {
						task.output = text;
					},
					aborter.signal,
				);
			},
		},
		{
			title: 'Build the package, pack it, install it as a user would by hand',
			task: async (context) => {
				await rm(USER_FOLDER, { recursive: true, force: true });
				context.tarball = await packTarball(USER_FOLDER);
				await installByHand(context.tarball, USER_FOLDER);
			},
		},
		{
			title: 'Start the sandbox and n8n on 127.0.0.1',
			task: async (context) => {
				context.sandbox = await createSandbox({ port: options.sandboxPort });
				closers.push(async () => await context.sandbox.close());
				context.server = await startN8n(context.installation, {
					userFolder: USER_FOLDER,
					port: options.port,
				});
				closers.push(async () => await context.server.stop());
			},
		},
		{
			title: 'Import a credential and three workflows, run each once',
			task: async (context) => {
				const { sandbox, server } = context;
				context.client = new N8nClient(server.url);
				await context.client.signIn();
				const credential = await context.client.createCredential({
					...DEFAULT_CLIENT,
					accountId: sandbox.settings().accountIds[0],
					baseUrl: sandbox.url,
				});
				context.rows = [];
				for (const { file, trigger, node } of EXAMPLES) {
					const workflow = await readExample(file, sandbox.url);
					const id = await context.client.importWorkflow(workflow, credential);
					const execution = await context.client.run(id, trigger);
					const isSuccess = execution.status === 'success' && execution.itemsOf(node).length === 1;
					context.rows.push({ name: workflow.name, isSuccess, what: tell(execution, node) });
				}
			},
		},
	],
	{ rendererOptions: { collapseSubtasks: false }, fallbackRenderer: 'simple' },
);

try {
	const { rows, sandbox, server } = await tasks.run({} as Context);
	const refreshes = sandbox.state().refreshesToday;
	rows.push({
		name: 'One refresh for all of them',
		isSuccess: refreshes === 1,
		what: `refreshes that the sandbox saw: ${refreshes}`,
	});
	const table = new Table({ head: ['What', 'Worked', 'What happened'], style: { head: [] } });
	table.push(...rows.map(({ name, isSuccess, what }) => [name, isSuccess ? 'yes' : 'NO', what]));
	console.log(`\n${table.toString()}`);
	const failed = rows.filter(({ isSuccess }) => !isSuccess).length;
	console.log(`${rows.length - failed} passed, ${failed} failed`);
	if (options.once) {
		await closeAll();
		process.exitCode = failed === 0 ? 0 : 1;
	} else {
		console.log(`
Editor    ${server.url}
Login     ${OWNER.email}
Password  ${OWNER.password}
Sandbox   ${sandbox.url}/__sandbox/journal (every call it got)
n8n's log ${server.logFile}

Ctrl-C ends both.`);
	}
} catch (error) {
	await closeAll();
	console.error(`\n${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 1;
}
