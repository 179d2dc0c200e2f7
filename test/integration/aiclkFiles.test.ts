import type { IBinaryData, IDataObject } from 'n8n-workflow';

import { onApi, onLostAnswers } from '../harness/nocks';
import { CONTINUE, dataOf, file, inStore, runNode, set } from '../harness/runNode';

const UPLOAD = set('material', 'upload');
const withFile = (data: Partial<IBinaryData>) => [
	{ json: {}, binary: { data: { mimeType: 'image/png', data: '', ...data } as IBinaryData } },
];

/** Uploads that arrived as a whole. */
const onUploads = () => onApi(() => [200, { code: 200, data: null }]);

describe('the announced size is the size that is sent', () => {
	it.each([
		['in one line', (text: string) => text],
		['broken into lines, as MIME has it', (text: string) => text.replace(/.{76}/g, '$&\r\n')],
		['broken into lines, as GitHub has it', (text: string) => text.replace(/.{60}/g, '$&\n')],
		['with spaces around it', (text: string) => ` ${text}\n`],
		[
			'for URLs',
			(text: string) => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
		],
	])('an upload of base64 %s announces exactly the bytes that it sends', async (_, write) => {
		const uploads = onUploads();
		const bytes = Buffer.from('some bytes ÿ?> '.repeat(200));
		const { error } = await runNode(UPLOAD, withFile({ data: write(bytes.toString('base64')) }));
		expect(error).toBeNull();
		expect(uploads).toHaveLength(1);
		expect(Buffer.byteLength(uploads[0]?.body ?? '')).toBe(uploads[0]?.announced);
		expect(uploads[0]?.body).toContain(bytes.toString());
	});

	it('an upload of a sound file whose connection is lost has the outcome unknown', async () => {
		const requests = onLostAnswers('ECONNRESET');
		const { error } = await runNode(UPLOAD, file('the picture'));
		expect(error?.message).toMatch(/^AiClk's answer was lost.*outcome: unknown/);
		expect(requests()).toBe(1);
	});

	const STORED = withFile({ id: 'filesystem-v2:1', fileName: 'a.mp4', data: 'filesystem-v2' });

	it.each<[string, unknown, Buffer | null, RegExp]>([
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
		['has no known size', undefined, Buffer.alloc(7), /'a.mp4' in 'data' could not be found/],
	])(
		'an upload of a stored file that %s says so, with the outcome not-sent',
		async (_, size, bytes, message) => {
			const uploads = onUploads();
			const { items } = await runNode(UPLOAD, STORED, { ...inStore(size, bytes), ...CONTINUE });
			const { message: text, outcome } = dataOf(items[0] as never) as IDataObject;
			expect([text, outcome]).toEqual([expect.stringMatching(message), 'not-sent']);
			expect(uploads).toEqual([]);
		},
	);

	it('the error of a file that was cut names what to do and the call', async () => {
		onUploads();
		const { error } = await runNode(UPLOAD, STORED, inStore(3, Buffer.alloc(1)));
		expect(error?.description).toBe(
			'Run again from the node that made or fetched the file. POST /openapi/v1/material/upload.',
		);
	});

	it.each([1_000_000, '1000000'])(
		'an upload of a stored file of %j bytes announces exactly the bytes that it sends',
		async (size) => {
			const uploads = onUploads();
			await runNode(UPLOAD, STORED, inStore(size, Buffer.alloc(1_000_000, 7)));
			expect(uploads).toHaveLength(1);
			expect(Buffer.byteLength(uploads[0]?.body ?? '')).toBe(uploads[0]?.announced);
		},
	);
});

describe('a file in the item itself', () => {
	it.each<[string, unknown]>([
		['a data URL', 'data:image/png;base64,AAAA'],
		['JSON', '{"error":"not found"}'],
		['a sentence', 'this was not found'],
		['cut in the middle of a byte', 'AAAAA'],
		['nothing', undefined],
		['a number', 7],
	])('is refused before any request if it is no base64 but %s', async (_, data) => {
		const uploads = onUploads();
		const { error } = await runNode(UPLOAD, withFile({ data: data as string }));
		expect(error?.message).toBe("The file in 'data' is not base64 (account 1000002)");
		expect(uploads).toEqual([]);
	});

	it.each([null, ''])('is what an ID of %j beside it means', async (id) => {
		const uploads = onUploads();
		const { error } = await runNode(UPLOAD, withFile({ id: id as string, data: 'YWJj' }));
		expect(error).toBeNull();
		expect(uploads[0]?.body).toContain('\r\nabc\r\n');
	});

	it.each([null, undefined, ''])('of the type %j is sent as bytes of any kind', async (type) => {
		const uploads = onUploads();
		const { error } = await runNode(UPLOAD, withFile({ mimeType: type as string, data: 'YWJj' }));
		expect(error).toBeNull();
		expect(uploads[0]?.body).toContain(
			'filename="file"\r\nContent-Type: application/octet-stream\r\n\r\nabc\r\n',
		);
	});
});

describe('Input Binary Field as an expression', () => {
	const bytes = Buffer.from('the picture').toString('base64');
	const image = { mimeType: 'image/png', fileName: 'a.png' };
	const STORED_IMAGE = { ...image, id: 'filesystem-v2:1', data: 'filesystem-v2' };
	const uploadOf = (binaryPropertyName: string) =>
		set('material', 'upload', { binaryPropertyName });
	const stored = inStore(11, Buffer.from('the picture'));

	it.each<[string, string, object]>([
		['{{ $json.data }}', 'data', { ...image, data: bytes }],
		['{{ $json.data }}', 'data', STORED_IMAGE],
		['{{ $json._files.data }}', '_files', { data: { ...image, data: bytes } }],
		['{{ $json._files.data }}', '_files', { data: STORED_IMAGE }],
	])('=%s, with %s in the JSON, is the file itself', async (expression, name, value) => {
		const uploads = onUploads();
		const items = [{ json: { [name]: value } as IDataObject }];
		const { error } = await runNode(uploadOf(`=${expression}`), items, stored);
		expect(error).toBeNull();
		expect(uploads[0]?.body).toContain('filename="a.png"');
		expect(uploads[0]?.body).toContain('\r\nthe picture\r\n');
	});

	it.each([
		['the path of a file', '_files.data'],
		['a file by expression', '={{ $json._files.data }}'],
	])('in combined binary mode, %s is taken: %s', async (_, field) => {
		const uploads = onUploads();
		const items = [{ json: { _files: { data: { ...image, data: bytes } } } as never }];
		const combine = (context: { workflow: { settings: object } }) =>
			Object.assign(context.workflow.settings, { binaryMode: 'combined' });
		const { error } = await runNode(uploadOf(field), items, { change: combine as never });
		expect(error).toBeNull();
		expect(uploads[0]?.body).toContain('\r\nthe picture\r\n');
	});

	it.each([
		['={{ $input.item.binary.data }}', file('the picture')],
		["={{ $input.item.binary['data'] }}", file('the picture')],
		['={{ $binary.data }}', withFile(STORED_IMAGE)],
	])('%s is the file of the item (case %#)', async (expression, items) => {
		const uploads = onUploads();
		const { error } = await runNode(uploadOf(expression), items, stored);
		expect(error).toBeNull();
		expect(uploads[0]?.body).toContain('\r\nthe picture\r\n');
	});

	it('={{ $binary.data }} of a file in memory has no bytes, so the field is to be named', async () => {
		const uploads = onUploads();
		const { error } = await runNode(uploadOf('={{ $binary.data }}'), file('the picture'));
		expect(error?.message).toBe(
			"'Input Binary Field' holds an expression that yields no file (account 1000002)",
		);
		expect(error?.description).toMatch(/n8n leaves the bytes out.*name.*, e\.g\. data/);
		expect(uploads).toEqual([]);
	});

	it.each([
		['={{ $json }}', {}],
		['={{ $json.file }}', { file: { data: 'AAAA' } }],
		['={{ $json.file }}', { file: { id: 7, mimeType: 'image/png' } }],
		['={{ $json.file }}', { file: ['data'] }],
		['={{ $binary }}', {}],
	])('%s that yields %j is refused: it is no file', async (expression, json) => {
		const uploads = onUploads();
		const [item] = file('x');
		const { error } = await runNode(uploadOf(expression), [{ ...item, json }] as never);
		expect(error?.message).toBe(
			"'Input Binary Field' holds an expression that yields no file (account 1000002)",
		);
		expect(uploads).toEqual([]);
	});
});

describe('a binary field that is not there', () => {
	const NAME = 'the_field_with_the_video_of_the_autumn_campaign_2026';

	it.each([
		['an item without files', [{ json: {} }]],
		['an item with another file', file('x')],
	])('in %s is named whole, with the way to write it in combined mode', async (_, items) => {
		const uploads = onUploads();
		const { error } = await runNode(
			set('material', 'upload', { binaryPropertyName: NAME }),
			items as never,
		);
		expect(error?.message).toBe(`The item has no binary field '${NAME}' (account 1000002)`);
		expect(error?.description).toMatch(/_files\.data/);
		expect(uploads).toEqual([]);
	});
});

describe('the name of a file', () => {
	it.each<[string, Partial<IBinaryData>, string]>([
		['that is missing, beside an extension', { fileExtension: 'jpeg' }, 'file.jpeg'],
		['that is missing, of a video', { mimeType: 'video/quicktime' }, 'file.mov'],
	])('a file name %s', async (_, binary, name) => {
		const calls = onApi();
		await runNode(UPLOAD, withFile({ data: 'AAAA', ...binary }));
		expect(calls[0]?.body).toContain(`name="file"; filename="${name}"`);
	});

	it('a file name of 32 characters and more is shown in errors', async () => {
		const fileName = '8e9d31caced1c90be49ee170424e4550_autumn-campaign.png';
		const binary = withFile({ id: 'filesystem-v2:gone', data: 'filesystem-v2', fileName });
		const { error } = await runNode(UPLOAD, binary);
		expect(error?.message).toContain(`'${fileName}' in 'data' could not be found`);
	});

	it.each<[string, Partial<IBinaryData>, IDataObject]>([
		['8e9d31caced1c90be49ee170424e4550_autumn', { fileName: '$.png' }, {}],
		['LARGE_LANDSCAPE_PICTURE_WITH_TITLE_1280x720', {}, { materialType: '$' }],
	])("%s that AiClk repeats is shown as the user's own, a token is not", async (...parts) => {
		const [name, binary, additionalFields] = parts;
		const named = <T>(value: T) => JSON.parse(JSON.stringify(value).replace('$', name)) as T;
		onApi(() => [200, { code: 400, message: `${name} is bad, and ${'a1'.repeat(20)}` }]);
		const parameters = set('material', 'upload', { additionalFields: named(additionalFields) });
		const { error } = await runNode(parameters, withFile({ data: 'AAAA', ...named(binary) }));
		expect(error?.message).toContain(`${name} is bad, and ***`);
	});

	it('a file name with half an emoji is refused', async () => {
		const uploads = onUploads();
		const binary = { data: 'AAAA', fileName: `${'😀'.slice(0, 1)}.png` };
		const { error } = await runNode(UPLOAD, withFile(binary));
		expect(error?.message).toMatch(/^The name of the file in 'data' holds half a character/);
		expect(uploads).toEqual([]);
	});

	it.each([
		[413, /too large.*\. The upload of 'a\.png' was not carried out.*refused/],
		[414, /too many IDs.*\. The upload of 'a\.png' was not carried out.*refused/],
		[500, /unavailable.*\. The upload of 'a\.png' may have been carried out: check/],
	])('an upload that meets HTTP %d names the file and says why', async (status, message) => {
		onApi(() => [status, '<html>']);
		const named = withFile({ data: 'AAAA', fileName: 'a.png' });
		expect((await runNode(UPLOAD, named)).error?.message).toMatch(message);
	});
});
