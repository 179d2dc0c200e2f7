import { createRequire } from 'node:module';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { execa } from 'execa';

import { ROOT } from '../../test/harness/n8n/install.mts';
import manifest from '../../package.json';
import { figure, type Section, show } from './figures.mts';

type Built = typeof import('../../aiclk/token/authenticate.ts') &
	typeof import('../../aiclk/token/manager.ts') &
	typeof import('../../credentials/AiClkApi.credentials.ts');

const build = async (): Promise<unknown> => await execa('npm', ['run', 'build'], { cwd: ROOT });

/** Builds the package and loads what users get. */
export async function loadBuilt(): Promise<Built> {
	await build();
	const require = createRequire(join(ROOT, 'dist', 'index.js'));
	return {
		...(require('./aiclk/token/authenticate.js') as Built),
		...(require('./aiclk/token/manager.js') as Built),
		...(require('./credentials/AiClkApi.credentials.js') as Built),
	};
}

const ROUNDS = 15;

/** What n8n loads at its start. */
const ENTRIES = [...manifest.n8n.credentials, ...manifest.n8n.nodes].map((file) =>
	join(ROOT, file),
);

const SCRIPT = (entries: string[]): string => `
	require('n8n-workflow');
	const begun = performance.now();
	for (const entry of ${JSON.stringify(entries)}) require(entry);
	console.log(performance.now() - begun);`;

/** A fresh process that has n8n-workflow, as n8n has. @returns ms of `require`, and of the whole process */
async function load(entries: string[]): Promise<{ requireMs: number; processMs: number }> {
	const begun = performance.now();
	const { stdout } = await execa('node', ['-e', SCRIPT(entries)], { cwd: ROOT });
	return { requireMs: Number(stdout), processMs: performance.now() - begun };
}

export async function measurePackage(): Promise<Section[]> {
	await build();
	const requires: number[] = [];
	const ratios: number[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const without = await load([]);
		const withIt = await load(ENTRIES);
		requires.push(withIt.requireMs);
		ratios.push(withIt.processMs / without.processMs);
	}
	const { stdout } = await execa('npm', ['pack', '--json', '--dry-run'], { cwd: ROOT });
	const [packed] = JSON.parse(stdout) as Array<{
		size: number;
		unpackedSize: number;
		entryCount: number;
	}>;
	const kilobytes = (bytes: number | undefined) => `${((bytes ?? NaN) / 1000).toFixed(1)} kB`;
	return [
		{
			title: 'Load time and size',
			how: `${ROUNDS} pairs of fresh processes in turn, with and without the package, n8n-workflow loaded in both; median (10 % to 90 %).`,
			head: ['', ''],
			rows: [
				['require of credential and nodes', show(figure(requires), ' ms')],
				['such a process, times one without the package', show(figure(ratios))],
				['tarball, packed', kilobytes(packed?.size)],
				['tarball, unpacked', `${kilobytes(packed?.unpackedSize)}, ${packed?.entryCount} files`],
			],
		},
	];
}
