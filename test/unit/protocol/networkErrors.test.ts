import { readNetworkError } from '../../../aiclk/protocol/networkErrors';

describe('readNetworkError', () => {
	const CUT = 'Client network socket disconnected before secure TLS connection was established';
	const HUNG_UP = 'Proxy connection ended before receiving CONNECT response';

	it.each<[object, RegExp, RegExp]>([
		[{ code: 'CERT_HAS_EXPIRED' }, /has expired/, /the clock/],
		[{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, /another host/, /Base/],
		[{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, /not trusted/, /EXTRA_CA/],
		[{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, /not trusted/, /EXTRA_CA/],
		[{ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, /not trusted/, /EXTRA_CA/],
		[{ code: 'EPROTO', message: 'SSL: wrong version number' }, /not speak TLS/, /Base URL/],
		[{ code: 'ECONNRESET', message: CUT }, /before it was secure/, /Base URL/],
		[{ message: HUNG_UP }, /proxy closed/, /HTTPS_PROXY/],
		[{ name: 'SsrfBlockedIpError' }, /blocks its address/, /administrator/],
		[{ name: 'SsrfBlockedHostnameError' }, /blocks its host/, /administrator/],
	])('%j was never sent, with what to do', (error, words, remedy) => {
		const wrapped = { name: 'NodeApiError', cause: { name: 'AxiosError', cause: error } };
		for (const thrown of [error, wrapped]) {
			expect(readNetworkError(thrown)).toEqual({
				mayHaveArrived: false,
				words: expect.stringMatching(words),
				remedy: expect.stringMatching(remedy),
			});
		}
	});

	/** An error of Node's for a system call, with its words. */
	const failed = (syscall: string, code: string) => ({
		code,
		syscall,
		message: `${syscall} ${code} 203.0.113.1:443`,
	});
	const aggregate = (...errors: Array<{ code: string }>) => ({ ...errors[0], message: '', errors });

	/** What n8n throws: n8n 1 keeps the code and the words of the error that it wraps, but not the error itself. */
	const thrownFor = (error: { code: string; message: string; errors?: object[] }) => {
		const words = error.errors?.map((one) => (one as Error).message).join(' | ') ?? error.message;
		const { code } = error;
		return [
			error,
			{ name: 'NodeApiError', cause: { code, message: words, cause: error } },
			{ name: 'NodeApiError', httpCode: code, message: "n8n's own words", messages: [words] },
		];
	};

	/** An error of Node's without a system call. */
	const worded = (code: string, message: string) => ({ ...failed('', code), message });
	/** One of OpenSSL's while a request waits to be sent. */
	const ofTls = (message: string) => ({
		...failed('write', 'EPROTO'),
		message: `write EPROTO 80C:error:0A00042E:SSL routines::${message}`,
	});
	const NO_TLS = /no secure connection/;
	const TWO_ADDRESSES = aggregate(failed('connect', 'ETIMEDOUT'), failed('connect', 'ENETUNREACH'));

	it.each<[string, RegExp, { code: string; message: string }]>([
		['a connection that timed out', /not established in time/, failed('connect', 'ETIMEDOUT')],
		['two addresses that do not answer', /not established in time/, TWO_ADDRESSES as never],
		['a refused connection', /was refused/, failed('connect', 'ECONNREFUSED')],
		['a connection closed while connecting', /was closed/, failed('connect', 'ECONNRESET')],
		['no free port', /could not be established/, failed('connect', 'EADDRNOTAVAIL')],
		['a firewall', /could not be established/, failed('connect', 'EACCES')],
		['a host without an address', /could not be looked up/, failed('getaddrinfo', 'EAI_NODATA')],
		['an unknown host', /is unknown/, failed('getaddrinfo', 'ENOTFOUND')],
		[
			'an address that got its share of time',
			/not established in time/,
			worded('ERR_SOCKET_CONNECTION_TIMEOUT', 'Socket connection timeout'),
		],
		['no common version of TLS', NO_TLS, ofTls('tlsv1 alert protocol version')],
		['no certificate for the host', NO_TLS, ofTls('tlsv1 alert internal error')],
		[
			'a handshake that the server ended',
			NO_TLS,
			worded('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'SSL routines'),
		],
		[
			'an unsupported version of TLS',
			NO_TLS,
			worded('ERR_SSL_UNSUPPORTED_PROTOCOL', 'SSL routines'),
		],
	])('%s: never sent, on each version of n8n', (_, words, error) => {
		for (const thrown of thrownFor(error)) {
			const { mayHaveArrived, words: said } = readNetworkError(thrown);
			expect([mayHaveArrived, said]).toEqual([false, expect.stringMatching(words)]);
		}
	});

	it.each<[string, { code: string; message: string }]>([
		['a connection closed while waiting', failed('read', 'ECONNRESET')],
		['a time-out while waiting', failed('read', 'ETIMEDOUT')],
		['a route lost while waiting', failed('read', 'EHOSTUNREACH')],
		['a network lost while sending', failed('write', 'ENETUNREACH')],
		['a time limit', { code: 'ETIMEDOUT', message: 'timeout of 1 ms exceeded' }],
		[
			'noise on a secure connection',
			{ code: 'ERR_SSL_WRONG_VERSION_NUMBER', message: 'SSL routines::wrong version number' },
		],
		[
			'an alert on a secure connection',
			{ code: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', message: 'SSL routines::internal error' },
		],
	])('%s: may have arrived, on each version of n8n', (_, error) => {
		for (const thrown of thrownFor(error))
			expect(readNetworkError(thrown)).toMatchObject({ mayHaveArrived: true });
	});

	it.each<[string, Array<{ code: string }>]>([
		['one address of two', [failed('connect', 'ECONNREFUSED'), failed('read', 'ECONNRESET')]],
		['an unknown error', [failed('connect', 'ECONNREFUSED'), { code: 'WHATEVER' }]],
		['no error', []],
	])('several errors with %s may have arrived', (_, errors) => {
		const error = { ...aggregate(...errors), code: 'ECONNREFUSED' };
		expect(readNetworkError(error).mayHaveArrived).toBe(true);
	});

	it.each(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_CANCELED', 'EPROTO', 'WHATEVER'])(
		'%s may have arrived',
		(code) => {
			expect(readNetworkError({ code, message: 'x' }).mayHaveArrived).toBe(true);
		},
	);
});
