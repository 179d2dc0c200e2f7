import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';

import type { Context } from './context';
import { Journal, type JournalEntry, mask, sha256 } from './journal';
import { apiRoutes } from './routes/api';
import { controlRoutes } from './routes/control';
import { oauthRoutes } from './routes/oauth';
import { changeSettings, DEFAULT_SETTINGS, type SandboxSettings } from './settings';
import { type SandboxState, Store } from './store';
import { Throttle } from './throttle';
import { type Kind, type Row, World } from './world';

export { DEFAULT_CLIENT, type Fault, type SandboxSettings } from './settings';
export type { JournalEntry } from './journal';
export type { SandboxState } from './store';

declare module 'fastify' {
	interface FastifyRequest {
		/** What the journal says of this request. */
		entry: Omit<JournalEntry, 'seq'>;
	}
}

/** A local AiClk for tests and for a first look: documented endpoints and shapes, on loopback, never published. */
export interface Sandbox {
	/** e.g. http://127.0.0.1:5790 */
	readonly url: string;
	readonly port: number;
	settings(): SandboxSettings;
	/** Changes what it does from now on; throws an Error that names a setting it cannot take. */
	configure(changes: Partial<SandboxSettings>): void;
	/** What arrived, oldest first: the newest 20,000. */
	journal(): JournalEntry[];
	clearJournal(): void;
	/** Moves the clock, in ms. */
	advance(ms: number): void;
	/** ms since 1970, by the sandbox's clock */
	now(): number;
	/** Kills one access token, or all of them. */
	revoke(accessToken?: string): void;
	/**
	 * Changes an account, a creative or a material, or adds it; its day of change is today.
	 *
	 * @param id digits
	 * @param account whose; the first one of the settings without it
	 */
	change(kind: Kind, id: string, fields: Row, account?: string): void;
	/** Takes back all changes. */
	reset(): void;
	state(): SandboxState;
	/** Every access token and refresh token that was handed out: what must not show up anywhere. */
	secrets(): string[];
	close(): Promise<void>;
}

const MAX_BYTES = 32 * 1024 * 1024;

/** The path without its query. */
const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] as string;

function kindOf(path: string): JournalEntry['kind'] {
	if (path === '/oauth2/token') return 'refresh';
	return path.startsWith('/openapi/') ? 'api' : 'other';
}

function maskedHeaders(request: FastifyRequest, tokenHeader: string): Record<string, string> {
	const secret = new Set([tokenHeader.toLowerCase(), 'cookie', 'authorization']);
	return Object.fromEntries(
		Object.entries(request.headers).map(([name, value]) => [
			name,
			secret.has(name) ? mask(String(value)) : String(value),
		]),
	);
}

/** Writes down every request but those to the control routes, when it arrives and again when it is answered. */
function keepJournal(app: FastifyInstance, { store, journal, settings, now }: Context): void {
	app.decorateRequest('entry', null as never);
	app.addHook('onRequest', async (request) => {
		const path = pathOf(request);
		const kind = kindOf(path);
		const header = settings().tokenType;
		const accessToken = request.headers[header.toLowerCase()] as string | undefined;
		const entry = {
			at: now(),
			method: request.method,
			path,
			query: request.query as Record<string, string>,
			headers: maskedHeaders(request, header),
			token: kind === 'api' ? store.judge(accessToken, now()) : ('none-needed' as const),
			client: store.clientOf(accessToken),
			kind,
			contentType: request.headers['content-type'],
			status: 0,
			code: null,
		};
		request.entry = path.startsWith('/__sandbox/') ? entry : journal.add(entry);
	});
	app.addHook('preHandler', async (request) => {
		if (!Buffer.isBuffer(request.body)) return;
		request.entry.bodySha256 = sha256(request.body);
		const { kind, contentType = '' } = request.entry;
		request.entry.bodyFields = fieldNames(request.body, contentType);
		if (kind === 'api' && contentType.startsWith('application/json')) {
			request.entry.body = request.body.toString();
		}
	});
	app.addHook('onSend', async (request, reply, payload) => {
		request.entry.status = reply.statusCode;
		if (typeof payload !== 'string') return;
		const code = /"code":(\d+)/.exec(payload.slice(0, 1000))?.[1];
		request.entry.code = code === undefined ? null : Number(code);
	});
}

/** Names of the fields in a body. Values are left alone, so ids beyond 2^53 do no harm. */
function fieldNames(body: Buffer, contentType: string): string[] {
	const text = body.toString('latin1');
	if (contentType.includes('multipart/form-data')) {
		return [...text.matchAll(/content-disposition: form-data; name="([^"]+)"/gi)].map(
			(match) => match[1] as string,
		);
	}
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' && value !== null ? Object.keys(value) : [];
	} catch {
		return [];
	}
}

/** Bodies are kept as bytes, whatever they are; the token endpoint reads multipart itself, the control routes JSON. */
async function parseBodies(app: FastifyInstance): Promise<void> {
	app.removeAllContentTypeParsers();
	app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
		if (!request.url.startsWith('/__sandbox/')) return done(null, body);
		try {
			done(null, body.length === 0 ? {} : JSON.parse(body.toString()));
		} catch (error) {
			done(error as Error);
		}
	});
}

async function build(context: Context): Promise<FastifyInstance> {
	const app = fastify({ bodyLimit: MAX_BYTES, forceCloseConnections: true });
	keepJournal(app, context);
	app.addHook('onSend', async (_request, reply) => {
		reply.header('date', new Date(context.now()).toUTCString());
	});
	await parseBodies(app);
	controlRoutes(app, context);
	// Only the token endpoint parses multipart; elsewhere it is bytes.
	await app.register(async (scope) => {
		await scope.register(multipart, { limits: { fileSize: MAX_BYTES } });
		oauthRoutes(scope, context);
	});
	apiRoutes(app, context);
	return app;
}

/**
 * Starts a sandbox on loopback.
 *
 * @param options port (0, the default, takes a free one) and settings that differ from the defaults
 * @throws Error when the port is taken or a setting cannot be
 */
export async function createSandbox(
	options: { port?: number; settings?: Partial<SandboxSettings> } = {},
): Promise<Sandbox> {
	let settings = changeSettings(DEFAULT_SETTINGS, options.settings ?? {});
	let aheadMs = 0;
	const context: Context = {
		store: new Store(),
		throttle: new Throttle(),
		world: new World(() => settings),
		journal: new Journal(),
		settings: () => settings,
		configure: (changes) => {
			settings = changeSettings(settings, changes);
		},
		now: () => Date.now() + aheadMs,
		advance: (ms) => {
			aheadMs += ms;
		},
	};
	const app = await build(context);
	const { port = 0 } = options;
	try {
		await app.listen({ port, host: '127.0.0.1' });
	} catch (error) {
		const { code } = error as { code?: string };
		throw code === 'EADDRINUSE'
			? new Error(`Port ${port} is taken: the sandbox cannot listen there`)
			: error;
	}
	const address = app.server.address();
	const bound = typeof address === 'object' && address !== null ? address.port : port;
	return {
		url: `http://127.0.0.1:${bound}`,
		port: bound,
		settings: context.settings,
		configure: context.configure,
		journal: () => context.journal.all(),
		clearJournal: () => context.journal.clear(),
		advance: context.advance,
		now: context.now,
		revoke: (accessToken) => context.store.revoke(accessToken),
		change: (kind, id, fields, account = String(settings.accountIds[0])) =>
			context.world.change(account, kind, id, fields, context.now()),
		reset: () => context.world.reset(),
		state: () => context.store.state(context.now()),
		secrets: () => context.store.secrets(),
		close: async () => await app.close(),
	};
}
