import type { IHttpRequestOptions } from 'n8n-workflow';

import { BAD_BASE_URL, readBaseUrl, readInput } from './input';
import { readToken } from './storedToken';
import { FailureError, newFailure } from '../util/failure';
import { sanitize } from '../util/sanitize';

/** Why a request must not carry the token. Nothing was sent. */
const refused = (message: string, description: string): FailureError =>
	new FailureError(newFailure({ kind: 'input', message, description }));

/**
 * What n8n passes to `authenticate`: options of the modern request method, or of the legacy one, which HTTP Request still uses
 * (n8n-nodes-base HttpRequestV3; @n8n/backend-network legacy.js).
 */
export type AnyRequestOptions = IHttpRequestOptions & {
	uri?: unknown;
	formData?: unknown;
	followRedirect?: boolean;
	followAllRedirects?: boolean;
	/** Set by this package's nodes: how long the whole request may take. n8n's `timeout` limits idle time only. */
	totalTimeoutMs?: number;
	/** Set by this package's nodes: called when the request leaves. Where it was not called, nothing was sent. */
	onSend?(): void;
};

/** A stream, or a form that is one, recognized by what Node's streams and the form-data package have in common. */
const isStream = (value: unknown): boolean =>
	typeof (value as { pipe?: unknown } | null | undefined)?.pipe === 'function';

const holdsStream = (value: unknown): boolean =>
	typeof value === 'object' &&
	value !== null &&
	!ArrayBuffer.isView(value) &&
	Object.values(value)
		.flat()
		.some((field) => isStream(field) || isStream((field as { value?: unknown } | null)?.value));

/**
 * Whether a request may be sent twice: its method is safe (RFC 9110; none means GET), and its body is not single-use. Such bodies,
 * streams and forms, are looked for where n8n looks for them (n8n-core oauth.js, `hasSingleUseBody`).
 */
export const mayResend = ({ method, body, formData }: AnyRequestOptions): boolean =>
	['GET', 'HEAD', 'OPTIONS'].includes(String(method ?? 'GET').toUpperCase()) &&
	![body, formData].some((part) => isStream(part) || holdsStream(part));

/** Whether a target, joined with a base URL as axios does it, leads to an origin; false if that is unclear. */
function leadsTo(origin: string, target: unknown, baseURL: unknown): boolean {
	const text = String(target);
	const base = String(baseURL ?? '');
	// axios appends a path to the base URL, where URL would resolve it. It does not touch a scheme-relative target.
	const isAppended = base !== '' && !/^([a-z][a-z\d+\-.]*:)?[\\/]{2}/i.test(text);
	const url = isAppended ? base : text;
	return URL.canParse(url) && new URL(url).origin === origin;
}

/** Legacy options may hold both `url` and `uri`, and it depends on n8n's version which one counts: both must be right. */
function goesTo(origin: string, { url, uri, baseURL }: AnyRequestOptions): boolean {
	const targets = [url, uri].filter((target) => target !== undefined);
	if (targets.length === 0) return leadsTo(origin, '', baseURL);
	return targets.every((target) => leadsTo(origin, target, baseURL));
}

const withoutHeader = (headers: object, name: string) =>
	Object.fromEntries(
		Object.entries(headers).filter(([key]) => key.toLowerCase() !== name.toLowerCase()),
	);

/**
 * Adds the access token to a request that goes to the credential's own host.
 *
 * @param options the request. It is not changed: HTTP Request stores its options with an error and masks what the credential holds
 *   by then, which after a renewal is another token (n8n-nodes-base HttpRequestV3)
 * @returns a copy with the token header that follows no redirect, because n8n would forward the header to any host (measured on
 *   n8n 2.41.1)
 * @throws FailureError after Stop, for another host, for an unusable base URL, and without a token for this input
 */
export function authenticateRequest(
	credentials: Record<string, unknown>,
	options: AnyRequestOptions,
): AnyRequestOptions {
	if (options.abortSignal?.aborted === true) {
		throw refused(
			'The run was stopped before this request was sent.',
			'Run it again when you want it to be sent.',
		);
	}
	const origin = readBaseUrl(credentials.baseUrl);
	if (origin === null) throw new FailureError(BAD_BASE_URL);
	if (!goesTo(origin, options)) {
		throw refused(
			`The AiClk API credential is for ${sanitize(new URL(origin).host)} only, and this request goes elsewhere. Correct its URL.`,
			"No request was sent, so the token went nowhere. If AiClk has moved, correct the 'Base URL' in the credential.",
		);
	}
	const token = readToken(credentials);
	if (token === null || token.accessToken === '') {
		throw refused(
			'The AiClk API credential holds no access token yet. Open it and save it: its test gets the first token.',
			"If that does not help, check 'Client ID' and 'Refresh Token'.",
		);
	}
	const input = readInput(credentials);
	if (!input.ok || input.value.fingerprint !== token.state.fingerprint) {
		throw refused(
			'The access token of the AiClk API credential belongs to another client. Run this again.',
			'No request was sent. If the credential holds expressions, use one credential for each client.',
		);
	}
	const { header } = token.state;
	const authenticated: AnyRequestOptions = {
		...options,
		headers: { ...withoutHeader(options.headers ?? {}, header), [header]: token.accessToken },
		// Modern request method.
		disableFollowRedirect: true,
		maxRedirects: 0,
		// Legacy request method.
		followRedirect: false,
		followAllRedirects: false,
	};
	const { totalTimeoutMs, abortSignal } = options;
	if (totalTimeoutMs === undefined) return authenticated;
	// n8n has set its cancel signal by now (n8n-core authentication.js) and uses the one that is set here.
	const timeout = AbortSignal.timeout(totalTimeoutMs);
	const signals = abortSignal ? [abortSignal as AbortSignal, timeout] : [timeout];
	return { ...authenticated, abortSignal: AbortSignal.any(signals) };
}
