import ts from 'typescript';

/** Each layer, and the layers that it may import besides itself (CONTRIBUTING.md). */
const MAY_IMPORT: Record<string, readonly string[]> = {
	'aiclk/util': [],
	'aiclk/protocol': ['aiclk/util'],
	'aiclk/token': ['aiclk/util', 'aiclk/protocol'],
	'aiclk/api': ['aiclk/util', 'aiclk/protocol'],
	credentials: ['aiclk/util', 'aiclk/protocol', 'aiclk/token', 'aiclk/api'],
	nodes: ['aiclk/util', 'aiclk/protocol', 'aiclk/token', 'aiclk/api', 'credentials'],
};

const ROOT = ts.sys.getCurrentDirectory();

const layerOf = (file: string): string =>
	Object.keys(MAY_IMPORT).find((layer) => file.startsWith(`${layer}/`)) ?? `none (${file})`;

const filesIn = (folder: string): string[] =>
	ts.sys
		.readDirectory(`${ROOT}/${folder}`, ['.ts', '.mts'])
		.map((path) => path.slice(ROOT.length + 1));

const sources = ['aiclk', 'credentials', 'nodes'].flatMap(filesIn);

const importsOf = (file: string): string[] =>
	ts
		.preProcessFile(ts.sys.readFile(`${ROOT}/${file}`) ?? '')
		.importedFiles.map(({ fileName }) => fileName);

/** Files that a file imports by a relative path. */
const filesImportedBy = (file: string): string[] =>
	importsOf(file)
		.filter((name) => name.startsWith('.'))
		.map((name) => ts.sys.resolvePath(`${ROOT}/${file}/../${name}`).slice(ROOT.length + 1));

const isAllowed = (from: string, to: string): boolean =>
	from === to || MAY_IMPORT[from]?.includes(to) === true;

describe('the layers import one way only', () => {
	it.each(sources)('%s', (file) => {
		const against = filesImportedBy(file)
			.map(layerOf)
			.filter((layer) => !isAllowed(layerOf(file), layer));
		expect(against).toEqual([]);
	});

	it('aiclk takes nothing but types from n8n', () => {
		const importers = sources
			.filter((file) => file.startsWith('aiclk/'))
			.filter((file) =>
				/^import (?!type )[^;]*from 'n8n-/m.test(ts.sys.readFile(`${ROOT}/${file}`) ?? ''),
			);
		expect(importers).toEqual([]);
	});
});

// A fault that both shared would go unnoticed.
it.each(filesIn('test/sandbox'))('%s shares no code with the package', (file) => {
	const imported = filesImportedBy(file).filter((path) => !path.startsWith('test/sandbox/'));
	expect(imported).toEqual([]);
});
