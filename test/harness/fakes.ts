import type { IHttpRequestOptions } from 'n8n-workflow';

import { readInput, type TokenInput } from '../../aiclk/token/input';
import { readToken, type Token, type TokenState } from '../../aiclk/token/storedToken';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** A Tuesday morning in China, far from any end of day. */
export const NOW = Date.parse('2026-11-24T02:00:00Z');

export const TYPED = {
	clientId: '1000000000000001',
	refreshToken: 'abcdef0123456789'.repeat(8),
	accountId: '1000002',
	baseUrl: 'https://openapi.aiclk.com',
};

/** Accounts; the first one is the credential's. */
export const ACCOUNT = TYPED.accountId;
export const OTHER = '1000003';
export const THIRD = '1000004';

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
	quota: { clientKey: inputOf(emptyRow()).clientKey, day: '2026-11-24', attempts: 1 },
	probeTrust: null,
	refreshes: [],
	...changes,
});

export const token = (accessToken: string, changes: Partial<TokenState> = {}): Token => ({
	accessToken,
	rotatedRefreshToken: '',
	state: tokenState(changes),
});

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

/** AiClk refuses the refresh token. */
export const REFUSED = () => answer({ code: 400, data: null, message: 'refresh_token 无效' });

/** AiClk accepts a probe, or says what it says of a dead token and of an account without permission. */
export const ACCEPTED = { statusCode: 200, body: { code: 200 } };
export const UNAUTHORIZED = { statusCode: 401, body: { code: 401, message: '无权限' } };

/** Nothing comes back but this error of Node's. */
export const failing = (code: string) => (): never => {
	throw Object.assign(new Error('x'), { code });
};
