import fc from 'fast-check';

import { type ApiRequest, readPath, toHttpOptions } from '../../../aiclk/api/request';
import { StreamedFile } from '../../../aiclk/api/streamedFile';

const BASE = 'https://openapi.aiclk.com';
const request = (more: Partial<ApiRequest>): ApiRequest => ({
	method: 'GET',
	path: '/openapi/v1/x',
	effect: 'read',
	...more,
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

	it('takes the answer as text, whatever its status, and follows no redirect', () => {
		expect(toHttpOptions(BASE, request({}))).toEqual({
			method: 'GET',
			url: `${BASE}/openapi/v1/x`,
			headers: { Accept: 'application/json' },
			encoding: 'text',
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
			timeout: 60_000,
		});
	});

	it('gives a file half an hour', () => {
		const file = new StreamedFile('a.mp4', 'video/mp4', 3, async () => [new Uint8Array(3)]);
		expect(toHttpOptions(BASE, request({ form: { file } })).timeout).toBe(1_800_000);
		expect(toHttpOptions(BASE, request({ form: { a: 'b' } })).timeout).toBe(60_000);
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

describe('readPath', () => {
	it.each([
		['/openapi/v1/campaign/get', '/openapi/v1/campaign/get'],
		['openapi/v1/x', '/openapi/v1/x'],
		['v1/x', '/openapi/v1/x'],
		['/v1/x', '/openapi/v1/x'],
		[' v1/x ', '/openapi/v1/x'],
	])('takes %p', (value, path) => {
		expect(readPath(value)).toEqual({ ok: true, value: path });
	});

	it.each([
		'',
		' ',
		7,
		'https://evil.example/openapi/x',
		'//evil.example/x',
		'\\\\evil.example',
		'/openapi/../oauth2/token',
		'v1/./x',
		'v1/%2e%2E/x',
		'v1%2fx',
		'v1\\..\\x',
		'v1/x?a=1',
		'v1/x#a',
		'v1//x',
		'v1/x y',
		'v1/中文',
		'/openapi/',
	])('refuses %p', (value) => {
		expect(readPath(value)).toMatchObject({ ok: false });
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
