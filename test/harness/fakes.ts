import type { IHttpRequestOptions } from 'n8n-workflow';

import { TokenManager } from '../../aiclk/token/manager';
import { readInput, type TokenInput } from '../../aiclk/token/input';
import { readToken, type Token, type TokenState } from '../../aiclk/token/storedToken';

export const DAY_MS = 86_400_000;
/** A Tuesday morning in China, far from any end of day. */
export const NOW = Date.parse('2026-11-24T02:00:00Z');

export const TYPED = {
	clientId: '1000000000000001',
	refreshToken: 'abcdef0123456789'.repeat(8),
	accountId: '1000002',
	baseUrl: 'https://openapi.aiclk.com',
};

export type Row = Record<string, unknown>;

/** A credential as n8n stores it before the first refresh. */
export const emptyRow = (typed: Row = {}): Row => ({
	...TYPED,
	accessToken: '',
	tokenState: '',
	rotatedRefreshToken: '',
	tokenRenewal: '',
	...typed,
});

export function inputOf(row: Row): TokenInput {
	const input = readInput(row);
	if (!input.ok) throw new Error(input.failure.message);
	return input.value;
}

export function tokenOf(row: Row): Token {
	const token = readToken(row);
	if (token === null) throw new Error('the row holds no token');
	return token;
}

/** A token with 90 days of life, issued at NOW. */
export const tokenState = (changes: Partial<TokenState> = {}): TokenState => ({
	fingerprint: inputOf(emptyRow()).fingerprint,
	generation: 1,
	issuedAtMs: NOW,
	expiresAtMs: NOW + 90 * DAY_MS,
	expirySource: 'answer',
	header: 'OGW_ACCESS_TOKEN',
	traceId: '776ac7ef9ccd2cb3',
	lineage: 'lineage',
	quota: { client: inputOf(emptyRow()).client, day: '2026-11-24', attempts: 1 },
	probeTrust: null,
	refreshes: [],
	...changes,
});

export const token = (accessToken: string, changes: Partial<TokenState> = {}): Token => ({
	accessToken,
	rotatedRefreshToken: '',
	state: tokenState(changes),
});

/** A clock, a jitter, a sleep and a log that a test owns. Sleeping moves the clock, and lets others run meanwhile. */
export class FakeEnvironment {
	nowMs = NOW;

	/** With 0 no renewal begins before its time. */
	jitter = 0;

	/** All lines of the log, apart from those for debugging. */
	logged: string[] = [];

	/** Those for debugging. */
	debugged: string[] = [];

	log = {
		debug: (message: string) => void this.debugged.push(message),
		info: (message: string) => void this.logged.push(`info ${message}`),
		warn: (message: string) => void this.logged.push(`warn ${message}`),
	};

	slept: number[] = [];

	duringSleep: () => Promise<void> | void = () => undefined;

	now = () => this.nowMs;

	random = () => this.jitter;

	sleep = async (ms: number) => {
		this.slept.push(ms);
		this.nowMs += ms;
		await this.duringSleep();
	};
}

type Reply = (options: IHttpRequestOptions) => unknown;

/** AiClk at the other end of n8n's HTTP helper, without a network: only what a unit test of the manager needs. */
export class FakeAiClk {
	/** Bodies of the refresh requests, in order. */
	refreshes: Array<Record<string, unknown>> = [];

	/** Tokens that account/info was asked with. */
	checks: string[] = [];

	live = new Set<string>();

	private issued = 0;

	strict = false;

	rotates = false;

	expiresIn: unknown = 90 * 86_400;

	/** Set to answer otherwise; may throw. */
	refreshReply: Reply | null = null;

	checkReply: Reply | null = null;

	issue(): Record<string, unknown> {
		if (this.strict) this.live.clear();
		const number = ++this.issued;
		const accessToken = `access-${number}`;
		this.live.add(accessToken);
		return {
			access_token: accessToken,
			expires_in: this.expiresIn,
			token_type: 'OGW_ACCESS_TOKEN',
			...(this.rotates && { refresh_token: `rotated-${number}` }),
		};
	}

	http = async (options: IHttpRequestOptions): Promise<unknown> => {
		await Promise.resolve();
		if (options.url.endsWith('/oauth2/token')) {
			this.refreshes.push(options.body as Record<string, unknown>);
			if (this.refreshReply !== null) return this.refreshReply(options);
			return answer({ code: 200, data: this.issue(), message: 'Success', trace_id: 'aa11' });
		}
		const accessToken = String(options.headers?.OGW_ACCESS_TOKEN);
		this.checks.push(accessToken);
		if (this.checkReply !== null) return this.checkReply(options);
		return this.live.has(accessToken)
			? { statusCode: 200, body: { code: 200, data: {}, message: 'success' } }
			: { statusCode: 200, body: { code: 401, data: null, message: 'access_token 无效' } };
	};
}

/** A full response whose body is the JSON text of a value. */
export const answer = (body: unknown, statusCode = 200) => ({
	statusCode,
	body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** One n8n process with a credential in its database, driven as n8n drives a hook. */
export class FakeProcess {
	readonly environment = new FakeEnvironment();

	readonly manager = new TokenManager(this.environment);

	constructor(
		readonly aiclk: FakeAiClk,
		public row: Row = emptyRow(),
	) {}

	/** What n8n does before a request: reads the row, asks the hook, stores what it returns. */
	async ask(credentials: Row = { ...this.row }) {
		const outcome = await this.manager.ensureToken(credentials, this.aiclk.http);
		if (outcome.ok && outcome.value !== null) {
			this.row = { ...this.row, ...outcome.value };
			Object.assign(credentials, outcome.value);
		}
		return outcome;
	}

	/** A request that was sent with the row's credentials and has failed; returns them for the second question. */
	async failedRequest(isSafe = true, isSingleUse = false): Promise<Row> {
		const credentials = { ...this.row };
		await this.ask(credentials);
		this.manager.noteSent(credentials, { isSafe, isSingleUse });
		return credentials;
	}

	async force() {
		const credentials = { ...this.row };
		this.manager.forceRefresh(credentials);
		return await this.ask(credentials);
	}
}
