import fc from 'fast-check';

import { readBaseUrl, readInput, shortFingerprint } from '../../../aiclk/token/input';
import { emptyRow, inputOf, TYPED } from '../../harness/fakes';

const failureOf = (typed: Record<string, unknown>) => {
	const input = readInput(emptyRow(typed));
	return input.ok ? null : input.failure;
};

describe('the typed input', () => {
	it('typed values may hold white space, as pasted ones do', () => {
		const pasted = {
			clientId: '\t1000 0000 0000 0001 ',
			refreshToken: TYPED.refreshToken.replace(/(.{20})/g, '$1\r\n\u00a0\u200b\ufeff'),
			accountId: ' 1000002\n',
			baseUrl: ' https://openapi.aiclk.com/ ',
		};
		expect(inputOf(emptyRow(pasted))).toEqual(inputOf(emptyRow()));
		expect(inputOf(emptyRow(pasted))).toMatchObject(TYPED);
	});

	it('typed values may be numbers, as expressions yield them', () => {
		expect(inputOf(emptyRow({ clientId: 0, accountId: 1000002 }))).toMatchObject({
			clientId: '0',
			accountId: '1000002',
		});
	});

	it.each([
		['client id', { clientId: '' }, "has no 'Client ID'"],
		['client id but blanks', { clientId: ' \n' }, "has no 'Client ID'"],
		['refresh token', { refreshToken: undefined }, "has no 'Refresh Token'"],
		['either', { clientId: null, refreshToken: ' ' }, "no 'Client ID' and no 'Refresh Token'"],
	])('input without a %s is refused', (_, typed, text) => {
		expect(failureOf(typed)).toMatchObject({
			kind: 'input',
			message: expect.stringContaining(`${text}. Enter what AiClk shows`) as string,
		});
	});

	it.each([
		['client id', { clientId: '1001\u0000' }],
		['refresh token', { refreshToken: 'abc\u4e2d' }],
	])('input with control characters in the %s is refused', (_, typed) => {
		expect(failureOf(typed)).toMatchObject({
			kind: 'input',
			message: expect.stringMatching(/characters that no token has\. Copy both again/) as string,
			description: 'They consist of plain letters and digits. Nothing was sent.',
		});
	});

	/** The second number is what JavaScript makes of 9007199254740993: the ID of a neighbour. */
	const INEXACT = [1.5, 2 ** 53, Number.NaN, Infinity, -5, true, [], ['1000002'], {}];

	it.each(
		[
			['Client ID', 'clientId'],
			['Refresh Token', 'refreshToken'],
			['Account ID', 'accountId'],
		].flatMap(([label, name]) => INEXACT.map((value) => [label, value, name] as const)),
	)('%s: %j is refused, for it is neither text nor an exact number', (label, value, name) => {
		expect(failureOf({ [name as string]: value })).toMatchObject({
			kind: 'input',
			message: expect.stringMatching(
				`^The '${label}' .* neither text nor a whole number`,
			) as string,
		});
	});

	it.each(['abc', '12a', '-1', '1.5', '1'.repeat(21)])('the account id %s is refused', (id) => {
		expect(failureOf({ accountId: id })).toMatchObject({
			kind: 'input',
			message: expect.stringMatching(/'Account ID' .* Enter digits only/) as string,
			description: expect.stringMatching(
				/that your application may read\. Nothing was sent\.$/,
			) as string,
		});
	});

	it('the account id is optional', () => {
		expect(inputOf(emptyRow({ accountId: undefined })).accountId).toBe('');
		expect(inputOf(emptyRow({ accountId: '1'.repeat(20) })).accountId).toHaveLength(20);
	});

	it.each(['http://openapi.aiclk.com', '', undefined])(
		'the unusable base URL %j is refused with an example',
		(baseUrl) => {
			expect(failureOf({ baseUrl })).toMatchObject({
				kind: 'input',
				message: expect.stringMatching(
					/'Base URL' .* e\.g\. https:\/\/openapi\.aiclk\.com/,
				) as string,
			});
		},
	);
});

describe('the base URL', () => {
	it.each([
		['https://openapi.aiclk.com', 'https://openapi.aiclk.com'],
		['https://openapi.aiclk.com/', 'https://openapi.aiclk.com'],
		['HTTPS://OpenAPI.aiclk.com:443', 'https://openapi.aiclk.com'],
		['https://proxy.example:8443', 'https://proxy.example:8443'],
		['http://127.0.0.1:5790', 'http://127.0.0.1:5790'],
		['http://127.5.6.7', 'http://127.5.6.7'],
		['http://127.255.255.254', 'http://127.255.255.254'],
		['http://2130706433', 'http://127.0.0.1'],
		['http://localhost:80', 'http://localhost'],
		['http://[::1]:5790', 'http://[::1]:5790'],
	])('the base URL %s is read as %s', (typed, origin) => {
		expect(readBaseUrl(typed)).toBe(origin);
	});

	it.each([
		...['', ' ', undefined, null, true, [], ['http://localhost:1'], {}],
		...['openapi.aiclk.com', 'http://openapi.aiclk.com', 'https://', 'javascript:alert(1)'],
		...['http://127.0.0.1.evil.example', 'http://localhost.evil.example'],
		...['http://evil.example?127.0.0.1', 'http://[::2]', 'http://10.0.0.1'],
		...['https://user@openapi.aiclk.com', 'https://:password@openapi.aiclk.com'],
		...['https://openapi.aiclk.com/path', 'https://openapi.aiclk.com?query'],
		...['https://openapi.aiclk.com#fragment', 'ftp://openapi.aiclk.com', 'ftp://127.0.0.1'],
	])('the base URL %j is refused', (typed) => {
		expect(readBaseUrl(typed)).toBeNull();
	});
});

describe('the fingerprint', () => {
	const names = () => fc.string({ unit: fc.constantFrom('a', '"', ',', '1'), minLength: 1 });

	it('fingerprints tell inputs apart, client hashes tell clients apart', () => {
		fc.assert(
			fc.property(names(), names(), names(), names(), (id, token, otherId, otherToken) => {
				const one = inputOf(emptyRow({ clientId: id, refreshToken: token }));
				const other = inputOf(emptyRow({ clientId: otherId, refreshToken: otherToken }));
				expect(one.fingerprint === other.fingerprint).toBe(id === otherId && token === otherToken);
				expect(one.clientKey === other.clientKey).toBe(id === otherId);
			}),
		);
	});

	it('the fingerprint depends on the base URL, not on the account', () => {
		const elsewhere = inputOf(emptyRow({ baseUrl: 'https://proxy.example' }));
		expect(elsewhere.fingerprint).not.toBe(inputOf(emptyRow()).fingerprint);
		expect(elsewhere.clientKey).not.toBe(inputOf(emptyRow()).clientKey);
		expect(inputOf(emptyRow({ accountId: '' })).fingerprint).toBe(inputOf(emptyRow()).fingerprint);
	});

	it('the fingerprint holds nothing of the refresh token', () => {
		expect(inputOf(emptyRow()).fingerprint).toMatch(/^[0-9a-f]{64}$/);
		expect(inputOf(emptyRow()).clientKey).toMatch(/^[0-9a-f]{16}$/);
	});

	it('both stay the same in all versions, because they are stored with the token', () => {
		const input = inputOf(emptyRow({ clientId: '1', refreshToken: '23' }));
		// printf %s '["https://openapi.aiclk.com","1","23"]' | sha256sum
		expect(input.fingerprint).toBe(
			'c96ae10d7bb321ad7f0054cdd84ed753e28a78d9855f5bee6fe10e59a37c5b68',
		);
		expect(input.clientKey).toBe('44bf4a7d455f2d86');
	});

	it('the short fingerprint is the beginning of a SHA-256', () => {
		// printf %s abc | sha256sum
		expect(shortFingerprint('abc')).toBe('ba7816bf');
	});
});
