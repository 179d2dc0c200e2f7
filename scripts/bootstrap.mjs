import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package. This file imports only Node's own modules: it runs before anything is installed. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const MIN_NODE = 20;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const packagesOf = (lockFile) =>
	JSON.parse(readFileSync(join(ROOT, lockFile), 'utf8')).packages ?? {};

/** Whether node_modules holds what package-lock.json names. npm writes its own list last, so an interrupted install has none. */
function isInstalled() {
	try {
		const installed = packagesOf('node_modules/.package-lock.json');
		return Object.entries(packagesOf('package-lock.json')).every(
			([path, { version, optional }]) =>
				path === '' || optional || installed[path]?.version === version,
		);
	} catch {
		return false;
	}
}

/** Ends the process with a text for a person. */
function fail(message) {
	console.error(`\n${message}\n`);
	process.exit(1);
}

/** Installs what package-lock.json names, unless it is installed. */
export async function installDependencies() {
	if (Number(process.versions.node.split('.')[0]) < MIN_NODE) {
		fail(`Node ${MIN_NODE} or newer is needed; this is ${process.version}.`);
	}
	if (isInstalled()) return;
	console.log('Installing the development dependencies (one to three minutes, once) ...');
	const began = Date.now();
	// npm shows its progress in a terminal only.
	const timer = setInterval(() => {
		console.log(`npm ci: ${Math.round((Date.now() - began) / 1000)} s`);
	}, 15_000);
	const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
		cwd: ROOT,
		stdio: 'inherit',
		shell: process.platform === 'win32',
	});
	// npm goes on for a minute after any other signal, and would get in the way of the next one.
	let interrupted = false;
	const interrupt = () => {
		interrupted = true;
		npm.kill('SIGKILL');
	};
	for (const signal of SIGNALS) process.on(signal, interrupt);
	const [status] = await once(npm, 'close').catch(() => [1]);
	for (const signal of SIGNALS) process.off(signal, interrupt);
	clearInterval(timer);
	if (interrupted) fail('Interrupted. Run the same command again.');
	if (status !== 0) {
		fail(
			'npm could not install the dependencies. Check the network and the npm registry, then run the same command again.',
		);
	}
}
