import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package. Nothing but Node's own modules here: this runs before anything is installed. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const OLDEST_NODE = 20;
/** Written last, so an install that was interrupted leaves none and the next try begins anew. */
const STAMP = join(ROOT, 'node_modules', '.installed-for');

const stampOf = () =>
	createHash('sha256')
		.update(readFileSync(join(ROOT, 'package-lock.json')))
		.update(process.version)
		.digest('hex');

/** Ends the process with a text for a person. */
export function give(message) {
	console.error(`\n${message}\n`);
	process.exit(1);
}

/**
 * Installs what package-lock.json names, unless that is done already. Install scripts do not run: none is needed,
 * and n8n-core's native dependencies would want a compiler.
 */
export function installDependencies() {
	if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
		give(`Node ${OLDEST_NODE} or newer is needed; this is ${process.version}.`);
	}
	const stamp = stampOf();
	if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return;
	console.log('Installing the development dependencies (a minute, once) ...');
	const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
	const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
	const { status, error } = spawnSync(npm, args, {
		cwd: ROOT,
		stdio: 'inherit',
		shell: process.platform === 'win32',
	});
	if (error || status !== 0) {
		give(
			'npm could not install the dependencies. Check the network and the npm registry, then run the same command again: it starts anew.',
		);
	}
	writeFileSync(STAMP, stamp);
}
