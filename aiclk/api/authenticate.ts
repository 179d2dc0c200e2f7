import type { IHttpRequestOptions } from 'n8n-workflow';

import { readBaseUrl } from '../token/input';
import { readToken } from '../token/state';
import { safeText } from '../text';

/** Thrown for a request that must not carry the token; n8n shows `message` and `description`. */
export class RequestRefusedError extends Error {
	override readonly name = 'RequestRefusedError';

	constructor(
		message: string,
		readonly description: string,
	) {
		super(message);
	}
}

/**
 * What n8n hands to `authenticate`: options of the modern request method or of the legacy one, which
 * HTTP Request still uses (n8n-nodes-base HttpRequestV3; @n8n/backend-network legacy.js).
 */
export type AnyRequestOptions = IHttpRequestOptions & {
	uri?: unknown;
	followRedirect?: boolean;
	followAllRedirects?: boolean;
};

const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether sending such a request a second time is harmless. No method means GET. */
export const isRepeatable = (options: AnyRequestOptions): boolean =>
	REPEATABLE.has(String(options.method ?? 'GET').toUpperCase());

/** The origin a request goes to, resolved as Node does it; null when that cannot be said for sure. */
function targetOrigin(target: unknown, baseURL: unknown): string | null {
	const text = String(target ?? '');
	const base = baseURL === undefined || baseURL === '' ? undefined : String(baseURL);
	// axios glues a path to the base URL, where URL would resolve it; a scheme-relative one it leaves alone.
	if (base !== undefined && !/^([a-z][a-z\d+\-.]*:)?[\\/]{2}/i.test(text)) {
		return URL.canParse(base) ? new URL(base).origin : null;
	}
	return URL.canParse(text) ? new URL(text).origin : null;
}

/** Legacy options may hold `url` and `uri`, and n8n's versions differ in which one wins: both must be right. */
function goesTo(origin: string, options: AnyRequestOptions): boolean {
	const targets = [options.url, options.uri].filter((target) => target !== undefined);
	return (
		(targets.length > 0 || options.baseURL !== undefined) &&
		(targets.length === 0 ? [''] : targets).every(
			(target) => targetOrigin(target, options.baseURL) === origin,
		)
	);
}

const withoutHeader = (headers: object, name: string) =>
	Object.fromEntries(
		Object.entries(headers).filter(([key]) => key.toLowerCase() !== name.toLowerCase()),
	);

/**
 * Puts the access token on a request, if the request goes to the credential's own host and nowhere else.
 *
 * @param credentials decrypted credential data
 * @param options the request; returned changed: token header set, redirects not followed
 *   (n8n would forward the header to any host that a redirect names: n8n-behaviour M8)
 * @throws RequestRefusedError for another host, an unusable base URL, or when there is no token
 */
export function authenticateRequest(
	credentials: Record<string, unknown>,
	options: AnyRequestOptions,
): AnyRequestOptions {
	const origin = readBaseUrl(credentials.baseUrl);
	if (origin === null || !goesTo(origin, options)) {
		const host = origin === null ? 'no usable Base URL' : new URL(origin).host;
		throw new RequestRefusedError(
			`The AiClk API credential is for ${safeText(host)} only, and this request goes elsewhere`,
			'No request was sent, so the token went nowhere. Correct the URL of the request or, if AiClk has moved, the Base URL in the credential.',
		);
	}
	const token = readToken(credentials);
	if (token === null) {
		throw new RequestRefusedError(
			'The AiClk API credential holds no access token yet',
			'Open the credential and save it; its test gets the first token. If that does not help, check Client ID and Refresh Token.',
		);
	}
	const { header } = token.state;
	options.headers = {
		...withoutHeader(options.headers ?? {}, header),
		[header]: token.accessToken,
	};
	// Modern request method.
	options.disableFollowRedirect = true;
	options.maxRedirects = 0;
	// Legacy request method.
	options.followRedirect = false;
	options.followAllRedirects = false;
	return options;
}
