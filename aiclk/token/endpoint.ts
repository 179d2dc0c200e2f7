import type { IHttpRequestOptions } from 'n8n-workflow';

import { TOKEN_TIMEOUT_MS } from '../protocol/accountInfo';
import { CODE_SUCCESS, type Envelope, isHttpAnswer, readEnvelope } from '../protocol/envelope';
import { readNetworkError } from '../protocol/networkErrors';
import { fail, ok, type Result } from '../util/result';
import { sanitize } from '../util/sanitize';
import type { TokenFailure } from './errors';
import type { TokenInput } from './input';
import { DEFAULT_TOKEN_HEADER } from './storedToken';

/** AiClk docs, "refresh access token". */
const TOKEN_PATH = '/oauth2/token';

/** A documented answer has some 200 characters; anything beyond this is not AiClk's. */
const LONGEST_ANSWER = 64 * 1024;
const LONGEST_TOKEN = 4096;

/** "Valid 90 days by default" (AiClk docs, "refresh access token"). */
const DEFAULT_LIFE_MS = 90 * 24 * 3_600_000;

/** What a successful refresh hands out, checked. Times in ms since 1970. */
export interface IssuedToken {
	accessToken: string;
	/** '' when the answer held none, which is the documented case. */
	refreshToken: string;
	expiresAtMs: number;
	expirySource: 'answer' | 'assumed';
	header: string;
	traceId: string | null;
}

/**
 * The request for a new access token: one POST, multipart, exactly the two documented fields.
 * The answer is taken as text and parsed here, so that its size and form are checked in one place.
 *
 * @param refreshToken the one in use: rotated, or else as typed
 */
export function refreshRequest(input: TokenInput, refreshToken: string): IHttpRequestOptions {
	return {
		method: 'POST',
		url: `${input.baseUrl}${TOKEN_PATH}`,
		// n8n turns a plain object into multipart with a boundary for this header (@n8n/backend-network request.js).
		headers: { 'Content-Type': 'multipart/form-data', Accept: 'application/json' },
		body: { client_id: input.clientId, refresh_token: refreshToken },
		encoding: 'text',
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		disableFollowRedirect: true,
		timeout: TOKEN_TIMEOUT_MS,
	};
}

/**
 * Whether a token from the network may be stored and sent: printable ASCII without blanks (or it could break
 * the header), not beginning with `=` (n8n would run it as an expression when it reads the credential).
 */
export const isStorableToken = (value: unknown): value is string =>
	typeof value === 'string' &&
	value.length <= LONGEST_TOKEN &&
	/^[\x21-\x7e]+$/.test(value) &&
	!value.startsWith('=');

/** Headers that mean something else, and scheme names that some services put into `token_type`. */
const NOT_A_TOKEN_HEADER =
	/^(accept.*|bearer|basic|connection|content-.*|cookie2?|date|digest|expect|forwarded|host|keep-alive|mac|origin|proxy-.*|range|referer|sec-.*|te|trailer|transfer-encoding|upgrade|user-agent|via|x-forwarded-.*)$/i;

/** The header named by `token_type`, or the documented one if that is no usable header name. */
export const readTokenHeader = (tokenType: unknown): string =>
	typeof tokenType === 'string' &&
	/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(tokenType) &&
	!NOT_A_TOKEN_HEADER.test(tokenType)
		? tokenType
		: DEFAULT_TOKEN_HEADER;

/**
 * Reads `expires_in`. AiClk's page calls it an expiry timestamp and shows a duration in seconds, so the size
 * decides: from 1e12 ms since 1970, from 1e9 s since 1970, below that seconds from now.
 *
 * @returns when the token expires; 90 days from now, marked as assumed, for anything unusable or past
 */
export function readExpiry(
	expiresIn: unknown,
	nowMs: number,
): Pick<IssuedToken, 'expiresAtMs' | 'expirySource'> {
	const isText = typeof expiresIn === 'string' && /^\s*\d{1,16}(\.\d{1,6})?\s*$/.test(expiresIn);
	const number = isText ? Number(expiresIn) : expiresIn;
	if (typeof number === 'number' && Number.isFinite(number) && number > 0) {
		const expiresAtMs = Math.floor(
			number >= 1e12 ? number : number >= 1e9 ? number * 1000 : nowMs + number * 1000,
		);
		// 8.64e15 ms is the last moment that a Date can hold (ECMAScript, "Time Values").
		if (expiresAtMs > nowMs && expiresAtMs <= 8.64e15)
			return { expiresAtMs, expirySource: 'answer' };
	}
	return { expiresAtMs: nowMs + DEFAULT_LIFE_MS, expirySource: 'assumed' };
}

const traceText = ({ traceId }: Envelope): string =>
	traceId === null ? '' : ` trace_id: ${traceId}.`;

const failure = (kind: TokenFailure['kind'], message: string, description: string) =>
	fail<TokenFailure>({ kind, message, description });

const TRY_LATER =
	'Try again in a few minutes. If it lasts, check the Base URL in the AiClk API credential, the network and proxy of n8n, and whether AiClk is available.';

const NOT_STORED = 'Nothing of this answer was stored.';

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** AiClk said no: its own words, and what a person can do about it. A status from 500 on is an outage, not a refusal. */
function refused(envelope: Envelope, statusCode: number, secrets: readonly string[]) {
	const words = sanitize(envelope.message, secrets) || 'no reason given';
	const status = statusCode === 200 ? '' : `, HTTP ${statusCode}`;
	const isOutage = statusCode >= 500;
	const advice = isOutage
		? TRY_LATER
		: 'Check the Client ID and the Refresh Token in the AiClk API credential; if they are right, get a new refresh token from AiClk or ask its support.';
	return failure(
		isOutage ? 'unavailable' : 'refused',
		`AiClk did not renew the access token: ${words} (code ${envelope.code}${status})`,
		`${advice}${traceText(envelope)}`,
	);
}

/**
 * Reads the answer of the token endpoint.
 *
 * @param answer a full response with the body as text
 * @param nowMs when the request was sent, ms since 1970: a life counts from there
 * @param secrets what must not show up in a failure (client id, refresh token)
 * @returns the token, or a failure: `unavailable` (not an answer of AiClk's), `refused`, or `unusable`
 */
export function readRefreshAnswer(
	answer: unknown,
	nowMs: number,
	secrets: readonly string[],
): Result<IssuedToken, TokenFailure> {
	if (!isHttpAnswer(answer)) {
		return failure('unavailable', 'AiClk sent no answer that n8n could read', TRY_LATER);
	}
	const { statusCode, body } = answer;
	const text = typeof body === 'string' && body.length <= LONGEST_ANSWER ? body : '';
	const envelope = readEnvelope(parseJson(text));
	const isSuccessStatus = statusCode >= 200 && statusCode < 300;

	if (envelope === null || (envelope.code === CODE_SUCCESS && !isSuccessStatus)) {
		return failure(
			'unavailable',
			`AiClk's token endpoint did not answer as documented (HTTP ${statusCode})`,
			`${NOT_STORED} ${TRY_LATER}`,
		);
	}
	if (envelope.code !== CODE_SUCCESS) return refused(envelope, statusCode, secrets);

	const data = (
		typeof envelope.data === 'object' && envelope.data !== null ? envelope.data : {}
	) as Record<string, unknown>;
	const hasRefreshToken = data.refresh_token !== undefined && data.refresh_token !== null;
	const isUsable =
		isStorableToken(data.access_token) &&
		(!hasRefreshToken || data.refresh_token === '' || isStorableToken(data.refresh_token));
	if (!isUsable) {
		return failure(
			'unusable',
			'AiClk answered with a token that cannot be used',
			`The token was missing, not a text, or held characters that no header may hold. ${NOT_STORED} Ask AiClk's support.${traceText(envelope)}`,
		);
	}
	return ok({
		accessToken: data.access_token as string,
		refreshToken: hasRefreshToken ? (data.refresh_token as string) : '',
		...readExpiry(data.expires_in, nowMs),
		header: readTokenHeader(data.token_type),
		traceId: envelope.traceId,
	});
}

/** Turns what n8n's HTTP helper threw into a failure. @param baseUrl the credential's */
export const unreachable = (error: unknown, baseUrl: string): TokenFailure => ({
	kind: 'unavailable',
	message: `AiClk (${baseUrl}) could not be reached to renew the access token: ${readNetworkError(error).words}`,
	description: TRY_LATER,
});
