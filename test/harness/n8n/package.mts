import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

import { ROOT } from './install.mts';

/**
 * Builds the package and packs it as npm would publish it, unless AICLK_TARBALL names a tarball: one that is published
 * already, or one that suites share that run at the same time.
 *
 * @param folder where the tarball goes
 * @returns the path of the tarball
 */
export async function packTarball(folder: string): Promise<string> {
	const { AICLK_TARBALL: tarball } = process.env;
	if (tarball !== undefined) return tarball;
	await mkdir(folder, { recursive: true });
	await execa('npm', ['run', 'build'], { cwd: ROOT });
	const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], {
		cwd: ROOT,
	});
	const [packed] = JSON.parse(stdout) as Array<{ filename: string }>;
	return join(folder, packed?.filename ?? '');
}

/** Installs a tarball as n8n's documentation tells users to do by hand: `npm install` in `~/.n8n/nodes`. */
export async function installByHand(tarball: string, userFolder: string): Promise<void> {
	const nodes = join(userFolder, '.n8n', 'nodes');
	await mkdir(nodes, { recursive: true });
	await writeFile(join(nodes, 'package.json'), '{ "name": "installed-nodes", "private": true }\n');
	// n8n brings n8n-workflow, the one peer dependency: n8n's own installer leaves it out, too.
	const flags = [
		'--ignore-scripts',
		'--legacy-peer-deps',
		'--omit=peer',
		'--no-audit',
		'--no-fund',
	];
	await execa('npm', ['install', tarball, ...flags], { cwd: nodes });
}
