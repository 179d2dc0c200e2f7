import fc from 'fast-check';

import {
	type AnyRequestOptions,
	authenticateRequest,
	mayResend,
} from '../../../aiclk/token/authenticate';
import { FailureError } from '../../../aiclk/util/failure';
import { toStoredFields } from '../../../aiclk/token/storedToken';
import { readInput } from '../../../aiclk/token/input';
import { emptyRow, type Row, token, tokenState } from '../../harness/fakes';

const SECRET = 'the-access-token';
const STORED = token(SECRET);
/** A credential whose token belongs to its input. */
const row = (changes: object = {}) => {
	const input = readInput(emptyRow(changes as Row));
	const state = input.ok ? { ...STORED.state, fingerprint: input.value.fingerprint } : STORED.state;
	return { ...emptyRow(), ...toStoredFields({ ...STORED, state }), ...changes };
};
const authenticate = (options: object, changes: object = {}) =>
	authenticateRequest(row(changes), options as AnyRequestOptions);

/** What was thrown, and that it held no token. */
function refusal(options: object, changes: object = {}): FailureError {
	try {
		authenticate(options, changes);
	} catch (error) {
		expect(error).toBeInstanceOf(FailureError);
		expect(JSON.stringify([options, error, (error as Error).message])).not.toContain(SECRET);
		return error as FailureError;
	}
	throw new Error('the request was not refused');
}

const API = 'https://openapi.aiclk.com';

describe('a request to the credential’s host', () => {
	it.each([
		['url', { url: `${API}/openapi/v1/account/info` }],
		['uri, as HTTP Request sends it', { uri: `${API}/openapi/v1/account/info` }],
		['uri as a URL object', { uri: new URL(API) }],
		['url and uri', { url: `${API}/a`, uri: `${API}/a` }],
		['baseURL and path, as the test of the credential sends it', { baseURL: API, url: '/openapi' }],
		['baseURL alone', { baseURL: API }],
		['baseURL and a path with two slashes in it', { baseURL: API, url: 'openapi//v1' }],
		['baseURL and an absolute url', { baseURL: API, url: `${API}/a` }],
		['an empty baseURL', { baseURL: '', url: `${API}/a` }],
		['another spelling of the host', { url: 'HTTPS://OPENAPI.AICLK.COM:443/a' }],
	])('a request carries the token and follows no redirect: %s', (_, options) => {
		expect(authenticate(options)).toMatchObject({
			headers: { OGW_ACCESS_TOKEN: SECRET },
			disableFollowRedirect: true,
			maxRedirects: 0,
			followRedirect: false,
			followAllRedirects: false,
		});
	});

	it('the node’s own request options never hold the token', () => {
		const headers = { Accept: 'application/json' };
		const options = { url: `${API}/a`, headers };
		expect(authenticate(options)).not.toBe(options);
		expect(options).toEqual({ url: `${API}/a`, headers: { Accept: 'application/json' } });
	});

	it('a request keeps its headers, except a token header of its own', () => {
		const headers = { Accept: 'application/json', ogw_access_token: 'typed by hand' };
		expect(authenticate({ url: API, headers }).headers).toEqual({
			Accept: 'application/json',
			OGW_ACCESS_TOKEN: SECRET,
		});
	});

	it('the token is sent in the header that AiClk named', () => {
		const tokenStateText = JSON.stringify(tokenState({ header: 'X-Other' }));
		expect(authenticate({ url: API }, { tokenState: tokenStateText }).headers).toEqual({
			'X-Other': SECRET,
		});
	});

	it('a request may go to the base URL that a person typed', () => {
		const options = { url: 'http://127.0.0.1:5790/a' };
		expect(authenticate(options, { baseUrl: 'http://127.0.0.1:5790' }).headers).toBeDefined();
	});

	it('a request without a token is refused with a remedy', () => {
		expect(refusal({ url: API }, { accessToken: '' })).toMatchObject({
			message:
				'The AiClk API credential holds no access token yet. Open it and save it: its test gets the first token.',
			description: "If that does not help, check 'Client ID' and 'Refresh Token'.",
			failure: { kind: 'input', outcome: 'not-sent' },
		});
	});
});

describe('a request to another host is refused', () => {
	it.each([
		['another host', { url: 'https://evil.example/openapi' }],
		['another port', { url: `${API}:8443/` }],
		['another scheme', { url: 'http://openapi.aiclk.com/' }],
		['a host that begins the same', { url: 'https://openapi.aiclk.com.evil.example/' }],
		['the host as user name', { url: 'https://openapi.aiclk.com@evil.example/' }],
		['the host behind a backslash', { url: 'https://evil.example\\@openapi.aiclk.com/' }],
		['a right url, but another uri', { url: `${API}/a`, uri: 'https://evil.example/' }],
		['a right uri, but another url', { url: 'https://evil.example/', uri: `${API}/a` }],
		['a right baseURL, but another url', { baseURL: API, url: 'https://evil.example/' }],
		['a scheme-relative url', { baseURL: API, url: '//evil.example/' }],
		['a scheme-relative url with backslashes', { baseURL: API, url: '\\\\evil.example/' }],
		['a scheme-relative url with both', { baseURL: API, url: '/\\evil.example/' }],
		['a scheme without slashes', { url: 'https:evil.example' }],
		['a right baseURL, but a scheme with a digit', { baseURL: API, url: 'h2://evil.example/' }],
		['another baseURL', { baseURL: 'https://evil.example', url: '/a' }],
		['an unusable baseURL', { baseURL: 'nonsense', url: '/a' }],
		['a path alone', { url: '/openapi' }],
		['an empty url', { url: '' }],
		['no url', {}],
		['a url that is none', { url: 'https://' }],
	])('a request to another host is refused: %s', (_, options) => {
		expect(refusal(options)).toMatchObject({
			message:
				'The AiClk API credential is for openapi.aiclk.com only, and this request goes elsewhere. Correct its URL.',
			description: expect.stringContaining('the token went nowhere') as string,
		});
	});

	it('a request is refused if the base URL is unusable', () => {
		const refused = refusal({ url: API }, { baseUrl: 'http://openapi.aiclk.com' });
		expect(refused.message).toMatch(/^The 'Base URL' of the AiClk API credential cannot be used/);
	});

	it('no url or base URL leads the token to another host', () => {
		const texts = fc.oneof(
			fc.webUrl(),
			fc.string(),
			fc.string({ unit: fc.constantFrom('/', '\\', '@', ':', '.', 'https', 'evil', API) }),
		);
		const bases = fc.constantFrom(undefined, '', API, 'https://evil.example');
		fc.assert(
			fc.property(texts, bases, (url, baseURL) => {
				let sent: AnyRequestOptions;
				try {
					sent = authenticate({ url, ...(baseURL !== undefined && { baseURL }) });
				} catch (error) {
					expect(error).toBeInstanceOf(FailureError);
					return;
				}
				// How axios puts the two together.
				const isAbsolute = /^([a-z][a-z\d+\-.]*:)?\/\//i.test(url);
				const whole =
					!sent.baseURL || isAbsolute
						? url
						: sent.baseURL.replace(/\/?\/$/, '') + '/' + url.replace(/^\/+/, '');
				expect(new URL(whole).origin).toBe(API);
			}),
		);
	});
});

describe('whether a request is safe to send again', () => {
	it.each([
		[undefined, true],
		['GET', true],
		['get', true],
		['HEAD', true],
		['OPTIONS', true],
		['POST', false],
		['PUT', false],
		['PATCH', false],
		['DELETE', false],
		['anything', false],
	])('whether a request is safe to send again: %s: %s', (method, expected) => {
		expect(mayResend({ url: API, method } as AnyRequestOptions)).toBe(expected);
	});
});

describe('whether the body of a request is single-use', () => {
	const stream = { pipe: () => undefined };
	it.each<[string, object, boolean]>([
		['none', {}, false],
		['null', { body: null }, false],
		['JSON', { body: { a: [1, null], b: { value: 'pipe' }, c: undefined } }, false],
		['text', { body: 'pipe' }, false],
		['bytes', { body: Buffer.from('pipe') }, false],
		['a form of texts', { formData: { a: 'x', b: { value: Buffer.from('x') } } }, false],
		['a stream', { body: stream }, true],
		['a form that is a stream', { formData: stream }, true],
		['a form with a stream', { formData: { a: 'x', b: stream } }, true],
		[
			'a form with a described stream',
			{ formData: { file: { value: stream, options: {} } } },
			true,
		],
		['a form with several', { body: { files: ['x', { value: stream }] } }, true],
	])('whether the body of a request is single-use: %s', (_, body, expected) => {
		expect(mayResend({ url: API, ...body } as AnyRequestOptions)).toBe(!expected);
	});
});

describe('the time limit of a whole request', () => {
	it('a request ends with n8n’s cancel signal', () => {
		const cancel = new AbortController();
		const { abortSignal } = authenticate({
			url: API,
			totalTimeoutMs: 60_000,
			abortSignal: cancel.signal,
		});
		expect((abortSignal as AbortSignal).aborted).toBe(false);
		cancel.abort();
		expect((abortSignal as AbortSignal).aborted).toBe(true);
	});

	it('a request ends after its time limit', async () => {
		const { abortSignal } = authenticate({ url: API, totalTimeoutMs: 1 });
		const signal = abortSignal as AbortSignal;
		await new Promise((resolve) => signal.addEventListener('abort', resolve));
		expect((signal.reason as Error).name).toBe('TimeoutError');
	});

	it('requests of other nodes have no time limit of ours', () => {
		expect(authenticate({ url: API })).not.toHaveProperty('abortSignal');
	});
});

it('a request of a run that was stopped is refused', () => {
	expect(refusal({ url: API, abortSignal: AbortSignal.abort() })).toMatchObject({
		message: 'The run was stopped before this request was sent.',
		description: 'Run it again when you want it to be sent.',
	});
	expect(authenticate({ url: API, abortSignal: new AbortController().signal })).toBeDefined();
});

it('a request is refused if only a refresh token is stored', () => {
	const fields = toStoredFields({ ...STORED, accessToken: '', rotatedRefreshToken: 'rotated' });
	expect(refusal({ url: API }, fields).message).toContain('no access token yet');
});

it('the token of another client is not sent', () => {
	const fields = { ...toStoredFields(STORED), clientId: '2' };
	expect(refusal({ url: API }, fields)).toMatchObject({
		message: expect.stringContaining('belongs to another client') as string,
		description: expect.stringMatching(
			/^No request was sent\..* one credential for each client/,
		) as string,
	});
});
