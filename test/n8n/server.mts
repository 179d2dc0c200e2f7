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

const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 20_000;

/** A running n8n with a database of its own. */
export interface N8nServer {
	url: string;
	logFile: string;
	/** Ends n8n as a service manager would. */
	stop(): Promise<void>;
	/** kill -9 of n8n and all its children. */
	kill(): Promise<void>;
}

export interface N8nOptions {
	/** Holds `.n8n` with database, key and community nodes. */
	userFolder: string;
	/** A free one when left out. */
	port?: number;
	env?: Record<string, string>;
}

/**
 * Starts n8n with SQLite on loopback and waits until its editor's API answers.
 *
 * @throws Error with the end of n8n's log when it does not come up
 */
export async function startN8n(
	{ node, n8n }: Installation,
	{ userFolder, port: wanted, env }: N8nOptions,
): Promise<N8nServer> {
	const port = wanted ?? (await getPort({ host: '127.0.0.1' }));
	const brokerPort = await getPort({ host: '127.0.0.1', exclude: [port] });
	const url = `http://127.0.0.1:${port}`;
	await mkdir(userFolder, { recursive: true });
	const logFile = join(userFolder, 'n8n.log');
	const child = execa(node, [n8n, 'start'], {
		cwd: userFolder,
		// A group of its own, so that none of the processes it starts stays behind.
		detached: true,
		reject: false,
		buffer: false,
		env: {
			N8N_USER_FOLDER: userFolder,
			N8N_PORT: String(port),
			N8N_HOST: '127.0.0.1',
			N8N_LISTEN_ADDRESS: '127.0.0.1',
			N8N_RUNNERS_BROKER_PORT: String(brokerPort),
			N8N_SECURE_COOKIE: 'false',
			N8N_DIAGNOSTICS_ENABLED: 'false',
			N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
			N8N_TEMPLATES_ENABLED: 'false',
			N8N_PERSONALIZATION_ENABLED: 'false',
			N8N_HIRING_BANNER_ENABLED: 'false',
			DB_SQLITE_POOL_SIZE: '4',
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
		// n8n's built editor: thousands of files that the next lint would read.
		await rm(join(userFolder, '.cache'), { recursive: true, force: true });
	};
	const deadline = Date.now() + START_LIMIT_MS;
	for (;;) {
		// Until its routes are there n8n answers every path, also `/healthz`, with a page that says so.
		const isUp = await axios
			.get<{ data?: object }>(`${url}/rest/settings`, { timeout: 2_000 })
			.then(({ data }) => data.data !== undefined)
			.catch(() => false);
		if (isUp) break;
		if (hasEnded || Date.now() > deadline) {
			await end('SIGKILL');
			const text = await readFile(logFile, 'utf8').catch(() => '');
			throw new Error(`n8n did not start. The end of its log:\n${text.slice(-2_000)}`);
		}
		await sleep(300);
	}
	return {
		url,
		logFile,
		stop: async () => await end('SIGTERM'),
		kill: async () => await end('SIGKILL'),
	};
}
