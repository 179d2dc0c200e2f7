import { isPlainObject } from '../protocol/json';
import { shortFingerprint } from './input';
import type { QuotaUsage } from './quota';

/** The header that carries the access token (every curl example on AiClk's pages). */
export const DEFAULT_TOKEN_HEADER = 'OGW_ACCESS_TOKEN';

/** Why a refresh was made. */
export type RefreshReason =
	'no-token' | 'input-changed' | 'expired' | 'rejected' | 'renewal' | 'forced';

/** The workflow that asked for a refresh. AiClk Token knows it, the hook does not. */
export interface AskingWorkflow {
	id: string;
	name: string;
}

/** A successful refresh. */
export interface RefreshRecord {
	atMs: number;
	reason: RefreshReason;
	workflow: AskingWorkflow | null;
}

/**
 * Whether AiClk's rejections can be believed when a token is probed with an account: `trusted` once AiClk has accepted a probe,
 * `distrusted` once it has rejected old and new tokens alike, as it may do if a permission is missing.
 */
export interface ProbeTrust {
	/** The account of the probes. */
	accountId: string;
	trust: 'trusted' | 'distrusted';
	/** Since when, ms since 1970. */
	sinceMs: number;
}

/** What is stored with the access token: one JSON string in the credential's hidden field `tokenState`. */
export interface TokenState {
	/** The input that the token was issued for (`TokenInput.fingerprint`). */
	fingerprint: string;
	/** The chain of refreshes that the token belongs to, named by the short fingerprint of its first access token. */
	lineage: string;
	/** Counts the tokens of a lineage. Unlike a time it is right even if the clocks of two processes differ. */
	generation: number;
	/** When the refresh was sent, by the clock of the process that sent it. */
	issuedAtMs: number;
	expiresAtMs: number;
	/** Whether AiClk named the expiry, or its documented default of 90 days was assumed. */
	expirySource: 'answer' | 'assumed';
	/** The name of the request header, from `token_type`. */
	header: string;
	/** AiClk's trace_id of the refresh. */
	traceId: string | null;
	quota: QuotaUsage | null;
	probeTrust: ProbeTrust | null;
	/** The last refreshes, newest first, at most 10. */
	refreshes: readonly RefreshRecord[];
}

/** An access token and what is known about it. */
export interface Token {
	/** '' only if AiClk sent a new refresh token with an unusable access token. The token then counts as expired. */
	accessToken: string;
	/** The refresh token that AiClk sent to replace the typed one; '' if it never did. */
	rotatedRefreshToken: string;
	state: Readonly<TokenState>;
}

/** The hidden fields of the credential, exactly as n8n stores them. */
export interface StoredFields {
	accessToken: string;
	tokenState: string;
	/** Left out to leave it as it is. */
	rotatedRefreshToken?: string;
	/** The expirable field. Always '', so that n8n asks the hook before every request (n8n credentials-helper.js). */
	tokenRenewal: '';
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);

const isQuotaUsage = (value: unknown): value is QuotaUsage =>
	isPlainObject(value) &&
	isString(value.clientKey) &&
	isString(value.day) &&
	isInteger(value.attempts) &&
	value.attempts >= 0;

const isProbeTrust = (value: unknown): value is ProbeTrust =>
	isPlainObject(value) &&
	isString(value.accountId) &&
	(value.trust === 'trusted' || value.trust === 'distrusted') &&
	isInteger(value.sinceMs);

const isAskingWorkflow = (value: unknown): value is AskingWorkflow =>
	isPlainObject(value) && isString(value.id) && isString(value.name);

const isRecord = (value: unknown): value is RefreshRecord =>
	isPlainObject(value) &&
	isInteger(value.atMs) &&
	isString(value.reason) &&
	(value.workflow === null || isAskingWorkflow(value.workflow));

/** What a token needs must be there. Anything else may be missing, as in a state that an older version stored. */
function toState(value: Record<string, unknown>, accessToken: string): TokenState | null {
	const { fingerprint, lineage, generation, issuedAtMs, expiresAtMs, header, traceId } = value;
	const isUsable =
		isString(fingerprint) &&
		isInteger(generation) &&
		isInteger(issuedAtMs) &&
		isInteger(expiresAtMs) &&
		expiresAtMs > issuedAtMs &&
		isString(header);
	if (!isUsable) return null;
	const { refreshes } = value;
	return {
		fingerprint,
		lineage: isString(lineage) ? lineage : shortFingerprint(accessToken),
		generation,
		issuedAtMs,
		expiresAtMs,
		expirySource: value.expirySource === 'answer' ? 'answer' : 'assumed',
		header,
		traceId: isString(traceId) ? traceId : null,
		quota: isQuotaUsage(value.quota) ? value.quota : null,
		probeTrust: isProbeTrust(value.probeTrust) ? value.probeTrust : null,
		refreshes: Array.isArray(refreshes) ? refreshes.filter(isRecord) : [],
	};
}

/** The token in a credential, whatever input it was issued for; null if there is none or it cannot be read. */
export function readToken(credentials: Record<string, unknown>): Token | null {
	const { accessToken, tokenState, rotatedRefreshToken } = credentials;
	if (!isString(accessToken) || !isString(tokenState)) return null;
	const rotated = isString(rotatedRefreshToken) ? rotatedRefreshToken : '';
	if (accessToken === '' && rotated === '') return null;
	try {
		const state = toState(JSON.parse(tokenState) as Record<string, unknown>, accessToken);
		return state && { accessToken, rotatedRefreshToken: rotated, state };
	} catch {
		return null;
	}
}

/**
 * The fields to store for a token. n8n puts them into the row as it is then (2.34 and newer), so the refresh token is among them
 * only where it changes: another process may just have stored a newer one. Where it stays the same, it is left out, unless the input is another one.
 *
 * @param latest what has become known since the token was issued
 * @param stored what the credential held when it was read
 */
export function toStoredFields(
	{ accessToken, rotatedRefreshToken, state }: Token,
	latest: Partial<Pick<TokenState, 'quota' | 'probeTrust'>> = {},
	stored: Token | null = null,
): StoredFields {
	const isOther = stored !== null && stored.state.fingerprint !== state.fingerprint;
	const isUnchanged = rotatedRefreshToken === stored?.rotatedRefreshToken;
	const isKept = !isOther && (isUnchanged || rotatedRefreshToken === '');
	return {
		accessToken,
		tokenState: JSON.stringify({ ...state, ...latest }),
		...(!isKept && { rotatedRefreshToken }),
		tokenRenewal: '',
	};
}

/** What must never appear in a text: all tokens in a credential, typed or stored. */
export const secretsOf = ({
	refreshToken,
	accessToken,
	rotatedRefreshToken,
}: Record<string, unknown>): string[] =>
	[refreshToken, accessToken, rotatedRefreshToken].filter(isString);
