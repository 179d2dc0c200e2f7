import { ageOf, renewsAtMs } from './age';
import { quotaDayEndsAtMs, REFRESHES_PER_DAY } from './quota';
import { shortFingerprint } from './input';
import type { Token } from './storedToken';

/** What is known of a stored token. */
export type TokenStatus =
	| 'valid'
	/** Not expired, and old enough to be renewed. */
	| 'renewal-due'
	| 'expired'
	/** The credential holds no token. */
	| 'missing'
	/** The token was issued for another client id, refresh token or base URL. */
	| 'credentials-changed'
	/** AiClk has rejected it. */
	| 'rejected';

/** Everything about a stored token except the token. Times are ISO 8601 in UTC; null if unknown. */
export interface TokenReport {
	status: TokenStatus;
	/** Whether a request sent now would carry a valid token. */
	valid: boolean;
	issuedAt: string | null;
	expiresAt: string | null;
	/** s until it expires, then 0. A token counts as expired a minute earlier. */
	expiresInSeconds: number | null;
	/** Whole days, rounded down. */
	expiresInDays: number | null;
	/** When the credential begins to renew the token. */
	renewsAt: string | null;
	expirySource: 'answer' | 'assumed' | null;
	refreshesToday: number;
	refreshesLeftToday: number;
	refreshLimitResetsAt: string;
	/** The first 8 hex digits of the token's SHA-256, to tell tokens apart. */
	tokenFingerprint: string | null;
	/** The request header that carries the token. */
	tokenType: string | null;
	/** AiClk's trace_id of the last refresh. */
	traceId: string | null;
	/** The last successful refreshes, newest first, at most 10. */
	recentRefreshes: Array<{
		at: string;
		reason: string;
		/** The workflow whose AiClk Token node asked for it; null if a request needed it, or if that is unknown. */
		workflowId: string | null;
		workflowName: string | null;
	}>;
}

const DAY_S = 86_400;

const iso = (ms: number): string => new Date(ms).toISOString();

function statusOf(token: Token | null, fingerprint: string, nowMs: number): TokenStatus {
	if (token === null || token.accessToken === '') return 'missing';
	if (token.state.fingerprint !== fingerprint) return 'credentials-changed';
	return ageOf(token.state, nowMs);
}

/** Whether requests work with a status. */
const isValid = (status: TokenStatus): boolean => status === 'valid' || status === 'renewal-due';

/** Describes a stored token for the current input. @param isRejected whether AiClk has just rejected it */
export function reportToken(
	token: Token | null,
	fingerprint: string,
	nowMs: number,
	refreshesToday: number,
	isRejected = false,
): TokenReport {
	const byStore = statusOf(token, fingerprint, nowMs);
	const status = isRejected && isValid(byStore) ? 'rejected' : byStore;
	const state = token?.state ?? null;
	const leftS = state === null ? null : Math.max(0, Math.floor((state.expiresAtMs - nowMs) / 1000));
	return {
		status,
		valid: isValid(status),
		issuedAt: state && iso(state.issuedAtMs),
		expiresAt: state && iso(state.expiresAtMs),
		expiresInSeconds: leftS,
		expiresInDays: leftS === null ? null : Math.floor(leftS / DAY_S),
		renewsAt: state && iso(renewsAtMs(state)),
		expirySource: state && state.expirySource,
		refreshesToday,
		refreshesLeftToday: Math.max(0, REFRESHES_PER_DAY - refreshesToday),
		refreshLimitResetsAt: iso(quotaDayEndsAtMs(nowMs)),
		tokenFingerprint: token?.accessToken ? shortFingerprint(token.accessToken) : null,
		tokenType: state && state.header,
		traceId: state && state.traceId,
		recentRefreshes: (state?.refreshes ?? []).map(({ atMs, reason, workflow }) => ({
			at: iso(atMs),
			reason,
			workflowId: workflow?.id ?? null,
			workflowName: workflow?.name ?? null,
		})),
	};
}

/** Whether a token expires within so many days. One without an expiry does. */
export const expiresWithin = ({ expiresInSeconds }: TokenReport, days: number): boolean =>
	(expiresInSeconds ?? 0) <= days * DAY_S;
