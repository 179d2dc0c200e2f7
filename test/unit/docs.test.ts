import ts from 'typescript';

import { RESOURCES } from '../../nodes/AiClk/resources';
import { EVENTS } from '../../nodes/AiClkTrigger/events';

const ROOT = ts.sys.getCurrentDirectory();

/** Stands for what a template puts in. */
const BLANK = '\0';

/** The strings of a source file; in a template each expression is a blank. */
function textsIn(path: string): string[] {
	const texts: string[] = [];
	const visit = (node: ts.Node): void => {
		if (ts.isStringLiteralLike(node)) texts.push(node.text);
		if (ts.isTemplateExpression(node)) {
			const rest = node.templateSpans.map(({ literal }) => BLANK + literal.text);
			texts.push(node.head.text + rest.join(''));
		}
		ts.forEachChild(node, visit);
	};
	visit(ts.createSourceFile(path, ts.sys.readFile(path) ?? '', ts.ScriptTarget.ES2022));
	return texts;
}

const texts = ['aiclk', 'credentials', 'nodes']
	.flatMap((folder) => ts.sys.readDirectory(`${ROOT}/${folder}`, ['.ts']))
	.flatMap(textsIn);

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A quoted text as a pattern: `…` is anything, and a number may be one that a template puts in. */
const patternOf = (quoted: string): RegExp =>
	new RegExp(`^${escape(quoted).replaceAll('…', '.*').replace(/\d+/g, `(?:$&|${BLANK})`)}$`, 's');

const contentOf = (file: string): string => ts.sys.readFile(`${ROOT}/${file}`) ?? '';

/** What stands in the group of a pattern, each text once. */
const findAll = (file: string, pattern: RegExp): string[] => [
	...new Set([...contentOf(file).matchAll(pattern)].map(([, found = '']) => found)),
];

/** Documents that quote what n8n shows. */
const QUOTING = ['docs/operations.md', 'docs/how-it-works.md', 'docs/zh-CN/errors.md'];

describe.each(QUOTING)('%s', (file) => {
	it.each(findAll(file, /“([^”]*)”/g))('quotes a text of the source: %s', (quoted) => {
		const pattern = patternOf(quoted);
		expect(texts.filter((text) => pattern.test(text))).not.toEqual([]);
	});
});

/** A heading as GitHub names it in links. */
const anchorOf = (heading: string): string =>
	heading
		.toLowerCase()
		.replace(/[^\p{L}\p{N}\- ]/gu, '')
		.replaceAll(' ', '-');

const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs', 'examples'].flatMap(
	(path) =>
		ts.sys.fileExists(`${ROOT}/${path}`)
			? [path]
			: ts.sys
					.readDirectory(`${ROOT}/${path}`, ['.md', '.json'])
					.map((file) => file.slice(ROOT.length + 1)),
);

/** Links to files of this repository, from its folder on. */
const linksIn = (file: string): string[] => [
	...findAll(file, /\]\(([^)\s]+)\)/g)
		.filter((link) => !link.startsWith('http'))
		.map((link) => (link.startsWith('#') ? `${ROOT}/${file}${link}` : `${ROOT}/${file}/../${link}`))
		.map((link) => ts.sys.resolvePath(link))
		// What leads out of it is a page of GitHub's.
		.filter((link) => link.startsWith(`${ROOT}/`))
		.map((link) => link.slice(ROOT.length + 1)),
	...findAll(file, /n8n-nodes-aiclk\/blob\/main\/([^"\s')]+)/g),
];

it.each(documents)('links of %s lead to files and headings that exist', (file) => {
	const broken = linksIn(file).filter((link) => {
		const [path = '', anchor] = link.split('#');
		const target = `${ROOT}/${path}`;
		if (!ts.sys.fileExists(target)) return !ts.sys.directoryExists(target);
		const anchors = findAll(path, /^#+ (.+)$/gm).map(anchorOf);
		return anchor !== undefined && !anchors.includes(anchor);
	});
	expect(broken).toEqual([]);
});

const code = ['aiclk', 'credentials', 'nodes', 'test', 'bench', 'scripts']
	.flatMap((folder) => ts.sys.readDirectory(`${ROOT}/${folder}`, ['.ts', '.mts', '.mjs']))
	.map((path) => `${path}\n${contentOf(path.slice(ROOT.length + 1))}`)
	.join('\n');

const words = new Set(code.match(/\w+/g));

/** Names of the code, and nothing of commands and commits. */
const named = findAll('CONTRIBUTING.md', /`([^`\n]+)`/g)
	.flatMap((span) => (/^[a-z]\w+$/.test(span) ? [span] : (span.match(/\b[a-z]+[A-Z]\w*/g) ?? [])))
	.filter((name) => !['feat', 'fix', 'perf'].includes(name));

describe('CONTRIBUTING.md', () => {
	it.each(findAll('CONTRIBUTING.md', /```ts\n(.*?)```/gs))('shows code as it is: %s', (example) => {
		expect(code).toContain(example);
	});

	it.each([...new Set(named)])('names something that exists: %s', (name) => {
		expect(words).toContain(name);
	});
});

/** Where each operation, resource and event must be named: who adds one is reminded here. */
describe('nothing is left out of', () => {
	it.each(['README.md', 'docs/zh-CN/README.md'])('the resources in %s', (file) => {
		const rows = findAll(file, /^\| ([A-Z][A-Za-z ]*[a-zA-Z])/gm);
		expect(rows).toEqual(expect.arrayContaining(RESOURCES.map(({ option }) => option.name)));
	});

	it('the actions that are looked for in the editor', () => {
		const actions = RESOURCES.flatMap(({ operations }) => operations).map(
			(one) => one.option.action,
		);
		const named = findAll('test/ui/scenarios/panel.mts', /'([^']+)'/g);
		expect(named).toEqual(expect.arrayContaining(actions));
	});

	it('the events in docs/trigger.md, and their order in the list', () => {
		const names = EVENTS.map(({ option }) => option.name);
		expect(findAll('docs/trigger.md', /^\| ([A-Z][A-Za-z ]*[a-z]) +\|/gm)).toEqual(
			expect.arrayContaining(names),
		);
		expect(names).toEqual([...names].sort());
	});

	it.each([
		'test/unit/trigger/panel.test.ts',
		'test/integration/triggerNode.test.ts',
		'test/e2e/scenarios/trigger.mts',
		'test/ui/scenarios/trigger.mts',
	])('the events in %s', (file) => {
		for (const { option } of EVENTS) expect(contentOf(file)).toContain(String(option.value));
	});
});
