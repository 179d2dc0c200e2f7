import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IBinaryData, IDataObject } from 'n8n-workflow';
import nock from 'nock';

import { dataOf, file, onApi, runNode, set } from './aiclk';
import { CredentialsHelper, newRow } from './context';
import { issued, onRefresh } from './support';

afterEach(() => {
	nock.cleanAll();
});

const UPLOAD = set('material', 'upload');
const withFile = (data: Partial<IBinaryData>) => [
	{ json: {}, binary: { data: { mimeType: 'image/png', data: '', ...data } as IBinaryData } },
];

describe('the announced size is the size that is sent', () => {
	let server: Server;
	let uploads: Array<{ announced: number; got: number; body: string }>;
	let helper: CredentialsHelper;

	beforeAll(async () => {
		nock.restore();
		server = createServer((request, response) => {
			const parts: Buffer[] = [];
			request.on('data', (part: Buffer) => parts.push(part));
			request.on('error', () => undefined);
			request.on('end', () => {
				const body = Buffer.concat(parts);
				if (request.url !== '/oauth2/token') {
					const announced = Number(request.headers['content-length']);
					uploads.push({ announced, got: body.length, body: body.toString() });
				}
				response.end(JSON.stringify(issued('access-1')));
			});
		});
		await new Promise<void>((resolve) => {
			server.listen(0, '127.0.0.1', resolve);
		});
	});
	beforeEach(() => {
		uploads = [];
		const { port } = server.address() as AddressInfo;
		helper = new CredentialsHelper(newRow({ accountId: '1', baseUrl: `http://127.0.0.1:${port}` }));
	});
	afterAll(() => {
		server.closeAllConnections();
		server.close();
		nock.activate();
	});

	it.each([
		['in one line', (text: string) => text],
		['broken into lines, as MIME has it', (text: string) => text.replace(/.{76}/g, '$&\r\n')],
		['broken into lines, as GitHub has it', (text: string) => text.replace(/.{60}/g, '$&\n')],
		['with spaces around it', (text: string) => ` ${text}\n`],
		[
			'for URLs',
			(text: string) => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
		],
	])('of base64 %s', async (_, write) => {
		const bytes = Buffer.from('some bytes ÿ?> '.repeat(200));
		const { error } = await runNode(UPLOAD, withFile({ data: write(bytes.toString('base64')) }), {
			helper,
		});
		expect(error).toBeNull();
		expect(uploads).toHaveLength(1);
		expect(uploads[0]?.got).toBe(uploads[0]?.announced);
		expect(uploads[0]?.body).toContain(bytes.toString());
	});

	/** A file in a store of n8n's: what is written down of it, and what is found. */
	const stored =
		(fileSize: number | null, bytes: Buffer | null) => (context: { helpers: object }) => {
			Object.assign(context.helpers, {
				getBinaryMetadata: async () =>
					fileSize === null ? await Promise.reject(new Error('ENOENT')) : { fileSize },
				getBinaryStream: async () =>
					bytes === null ? await Promise.reject(new Error('ENOENT')) : [bytes],
			});
		};
	const STORED = withFile({ id: 'filesystem-v2:1', fileName: 'a.mp4', data: 'filesystem-v2' });

	it.each<[string, number | null, Buffer | null, RegExp]>([
		[
			'was deleted with all that is known of it',
			null,
			null,
			/'a.mp4' in 'data' could not be found/,
		],
		['was deleted', 3_000_000, null, /'a.mp4' could not be read any more.*Nothing was sent/],
		[
			'was cut',
			3_000_000,
			Buffer.alloc(1_000_000),
			/'a.mp4' has changed.*1000000 of 3000000 bytes/,
		],
		['is empty', 0, Buffer.alloc(0), /The file in 'data' is empty/],
	])(
		'of a stored file that %s: it is named, and nothing is said to be sent',
		async (_, size, bytes, message) => {
			const change = stored(size, bytes) as never;
			const node = { onError: 'continueRegularOutput' as const };
			const { items } = await runNode(UPLOAD, STORED, { helper, change, node });
			const { message: text, outcome } = dataOf(items[0] as never) as IDataObject;
			expect([text, outcome]).toEqual([expect.stringMatching(message), 'not-sent']);
			expect(uploads).toEqual([]);
		},
		10_000,
	);

	it('of a stored file', async () => {
		const bytes = Buffer.alloc(1_000_000, 7);
		await runNode(UPLOAD, STORED, { helper, change: stored(bytes.length, bytes) as never });
		expect(uploads[0]?.got).toBe(uploads[0]?.announced);
	});
});

describe('the name of a file', () => {
	beforeAll(() => {
		nock.disableNetConnect();
	});
	afterAll(() => {
		nock.restore();
	});

	it.each<[string, Partial<IBinaryData>, string]>([
		['that is there', { fileName: '图 1.png' }, '图 1.png'],
		['that is empty', { fileName: '' }, 'file.png'],
		['that is null', { fileName: null as never }, 'file.png'],
		['that is missing, beside an extension', { fileExtension: 'jpeg' }, 'file.jpeg'],
		['that is missing, of a video', { mimeType: 'video/quicktime' }, 'file.mov'],
	])('%s', async (_, binary, name) => {
		onRefresh();
		const calls = onApi();
		await runNode(UPLOAD, withFile({ data: 'AAAA', ...binary }));
		expect(calls[0]?.body).toContain(`name="file"; filename="${name}"`);
	});

	it.each([
		[413, /too large.*refused/],
		[414, /too many IDs.*refused/],
	])('does not matter to HTTP %d, which says what is too much', async (status, message) => {
		onRefresh();
		onApi(() => [status, '<html>']);
		expect((await runNode(UPLOAD, file('x'))).error?.message).toMatch(message);
	});
});
