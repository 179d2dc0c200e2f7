import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import getPort from 'get-port';
import { onExit } from 'signal-exit';

import type { Installation } from '../harness/n8n/install.mts';
import { signalGroup } from '../harness/n8n/processes.mts';

/** Where PostgreSQL and Redis are, as URLs. */
export interface Addresses {
	postgres: string;
	redis: string;
}

/** What runs on this machine, unless the environment says otherwise. */
export const SHARED: Addresses = {
	postgres: process.env.AICLK_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres',
	redis: process.env.AICLK_REDIS_URL ?? 'redis://127.0.0.1:6379/0',
};

/** For servers of our own, which can be stopped and started. */
const POSTGRES_BIN = process.env.AICLK_POSTGRES_BIN ?? '/usr/lib/postgresql/15/bin';
const REDIS_SERVER = process.env.AICLK_REDIS_SERVER ?? 'redis-server';

const READY_LIMIT_MS = 120_000;

interface PgClient {
	connect(): Promise<void>;
	query(sql: string): Promise<{ rows: Array<Record<string, unknown>> }>;
	end(): Promise<void>;
}

interface RedisClient {
	connect(): Promise<void>;
	ping(): Promise<string>;
	keys(pattern: string): Promise<string[]>;
	del(...keys: string[]): Promise<number>;
	disconnect(): void;
}

/** n8n's own drivers: the package needs none, so it has none. */
export function driversOf({ n8n }: Installation) {
	const load = createRequire(n8n);
	const { Client } = load('pg') as { Client: new (options: object) => PgClient };
	const Redis = load('ioredis') as new (url: string, options: object) => RedisClient;
	const onError = (client: object) => {
		(client as NodeJS.EventEmitter).on('error', () => undefined);
	};
	return {
		async sql(url: string, statement: string): Promise<Array<Record<string, unknown>>> {
			const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
			onError(client);
			await client.connect();
			return (await client.query(statement).finally(async () => await client.end())).rows;
		},
		async redis<T>(url: string, use: (client: RedisClient) => Promise<T>): Promise<T> {
			const options = { lazyConnect: true, retryStrategy: () => null, connectTimeout: 3_000 };
			const client = new Redis(url, options);
			onError(client);
			await client.connect();
			return await use(client).finally(() => client.disconnect());
		},
	};
}

/** A database and a key prefix of its own on running services, for one n8n in queue mode. */
export class Space {
	private readonly name = `aiclk_queue_${randomBytes(4).toString('hex')}`;

	private readonly drivers: ReturnType<typeof driversOf>;

	constructor(
		installation: Installation,
		private readonly at: Addresses,
	) {
		this.drivers = driversOf(installation);
	}

	/** @throws Error with a text for a person when a service is not there */
	async create(): Promise<void> {
		const missing = (what: string, url: string, variable: string) => (error: Error) => {
			throw new Error(
				`The queue tests need ${what}, and there is none to be used at ${new URL(url).host} (${error.message}). Start one, or name another in ${variable}.`,
			);
		};
		await this.drivers
			.redis(this.at.redis, async (client) => await client.ping())
			.catch(missing('Redis', this.at.redis, 'AICLK_REDIS_URL'));
		await this.drivers
			.sql(this.at.postgres, `CREATE DATABASE ${this.name}`)
			.catch(missing('PostgreSQL', this.at.postgres, 'AICLK_POSTGRES_URL'));
	}

	async drop(): Promise<void> {
		await this.drivers.sql(this.at.postgres, `DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
		await this.drivers.redis(this.at.redis, async (client) => {
			const keys = await client.keys(`*${this.name}*`);
			if (keys.length > 0) await client.del(...keys);
		});
	}

	/** n8n's environment variables for it. */
	get env(): Record<string, string> {
		const postgres = new URL(this.at.postgres);
		const redis = new URL(this.at.redis);
		return {
			DB_TYPE: 'postgresdb',
			DB_POSTGRESDB_HOST: postgres.hostname,
			DB_POSTGRESDB_PORT: postgres.port || '5432',
			DB_POSTGRESDB_USER: decodeURIComponent(postgres.username),
			DB_POSTGRESDB_PASSWORD: decodeURIComponent(postgres.password),
			DB_POSTGRESDB_DATABASE: this.name,
			QUEUE_BULL_REDIS_HOST: redis.hostname,
			QUEUE_BULL_REDIS_PORT: redis.port || '6379',
			QUEUE_BULL_REDIS_USERNAME: decodeURIComponent(redis.username),
			QUEUE_BULL_REDIS_PASSWORD: decodeURIComponent(redis.password),
			QUEUE_BULL_REDIS_DB: redis.pathname.slice(1) || '0',
			QUEUE_BULL_PREFIX: this.name,
			N8N_REDIS_KEY_PREFIX: this.name,
		};
	}
}

/** PostgreSQL refuses to run as root; where we are root, its own user runs it. */
const asPostgres = (command: string, args: string[]): [string, string[]] =>
	process.getuid?.() === 0
		? ['runuser', ['-u', 'postgres', '--', command, ...args]]
		: [command, args];

/** A server of our own on loopback, which can be ended and started again with all that it has stored. */
export class OwnServer {
	private child: { pid?: number } | null = null;

	private ended: Promise<unknown> = Promise.resolve();

	private constructor(
		private readonly folder: string,
		private readonly command: [string, string[]],
		private readonly isReady: () => Promise<unknown>,
		readonly url: string,
	) {}

	static async postgres(installation: Installation): Promise<OwnServer> {
		const port = await getPort({ host: '127.0.0.1' });
		const folder = await mkdtemp(join(tmpdir(), 'aiclk-postgres-'));
		if (process.getuid?.() === 0) await execa('chown', ['postgres', folder]);
		const init = ['-D', folder, '-U', 'postgres', '-A', 'trust', '--no-sync'];
		const [initdb, initArgs] = asPostgres(join(POSTGRES_BIN, 'initdb'), init);
		await execa(initdb, initArgs, { cwd: folder });
		const listen = ['-p', String(port), '-h', '127.0.0.1', '-k', folder];
		const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
		const server = new OwnServer(
			folder,
			asPostgres(join(POSTGRES_BIN, 'postgres'), ['-D', folder, ...listen]),
			async () => await driversOf(installation).sql(url, 'SELECT 1'),
			url,
		);
		await server.start();
		return server;
	}

	static async redis(installation: Installation): Promise<OwnServer> {
		const port = await getPort({ host: '127.0.0.1' });
		const folder = await mkdtemp(join(tmpdir(), 'aiclk-redis-'));
		await chmod(folder, 0o700);
		const listen = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
		// As anyone who cares for the jobs in the queue runs it.
		const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
		const url = `redis://127.0.0.1:${port}/0`;
		const server = new OwnServer(
			folder,
			[REDIS_SERVER, [...listen, ...durable]],
			async () => await driversOf(installation).redis(url, async (client) => await client.ping()),
			url,
		);
		await server.start();
		return server;
	}

	private async start(): Promise<void> {
		const [command, args] = this.command;
		const child = execa(command, args, {
			cwd: this.folder,
			detached: true,
			reject: false,
			stdio: 'ignore',
		});
		const forget = onExit(() => signalGroup(child, 'SIGKILL'));
		this.child = child;
		this.ended = child.then(forget);
		const deadline = Date.now() + READY_LIMIT_MS;
		for (;;) {
			const failure = await this.isReady().then(
				() => null,
				(error: Error) => error,
			);
			if (failure === null) return;
			if (Date.now() > deadline) throw new Error(`${command} did not start: ${failure.message}`);
			await sleep(100);
		}
	}

	private async end(): Promise<void> {
		// To PostgreSQL SIGINT means: end now, and let nobody finish. Redis takes it, too.
		if (this.child !== null) signalGroup(this.child, 'SIGINT');
		await this.ended;
		this.child = null;
	}

	/** Ends it, lets nobody reach it for so many ms, and starts it again. */
	async restart(downMs: number): Promise<void> {
		await this.end();
		await sleep(downMs);
		await this.start();
	}

	async remove(): Promise<void> {
		await this.end();
		await rm(this.folder, { recursive: true, force: true });
	}
}
