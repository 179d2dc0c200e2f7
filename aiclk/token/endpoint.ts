import type { IHttpRequestOptions } from 'n8n-workflow';

import { TOKEN_TIMEOUT_MS } from '../protocol/accountInfo';
import { CODE_SUCCESS, type Envelope, isHttpAnswer, readEnvelope } from '../protocol/envelope';
import { readNetworkError } from '../protocol/networkErrors';
import { sanitize } from '../util/sanitize';
import { fail, type Failure, newFailure, ok, type Result } from '../util/failure';
import type { TokenInput } from './input';
import { REFRESHES_PER_DAY } from './quota';
import { DEFAULT_TOKEN_HEADER, type TokenState } from './storedToken';

/** AiClk docs, "refresh access token". */
const TOKEN_PATH = '/oauth2/token';

/** A documented answer has about 200 characters. Anything longer than this is not AiClk's. */
const MAX_ANSWER_LENGTH = 64 * 1024;
const MAX_TOKEN_LENGTH = 4096;

const DAY_MS = 24 * 3_600_000;

/** "Valid 90 days by default" (AiClk docs, "refresh access token"). */
const DEFAULT_LIFE_MS = 90 * DAY_MS;

/** A shorter life could not be sustained by the day's refreshes. A longer one is taken for a mistake, or for another unit. */
const MIN_LIFE_MS = DAY_MS / REFRESHES_PER_DAY;
const MAX_LIFE_MS = 400 * DAY_MS;

/** An access token from the network, checked. */
export interface IssuedToken extends Pick<
	TokenState,
	'expiresAtMs' | 'expirySource' | 'header' | 'traceId'
> {
	accessToken: string;
}

/**
 * The request for a new access token: a multipart POST with exactly the two documented fields. The answer is taken as text, so
 * that its size and its form are checked in one place.
 *
 * @param refreshToken the one in use: the rotated one, otherwise the typed one
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
		abortSignal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
	};
}

/**
 * Whether a token from the network may be stored and sent. Anything but printable ASCII without spaces could break the header. A
 * leading `=` would make n8n run it as an expression when it reads the credential.
 */
export const isStorableToken = (value: unknown): value is string =>
	typeof value === 'string' &&
	value.length <= MAX_TOKEN_LENGTH &&
	/^[\x21-\x7e]+$/.test(value) &&
	!value.startsWith('=');

/** The header that `token_type` names, as AiClk's does; the documented one unless it is a header's name that holds TOKEN. */
export const readTokenHeader = (tokenType: unknown): string =>
	typeof tokenType === 'string' &&
	/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(tokenType) &&
	/token/i.test(tokenType)
		? tokenType
		: DEFAULT_TOKEN_HEADER;

/**
 * Reads `expires_in`. AiClk's page calls it an expiry timestamp but shows a duration in seconds. So the size decides: 1e12 and
 * above is ms since 1970, 1e9 and above is s since 1970, anything below is seconds from now.
 *
 * @returns when the token expires; for anything unusable, or a life below 288 s or above 400 days: 90 days from now, marked as assumed
 */
export function readExpiry(
	expiresIn: unknown,
	nowMs: number,
): Pick<IssuedToken, 'expiresAtMs' | 'expirySource'> {
	const number = ['number', 'string'].includes(typeof expiresIn) ? Number(expiresIn) : NaN;
	const expiresAtMs = Math.floor(
		number >= 1e12 ? number : number >= 1e9 ? number * 1000 : nowMs + number * 1000,
	);
	const lifeMs = expiresAtMs - nowMs;
	return lifeMs >= MIN_LIFE_MS && lifeMs <= MAX_LIFE_MS
		? { expiresAtMs, expirySource: 'answer' }
		: { expiresAtMs: nowMs + DEFAULT_LIFE_MS, expirySource: 'assumed' };
}

const TRY_LATER = 'Try again in a few minutes.';
const IF_IT_LASTS =
	"If it lasts, check the 'Base URL' in the AiClk API credential, the network and proxy of n8n, and whether AiClk is available.";
const CHECK_CREDENTIAL = "Check the 'Client ID' and the 'Refresh Token'.";
const IF_THEY_ARE_RIGHT =
	'If both are as AiClk shows them, get a new refresh token from AiClk or ask its support.';

const traceText = ({ traceId }: Envelope): string =>
	traceId === null ? '' : ` trace_id: ${traceId}.`;

/** It passes without a change of the credential: AiClk takes no more requests at the moment, or is out of order. */
const isTemporary = (code: number): boolean => code === 429 || (code >= 500 && code <= 599);

/** AiClk refused, in its own words. A status or code of 429, or from 500 to 599, is an outage. */
function notRefreshed(envelope: Envelope, statusCode: number, secrets: readonly string[]): Failure {
	const words = sanitize(envelope.message, secrets) || 'no reason stated';
	const status = statusCode === 200 ? '' : `, HTTP ${statusCode}`;
	const outage = isTemporary(statusCode) || isTemporary(envelope.code);
	const what = outage
		? 'AiClk could not refresh the access token'
		: 'AiClk refused to refresh the access token';
	return newFailure({
		kind: outage ? 'unavailable' : 'refused',
		message: `${what}: ${words} (code ${envelope.code}${status}). ${outage ? TRY_LATER : CHECK_CREDENTIAL}`,
		description: `${outage ? IF_IT_LASTS : IF_THEY_ARE_RIGHT}${traceText(envelope)}`,
	});
}

/** The members of the answer (P1) whose values are plain ASCII. */
const MEMBER =
	/"(code|trace_id|access_token|refresh_token|expires_in|token_type)"\s*:\s*(?:"([^"\\]*)"|(\d+))/g;

/** Finds the documented members of a text that is not quite JSON. Of two with the same name, the first counts. */
function salvage(text: string): unknown {
	const found = [...text.matchAll(MEMBER)].reverse();
	const members = Object.fromEntries(
		found.map(([, name, string, digits]) => [name, string ?? Number(digits)]),
	);
	return { ...members, data: members };
}

/**
 * Parses an answer, and says whether it is whole. One whose words are in GBK is not quite JSON: n8n reads its bytes as UTF-8, and a
 * pair that ends in a backslash escapes what follows. A new refresh token is worth reading even in an answer that was cut off.
 */
function parseAsFarAsPossible(text: string): { body: unknown; isWhole: boolean } {
	try {
		return { body: JSON.parse(text), isWhole: true };
	} catch {
		return { body: salvage(text), isWhole: /^\s*\{.*\}\s*$/s.test(text) };
	}
}

/** What the token endpoint answered. */
export interface RefreshAnswer {
	/** The access token, or why there is none: `unavailable` (not AiClk's answer, or an outage), `refused` or `unusable`. */
	issued: Result<IssuedToken, Failure>;
	/**
	 * A refresh token that came with it, checked, whatever the access token is worth. '' if none came, as documented; null if one came
	 * that cannot be stored.
	 */
	refreshToken: string | null;
}

/** Something other than AiClk's answer came, or only a part of it. */
const unavailable = (message: string, refreshToken: string | null) => {
	const nothing = refreshToken ? '' : 'Nothing of this answer was stored. ';
	const description = `${nothing}${IF_IT_LASTS}`;
	return fail(newFailure({ kind: 'unavailable', message, description }));
};

/** Reads the access token from the `data` of a successful answer. */
function readIssued(
	data: Record<string, unknown>,
	envelope: Envelope,
	nowMs: number,
): RefreshAnswer['issued'] {
	if (!isStorableToken(data.access_token)) {
		const description = `The access token was missing, not text, or held characters that a header must not hold. It was not stored.${traceText(envelope)}`;
		const message = "AiClk answered with a token that cannot be used. Ask AiClk's support.";
		return fail(newFailure({ kind: 'unusable', message, description }));
	}
	return ok({
		accessToken: data.access_token,
		...readExpiry(data.expires_in, nowMs),
		header: readTokenHeader(data.token_type),
		traceId: envelope.traceId,
	});
}

/**
 * Reads the answer of the token endpoint.
 *
 * @param answer a full response with the body as text
 * @param nowMs when the request was sent: the life of the token counts from there
 * @param secrets what must not appear in a failure (client id, refresh tokens)
 */
export function readRefreshAnswer(
	answer: unknown,
	nowMs: number,
	secrets: readonly string[],
): RefreshAnswer {
	if (!isHttpAnswer(answer)) {
		const message = `AiClk sent no answer that n8n could read. ${TRY_LATER}`;
		return { issued: unavailable(message, ''), refreshToken: '' };
	}
	const { statusCode, body } = answer;
	const text = typeof body === 'string' && body.length <= MAX_ANSWER_LENGTH ? body : '';
	const { body: parsed, isWhole } = parseAsFarAsPossible(text);
	const envelope = readEnvelope(parsed);
	if (envelope !== null && envelope.code !== CODE_SUCCESS && isWhole) {
		return { issued: fail(notRefreshed(envelope, statusCode, secrets)), refreshToken: '' };
	}
	const isSuccess = envelope?.code === CODE_SUCCESS && statusCode >= 200 && statusCode < 300;
	const data = (isSuccess ? (envelope.data ?? {}) : {}) as Record<string, unknown>;
	const sent = data.refresh_token ?? '';
	const refreshToken = sent === '' || isStorableToken(sent) ? sent : null;
	if (isSuccess && isWhole) return { issued: readIssued(data, envelope, nowMs), refreshToken };
	const message = isTemporary(statusCode)
		? `AiClk could not refresh the access token: HTTP ${statusCode}. ${TRY_LATER}`
		: `AiClk's token endpoint did not answer as documented (HTTP ${statusCode}). Check the 'Base URL' and the proxy of n8n.`;
	return { issued: unavailable(message, refreshToken), refreshToken };
}

/** Turns an error of n8n's HTTP helper into a failure, and says whether the request may still have reached AiClk. */
export function unreachable(
	error: unknown,
	baseUrl: string,
): { failure: Failure; mayHaveArrived: boolean } {
	const { words, mayHaveArrived, remedy: description = IF_IT_LASTS } = readNetworkError(error);
	const message = `AiClk (${baseUrl}) could not be reached to refresh the access token: ${words}. Check the 'Base URL', and the network and proxy of n8n.`;
	return { failure: newFailure({ kind: 'unavailable', message, description }), mayHaveArrived };
}
