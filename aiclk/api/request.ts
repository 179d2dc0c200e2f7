import type { IHttpRequestMethods, IHttpRequestOptions } from 'n8n-workflow';

import { fail, ok, type Result } from '../util/failure';
import { type Json, type JsonObject, stringifyJson } from '../protocol/json';

/**
 * What a request does at AiClk: a `read` may be sent again, a `change` only if AiClk was busy and refused it for certain, `money`
 * never. Only a GET is a read.
 */
export type Effect = 'read' | 'change' | 'money';

/** One call of the Marketing API, as data: what AiClk's pages call URL parameters, `query` and body. */
export interface ApiRequest {
	method: IHttpRequestMethods;
	/** From `/openapi/` on. */
	path: string;
	effect: Effect;
	/** What a change does, in words for its error; e.g. 'The transfer of …'; 'The change' if left out. */
	subject?: string;
	/** Plain URL parameters. */
	parameters?: JsonObject;
	/** The URL parameter `query`: one JSON object (AiClk docs, P2, P3, P6, P7). */
	query?: JsonObject;
	/** A JSON body. */
	body?: Json;
	/** Fields of a multipart form. */
	form?: Record<string, string | File>;
}

/** How long one call may take in all, in ms. */
const CALL_TIMEOUT_MS = 60_000;

/** An upload may take longer: the time for its bytes over a slow line, 100 kB per second. */
const MIN_UPLOAD_BYTES_PER_MS = 100;

/** Values as text, for a URL or a form. What is null is left out. */
export const textsOf = (values: JsonObject): Array<[name: string, text: string]> =>
	Object.entries(values)
		.filter(([, value]) => value !== null)
		.map(([name, value]) => [name, typeof value === 'string' ? value : stringifyJson(value)]);

/** The URL of a request: every value percent-encoded, spaces as `%20`; parameters that are null are left out. */
function urlOf(baseUrl: string, { path, parameters = {}, query }: ApiRequest): string {
	const all = { ...parameters, ...(query && { query: stringifyJson(query) }) };
	const pairs = textsOf(all).map((pair) => pair.map(encodeURIComponent).join('='));
	return `${baseUrl}${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
}

function contentOf({ body, form }: ApiRequest): Pick<IHttpRequestOptions, 'headers' | 'body'> {
	const accept = { Accept: 'application/json' };
	if (form !== undefined) {
		const data = new FormData();
		for (const [name, value] of Object.entries(form)) data.append(name, value);
		return { headers: accept, body: data };
	}
	if (body === undefined) return { headers: accept };
	return { headers: { ...accept, 'Content-Type': 'application/json' }, body: stringifyJson(body) };
}

/** A request as texts name it, e.g. `GET /openapi/v1/account/info`. */
export const nameOf = ({ method, path }: ApiRequest): string => `${method} ${path}`;

/** The user's own words in a request, such as the names of files and creatives: AiClk may repeat them in its answer. */
export const ownWordsOf = ({ path, parameters, query, body, form }: ApiRequest): string =>
	[
		path,
		stringifyJson([parameters ?? null, query ?? null, body ?? null]),
		...Object.values(form ?? {}).map((value) => (typeof value === 'string' ? value : value.name)),
	].join('\n');

/**
 * A request as n8n's HTTP helper wants it. The answer comes as text, whatever its HTTP status, and no redirect is followed.
 *
 * @param baseUrl origin such as `https://openapi.aiclk.com`
 * @returns with `totalTimeoutMs` for the credential's `authenticate`: n8n's own `timeout` limits idle time only
 */
export function toHttpOptions(
	baseUrl: string,
	request: ApiRequest,
): IHttpRequestOptions & { totalTimeoutMs: number } {
	const sizes = Object.values(request.form ?? {}).map((value) =>
		value instanceof File ? value.size : 0,
	);
	const bytes = sizes.reduce((sum, size) => sum + size, 0);
	const totalTimeoutMs = CALL_TIMEOUT_MS + Math.ceil(bytes / MIN_UPLOAD_BYTES_PER_MS);
	return {
		method: request.method,
		url: urlOf(baseUrl, request),
		...contentOf(request),
		encoding: 'text',
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		disableFollowRedirect: true,
		timeout: totalTimeoutMs,
		totalTimeoutMs,
	};
}

/** Where the Marketing API is. The token endpoint and everything else on the host are out of reach. */
const API_ROOT = '/openapi/';

/** A charge under another spelling would bypass Confirm and the protection against sending it twice. */
const isCharge = (path: string, method: string): boolean =>
	(method === 'GET' ? /\/charge(?![\w-])/i : /\/charge/i).test(path);

/** The origin of a URL without a user, and its path as written: `URL` would resolve dots. */
const URL_PARTS = /^([a-z][a-z\d+.-]*:\/\/[^/?#\\@]*)(\/.*)?$/is;

/**
 * Checks the path of a custom call: below `/openapi/`, no charge, and only letters, digits, `-`, `.`, `_`, `~` and `/`. Anything else
 * (an encoded dot, a semicolon, a backslash) could be read as another place or as a charge by some server.
 *
 * @param value as typed: a path, with or without `/openapi/`, or a URL of the credential's own host, also without
 *   its scheme; no query, no fragment
 * @param baseUrl origin of the credential's host
 * @returns the path from `/openapi/` on, or what is wrong with it
 */
export function readPath(value: unknown, baseUrl: string, method: string): Result<string, string> {
	if (typeof value !== 'string' || value.trim() === '') return fail('is empty');
	const text = value.trim();
	const { protocol, hostname } = new URL(baseUrl);
	const url = text.toLowerCase().startsWith(hostname) ? `${protocol}//${text}` : text;
	const [, origin = '', pathOfUrl = ''] = URL_PARTS.exec(url) ?? [];
	const isOwn = URL.canParse(origin) && new URL(origin).origin === baseUrl;
	if (isOwn && !pathOfUrl.startsWith(API_ROOT)) return fail(`lies outside ${API_ROOT}`);
	const typed = isOwn ? pathOfUrl : url;
	if (/^[a-z][a-z\d+.-]*:|^\/\/|^\\/i.test(typed)) {
		return fail("names another host: calls go to the credential's own host only");
	}
	if (/[?#]/.test(typed)) return fail("holds a query or a fragment: use the field 'Query'");
	if (!/^[\w\-.~/]+$/.test(typed)) return fail("holds characters that no path of AiClk's has");
	const path = typed.startsWith(API_ROOT)
		? typed
		: `${API_ROOT}${typed.replace(/^\/?(openapi\/)?/, '')}`;
	const segments = path.slice(API_ROOT.length).split('/');
	if (segments.some((segment) => ['.', '..'].includes(segment))) {
		return fail(`climbs out of ${API_ROOT}`);
	}
	if (segments.some((segment) => segment === '')) return fail('has an empty part');
	return isCharge(path, method)
		? fail("leads to a charge: use the resource Charge, which asks for 'Confirm' and sends once")
		: ok(path);
}
