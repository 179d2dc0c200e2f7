import { readNetworkError } from '../../../aiclk/protocol/networkErrors';

describe('readNetworkError', () => {
	it.each<[string, unknown, RegExp, RegExp]>([
		['an expired certificate', { code: 'CERT_HAS_EXPIRED' }, /has expired/, /the clock/],
		[
			'a certificate for another host',
			{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
			/another host/,
			/Base/,
		],
		[
			'a certificate of its own',
			{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
			/not trusted/,
			/EXTRA_CA/,
		],
		['an own authority', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }, /not trusted/, /EXTRA_CA/],
		['no chain', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, /not trusted/, /EXTRA_CA/],
		[
			'no TLS',
			{ code: 'EPROTO', message: 'SSL: wrong version number' },
			/not speak TLS/,
			/Base URL/,
		],
		[
			'a connection cut before TLS',
			{
				code: 'ECONNRESET',
				message: 'Client network socket disconnected before secure TLS connection was established',
			},
			/before it was secure/,
			/Base URL/,
		],
		[
			'a proxy that hangs up',
			{ message: 'Proxy connection ended before receiving CONNECT response' },
			/proxy closed/,
			/HTTPS_PROXY/,
		],
		['a blocked address', { name: 'SsrfBlockedIpError' }, /blocks its address/, /administrator/],
		['a blocked host', { name: 'SsrfBlockedHostnameError' }, /blocks its host/, /administrator/],
	])('%s: never sent, with what to do', (_, error, words, remedy) => {
		const wrapped = { name: 'NodeApiError', cause: { name: 'AxiosError', cause: error } };
		for (const thrown of [error, wrapped]) {
			expect(readNetworkError(thrown)).toEqual({
				mayHaveArrived: false,
				words: expect.stringMatching(words),
				remedy: expect.stringMatching(remedy),
			});
		}
	});

	it('tells a time-out of the connecting from one of the answer', () => {
		const axiosError = { code: 'ETIMEDOUT', cause: { code: 'ETIMEDOUT', syscall: 'connect' } };
		expect(readNetworkError(axiosError).mayHaveArrived).toBe(false);
		expect(readNetworkError({ code: 'ETIMEDOUT' }).mayHaveArrived).toBe(true);
		expect(readNetworkError({ code: 'ETIMEDOUT', syscall: 'read' }).mayHaveArrived).toBe(true);
	});

	it.each(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_CANCELED', 'EPROTO', 'WHATEVER'])(
		'%s may have arrived',
		(code) => {
			expect(readNetworkError({ code, message: 'x' }).mayHaveArrived).toBe(true);
		},
	);
});
