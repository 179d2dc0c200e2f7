import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

import { signalGroup } from './processes.mts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MANIFESTS = fileURLToPath(new URL('.', import.meta.url));

/** The newest n8n of each major version that the package is tested with. */
export const N8N_VERSIONS = ['2.41.1', '1.123.81'] as const;

export type N8nVersion = (typeof N8N_VERSIONS)[number];

/** Where n8n is installed: outside the package's own dependencies, ignored by git, kept between runs. */
const homeOf = (version: N8nVersion) =>
	join(process.env.AICLK_N8N_DIR ?? join(ROOT, '.n8n'), version);

/** Native modules whose install scripts n8n cannot do without; `node` is the Node 24 that n8n runs under. */
const REBUILT = ['sqlite3', 'node'];

/** An n8n on disk, ready to be started. */
export interface Installation {
	version: N8nVersion;
	/** The Node that this n8n needs. */
	node: string;
	/** n8n's command. */
	n8n: string;
}

async function countPackages(folder: string): Promise<number> {
	const entries = await readdir(join(folder, 'node_modules')).catch(() => []);
	const scoped = await Promise.all(
		entries
			.filter((name) => name.startsWith('@'))
			.map(async (scope) => await readdir(join(folder, 'node_modules', scope)).catch(() => [])),
	);
	return entries.filter((name) => !/^[@.]/.test(name)).length + scoped.flat().length;
}

/**
 * Installs n8n and its Node from the lock file in this folder, unless that is done already. An interrupted install
 * leaves no stamp, and the next one begins anew.
 *
 * @param onProgress told every second what has been done so far
 * @param signal ends npm at once when aborted
 * @throws Error with a text for a person when npm fails
 */
export async function installN8n(
	version: N8nVersion,
	onProgress: (text: string) => void = () => undefined,
	signal?: AbortSignal,
): Promise<Installation> {
	const home = homeOf(version);
	const manifest = join(MANIFESTS, version);
	const lock = await readFile(join(manifest, 'package-lock.json'), 'utf8');
	const stampFile = join(home, '.installed-for');
	const stamp = createHash('sha256').update(lock).digest('hex');
	const installation: Installation = {
		version,
		node: join(home, 'node_modules', 'node', 'bin', 'node'),
		n8n: join(home, 'node_modules', 'n8n', 'bin', 'n8n'),
	};
	if (existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp) return installation;

	const direct = Object.keys(
		(JSON.parse(lock) as { packages: Record<string, unknown> }).packages,
	).filter((path) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path)).length;
	await mkdir(home, { recursive: true });
	await rm(stampFile, { force: true });
	await cp(manifest, home, { recursive: true });

	const began = Date.now();
	const seconds = () => Math.round((Date.now() - began) / 1000);
	const ticker = setInterval(() => {
		void countPackages(home).then((count) => {
			onProgress(`${count} of about ${direct} packages, ${seconds()} s`);
		});
	}, 1000);
	const npm = async (...args: string[]) => {
		const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
		const child = execa('npm', [...args, ...flags], { cwd: home, detached: true });
		const kill = () => signalGroup(child, 'SIGKILL');
		signal?.addEventListener('abort', kill);
		await child.finally(() => signal?.removeEventListener('abort', kill));
	};
	try {
		await npm('ci', '--ignore-scripts');
		await npm('rebuild', ...REBUILT);
	} catch (error) {
		const { stderr } = error as { stderr?: string };
		throw new Error(
			`n8n ${version} could not be installed. Check the network, the npm registry and 3 GB of free space, then run the same command again: it starts anew.\n${(stderr ?? String(error)).slice(-1500)}`,
		);
	} finally {
		clearInterval(ticker);
	}
	await writeFile(stampFile, stamp);
	return installation;
}
