import type { IHttpRequestMethods, IHttpRequestOptions } from 'n8n-workflow';

import { fail, ok, type Result } from '../util/result';
import { type Json, stringifyJson, textOf } from '../protocol/json';

/**
 * What a request does at AiClk: `read` may be sent again, `change` and `money` are sent once, and for `money` a lost answer
 * is said in the plainest words.
 */
export type Effect = 'read' | 'change' | 'money';

/** One call of the Marketing-API, as data: what AiClk's pages call URL parameters, `query` and body. */
export interface ApiRequest {
	method: IHttpRequestMethods;
	/** From `/openapi/` on. */
	path: string;
	effect: Effect;
	/** Plain URL parameters. */
	parameters?: Record<string, Json>;
	/** The URL parameter `query`: one JSON object (AiClk docs, P2, P3, P6, P7). */
	query?: Record<string, Json>;
	/** A JSON body. */
	body?: Json;
	/** Fields of a multipart form. */
	form?: Record<string, string | File>;
}

/** How long one call may take, in ms. */
export const CALL_TIMEOUT_MS = 60_000;

/** How long an upload may take, in ms. */
export const UPLOAD_TIMEOUT_MS = 30 * 60_000;

/** The URL of a request: every value percent-encoded, blanks as `%20`. */
export function urlOf(baseUrl: string, { path, parameters = {}, query }: ApiRequest): string {
	const all = { ...parameters, ...(query && { query: stringifyJson(query) }) };
	const pairs = Object.entries(all).map(
		([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(textOf(value))}`,
	);
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

const holdsFile = ({ form = {} }: ApiRequest): boolean =>
	Object.values(form).some((value) => typeof value !== 'string');

/**
 * A request as n8n's HTTP helper wants it. The answer comes as text, whatever its HTTP status, and no redirect is followed.
 *
 * @param baseUrl origin such as `https://openapi.aiclk.com`
 */
export const toHttpOptions = (baseUrl: string, request: ApiRequest): IHttpRequestOptions => ({
	method: request.method,
	url: urlOf(baseUrl, request),
	...contentOf(request),
	encoding: 'text',
	returnFullResponse: true,
	ignoreHttpStatusErrors: true,
	disableFollowRedirect: true,
	timeout: holdsFile(request) ? UPLOAD_TIMEOUT_MS : CALL_TIMEOUT_MS,
});

const isDecodable = (path: string): boolean => {
	try {
		return decodeURIComponent(path) !== '';
	} catch {
		return false;
	}
};

/** Where the Marketing-API is; the token endpoint and whatever else the host has is out of reach. */
const API_ROOT = '/openapi/';

/**
 * Checks the path of a custom call: below `/openapi/`, and nothing that a server could read as another place.
 *
 * @param value as typed, with or without `/openapi/` and without a host, query or fragment
 * @returns the path from `/openapi/` on, or what is wrong with it
 */
export function readPath(value: unknown): Result<string, string> {
	if (typeof value !== 'string' || value.trim() === '') return fail('is empty');
	const typed = value.trim();
	if (/^[a-z][a-z\d+.-]*:|^\/\/|^\\/i.test(typed)) {
		return fail("names a host: calls go to the credential's own host only");
	}
	if (/[?#]/.test(typed)) return fail('holds a query or a fragment: use the field Query');
	if (/%2e|%2f|%5c|\\/i.test(typed)) return fail('holds an encoded dot or slash, or a backslash');
	if (!/^[\w\-.~/%!$&'()*+,;=:@]+$/.test(typed)) return fail('holds characters that no path has');
	if (!isDecodable(typed)) return fail('holds a % that encodes no character');
	const path = typed.startsWith(API_ROOT)
		? typed
		: `${API_ROOT}${typed.replace(/^\/?(openapi\/)?/, '')}`;
	const segments = path.slice(API_ROOT.length).split('/');
	if (segments.some((segment) => segment === '.' || segment === '..')) {
		return fail(`climbs out of ${API_ROOT}`);
	}
	if (segments.some((segment) => segment === '')) return fail('has an empty part');
	return ok(path);
}
