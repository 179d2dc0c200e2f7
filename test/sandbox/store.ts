import { randomBytes } from 'node:crypto';

import { dayInChina } from './china';
import type { TokenKind } from './journal';
import type { Client, SandboxSettings } from './settings';

interface IssuedToken {
	clientId: string;
	/** ms since 1970 */
	expiresAt: number;
	revoked: boolean;
}

/** Figures about what the sandbox has seen. */
export interface SandboxState {
	/** POSTs to the token endpoint on this day of the sandbox's clock, whatever came of them. */
	refreshesToday: number;
	refreshesInAll: number;
	/** Calls below /openapi/ that were not throttled. */
	apiCalls: number;
	callsWithDeadToken: number;
	liveAccessTokens: number;
	/** YYYY-MM-DD in Asia/Shanghai */
	day: string;
}

/** The life of tokens as the settings say, in s. */
function lifeSeconds({ lifeSeconds: life, expiresInSeconds }: SandboxSettings): number {
	if (life !== null) return life;
	const isDuration = typeof expiresInSeconds === 'number' && expiresInSeconds < 1e9;
	return isDuration ? expiresInSeconds : 90 * 86_400;
}

const sum = (counts: Iterable<number>): number => [...counts].reduce((a, b) => a + b, 0);

/** Tokens and counts of the sandbox. Times are handed in, in ms since 1970. */
export class Store {
	private readonly tokens = new Map<string, IssuedToken>();

	/** Refresh tokens that a rotation has put in the place of the configured ones, by client id. */
	private readonly rotated = new Map<string, string>();

	/** Refreshes that arrived, by day and then by client id ('' where none was named). */
	private readonly refreshes = new Map<string, Map<string, number>>();

	/** Every access token and refresh token that was handed out. */
	private readonly handedOut = new Set<string>();

	/** What has been moved out of an account, in fen. */
	private readonly charged = new Map<string, number>();

	private apiCalls = 0;

	private deadCalls = 0;

	/** Counts a refresh that arrived, and says how many this client has sent that day, this one included. */
	countRefresh(now: number, clientId: string): number {
		const day = dayInChina(now);
		const counts = this.refreshes.get(day) ?? new Map<string, number>();
		const count = (counts.get(clientId) ?? 0) + 1;
		this.refreshes.set(day, counts.set(clientId, count));
		return count;
	}

	countCall(token: TokenKind): void {
		this.apiCalls++;
		if (token !== 'live') this.deadCalls++;
	}

	/** The refresh token of a client that works now. */
	refreshToken(client: Client): string {
		return this.rotated.get(client.clientId) ?? client.refreshToken;
	}

	/** Issues an access token, and a refresh token if the settings say so. */
	issue(
		client: Client,
		settings: SandboxSettings,
		now: number,
	): { accessToken: string; refreshToken: string | null } {
		if (settings.mode === 'strict') this.revokeWhere((token) => token.clientId === client.clientId);
		const accessToken = randomBytes(32).toString('hex');
		const expiresAt = now + lifeSeconds(settings) * 1000;
		this.tokens.set(accessToken, { clientId: client.clientId, expiresAt, revoked: false });
		this.handedOut.add(accessToken);
		if (!settings.rotateRefreshToken) return { accessToken, refreshToken: null };
		const refreshToken = randomBytes(62).toString('hex');
		this.rotated.set(client.clientId, refreshToken);
		this.handedOut.add(refreshToken);
		return { accessToken, refreshToken };
	}

	judge(accessToken: string | undefined, now: number): TokenKind {
		if (accessToken === undefined || accessToken === '') return 'missing';
		const token = this.tokens.get(accessToken);
		if (token === undefined) return 'unknown';
		return token.revoked || now >= token.expiresAt ? 'dead' : 'live';
	}

	/** The client that an access token was issued to. */
	clientOf(accessToken: string | undefined): string | undefined {
		return this.tokens.get(accessToken ?? '')?.clientId;
	}

	/** Moves an amount in fen out of an account, or back into it if it is negative. @returns false if there is too little */
	charge(account: string, amount: number, most: number): boolean {
		const charged = (this.charged.get(account) ?? 0) + amount;
		if (charged > most) return false;
		this.charged.set(account, charged);
		return true;
	}

	/** What must not show up anywhere: for tests that search what n8n has stored. */
	secrets(): string[] {
		return [...this.handedOut];
	}

	/** Kills one access token, or all of them. */
	revoke(accessToken?: string): void {
		const chosen = accessToken === undefined ? undefined : this.tokens.get(accessToken);
		this.revokeWhere((token) => accessToken === undefined || token === chosen);
	}

	state(now: number): SandboxState {
		const day = dayInChina(now);
		return {
			refreshesToday: sum(this.refreshes.get(day)?.values() ?? []),
			refreshesInAll: sum([...this.refreshes.values()].flatMap((counts) => [...counts.values()])),
			apiCalls: this.apiCalls,
			callsWithDeadToken: this.deadCalls,
			liveAccessTokens: [...this.tokens.keys()].filter((token) => this.judge(token, now) === 'live')
				.length,
			day,
		};
	}

	private revokeWhere(isChosen: (token: IssuedToken) => boolean): void {
		for (const token of this.tokens.values()) if (isChosen(token)) token.revoked = true;
	}
}
