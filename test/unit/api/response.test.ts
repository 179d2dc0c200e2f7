import { neverSent, noAnswer, readAnswer } from '../../../aiclk/api/response';
import type { Effect } from '../../../aiclk/api/request';

const SECRET = 'a-secret-token';
const CALL = 'POST /openapi/v1/x';
const asked = (effect: Effect) => ({
	effect,
	name: CALL,
	hint: 'Check it.',
	secrets: () => [SECRET],
});
const answer = (statusCode: number, body: unknown) => ({
	statusCode,
	body: typeof body === 'string' ? body : JSON.stringify(body),
});
const refusal = { code: 400, data: null, message: `余额不足 ${SECRET}`, trace_id: 'ab12' };

describe('readAnswer', () => {
	it('takes code 200 as success, whatever the HTTP status', () => {
		const body = { code: 200, message: 'Success', data: [1], trace_id: 'ab12', more: 1 };
		expect(readAnswer(answer(503, body), asked('money'))).toEqual({
			ok: true,
			value: { code: 200, message: 'Success', data: [1], traceId: 'ab12', body },
		});
	});

	const HTML = answer(200, '<html>');
	const BYTES = { statusCode: 200, body: Buffer.from('{}') };
	const SAID = /^AiClk refused this: 余额不足 \*\*\*$/;
	const CALLED = /^Check it\. POST \/openapi\/v1\/x: AiClk code 400, trace_id ab12\.$/;
	const CHECK = /console.*Get Info.*no transfers/;

	it.each<[string, Effect, unknown, string, RegExp, RegExp]>([
		['a refusal', 'read', answer(200, refusal), 'refused', SAID, CALLED],
		['no words', 'read', answer(200, { code: 400 }), 'refused', /no reason stated/, /code 400\.$/],
		['HTML', 'read', HTML, 'unknown', /documented \(HTTP 200\)$/, /Run this/],
		['HTML', 'change', HTML, 'unknown', /change may have been/, /is not repeated/],
		['HTML', 'money', HTML, 'unknown', /transfer may have been/, CHECK],
		['half a JSON', 'money', answer(200, '{"code":200'), 'unknown', /HTTP 200.*may have/, /once/],
		['no answer', 'change', undefined, 'unknown', /no answer.*may have been/, /is not repeated/],
		['bytes', 'read', BYTES, 'unknown', /HTTP 200/, /again/],
	])('%s to a %s', (_, effect, value, outcome, message, description) => {
		const read = readAnswer(value, asked(effect));
		expect(read).toMatchObject({
			ok: false,
			failure: {
				outcome,
				message: expect.stringMatching(message),
				description: expect.stringMatching(description),
			},
		});
		expect(JSON.stringify(read)).not.toContain(SECRET);
	});

	const REFUSED = /^AiClk refused this/;
	const BUSY = /^AiClk takes no more requests at the moment: /;
	const UNSAID = /does not say what was done: 余额不足.*may have been carried out/;
	const AWAY = /temporarily unavailable.*may have been carried out/;

	it.each<[number, number, string, RegExp]>([
		[200, 400, 'refused', REFUSED],
		[400, 40_002, 'refused', REFUSED],
		[200, 40_000, 'refused', REFUSED],
		[200, 49_999, 'refused', REFUSED],
		[429, 429, 'refused', BUSY],
		[200, 429, 'refused', BUSY],
		[200, -1, 'unknown', UNSAID],
		[200, 0, 'unknown', UNSAID],
		[201, 201, 'unknown', UNSAID],
		[200, 399, 'unknown', UNSAID],
		[200, 408, 'unknown', UNSAID],
		[408, 408, 'unknown', UNSAID],
		[200, 499, 'unknown', UNSAID],
		[200, 600, 'unknown', UNSAID],
		[200, 1001, 'unknown', UNSAID],
		[400, 1001, 'unknown', UNSAID],
		[200, 39_999, 'unknown', UNSAID],
		[200, 50_000, 'unknown', UNSAID],
		[302, 400, 'unknown', UNSAID],
		[499, 400, 'unknown', UNSAID],
		[200, 500, 'unknown', AWAY],
		[200, 599, 'unknown', AWAY],
		[429, 500, 'unknown', AWAY],
		[500, 400, 'unknown', AWAY],
		[504, 401, 'unknown', AWAY],
		[504, 429, 'unknown', AWAY],
		[599, 40_002, 'unknown', AWAY],
	])('HTTP %d with AiClk code %d to a charge: %s', (status, code, outcome, message) => {
		expect(readAnswer(answer(status, { ...refusal, code }), asked('money'))).toMatchObject({
			failure: {
				outcome,
				code,
				httpCode: String(status),
				traceId: 'ab12',
				message: expect.stringMatching(message),
			},
		});
	});

	it.each<[number, object, Effect, string]>([
		[429, { code: 429 }, 'money', 'refused'],
		[429, {}, 'money', 'refused'],
		[200, { code: 429 }, 'change', 'refused'],
		[503, {}, 'change', 'unknown'],
		[503, { code: 429 }, 'change', 'unknown'],
		[503, {}, 'read', 'refused'],
	])(
		'HTTP %d with Retry-After and the body %j to a %s is busy, and the outcome is %s',
		(statusCode, body, effect, outcome) => {
			const headers = { 'retry-after': '1' };
			const value = { ...answer(statusCode, body), headers };
			expect(readAnswer(value, asked(effect))).toMatchObject({
				failure: { kind: 'busy', outcome, retryAfterMs: 1_000 },
			});
		},
	);

	it.each<[number, unknown, string, string]>([
		[200, { code: 400 }, 'refused', 'refused'],
		[200, { code: 1001 }, 'refused', 'refused'],
		[200, { code: 500 }, 'unavailable', 'unknown'],
		[500, { code: 400 }, 'unavailable', 'unknown'],
		[504, { code: 429 }, 'busy', 'refused'],
		[504, { code: 401 }, 'rejected', 'refused'],
		[407, { code: 400 }, 'refused', 'refused'],
		[299, '<html>', 'unusable', 'unknown'],
		[300, '<html>', 'refused', 'refused'],
		[399, '<html>', 'refused', 'refused'],
		[404, '<html>', 'refused', 'refused'],
		[408, '<html>', 'unusable', 'unknown'],
		[413, '<html>', 'refused', 'refused'],
		[499, '<html>', 'unusable', 'unknown'],
		[500, '<html>', 'unavailable', 'unknown'],
		[300, 'a,b', 'refused', 'refused'],
		[500, 'a,b', 'unavailable', 'unknown'],
	])('a read answered HTTP %d with %j is %s, outcome %s', (status, body, kind, outcome) => {
		expect(readAnswer(answer(status, body), asked('read'))).toMatchObject({
			failure: { kind, outcome, isRead: true, retryAfterMs: null },
		});
	});

	it.each<[Effect, number, RegExp, RegExp]>([
		['read', 429, /moment: HTTP 429$/, /^Nothing was carried out\. Run this again later/],
		['change', 429, /moment: HTTP 429$/, /^Nothing was carried out\. Run this again later/],
		['money', 429, /moment: HTTP 429$/, /^Nothing was carried out\. A transfer is never repeated/],
		['read', 302, /redirect/, /^Nothing was carried out\. .*Check the 'Base URL'/],
		['read', 401, /token$/, /^Nothing was carried out\. Check that.*Get Status/],
		['change', 401, /token$/, /^Nothing was carried out\. If the token was the cause/],
	])('a %s answered HTTP %d says what to do next', (effect, status, message, description) => {
		expect(readAnswer(answer(status, '<html>'), asked(effect))).toMatchObject({
			failure: {
				isRead: effect === 'read',
				message: expect.stringMatching(message),
				description: expect.stringMatching(description),
			},
		});
	});

	it.each<[string, number, unknown, string]>([
		['may have been carried out', 500, '', 'may have been carried out: do not send it again'],
		['was refused', 200, refusal, 'was not carried out.'],
		['met a busy AiClk', 429, '', 'was not carried out.'],
	])('a transfer that %s is named', (_, status, body, end) => {
		const subject = 'The transfer of 5 fen';
		expect(readAnswer(answer(status, body), { ...asked('money'), subject })).toMatchObject({
			failure: { message: expect.stringContaining(`. The transfer of 5 fen ${end}`) },
		});
	});

	it.each<[Effect, unknown]>([
		['read', answer(200, { code: 401, message: 'no' })],
		['change', answer(401, { code: 401, message: 'no' })],
		['money', answer(401, { code: 401, message: 'no' })],
	])(
		'a %s that AiClk refuses although it accepts the token needs a permission',
		(effect, value) => {
			expect(readAnswer(value, asked(effect), 'accepted')).toMatchObject({
				failure: {
					kind: 'refused',
					outcome: 'refused',
					message: 'AiClk refused this, although it accepts the access token: no',
					description: expect.stringMatching(
						/^Nothing was carried out. Check that your application/,
					),
				},
			});
		},
	);

	it('a charge of which HTTP status and code disagree is not called refused where AiClk accepts the token', () => {
		const value = answer(401, { code: 1001, message: 'no' });
		expect(readAnswer(value, asked('money'), 'accepted')).toMatchObject({
			failure: { outcome: 'unknown', message: expect.not.stringContaining('AiClk refused this') },
		});
	});

	it.each<Effect>(['read', 'change', 'money'])(
		'a %s that AiClk rejects says so where AiClk cannot be asked about the token',
		(effect) => {
			const value = answer(401, { code: 401, message: 'no' });
			expect(readAnswer(value, asked(effect), 'unknown')).toMatchObject({
				failure: {
					kind: 'unavailable',
					outcome: 'refused',
					description: expect.stringContaining('Whether the token is the cause could not be'),
				},
			});
		},
	);

	it('AiClk’s words end without a full stop where a sentence follows', () => {
		const subject = 'The transfer of 5 fen';
		const value = answer(200, { code: 400, message: 'Too little money.' });
		expect(readAnswer(value, { ...asked('money'), subject })).toMatchObject({
			failure: {
				message: 'AiClk refused this: Too little money. The transfer of 5 fen was not carried out.',
			},
		});
	});

	it.each([
		['3600', /again in 60 minutes, as AiClk says, with/],
		['30', /again later, with/],
		[undefined, /again later, with/],
	])('a busy AiClk with Retry-After %s: says when to run again', (retryAfter, description) => {
		const value = { ...answer(429, ''), headers: { 'retry-after': retryAfter } };
		expect(readAnswer(value, asked('read'))).toMatchObject({
			failure: { description: expect.stringMatching(description) },
		});
	});

	it.each([
		['CSV', 'date,cost\n2026-01-01,5', /^AiClk's answer is not JSON \(HTTP 200\)/, /HTTP Request/],
		['a PDF', '%PDF-1.7', /not JSON/, /HTTP Request/],
		['a page', ' <html>', /did not answer as documented \(HTTP 200\)/, /Base URL/],
		[
			'half of one',
			'{"code":',
			/documented \(HTTP 200\): it is not JSON at line 1, column 9/,
			/Base/,
		],
		['nothing', '', /did not answer as documented/, /Base URL/],
	])('a read answered with %s says what to do', (_, body, message, description) => {
		expect(readAnswer(answer(200, body), asked('read'))).toMatchObject({
			failure: {
				kind: 'unusable',
				message: expect.stringMatching(message),
				description: expect.stringMatching(description),
			},
		});
	});

	it.each<[number, string, RegExp, RegExp]>([
		[301, 'unknown', /redirect, which is never followed \(HTTP 301\).*may have been/, /console/],
		[302, 'unknown', /redirect.*HTTP 302.*may have been carried out/, /console/],
		[303, 'unknown', /redirect.*HTTP 303.*may have been carried out/, /console/],
		[307, 'unknown', /redirect, which is never followed \(HTTP 307\).*may have been/, /console/],
		[308, 'unknown', /redirect, which is never followed \(HTTP 308\).*may have been/, /console/],
		[400, 'refused', /does not know this call.*HTTP 400\)$/, /^Nothing was carried out. Check it/],
		[404, 'refused', /does not know this call/, /Nothing was carried out/],
		[405, 'refused', /does not know this call/, /Nothing was carried out/],
		[407, 'not-sent', /proxy of n8n requires a login \(HTTP 407\)\. Nothing was sent/, /password/],
		[408, 'unknown', /HTTP 408.*may have been carried out/, CHECK],
		[413, 'refused', /too large/, /smaller file/],
		[414, 'refused', /too many IDs/, /Split the IDs/],
		[429, 'refused', /takes no more requests/, /later/],
		[431, 'refused', /too many IDs/, /Split the IDs/],
		[499, 'unknown', /HTTP 499.*may have been carried out/, CHECK],
		[500, 'unknown', /^AiClk is temporarily unavailable: HTTP 500.*may have been/, CHECK],
		[502, 'unknown', /HTTP 502.*may have been carried out/, CHECK],
	])('HTTP %d without an envelope to a charge: %s', (status, outcome, message, description) => {
		expect(readAnswer(answer(status, '<html>'), asked('money'))).toMatchObject({
			failure: {
				outcome,
				code: null,
				httpCode: String(status),
				traceId: null,
				message: expect.stringMatching(message),
				description: expect.stringMatching(description),
			},
		});
	});

	it.each<[Effect, unknown, RegExp, RegExp]>([
		['read', answer(200, { code: 401 }), /token: no reason stated$/, /permission.*code 401/],
		['money', answer(401, '<html>'), /^AiClk does not accept the access token$/, /^Nothing was/],
		['change', answer(401, refusal), /token: 余额不足 \*\*\*$/, /a new one has been requested/],
	])('a rejected token to a %s: nothing was carried out', (effect, value, message, description) => {
		expect(readAnswer(value, asked(effect))).toMatchObject({
			failure: {
				outcome: 'refused',
				kind: 'rejected',
				message: expect.stringMatching(message),
				description: expect.stringMatching(description),
			},
		});
	});
});

describe('noAnswer', () => {
	it.each<[unknown, Effect, RegExp]>([
		[{ code: 'ECONNRESET' }, 'money', /was closed\. The transfer may have been carried out/],
		[{ cause: { cause: { code: 'ETIMEDOUT' } } }, 'change', /in time\. The change may have been/],
		[{ code: 'ERR_CANCELED' }, 'money', /no answer came in time.*may have been carried out/],
		[{ httpCode: 'ECONNREFUSED' }, 'money', /was refused\. Nothing was sent\.$/],
		[{ code: 'EAI_AGAIN' }, 'read', /looked up\. Nothing was sent\.$/],
		[new Error(SECRET), 'read', /connection failed$/],
		[{ code: 7 }, 'money', /connection failed\. The transfer may/],
		['text', 'read', /connection failed$/],
		[null, 'read', /connection failed$/],
	])('noAnswer of %p to a %s', (error, effect, message) => {
		const failure = noAnswer(error, asked(effect));
		expect(failure.message).toMatch(message);
		expect(failure.description).toMatch(/POST \/openapi\/v1\/x\.$/);
		expect(JSON.stringify(failure)).not.toContain(SECRET);
	});

	it('ends at an error that is its own cause', () => {
		const error: { cause?: unknown } = {};
		error.cause = error;
		expect(noAnswer(error, asked('read')).outcome).toBe('unknown');
	});
});

it('neverSent says that nothing was sent', () => {
	expect(neverSent('The file is gone', 'Fetch it.', asked('money'))).toMatchObject({
		outcome: 'not-sent',
		message: 'The file is gone. Nothing was sent.',
		description: `Fetch it. ${CALL}.`,
	});
});
