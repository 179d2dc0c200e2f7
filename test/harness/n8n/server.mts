import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';
import { execa } from 'execa';
import getPort from 'get-port';
import { onExit } from 'signal-exit';

import type { Installation } from './install.mts';
import { signalGroup } from './processes.mts';

const START_LIMIT_MS = 300_000;
const STOP_LIMIT_MS = 60_000;

/** What n8n logs when another program took a port between the look for a free one and n8n's start. */
const PORT_TAKEN = /port \d+ is already in use/i;
const PORT_TRIES = 3;

/** A running process of n8n, with all that it started. */
export interface N8nProcess {
	logFile: string;
	/** Ends n8n as a service manager would. */
	stop(): Promise<void>;
	/** kill -9 of n8n and all its children. */
	kill(): Promise<void>;
}

/** An n8n with editor and API: the only process there is, or the main one in queue mode. */
export interface N8nServer extends N8nProcess {
	url: string;
}

interface ProcessOptions {
	/** Holds `.n8n` with database, key and community nodes. */
	userFolder: string;
	/** More of n8n's environment variables; these win. */
	env?: Record<string, string>;
}

export interface N8nOptions extends ProcessOptions {
	/** The port to prefer. A free one is used when it is taken, or none is named. */
	port?: number;
}

export interface WorkerOptions extends ProcessOptions {
	/** Of its log file. */
	name: string;
}

/** Starts in little more than half the processor time: n8n writes no editor, and has no list of nodes. */
export const WITHOUT_EDITOR = { N8N_DISABLE_UI: 'true' };

const QUIET = {
	N8N_DIAGNOSTICS_ENABLED: 'false',
	N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
	N8N_TEMPLATES_ENABLED: 'false',
	N8N_PERSONALIZATION_ENABLED: 'false',
	N8N_HIRING_BANNER_ENABLED: 'false',
};

/**
 * Starts one of n8n's commands and waits until it is up.
 *
 * @param isUp asked again and again; must not throw
 * @throws Error with the end of n8n's log when it does not come up
 */
async function launch(
	{ node, n8n }: Installation,
	command: 'start' | 'worker',
	{ userFolder, env }: ProcessOptions,
	logName: string,
	isUp: () => Promise<boolean>,
): Promise<N8nProcess> {
	await mkdir(userFolder, { recursive: true });
	const logFile = join(userFolder, `${logName}.log`);
	const child = execa(node, [n8n, command], {
		cwd: userFolder,
		// A group of its own, so that none of the processes it starts stays behind.
		detached: true,
		reject: false,
		buffer: false,
		env: {
			N8N_USER_FOLDER: userFolder,
			...QUIET,
			NO_PROXY: '127.0.0.1,localhost',
			no_proxy: '127.0.0.1,localhost',
			...env,
		},
	});
	const log = createWriteStream(logFile, { flags: 'a' });
	child.stdout.pipe(log);
	child.stderr.pipe(log);
	// Whoever started it may be ended before it ends n8n.
	const forget = onExit(() => signalGroup(child, 'SIGKILL'));
	let hasEnded = false;
	const ended = child.then(() => {
		hasEnded = true;
		forget();
	});

	const end = async (name: NodeJS.Signals) => {
		signalGroup(child, name);
		await Promise.race([ended, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
		signalGroup(child, 'SIGKILL');
		await ended;
	};
	const deadline = Date.now() + START_LIMIT_MS;
	while (!(await isUp())) {
		if (hasEnded || Date.now() > deadline) {
			await end('SIGKILL');
			const text = await readFile(logFile, 'utf8').catch(() => '');
			throw new Error(`n8n ${command} did not start. The end of its log:\n${text.slice(-2_000)}`);
		}
		await sleep(300);
	}
	return {
		logFile,
		stop: async () => await end('SIGTERM'),
		kill: async () => await end('SIGKILL'),
	};
}

/**
 * Starts n8n on loopback, with SQLite unless the environment says otherwise, and waits until its editor's API answers.
 *
 * @throws Error with the end of n8n's log when it does not come up
 */
export async function startN8n(
	installation: Installation,
	options: N8nOptions,
): Promise<N8nServer> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await startN8nOnFreePorts(installation, options);
		} catch (error) {
			if (attempt === PORT_TRIES || !PORT_TAKEN.test(String(error))) throw error;
		}
	}
}

async function startN8nOnFreePorts(
	installation: Installation,
	{ userFolder, port: preferred, env }: N8nOptions,
): Promise<N8nServer> {
	const port = await getPort(preferred === undefined ? {} : { port: preferred });
	const brokerPort = await getPort({ exclude: [port] });
	const url = `http://127.0.0.1:${port}`;
	const server = {
		N8N_PORT: String(port),
		N8N_HOST: '127.0.0.1',
		N8N_LISTEN_ADDRESS: '127.0.0.1',
		N8N_RUNNERS_BROKER_PORT: String(brokerPort),
		N8N_SECURE_COOKIE: 'false',
		DB_SQLITE_POOL_SIZE: '4',
	};
	// Until its routes are there n8n answers every path, also `/healthz`, with a page that says so. 503: its database is busy.
	const isUp = async () =>
		await axios
			.get<unknown>(`${url}/rest/login`, {
				timeout: 2_000,
				validateStatus: (status) => status === 200 || status === 401,
			})
			.then(({ data }) => typeof data === 'object')
			.catch(() => false);
	const started = await launch(
		installation,
		'start',
		{ userFolder, env: { ...server, ...env } },
		'n8n',
		isUp,
	);
	const end = (how: () => Promise<void>) => async () => {
		await how();
		// n8n's built editor: thousands of files that the next lint would read.
		await rm(join(userFolder, '.cache'), { recursive: true, force: true });
	};
	return { ...started, url, stop: end(started.stop), kill: end(started.kill) };
}

/**
 * Starts a worker of an n8n in queue mode on loopback and waits until it takes jobs.
 *
 * @param options the same user folder as the main process, or a copy; `env` says where database and Redis are
 * @throws Error with the end of its log when it does not come up
 */
export async function startWorker(
	installation: Installation,
	{ userFolder, name, env }: WorkerOptions,
): Promise<N8nProcess> {
	const port = await getPort({ host: '127.0.0.1' });
	const brokerPort = await getPort({ host: '127.0.0.1', exclude: [port] });
	const worker = {
		QUEUE_HEALTH_CHECK_ACTIVE: 'true',
		QUEUE_HEALTH_CHECK_PORT: String(port),
		N8N_WORKER_SERVER_ADDRESS: '127.0.0.1',
		N8N_RUNNERS_BROKER_PORT: String(brokerPort),
	};
	const isUp = async () =>
		await axios
			.get(`http://127.0.0.1:${port}/healthz/readiness`, { timeout: 2_000 })
			.then(({ status }) => status === 200)
			.catch(() => false);
	return await launch(
		installation,
		'worker',
		{ userFolder, env: { ...worker, ...env } },
		name,
		isUp,
	);
}
