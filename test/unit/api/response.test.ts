import { noAnswer, readAnswer } from '../../../aiclk/api/response';
import type { Effect } from '../../../aiclk/api/request';

const SECRET = 'a-secret-token';
const asked = (effect: Effect) => ({ effect, hint: 'Check it.', secrets: [SECRET] });
const answer = (statusCode: number, body: unknown) => ({
	statusCode,
	body: typeof body === 'string' ? body : JSON.stringify(body),
});
const refusal = { code: 400, data: null, message: `余额不足 ${SECRET}`, trace_id: 'ab12' };

describe('readAnswer', () => {
	it('takes code 200 as success, whatever the HTTP status', () => {
		const body = { code: 200, message: 'Success', data: [1], trace_id: 'ab12' };
		expect(readAnswer(answer(503, body), asked('money'))).toEqual({
			ok: true,
			value: { code: 200, message: 'Success', data: [1], traceId: 'ab12' },
		});
	});

	it.each<[string, Effect, unknown, string, RegExp, RegExp]>([
		[
			'a refusal',
			'read',
			answer(200, refusal),
			'refused',
			/^AiClk refused this: 余额不足/,
			/^Check it\. AiClk code 400, trace_id ab12\.$/,
		],
		[
			'a refusal without words',
			'read',
			answer(200, { code: 400 }),
			'refused',
			/no reason given/,
			/code 400\.$/,
		],
		[
			'a refused token',
			'read',
			answer(200, { code: 401 }),
			'token-rejected',
			/does not accept/,
			/has the permission.*code 401/,
		],
		[
			'HTTP 401 with HTML',
			'money',
			answer(401, '<html>'),
			'token-rejected',
			/^AiClk does not accept the access token$/,
			/^Nothing was carried out/,
		],
		[
			'an outage',
			'read',
			answer(503, { code: 400 }),
			'unknown',
			/temporarily unavailable/,
			/^Nothing was changed/,
		],
		[
			'an outage',
			'change',
			answer(503, { code: 400 }),
			'unknown',
			/The change may have been/,
			/sent once.*code 400/,
		],
		[
			'an outage by its code',
			'money',
			answer(200, { code: 500 }),
			'unknown',
			/The transfer may have been/,
			/transactions/,
		],
		[
			'HTML',
			'money',
			answer(200, '<html>'),
			'unknown',
			/not answer as documented \(HTTP 200\).*may have been/,
			/transactions/,
		],
		[
			'an unknown path',
			'read',
			answer(404, 'nope'),
			'unknown',
			/does not know this call.*HTTP 404/,
			/Nothing was changed/,
		],
		['no answer at all', 'change', undefined, 'unknown', /no answer.*may have been/, /sent once/],
		[
			'bytes',
			'read',
			{ statusCode: 200, body: Buffer.from('{}') },
			'unknown',
			/HTTP 200/,
			/Run again/,
		],
	])('%s to a %s', (_, effect, value, kind, message, description) => {
		const read = readAnswer(value, asked(effect));
		expect(read).toMatchObject({
			ok: false,
			failure: {
				kind,
				message: expect.stringMatching(message),
				description: expect.stringMatching(description),
			},
		});
		expect(JSON.stringify(read)).not.toContain(SECRET);
	});
});

describe('noAnswer', () => {
	it.each<[unknown, Effect, RegExp]>([
		[{ code: 'ECONNRESET' }, 'money', /was cut\. The transfer may have been carried out/],
		[{ cause: { cause: { code: 'ETIMEDOUT' } } }, 'change', /in time\. The change may have been/],
		[{ httpCode: 'ECONNREFUSED' }, 'money', /was refused\. Nothing was sent\.$/],
		[{ code: 'EAI_AGAIN' }, 'read', /looked up\. Nothing was sent\.$/],
		[new Error(SECRET), 'read', /did not work\.$/],
		[{ code: 7 }, 'money', /did not work\. The transfer may/],
		['text', 'read', /did not work\.$/],
		[null, 'read', /did not work\.$/],
	])('%p to a %s', (error, effect, message) => {
		const failure = noAnswer(error, effect);
		expect(failure.message).toMatch(message);
		expect(JSON.stringify(failure)).not.toContain(SECRET);
	});

	it('does not follow causes for ever', () => {
		const error: { cause?: unknown } = {};
		error.cause = error;
		expect(noAnswer(error, 'read').kind).toBe('unknown');
	});
});
