import type { IHttpRequestOptions } from 'n8n-workflow';

import { TOKEN_TIMEOUT_MS } from '../../aiclk/protocol/accountInfo.ts';
import { quotaDay, REFRESHES_PER_DAY } from '../../aiclk/token/quota.ts';
import type { Clock } from './clock.mts';
import type { Scenario } from './fleet.mts';

/** How long a request to the API takes, there and back, in ms. */
export const API_MS = 100;

const FIRST_REFRESH_MS = 500;

export const LIFE_MS = 90 * 86_400_000;

const json = (body: unknown, statusCode = 200) => ({ statusCode, body: JSON.stringify(body) });

/** AiClk in simulated time: issues tokens, counts refreshes by day, and fails to when it is out of order. */
export class Server {
	/** The token endpoint answers HTTP 500 in this span, ms since 1970. Every attempt counts against the cap. */
	outage = { fromMs: Infinity, toMs: Infinity };

	/** Refreshes that came, by day. */
	readonly attempts = new Map<string, number>();

	/** Tokens issued so far. */
	issued = 0;

	/** Refreshes on their way. */
	inFlight = 0;

	private readonly expiry = new Map<string, number>();

	/** @param onIssued called when a token has been issued (and a strict server has killed the others) */
	constructor(
		private readonly clock: Clock,
		private readonly settings: Scenario,
		private readonly onIssued: () => void,
	) {}

	isLive(accessToken: string): boolean {
		return this.clock.nowMs < (this.expiry.get(accessToken) ?? 0);
	}

	/** n8n's HTTP helper. */
	readonly http = async (options: IHttpRequestOptions): Promise<unknown> => {
		if (!options.url.endsWith('/oauth2/token')) {
			return await this.call(String(options.headers?.OGW_ACCESS_TOKEN));
		}
		this.inFlight++;
		try {
			return await this.refresh(TOKEN_TIMEOUT_MS);
		} finally {
			this.inFlight--;
		}
	};

	/** A request to the API; the token is judged half-way. */
	async call(accessToken: string): Promise<{ statusCode: number; body: { code: number } }> {
		await this.clock.sleep(API_MS / 2);
		const isLive = this.isLive(accessToken);
		await this.clock.sleep(API_MS / 2);
		const refused = this.settings.deadTokenAnswer === 'http-401' ? 401 : 200;
		return isLive
			? { statusCode: 200, body: { code: 200 } }
			: { statusCode: refused, body: { code: 401 } };
	}

	private async refresh(timeoutMs: number): Promise<unknown> {
		// The very first token is had in half a second: this is about what comes after it.
		const refreshMs = this.issued === 0 ? FIRST_REFRESH_MS : this.settings.refreshMs;
		const answer = new Promise<unknown>((resolve) => {
			this.clock.after(refreshMs / 2, () => {
				const body = this.answerRefresh();
				this.clock.after(refreshMs / 2, () => resolve(body));
			});
		});
		if (refreshMs <= timeoutMs) return await answer;
		// The client gives up; the refresh takes effect all the same.
		await this.clock.sleep(timeoutMs);
		throw Object.assign(new Error('no answer in time'), { code: 'ECONNABORTED' });
	}

	private answerRefresh(): unknown {
		const { nowMs } = this.clock;
		const day = quotaDay(nowMs);
		const attempts = (this.attempts.get(day) ?? 0) + 1;
		this.attempts.set(day, attempts);
		if (nowMs >= this.outage.fromMs && nowMs < this.outage.toMs) {
			return json({ code: 500, data: null, message: 'out of order' }, 500);
		}
		if (attempts > REFRESHES_PER_DAY) return json({ code: 429, data: null, message: 'cap' });
		if (this.settings.strict) this.expiry.clear();
		const accessToken = `access-${++this.issued}`;
		this.expiry.set(accessToken, nowMs + LIFE_MS);
		this.onIssued();
		return json({
			code: 200,
			data: { access_token: accessToken, expires_in: LIFE_MS / 1000 },
			message: 'Success',
		});
	}
}
