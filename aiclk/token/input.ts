import { hash } from 'node:crypto';

import { fail, type Failure, newFailure, ok, type Result } from '../util/failure';

/** The address of AiClk's Marketing API (every page). */
export const DEFAULT_BASE_URL = 'https://openapi.aiclk.com';

/** What the user typed, cleaned and checked. */
export interface TokenInput {
	/** Origin only, e.g. `https://openapi.aiclk.com`. */
	baseUrl: string;
	clientId: string;
	/** As typed, without ignored characters. A rotated one is stored apart from it (`storedToken.ts`). */
	refreshToken: string;
	/** Digits; '' if the field is empty. */
	accountId: string;
	/** Tells inputs apart without holding a secret: 64 hex digits. */
	fingerprint: string;
	/** Identifies the client for which AiClk counts refreshes: 16 hex digits. */
	clientKey: string;
}

const inputFailure = (message: string, description: string) =>
	fail(newFailure({ kind: 'input', message, description }));

const NOTHING_SENT = 'Nothing was sent.';

/** No token may be sent to this base URL. */
export const BAD_BASE_URL = newFailure({
	kind: 'input',
	message: `The 'Base URL' of the AiClk API credential cannot be used. Enter an https address without a path, e.g. ${DEFAULT_BASE_URL}.`,
	description: `Plain http is allowed for this machine only. ${NOTHING_SENT}`,
});

const sha256 = (text: string): string => hash('sha256', text, 'hex');

/** A short name for a token that is safe to show: the first 8 hex digits of its SHA-256. */
export const shortFingerprint = (token: string): string => sha256(token).slice(0, 8);

/** Pasted values hold white space and invisible characters, even in the middle, as AiClk's samples do. They are ignored. */
export const IGNORED_CHARACTERS = '[\\s\\u200b-\\u200d\\u2060\\ufeff]+';

const IGNORED = new RegExp(IGNORED_CHARACTERS, 'g');

/** @returns null for what is neither text nor a whole number that is still exact; '' for nothing */
const withoutIgnored = (value: unknown): string | null => {
	const typed = value ?? '';
	const isExact = Number.isSafeInteger(typed) && Number(typed) >= 0;
	return typeof typed === 'string' || isExact ? String(typed).replace(IGNORED, '') : null;
};

const isLoopback = (hostname: string): boolean =>
	hostname === 'localhost' ||
	hostname === '[::1]' ||
	/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);

/**
 * Checks an API address.
 *
 * @param value as typed; AiClk's own address is the default of the field, so nothing stands for it
 * @returns its origin; null unless it is https (or http on this machine) without user, path, query or fragment
 */
export function readBaseUrl(value: unknown): string | null {
	const text = withoutIgnored(value) ?? '';
	if (!URL.canParse(text)) return null;
	const url = new URL(text);
	const plain =
		url.username === '' &&
		url.password === '' &&
		url.pathname === '/' &&
		url.search === '' &&
		url.hash === '';
	const safe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
	return plain && safe ? url.origin : null;
}

/** Printable ASCII without spaces: safe in headers and forms. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/** Reads what a person typed into the credential, or says which field must be corrected. */
export function readInput(credentials: Record<string, unknown>): Result<TokenInput, Failure> {
	const clientId = withoutIgnored(credentials.clientId);
	const refreshToken = withoutIgnored(credentials.refreshToken);
	const accountId = withoutIgnored(credentials.accountId);
	const baseUrl = readBaseUrl(credentials.baseUrl);

	if (clientId === null || refreshToken === null || accountId === null) {
		const name =
			clientId === null ? 'Client ID' : refreshToken === null ? 'Refresh Token' : 'Account ID';
		return inputFailure(
			`The '${name}' of the AiClk API credential is neither text nor a whole number that n8n has kept exactly. Correct the expression, or pass the number as text.`,
			NOTHING_SENT,
		);
	}
	const empty = [
		...(clientId === '' ? ["'Client ID'"] : []),
		...(refreshToken === '' ? ["'Refresh Token'"] : []),
	];
	if (empty.length > 0) {
		return inputFailure(
			`The AiClk API credential has no ${empty.join(' and no ')}. Enter what AiClk shows for your application.`,
			NOTHING_SENT,
		);
	}
	if (!PRINTABLE.test(clientId) || !PRINTABLE.test(refreshToken)) {
		return inputFailure(
			"The 'Client ID' or the 'Refresh Token' of the AiClk API credential holds characters that no token has. Copy both again from AiClk.",
			`They consist of plain letters and digits. ${NOTHING_SENT}`,
		);
	}
	if (!/^\d{0,20}$/.test(accountId)) {
		return inputFailure(
			"The 'Account ID' of the AiClk API credential is not a number. Enter digits only, or leave it empty.",
			`It is the ID of an advertiser account that your application may read. ${NOTHING_SENT}`,
		);
	}
	if (baseUrl === null) return fail(BAD_BASE_URL);
	return ok({
		baseUrl,
		clientId,
		refreshToken,
		accountId,
		// As a JSON array, no part can run into the next one.
		fingerprint: sha256(JSON.stringify([baseUrl, clientId, refreshToken])),
		clientKey: sha256(JSON.stringify([baseUrl, clientId])).slice(0, 16),
	});
}
