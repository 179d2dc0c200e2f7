import fc from 'fast-check';

import { isHttpAnswer, readEnvelope, readProbe } from '../../../aiclk/protocol/envelope';

describe('the envelope', () => {
	it('is read as documented', () => {
		const body = {
			code: 200,
			data: { list: [] },
			message: 'success',
			trace_id: '776ac7ef9ccd2cb3',
		};
		expect(readEnvelope(body)).toEqual({
			code: 200,
			data: { list: [] },
			message: 'success',
			traceId: '776ac7ef9ccd2cb3',
			body,
		});
	});

	it.each([
		['a code as text', { code: '40001' }, { code: 40_001, message: '', traceId: null }],
		['a negative code', { code: -1 }, { code: -1 }],
		['a negative code as text', { code: '-1' }, { code: -1 }],
		['a message that is no text', { code: 1, message: {} }, { message: '' }],
		['a trace id that is no text', { code: 1, trace_id: 5 }, { traceId: null }],
		['a trace id that is no id', { code: 1, trace_id: 'a b' }, { traceId: null }],
		['a trace id beyond 64 characters', { code: 1, trace_id: 'a'.repeat(65) }, { traceId: null }],
		['no data', { code: 1 }, { data: undefined }],
	])('the envelope of %s', (_, body, expected) => {
		expect(readEnvelope(body)).toMatchObject(expected);
	});

	it.each([null, undefined, 'text', 5, [], [{ code: 200 }], {}, { code: null }, { code: 1.5 }])(
		'%j is none',
		(body) => {
			expect(readEnvelope(body)).toBeNull();
		},
	);

	it.each(['', 'abc', '1.5', '0x1', '1'.repeat(10), ' 200'])('a code %j is none', (code) => {
		expect(readEnvelope({ code })).toBeNull();
	});
});

describe('the probe on a token', () => {
	it.each<[string, unknown, number, string]>([
		['code 200', { code: 200 }, 200, 'accepted'],
		['HTTP 401', '', 401, 'rejected'],
		['code 401 under HTTP 200', { code: 401, data: null }, 200, 'rejected'],
		['code 401 as text', { code: '401' }, 200, 'rejected'],
		['code 401 under HTTP 500', { code: 401 }, 500, 'rejected'],
		['HTTP 403', '', 403, 'unknown'],
		['code 403', { code: 403 }, 200, 'unknown'],
		['HTTP 500', '<html>', 500, 'unknown'],
		['HTML', '<html>', 200, 'unknown'],
	])('the probe on a token: %s', (_, body, statusCode, probe) => {
		expect(readProbe({ statusCode, body })).toBe(probe);
	});

	it('is never a rejection but for 401', () => {
		fc.assert(
			fc.property(fc.anything(), fc.anything(), fc.anything(), (statusCode, code, other) => {
				if (statusCode === 401 || code === 401 || code === '401') return;
				expect(readProbe({ statusCode, body: { code } })).not.toBe('rejected');
				expect(readProbe(other)).toBe('unknown');
			}),
		);
	});
});

it.each([null, undefined, 'text', 5, {}, { statusCode: '200' }])(
	'%j is no full response',
	(value) => {
		expect(isHttpAnswer(value)).toBe(false);
	},
);
