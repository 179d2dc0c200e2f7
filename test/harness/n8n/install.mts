import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

import { signalGroup } from './processes.mts';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MANIFESTS = fileURLToPath(new URL('.', import.meta.url));

/** One n8n of each major version, pinned by a lock file: what tests run on when nothing else is asked for. */
export const N8N_VERSIONS = ['2.41.1', '1.123.81'] as const;

/** Whatever npm calls latest on the day. It is not ours to pin, so nothing runs on it unless it is asked for. */
export const LATEST = 'latest' as const;

/** One that somebody else started: see external.mts. It is never installed. */
export const EXTERNAL = 'external' as const;

/** One n8n alone, e.g. 2.41.1, or `latest`; the pinned ones when it is not set. AICLK_N8N_URL names one that runs already. */
const { AICLK_N8N_VERSION: ONLY } = process.env;

export type N8nVersion = (typeof N8N_VERSIONS)[number] | typeof LATEST | typeof EXTERNAL;

/** The versions that a suite runs on: what AICLK_N8N_VERSION names, or all of the pinned ones. @throws Error if there is none */
export function chosenVersions(): N8nVersion[] {
	if (ONLY === undefined) return [...N8N_VERSIONS];
	const chosen = [...N8N_VERSIONS, LATEST].filter((version) => version === ONLY);
	if (chosen.length === 0) throw new Error(`AICLK_N8N_VERSION: there are no tests on n8n ${ONLY}`);
	return chosen;
}

/** Where n8n is installed: outside the package's own dependencies, ignored by git, kept between runs. */
const homeOf = (version: N8nVersion) =>
	join(process.env.AICLK_N8N_DIR ?? join(ROOT, '.n8n'), version);

/** Native modules whose install scripts n8n cannot do without; `node` is the Node 24 that n8n runs under. */
const REBUILT = ['sqlite3', 'node'];

/** An n8n on disk, ready to be started. */
export interface Installation {
	/** A number also where `latest` was asked for. */
	version: string;
	/** The Node that this n8n needs. */
	node: string;
	/** n8n's command. */
	n8n: string;
}

/** How many packages are unpacked. npm makes all their folders first, and fills them as their files arrive. */
async function countPackages(folder: string): Promise<number> {
	const modules = join(folder, 'node_modules');
	const list = async (path: string): Promise<string[]> => await readdir(path).catch(() => []);
	const names = await list(modules);
	const scopes = names.filter((name) => name.startsWith('@'));
	const scoped = await Promise.all(
		scopes.map(async (scope) =>
			(await list(join(modules, scope))).map((name) => join(scope, name)),
		),
	);
	return [...names, ...scoped.flat()].filter((name) =>
		existsSync(join(modules, name, 'package.json')),
	).length;
}

/** How many packages a lock file puts into the top of node_modules. */
const countLocked = (lock: string): number =>
	Object.keys((JSON.parse(lock) as { packages: Record<string, unknown> }).packages).filter((path) =>
		/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path),
	).length;

/**
 * Installs n8n and its Node from the files in this folder, unless that is done already. An interrupted install leaves no
 * stamp, and the next one starts from scratch.
 *
 * @param onProgress told every second what npm is doing
 * @param signal ends npm at once when aborted
 * @throws Error with a text for a person when npm fails
 */
export async function installN8n(
	wanted: N8nVersion,
	onProgress: (text: string) => void = () => undefined,
	signal?: AbortSignal,
): Promise<Installation> {
	const home = homeOf(wanted);
	const manifest = join(MANIFESTS, wanted);
	let downloads = 0;
	const npm = async (cwd: string, ...args: string[]): Promise<string> => {
		const child = execa('npm', [...args, '--no-audit', '--no-fund', '--loglevel=http'], {
			cwd,
			detached: true,
			lines: true,
		});
		const messages: string[] = [];
		child.stderr.on('data', (data: Buffer) => {
			const lines = data.toString().split('\n').filter(Boolean);
			downloads += lines.filter((line) => line.includes('npm http fetch ')).length;
			messages.push(...lines.filter((line) => !line.includes('npm http ')));
		});
		const kill = () => signalGroup(child, 'SIGKILL');
		signal?.addEventListener('abort', kill);
		try {
			return (await child).stdout.join('\n');
		} catch (error) {
			throw new Error(
				`n8n ${wanted} could not be installed. Check the network, the npm registry and 4 GB of free space, then run the same command again.\n${(messages.join('\n') || String(error)).slice(-1500)}`,
			);
		} finally {
			signal?.removeEventListener('abort', kill);
		}
	};

	const isLatest = wanted === LATEST;
	const version = isLatest ? await npm(manifest, 'view', 'n8n@latest', 'version') : wanted;
	// Without a lock file it is the number that tells whether there is a newer one.
	const files = await readFile(
		join(manifest, isLatest ? 'package.json' : 'package-lock.json'),
		'utf8',
	);
	const stampFile = join(home, '.installed-for');
	const stamp = createHash('sha256')
		.update(isLatest ? version + files : files)
		.digest('hex');
	const installation: Installation = {
		version,
		node: join(home, 'node_modules', 'node', 'bin', 'node'),
		n8n: join(home, 'node_modules', 'n8n', 'bin', 'n8n'),
	};
	if (existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp) return installation;

	await rm(home, { recursive: true, force: true });
	await cp(manifest, home, { recursive: true });

	const total = isLatest ? '' : ` of about ${countLocked(files)}`;
	const ticker = setInterval(() => {
		void countPackages(home).then((count) => {
			onProgress(`npm: ${downloads} downloads, ${count}${total} packages unpacked`);
		});
	}, 1000);
	try {
		const command = isLatest ? ['install', `n8n@${version}`] : ['ci'];
		await npm(home, ...command, '--ignore-scripts');
		clearInterval(ticker);
		onProgress(`npm builds ${REBUILT.join(' and ')}`);
		// npm hands this repository's `ignore-scripts` down to every npm that its scripts start.
		await npm(home, 'rebuild', '--ignore-scripts=false', ...REBUILT);
	} finally {
		clearInterval(ticker);
	}
	await writeFile(stampFile, stamp);
	return installation;
}
