import fc from 'fast-check';

import {
	type ApiRequest,
	ownWordsOf,
	readPath as readPathOf,
	textsOf,
	toHttpOptions,
} from '../../../aiclk/api/request';
import type { Json } from '../../../aiclk/protocol/json';
import { fileNameOf, StreamedFile } from '../../../aiclk/api/streamedFile';

const BASE = 'https://openapi.aiclk.com';
const request = (more: Partial<ApiRequest>): ApiRequest => ({
	method: 'GET',
	path: '/openapi/v1/x',
	effect: 'read',
	...more,
});

const WORDS = 'spring-sale-2026-for-all-new-customers';

it.each<[string, Partial<ApiRequest>]>([
	['path', { path: `/openapi/v1/${WORDS}` }],
	['URL parameters', { parameters: { keywords: WORDS } }],
	['query', { query: { name: WORDS } }],
	['body', { body: { name: WORDS } }],
	['form', { form: { comment: WORDS } }],
	["file's name", { form: { file: new File([], WORDS) } }],
])('the words in the %s of a request are the user’s own', (_, more) => {
	expect(ownWordsOf(request(more))).toContain(WORDS);
});

describe('textsOf', () => {
	it.each<[Json, string | null]>([
		['a b', 'a b'],
		[1, '1'],
		[2n ** 64n, String(2n ** 64n)],
		[['x', 2n], '["x",2]'],
		['', ''],
		[null, null],
	])('textsOf of %p', (value, text) => {
		expect(textsOf({ a: value })).toEqual(text === null ? [] : [['a', text]]);
	});
});

describe('toHttpOptions', () => {
	it('encodes every value, so that none can become another parameter', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
				const { url } = toHttpOptions(BASE, request({ parameters: { a }, query: { b } }));
				const { searchParams, pathname } = new URL(url);
				expect(pathname).toBe('/openapi/v1/x');
				expect([...searchParams.keys()]).toEqual(['a', 'query']);
				expect(searchParams.get('a')).toBe(a);
				expect(JSON.parse(searchParams.get('query') as string)).toEqual({ b });
			}),
		);
	});

	it('leaves out URL parameters that are null', () => {
		const { url } = toHttpOptions(BASE, request({ parameters: { a: null, b: 0, c: '' } }));
		expect(url).toBe(`${BASE}/openapi/v1/x?b=0&c=`);
	});

	it('asks for the answer as text at any HTTP status and follows no redirect', () => {
		expect(toHttpOptions(BASE, request({}))).toEqual({
			method: 'GET',
			url: `${BASE}/openapi/v1/x`,
			headers: { Accept: 'application/json' },
			encoding: 'text',
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
			timeout: 60_000,
			totalTimeoutMs: 60_000,
		});
	});

	it.each([
		[3, 60_001],
		[1_000_000, 70_000],
		[200_000_000, 2_060_000],
	])('allows a file of %d bytes a total of %d ms', (size, timeoutMs) => {
		const file = new StreamedFile('a.mp4', 'video/mp4', size, async () => [new Uint8Array(3)]);
		const { timeout, totalTimeoutMs } = toHttpOptions(BASE, request({ form: { file } }));
		expect([timeout, totalTimeoutMs]).toEqual([timeoutMs, timeoutMs]);
	});

	it('allows a form without a file as long as any other call', () => {
		expect(toHttpOptions(BASE, request({ form: { a: 'b' } })).totalTimeoutMs).toBe(60_000);
	});
});

describe('StreamedFile', () => {
	it('opens its bytes only when they are read', async () => {
		let opened = 0;
		const file = new StreamedFile('a.png', 'image/png', 4, async () => {
			opened++;
			return [Buffer.from('ab'), Buffer.from('cd')];
		});
		const form = new FormData();
		form.append('file', file);
		expect([opened, file.size, (form.get('file') as File).name]).toEqual([0, 4, 'a.png']);
		const read: Buffer[] = [];
		for await (const bytes of (form.get('file') as File).stream()) read.push(Buffer.from(bytes));
		expect([opened, Buffer.concat(read).toString()]).toEqual([1, 'abcd']);
	});
});

describe('a file that is not what was announced', () => {
	const read = async (file: StreamedFile): Promise<number> => {
		let size = 0;
		for await (const bytes of file.stream()) size += bytes.length;
		return size;
	};
	const three = (open: ConstructorParameters<typeof StreamedFile>[3]) =>
		new StreamedFile('a.png', 'image/png', 3, open);

	it.each<[string, StreamedFile, RegExp]>([
		['was cut', three(() => [new Uint8Array(2)]), /changed.*: 2 of 3 bytes/],
		['is empty now', three(() => []), /changed.*: 0 of 3 bytes/],
		['has grown', three(() => [new Uint8Array(4)]), /changed.*: more than 3 of 3 bytes/],
		['is gone', three(async () => await Promise.reject(new Error('ENOENT'))), /could not be read/],
	])('the sending of a file that changed fails and says why: %s', async (_, file, failure) => {
		await expect(read(file)).rejects.toThrow(failure);
		expect(file.failure).toMatch(failure);
	});

	it('the sending of a file that is as announced does not fail', async () => {
		const file = three(() => [new Uint8Array(2), new Uint8Array(1)]);
		expect([await read(file), file.failure]).toEqual([3, null]);
	});
});

describe('fileNameOf', () => {
	it.each([
		['a.png', undefined, 'image/jpeg', 'a.png'],
		['banner', undefined, 'image/png', 'banner'],
		['', undefined, 'image/png', 'file.png'],
		[' ', undefined, 'image/jpeg', 'file.jpg'],
		[null, undefined, 'video/mp4; codecs=avc1', 'file.mp4'],
		[undefined, 'webm', 'application/octet-stream', 'file.webm'],
		[undefined, undefined, 'application/vnd.android.package-archive', 'file.apk'],
		[undefined, '', 'application/vnd.ms-excel', 'file'],
		[undefined, undefined, undefined, 'file'],
	])('fileNameOf of %p, %p, %p: %s', (name, extension, mimeType, expected) => {
		expect(fileNameOf(name, extension, mimeType)).toBe(expected);
	});
});

const readPath = (value: unknown, method = 'GET') => readPathOf(value, BASE, method);

describe('readPath', () => {
	it.each([
		['/openapi/v1/campaign/get', '/openapi/v1/campaign/get'],
		['openapi/v1/x', '/openapi/v1/x'],
		['v1/x', '/openapi/v1/x'],
		['/v1/x', '/openapi/v1/x'],
		[' v1/x ', '/openapi/v1/x'],
		[`${BASE}/openapi/v1/x`, '/openapi/v1/x'],
		['HTTPS://OpenAPI.AiClk.com/openapi/v1/x', '/openapi/v1/x'],
		['https://openapi.aiclk.com:443/openapi/v1/x', '/openapi/v1/x'],
		['openapi.aiclk.com/openapi/v1/x', '/openapi/v1/x'],
		['OpenAPI.aiclk.com:443/openapi/v1/x', '/openapi/v1/x'],
		['v1/report/charge_list', '/openapi/v1/report/charge_list'],
		['v1/a-B_0.9~/..x', '/openapi/v1/a-B_0.9~/..x'],
	])('readPath accepts %p', (value, path) => {
		expect(readPath(value)).toEqual({ ok: true, value: path });
	});

	it.each([
		...['', ' ', 7, 'v1/x?a=1', 'v1/x#a', 'v1//x', 'v1/x y', 'v1/中文', '/openapi/'],
		...['https://evil.example/openapi/x', '//evil.example/x', '\\\\evil.example'],
		...[
			'https://openapi.aiclk.com.evil.example/openapi/x',
			'https://openapi.aiclk.com:444/openapi/x',
		],
		...['https://openapi.aiclk.com@evil.example/openapi/x', 'v1/.;a=1/x', 'v1/./x'],
		...['/openapi/../oauth2/token', '/openapi/v1/..;/..;/oauth2/token', 'v1/%2e%2E/x'],
		...['/openapi/v1/%252e%252e/x', 'v1%2fx', 'v1\\..\\x', 'v1/x%3b/y'],
		...['v1/charge/agent', 'v1/CHARGE;x=1/agent', 'v1/ch%61rge/agent', 'v1/%2563harge/agent'],
		...['v1/x%20y', 'v1/x%zz', ...[..."%!$&'()*+,;=:@"].map((character) => `v1/x${character}y`)],
	])('readPath refuses %p', (value) => {
		expect(readPath(value)).toMatchObject({ ok: false });
	});

	it.each([
		[`${BASE}/api/v1/report`, 'lies outside /openapi/'],
		[`${BASE}/oauth2/token`, 'lies outside /openapi/'],
		[`${BASE}/v1/x`, 'lies outside /openapi/'],
		[`${BASE}/OpenAPI/v1/x`, 'lies outside /openapi/'],
		[`${BASE}//openapi/v1/x`, 'lies outside /openapi/'],
		[`${BASE}:443`, 'lies outside /openapi/'],
		['openapi.aiclk.com/oauth2/token', 'lies outside /openapi/'],
		[`${BASE}/openapi/../oauth2/token`, 'climbs out of /openapi/'],
		[`${BASE}/openapi/%2e%2e/oauth2/token`, "holds characters that no path of AiClk's has"],
		[`${BASE}/openapi/v1/x?a=1`, /^holds a query/],
		['https://user@openapi.aiclk.com/openapi/v1/x', /^names another host/],
		['https://:password@openapi.aiclk.com/openapi/v1/x', /^names another host/],
		['http://openapi.aiclk.com/openapi/v1/x', /^names another host/],
		['openapi.aiclk.com.evil.example/openapi/v1/x', /^names another host/],
		['openapi.aiclk.com:444/openapi/v1/x', /^names another host/],
		['\\\\evil.example', /^names another host/],
		['v1/x:y', /^holds characters/],
		['v1//x', 'has an empty part'],
		...['', ' ', 7].map((empty): [unknown, string] => [empty, 'is empty']),
	])('refuses %p and says why', (value, failure) => {
		expect(readPath(value)).toEqual({ ok: false, failure: expect.stringMatching(failure) });
	});

	it.each(['POST', 'PUT', 'DELETE'])('refuses every path that may be a charge for %s', (method) => {
		expect(readPath('v1/report/charge_list', method)).toMatchObject({ ok: false });
		expect(readPath('v1/recharge/list', method)).toMatchObject({ ok: true });
	});

	it('never lets a path leave /openapi/ on its host', () => {
		const parts = fc.oneof(
			fc.constantFrom('..', '.', '/', '//', '\\', '%2e', '%2F', '@', ':', ';', '?', '#', 'openapi'),
			fc.string({ maxLength: 5 }),
		);
		fc.assert(
			fc.property(fc.array(parts, { maxLength: 8 }), (pieces) => {
				const path = readPath(pieces.join(''));
				if (!path.ok) return;
				const url = new URL(`${BASE}${path.value}`);
				expect(url.origin).toBe(BASE);
				expect(url.pathname).toBe(path.value);
				expect(url.pathname.startsWith('/openapi/')).toBe(true);
			}),
		);
	});
});
