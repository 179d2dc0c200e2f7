import { memoize } from '../util/boundedMap';
import type { QuotaUsage } from './quota';

/** The header that carries the access token (AiClk docs, every curl example). */
export const DEFAULT_TOKEN_HEADER = 'OGW_ACCESS_TOKEN';

/** What is stored beside the access token, as one JSON text in the credential's hidden field `tokenState`. */
export interface TokenState {
	/** Of the input the token was issued for (`TokenInput.fingerprint`). */
	fingerprint: string;
	/**
	 * Counts the tokens issued for this input. Unlike a time it orders them right even when the clocks of
	 * two n8n processes differ.
	 */
	generation: number;
	/** ms since 1970, by the clock of the process that refreshed. */
	issuedAtMs: number;
	/** ms since 1970 */
	expiresAtMs: number;
	/** Whether AiClk named the expiry or its documented default of 90 days was assumed. */
	expirySource: 'answer' | 'assumed';
	/** Name of the request header, from `token_type`. */
	header: string;
	/** AiClk's trace_id of the refresh. */
	traceId: string | null;
	ledger: QuotaUsage;
}

/** An access token with what is known of it. */
export interface Token {
	accessToken: string;
	/** A refresh token that AiClk sent along in place of the typed one; '' when it never did. */
	rotatedRefreshToken: string;
	state: TokenState;
}

/** The hidden fields of the credential, exactly as n8n stores them. */
export interface StoredFields {
	accessToken: string;
	tokenState: string;
	rotatedRefreshToken: string;
	/** The expirable field: always '', so that n8n asks the hook before every request (n8n-core authentication.js). */
	tokenRenewal: '';
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTime = (value: unknown): value is number => Number.isSafeInteger(value);

function isLedger(value: unknown): value is QuotaUsage {
	const ledger = value as QuotaUsage | null;
	return (
		typeof ledger === 'object' &&
		ledger !== null &&
		isText(ledger.client) &&
		isText(ledger.day) &&
		Number.isSafeInteger(ledger.attempts) &&
		ledger.attempts >= 0
	);
}

function isTokenState(value: unknown): value is TokenState {
	const state = value as TokenState | null;
	return (
		typeof state === 'object' &&
		state !== null &&
		isText(state.fingerprint) &&
		Number.isSafeInteger(state.generation) &&
		isTime(state.issuedAtMs) &&
		isTime(state.expiresAtMs) &&
		state.expiresAtMs > state.issuedAtMs &&
		(state.expirySource === 'answer' || state.expirySource === 'assumed') &&
		isText(state.header) &&
		(state.traceId === null || isText(state.traceId)) &&
		isLedger(state.ledger)
	);
}

/** How many states are remembered: each is read twice before every request. */
const MOST_REMEMBERED = 10_000;

const parseState = memoize(MOST_REMEMBERED, (text): { state: TokenState | null } => {
	try {
		const value: unknown = JSON.parse(text);
		return { state: isTokenState(value) ? value : null };
	} catch {
		return { state: null };
	}
});

/**
 * Reads the text of the field `tokenState`.
 *
 * @returns null for anything this version does not understand; not to be changed, for others are given the same object
 */
export const readState = (text: unknown): Readonly<TokenState> | null =>
	isText(text) && text !== '' ? parseState(text).state : null;

/** What a credential holds: a token (for whatever input), or null when there is none or it cannot be read. */
export function readToken(credentials: Record<string, unknown>): Token | null {
	const state = readState(credentials.tokenState);
	const { accessToken, rotatedRefreshToken } = credentials;
	if (state === null || !isText(accessToken) || accessToken === '') return null;
	return {
		accessToken,
		rotatedRefreshToken: isText(rotatedRefreshToken) ? rotatedRefreshToken : '',
		state,
	};
}

/** The fields to store for a token, with the ledger as it stands now. */
export function toStoredFields(token: Token, ledger: QuotaUsage): StoredFields {
	return {
		accessToken: token.accessToken,
		tokenState: JSON.stringify({ ...token.state, ledger }),
		rotatedRefreshToken: token.rotatedRefreshToken,
		tokenRenewal: '',
	};
}

/** What must never show up in a text: all that a credential holds of tokens, as typed and as stored. */
export const secretsOf = ({
	refreshToken,
	accessToken,
	rotatedRefreshToken,
}: Record<string, unknown>): string[] =>
	[refreshToken, accessToken, rotatedRefreshToken].filter((value) => typeof value === 'string');
