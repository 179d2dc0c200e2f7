import ts from 'typescript';

/** Each layer, and the layers that it may import besides itself (docs/how-it-works.md). */
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

const sources = ['aiclk', 'credentials', 'nodes'].flatMap((folder) =>
	ts.sys.readDirectory(`${ROOT}/${folder}`, ['.ts']).map((path) => path.slice(ROOT.length + 1)),
);

const importsOf = (file: string): string[] =>
	ts
		.preProcessFile(ts.sys.readFile(`${ROOT}/${file}`) ?? '')
		.importedFiles.map(({ fileName }) => fileName);

/** Layers that a file imports by a relative path. */
const layersImportedBy = (file: string): string[] =>
	importsOf(file)
		.filter((name) => name.startsWith('.'))
		.map((name) => ts.sys.resolvePath(`${ROOT}/${file}/../${name}`).slice(ROOT.length + 1))
		.map(layerOf);

const isAllowed = (from: string, to: string): boolean =>
	from === to || MAY_IMPORT[from]?.includes(to) === true;

describe('the layers import one way only', () => {
	it.each(sources)('%s', (file) => {
		const against = layersImportedBy(file).filter((layer) => !isAllowed(layerOf(file), layer));
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
