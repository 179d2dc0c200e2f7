import ts from 'typescript';

import { type Example, type Texts, translate } from '../../scripts/translate';

const read = <T>(path: string): T => JSON.parse(ts.sys.readFile(path) ?? '') as T;
const listIn = (folder: string): string[] =>
	ts.sys
		.readDirectory(folder, ['.json'], undefined, ['*'])
		.map((path) => path.split('/').at(-1) ?? '')
		.sort();

interface Workflow extends Example {
	nodes: Array<Example['nodes'][number] & { credentials?: Record<string, { id: string }> }>;
	connections: unknown;
	settings: Record<string, unknown>;
}

const texts = read<Texts>('scripts/examples.zh-CN.json');
const files = listIn('examples');

it('there is a Chinese copy of each example', () => {
	expect(listIn('examples/zh-CN')).toEqual(files);
});

describe.each(files)('example %s', (file) => {
	const english = read<Workflow>(`examples/${file}`);
	const chinese = read<Workflow>(`examples/zh-CN/${file}`);

	it('has the same nodes and connections in Chinese', () => {
		const shapeOf = ({ nodes }: Workflow) => nodes.map((node) => ({ ...node, parameters: {} }));
		expect(shapeOf(chinese)).toEqual(shapeOf(english));
		expect(chinese.connections).toEqual(english.connections);
		expect(chinese.settings).toEqual(english.settings);
	});

	it('is in Chinese what npm run examples:zh writes', () => {
		expect(chinese).toEqual(translate(english, file.replace('.json', ''), texts));
	});

	it('follows the time zone of AiClk', () => {
		expect(english.settings.timezone).toBe('Asia/Shanghai');
	});

	it('holds no credential and no day that somebody wrote down', () => {
		for (const { credentials = {}, parameters } of english.nodes) {
			expect(Object.values(credentials).filter(({ id }) => id !== '')).toEqual([]);
			expect(JSON.stringify(parameters)).not.toMatch(/\b20\d\d-\d\d-\d\d\b/);
		}
	});
});

describe('translate', () => {
	const example = (content: string, name = '例') => ({
		name,
		nodes: [{ name: 'Note', type: 'n8n-nodes-base.stickyNote', parameters: { content } }],
	});

	it('puts a text in place wherever a parameter holds it, and leaves names of nodes', () => {
		const { nodes } = translate(example('Note and Note'), 'a', { a: { Note: '便签' } });
		expect(nodes[0]).toMatchObject({ name: 'Note', parameters: { content: '便签 and 便签' } });
	});

	it('a text that is a whole string is replaced as a whole', () => {
		const { nodes } = translate(example('Note of a node'), 'a', {
			a: { 'Note of a node': '关于 node 的便签' },
			'*': { node: '节点' },
		});
		expect(nodes[0]?.parameters.content).toBe('关于 node 的便签');
	});

	it('fails for a text that the example no longer holds', () => {
		expect(() => translate(example('中文'), 'a', { a: { gone: '没有' } })).toThrow(
			'a no longer says: gone',
		);
	});

	it.each([
		['a note', example('still English')],
		['a name', example('中文', 'still English')],
	])('fails for %s without a translation', (_, untranslated) => {
		expect(() => translate(untranslated, 'a', {})).toThrow('a is not translated: still English');
	});
});
