import fc from 'fast-check';

import {
	isStorableToken,
	readExpiry,
	readRefreshAnswer,
	readTokenHeader,
	refreshRequest,
	unreachable,
} from '../../../aiclk/token/endpoint';
import { answer, DAY_MS, emptyRow, inputOf, NOW, TYPED } from '../../harness/fakes';

const SECRETS = [TYPED.refreshToken, TYPED.clientId];

/** The documented answer (AiClk docs, "refresh access token"). */
const documented = (data: object = {}, frame: object = {}) => ({
	code: 200,
	data: { access_token: 'abc', expires_in: 7_776_000, token_type: 'OGW_ACCESS_TOKEN', ...data },
	message: 'Success',
	trace_id: '776ac7ef9ccd2cb3',
	...frame,
});

/** What users read below a failure: nothing of the answer is kept. */
const NOT_STORED = expect.stringMatching(
	/^Nothing of this answer was stored\. If it lasts/,
) as string;

const read = (body: unknown, statusCode = 200) =>
	readRefreshAnswer(answer(body, statusCode), NOW, SECRETS);
const failureOf = (body: unknown, statusCode = 200) => {
	const { issued } = read(body, statusCode);
	return issued.ok ? null : issued.failure;
};

describe('the request', () => {
	it('a refresh is one multipart POST with the two documented fields', () => {
		const request = refreshRequest(inputOf(emptyRow()), 'rotated');
		expect(request).toMatchObject({
			method: 'POST',
			url: 'https://openapi.aiclk.com/oauth2/token',
			headers: { 'Content-Type': 'multipart/form-data', Accept: 'application/json' },
			encoding: 'text',
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
		});
		expect(request.abortSignal).toBeInstanceOf(AbortSignal);
		expect(request.body).toEqual({ client_id: TYPED.clientId, refresh_token: 'rotated' });
	});
});

describe('an answer as documented', () => {
	it('a documented answer yields the token', () => {
		expect(read(documented())).toEqual({
			issued: {
				ok: true,
				value: {
					accessToken: 'abc',
					expiresAtMs: NOW + 90 * DAY_MS,
					expirySource: 'answer',
					header: 'OGW_ACCESS_TOKEN',
					traceId: '776ac7ef9ccd2cb3',
				},
			},
			refreshToken: '',
		});
	});

	it.each([
		['new', 'new'],
		['', ''],
		[null, ''],
		['=1', null],
		[0, null],
		['with space', null],
	])('the refresh token %j of an answer is read as %j', (refresh_token, refreshToken) => {
		expect(read(documented({ refresh_token }))).toMatchObject({
			issued: { ok: true },
			refreshToken,
		});
	});

	it('an answer may be HTTP 201 with a code as text and no trace id', () => {
		expect(read(documented({}, { code: '200', trace_id: undefined }), 201)).toMatchObject({
			issued: { ok: true, value: { traceId: null } },
		});
	});
});

describe('any other answer yields no token', () => {
	const unavailable: Array<[string, unknown, number]> = [
		['HTML', '<html>Bad Gateway</html>', 200],
		['half a JSON', JSON.stringify(documented()).slice(0, 60), 200],
		['nothing', '', 200],
		['a list', '[]', 200],
		['no code', '{"data":{"access_token":"abc"}}', 200],
		['a redirect with a token in it', documented(), 302],
		['HTTP 199', documented(), 199],
		['HTTP 300', documented(), 300],
		['an endless text', JSON.stringify(documented({ padding: 'x'.repeat(70_000) })), 200],
	];
	it.each(unavailable)(
		'an answer that is not AiClk’s is unavailable: %s',
		(_, body, statusCode) => {
			expect(failureOf(body, statusCode)).toMatchObject({
				kind: 'unavailable',
				message: `AiClk's token endpoint did not answer as documented (HTTP ${statusCode}). Check the 'Base URL' and the proxy of n8n.`,
				description: NOT_STORED,
			});
		},
	);

	it.each([
		['HTTP 429', '<html>', 429],
		['HTTP 502', '<html>', 502],
		['HTTP 500 with a token in it', documented(), 500],
	])('an outage is unavailable: %s', (_, body, statusCode) => {
		expect(failureOf(body, statusCode)).toMatchObject({
			kind: 'unavailable',
			message: `AiClk could not refresh the access token: HTTP ${statusCode}. Try again in a few minutes.`,
			description: NOT_STORED,
		});
	});

	it.each([undefined, null, 'text', {}, { statusCode: '200', body: '' }])(
		'no answer at all is unavailable: %j',
		(value) => {
			expect(readRefreshAnswer(value, NOW, SECRETS)).toMatchObject({
				issued: {
					ok: false,
					failure: {
						kind: 'unavailable',
						message: 'AiClk sent no answer that n8n could read. Try again in a few minutes.',
						description: expect.stringMatching(/^Nothing of this answer was stored\./) as string,
					},
				},
				refreshToken: '',
			});
		},
	);

	it('a body that n8n has already parsed is unavailable', () => {
		expect(readRefreshAnswer({ statusCode: 200, body: documented() }, NOW, SECRETS)).toMatchObject({
			issued: { ok: false, failure: { kind: 'unavailable' } },
		});
	});

	it.each<[string, object, object]>([
		['no data', {}, { data: null }],
		['data that is a text', {}, { data: 'abc' }],
		['no access token', { access_token: undefined }, {}],
		['an empty one', { access_token: '' }, {}],
		['one that is a number', { access_token: 5 }, {}],
		['one that n8n would run', { access_token: '={{ $env.SECRET }}' }, {}],
		['one with a line break', { access_token: 'abc\r\nX-Evil: 1' }, {}],
		['one with a blank', { access_token: 'abc def' }, {}],
		['one beyond ASCII', { access_token: 'abcé' }, {}],
		['one of 4097 characters', { access_token: 'a'.repeat(4097) }, {}],
	])('an unusable access token names AiClk’s trace id: %s', (_, data, frame) => {
		expect(failureOf(documented(data, frame))).toMatchObject({
			kind: 'unusable',
			message: "AiClk answered with a token that cannot be used. Ask AiClk's support.",
			description: expect.stringMatching(
				/It was not stored.*trace_id: 776ac7ef9ccd2cb3\.$/,
			) as string,
		});
	});

	it('an unusable access token may come without a trace id', () => {
		const failure = failureOf(documented({ access_token: '' }, { trace_id: null }));
		expect(failure?.description).toMatch(/It was not stored\.$/);
	});

	it('a refusal names AiClk’s words, code, trace id and a remedy', () => {
		expect(failureOf({ code: 40_001, message: '参数错误', trace_id: 'aa11' })).toMatchObject({
			kind: 'refused',
			message:
				"AiClk refused to refresh the access token: 参数错误 (code 40001). Check the 'Client ID' and the 'Refresh Token'.",
			description: expect.stringMatching(
				/^If both are as AiClk shows.*trace_id: aa11\.$/,
			) as string,
		});
	});

	it('a refusal names its HTTP status and needs no words or trace id', () => {
		expect(failureOf({ code: 401 }, 401)).toMatchObject({
			kind: 'refused',
			message:
				"AiClk refused to refresh the access token: no reason stated (code 401, HTTP 401). Check the 'Client ID' and the 'Refresh Token'.",
			description: expect.stringMatching(/ask its support\.$/) as string,
		});
	});

	it.each([
		[499, 499],
		[200, 600],
		[200, 5_000],
		[403, 40_102],
	])('HTTP %d with code %d is a refusal', (statusCode, code) => {
		expect(failureOf({ code, message: '拒绝' }, statusCode)).toMatchObject({
			kind: 'refused',
			message: expect.stringMatching(
				/^AiClk refused to refresh the access token: 拒绝 .*Check the 'Client ID'/,
			) as string,
		});
	});

	it.each([
		[200, 500, '(code 500)'],
		[200, 599, '(code 599)'],
		[400, 503, '(code 503, HTTP 400)'],
		[500, 400, '(code 400, HTTP 500)'],
		[200, 429, '(code 429)'],
		[429, 1_001, '(code 1001, HTTP 429)'],
	])('HTTP %d with code %d passes: try again later', (statusCode, code, where) => {
		expect(failureOf({ code, message: '服务异常', trace_id: 'aa11' }, statusCode)).toMatchObject({
			kind: 'unavailable',
			message: `AiClk could not refresh the access token: 服务异常 ${where}. Try again in a few minutes.`,
			description: expect.stringMatching(/^If it lasts.*trace_id: aa11\.$/) as string,
		});
	});

	it.each([
		[{ refresh_token: 'rotated' }, 'rotated'],
		[{ refresh_token: '=1' }, null],
		[{}, ''],
	])('a refresh token beside an unusable access token is kept: %j', (data, refreshToken) => {
		expect(read(documented({ access_token: '', ...data }))).toMatchObject({
			issued: { ok: false },
			refreshToken,
		});
	});

	it('a refusal never shows a secret or a token', () => {
		const echo = `no ${TYPED.refreshToken} for ${TYPED.clientId}, have ${'t0k3n'.repeat(20)}`;
		const failure = failureOf({ code: 400, message: echo });
		expect(failure?.message).toBe(
			"AiClk refused to refresh the access token: no *** for ***, have *** (code 400). Check the 'Client ID' and the 'Refresh Token'.",
		);
	});
});

describe('a token fit to be stored and sent', () => {
	it.each(['a', 'a=', 'a'.repeat(4096), '!"#$%&()*+,-./:;<>?@[]^_`{|}~'])(
		'a token fit to be stored and sent: %s',
		(value) => {
			expect(isStorableToken(value)).toBe(true);
		},
	);

	it('a storable token breaks no header and is no expression', () => {
		const anyText = fc.oneof(
			fc.string({ unit: 'binary' }),
			fc.string({ unit: fc.constantFrom('a', '=', '{', ' ', '\n', '\r', '\u0000', '\u007f') }),
		);
		fc.assert(
			fc.property(anyText, (text) => {
				if (!isStorableToken(text)) return;
				expect(text[0]).not.toBe('=');
				expect(() => new Headers({ x: text })).not.toThrow();
				expect(new Headers({ x: text }).get('x')).toBe(text);
			}),
		);
	});
});

describe('the header', () => {
	it.each(['OGW_ACCESS_TOKEN', 'ogw_access_token', 'X-Token', `${'a'.repeat(59)}token`])(
		'token_type may name the header %s',
		(name) => {
			expect(readTokenHeader(name)).toBe(name);
		},
	);

	it.each([
		...['JWT', 'User', 'Session', 'Authorization', 'OGW', `${'a'.repeat(60)}token`, 'X-Token:'],
		...['Bearer', 'basic', 'MAC', 'Bearer token', 'Host', 'Cookie', 'Content-Length'],
		...['content-type', 'Connection', 'Transfer-Encoding', 'Proxy-Authorization', 'Accept'],
		...['X-Forwarded-For', '', ' X', 'X:', 'X\r\nY', '1X', 'é', '__proto__', 'a'.repeat(65)],
		...[['X-Token'], 5, null, undefined],
	])('the token header is the documented one for token_type %j', (name) => {
		expect(readTokenHeader(name)).toBe('OGW_ACCESS_TOKEN');
	});

	it('the token header is always a valid header name', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), (text) => {
				expect(() => new Headers({ [readTokenHeader(text)]: 'x' })).not.toThrow();
			}),
		);
	});
});

describe('the expiry', () => {
	const SECONDS_NOW = NOW / 1000;

	it.each<[unknown, number]>([
		[7_776_000, NOW + 90 * DAY_MS],
		['7776000', NOW + 90 * DAY_MS],
		[' 3600.5 ', NOW + 3_600_500],
		[288, NOW + 288_000],
		[400 * 86_400, NOW + 400 * DAY_MS],
		[SECONDS_NOW + 600, NOW + 600_000],
		[String(SECONDS_NOW + 600), NOW + 600_000],
		[NOW + 600_000, NOW + 600_000],
	])('expires_in %j is read', (value, expected) => {
		expect(readExpiry(value, NOW)).toEqual({ expiresAtMs: expected, expirySource: 'answer' });
	});

	it.each([
		...[0, -1, NaN, Infinity, 0.0001, 1, 90, 287.999, SECONDS_NOW + 60, 400 * 86_400 + 1],
		...[999_999_999, 7_776_000_000, '7776000000', 1_000_000_000, NOW, 1e12, 8.64e15 + 2],
		...['', 'soon', '0x10', '1e9', '-5', null, undefined, {}, [3_600], true],
	])('expires_in %j is unusable: 90 days are assumed', (value) => {
		expect(readExpiry(value, NOW)).toEqual({
			expiresAtMs: NOW + 90 * DAY_MS,
			expirySource: 'assumed',
		});
	});

	it('the expiry is always between 288 s and 400 days away', () => {
		const anything = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.anything());
		fc.assert(
			fc.property(anything, (value) => {
				const { expiresAtMs } = readExpiry(value, NOW);
				expect(expiresAtMs).toBeGreaterThanOrEqual(NOW + 288_000);
				expect(Number.isSafeInteger(expiresAtMs)).toBe(true);
				expect(expiresAtMs).toBeLessThanOrEqual(NOW + 400 * DAY_MS);
			}),
		);
	});
});

describe('an answer that is not quite JSON', () => {
	/** As n8n reads bytes that are no UTF-8: a pair of GBK that ends in a backslash. */
	const GBK = '\ufffd\\';
	const text = (message: string, data: object = { refresh_token: 'new' }) =>
		JSON.stringify(documented(data, { message: 'WORDS' })).replace('WORDS', message);

	it.each([
		['a pair of GBK before the closing quotation mark', GBK],
		['a pair of GBK before a letter', `${GBK}x`],
		['a raw line break', 'one\ntwo'],
		['a raw tab', 'one\ttwo'],
		['a quotation mark', 'a " b'],
	])('its tokens are read: %s', (_, message) => {
		expect(read(text(message))).toMatchObject({
			issued: {
				ok: true,
				value: {
					accessToken: 'abc',
					expiresAtMs: NOW + 90 * DAY_MS,
					header: 'OGW_ACCESS_TOKEN',
					traceId: '776ac7ef9ccd2cb3',
				},
			},
			refreshToken: 'new',
		});
	});

	it('its code is read, and no token of a refusal', () => {
		const refused = text(GBK).replace('"code":200', '"code":400');
		const outcome = read(refused);
		expect(outcome).toMatchObject({
			issued: {
				failure: { kind: 'refused', message: expect.stringContaining('(code 400)') as string },
			},
			refreshToken: '',
		});
	});

	it('a refusal that was cut off is none', () => {
		const cut = text(GBK).replace('"code":200', '"code":400').slice(0, -1);
		expect(failureOf(cut)).toMatchObject({ kind: 'unavailable', description: NOT_STORED });
	});

	it('a byte order mark does no harm', () => {
		expect(read(`\ufeff${text('ok')}`)).toMatchObject({
			issued: { ok: true },
			refreshToken: 'new',
		});
	});

	it.each([
		['cut off behind it', 'new', (whole: string) => whole.slice(0, whole.indexOf('"new"') + 5)],
		['cut off in it', '', (whole: string) => whole.slice(0, whole.indexOf('"new"') + 3)],
		['with a warning before it', 'new', (whole: string) => `Warning: x ${whole}`],
	])('an answer %s yields no access token, but this refresh token: %j', (_, refreshToken, cut) => {
		expect(read(cut(text('ok')))).toMatchObject({
			issued: { ok: false, failure: { kind: 'unavailable' } },
			refreshToken,
		});
		expect(failureOf(cut(text('ok')))?.description).toMatch(
			refreshToken === '' ? /^Nothing of this answer was stored\. If it lasts/ : /^If it lasts/,
		);
	});

	it.each(['={{ 1 }}', 'with space', 'x'.repeat(4_097)])(
		'a refresh token in it that cannot be stored is dropped: %s',
		(refresh_token) => {
			expect(read(text(GBK, { refresh_token }))).toMatchObject({
				issued: { ok: true },
				refreshToken: null,
			});
		},
	);

	it('nothing is stored of an answer that was cut off behind a damaged refresh token', () => {
		const cut = text('ok', { refresh_token: 'with space' }).slice(0, -1);
		expect(read(cut)).toMatchObject({
			issued: { failure: { kind: 'unavailable', description: NOT_STORED } },
			refreshToken: null,
		});
	});

	it('an escaped mention of a token in the words is none', () => {
		const message = `${GBK} \\"access_token\\":\\"evil\\"`;
		expect(read(text(message))).toMatchObject({
			issued: { ok: true, value: { accessToken: 'abc' } },
		});
	});
});

describe('an answer of any form', () => {
	it('any answer is read without an exception', () => {
		const anyData = fc.record(
			{ access_token: fc.anything(), refresh_token: fc.anything(), expires_in: fc.anything() },
			{ requiredKeys: [] },
		);
		const anyBody = fc.oneof(
			fc.json(),
			fc.string(),
			fc
				.record({ code: fc.constantFrom(200, '200', 401), data: anyData })
				.map((body) =>
					JSON.stringify(body, (_, value: unknown) =>
						typeof value === 'bigint' ? value.toString() : value,
					),
				),
		);
		fc.assert(
			fc.property(anyBody, fc.integer({ min: 100, max: 599 }), (body, statusCode) => {
				const { issued, refreshToken } = read(body, statusCode);
				expect(['', null].includes(refreshToken) || isStorableToken(refreshToken)).toBe(true);
				if (issued.ok) expect(isStorableToken(issued.value.accessToken)).toBe(true);
			}),
		);
	});
});

describe('no answer', () => {
	it.each([
		['ECONNREFUSED', 'the connection was refused', false],
		['ECONNRESET', 'the connection was closed', true],
		['ECONNABORTED', 'no answer came in time', true],
		['ETIMEDOUT', 'no answer came in time', true],
		['ERR_CANCELED', 'no answer came in time', true],
		['ENOTFOUND', 'its host name is unknown', false],
		['EAI_AGAIN', 'its host name could not be looked up', false],
		['CERT_HAS_EXPIRED', "the server's certificate has expired", false],
		['constructor', 'the connection failed', true],
		[undefined, 'the connection failed', true],
	])('the network error %s is told in words, without secrets', (code, words, mayHaveArrived) => {
		const error = Object.assign(new Error(`${TYPED.refreshToken} in ${String(code)}`), { code });
		expect(unreachable(error, 'https://openapi.aiclk.com')).toMatchObject({
			failure: {
				kind: 'unavailable',
				message: `AiClk (https://openapi.aiclk.com) could not be reached to refresh the access token: ${words}. Check the 'Base URL', and the network and proxy of n8n.`,
				description: expect.any(String) as string,
			},
			mayHaveArrived,
		});
	});

	it('a certificate error has a remedy of its own', () => {
		const { failure } = unreachable({ code: 'CERT_HAS_EXPIRED' }, 'https://a.example');
		expect(failure.description).toContain('NODE_EXTRA_CA_CERTS');
		const other = unreachable({ code: 'ECONNRESET' }, 'https://a.example');
		expect(other.failure.description).toMatch(/^If it lasts, check the 'Base URL'/);
	});

	it.each([null, undefined, 'text'])('a thrown %j is told in words, too', (thrown) => {
		expect(unreachable(thrown, 'https://a.example').failure.message).toContain(
			'the connection failed',
		);
	});
});
