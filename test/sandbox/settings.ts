import { createHash } from 'node:crypto';

/** A fault to answer with instead of the documented answer; with `times` it ends by itself after so many uses. */
export type Fault = (
	| { kind: 'status'; status: number }
	/** The connection is cut without an answer. */
	| { kind: 'drop' }
	/** HTTP 200 with a login page. */
	| { kind: 'html' }
	/** HTTP 200, JSON that ends in the middle. */
	| { kind: 'broken-json' }
	/** HTTP 200 with no bytes. */
	| { kind: 'empty' }
	| { kind: 'raw'; status?: number; body: string }
	/** HTTP 200 with JSON of which a byte comes every so many ms, for minutes. */
	| { kind: 'drip'; everyMs: number }
	/** HTTP 200, an envelope with code 200 and these data. */
	| { kind: 'data'; data: Record<string, unknown> }
) & { times?: number };

export interface Client {
	clientId: string;
	refreshToken: string;
}

/** Everything about the sandbox that can be switched while it runs. */
export interface SandboxSettings {
	clients: Client[];
	/** `strict`: a refresh kills the older access tokens of its client. AiClk's pages do not say which it is. */
	mode: 'lenient' | 'strict';
	/** How a dead token is answered: with HTTP 401, or with HTTP 200 and code 401 in the body. */
	deadTokenAnswer: 'http-401' | 'body-401';
	/** Whether an answer holds a new refresh token, which kills the old one. */
	rotateRefreshToken: boolean;
	/** Refreshes a day. */
	refreshCap: number;
	/** What the answer says, in s; null leaves it out. */
	expiresInSeconds: number | string | null;
	/** How long tokens really live, in s; null: as long as the answer says. */
	lifeSeconds: number | null;
	tokenType: string;
	/** ms */
	tokenDelayMs: number;
	/** ms */
	apiDelayMs: number;
	/** Requests below /openapi/ that are answered within a second; null: all of them. The excess gets HTTP 429. */
	requestsPerSecond: number | null;
	/** What Retry-After says: seconds or a date; null leaves it out. */
	retryAfter: string | null;
	/** Rows that a list gives a page at most, whatever `page_size` asks for; null: as many as asked for. */
	maxPageSize: number | null;
	/** Digits as text where a number would be rounded. */
	accountIds: Array<number | string>;
	/** Days of spending that the fund list holds. */
	fundDays: number;
	/** Creatives of each account at the start. */
	creatives: number;
	/** Materials of each account at the start. */
	materials: number;
	tokenFault: Fault | null;
	/** Answered after the token check: a dead token is refused all the same. */
	apiFault: Fault | null;
}

/** As in AiClk's samples: 124 lower-case hexadecimal digits. */
export const DEFAULT_CLIENT: Client = {
	clientId: '1000000000000001',
	refreshToken: createHash('sha512').update('n8n-nodes-aiclk sandbox').digest('hex').slice(0, 124),
};

export const DEFAULT_SETTINGS: SandboxSettings = {
	clients: [DEFAULT_CLIENT],
	mode: 'lenient',
	deadTokenAnswer: 'http-401',
	rotateRefreshToken: false,
	refreshCap: 300,
	// The figure in AiClk's sample answer: 90 days and 2,159 s.
	expiresInSeconds: 7_778_159,
	lifeSeconds: null,
	tokenType: 'OGW_ACCESS_TOKEN',
	tokenDelayMs: 0,
	apiDelayMs: 0,
	requestsPerSecond: null,
	retryAfter: '1',
	maxPageSize: null,
	accountIds: [1000002],
	fundDays: 250,
	creatives: 250,
	materials: 250,
	tokenFault: null,
	apiFault: null,
};

const FAULT_KINDS = ['status', 'drop', 'html', 'broken-json', 'empty', 'raw', 'drip', 'data'];

const isSpan = (value: unknown) => typeof value === 'number' && value >= 0;
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
const isFault = (value: unknown) =>
	value === null || FAULT_KINDS.includes(String((value as Fault | undefined)?.kind));
const isClient = (value: unknown) => {
	const { clientId, refreshToken } = (value ?? {}) as Partial<Client>;
	return typeof clientId === 'string' && typeof refreshToken === 'string';
};

const CHECKS: { [key in keyof SandboxSettings]: (value: unknown) => boolean } = {
	clients: (value) => Array.isArray(value) && value.every(isClient),
	mode: (value) => value === 'lenient' || value === 'strict',
	deadTokenAnswer: (value) => value === 'http-401' || value === 'body-401',
	rotateRefreshToken: (value) => typeof value === 'boolean',
	refreshCap: isSpan,
	expiresInSeconds: (value) => value === null || ['number', 'string'].includes(typeof value),
	lifeSeconds: (value) => value === null || isSpan(value),
	tokenType: (value) => typeof value === 'string',
	tokenDelayMs: isSpan,
	apiDelayMs: isSpan,
	requestsPerSecond: (value) => value === null || isCount(value),
	retryAfter: (value) => value === null || typeof value === 'string',
	maxPageSize: (value) => value === null || (isCount(value) && value !== 0),
	accountIds: (value) =>
		Array.isArray(value) &&
		value.every((id) => Number.isSafeInteger(id) || /^\d+$/.test(String(id))),
	fundDays: isSpan,
	creatives: isSpan,
	materials: isSpan,
	tokenFault: isFault,
	apiFault: isFault,
};

/**
 * Applies changes to settings.
 *
 * @returns new settings
 * @throws Error that names an unknown setting, or one with a value that it cannot have
 */
export function changeSettings(
	settings: SandboxSettings,
	changes: Partial<SandboxSettings>,
): SandboxSettings {
	for (const [key, value] of Object.entries(changes)) {
		const check = CHECKS[key as keyof SandboxSettings] as ((value: unknown) => boolean) | undefined;
		if (check === undefined) throw new Error(`The sandbox has no setting '${key}'`);
		if (!check(value)) throw new Error(`'${key}' cannot be ${JSON.stringify(value)}`);
	}
	return { ...settings, ...changes };
}
