/** `npm test`: everything that needs no n8n installation. Every step runs, even after one that failed. */
import { spawnSync } from 'node:child_process';

import { installDependencies, ROOT } from './bootstrap.mjs';

const STEPS = [
	['Types', ['run', 'typecheck']],
	['Lint (the official rules for community nodes)', ['run', 'lint']],
	['Formatting', ['run', 'format:check']],
	['Build', ['run', 'build']],
	['Unit, sandbox and integration tests, coverage', ['exec', '--', 'jest', '--coverage']],
];

await installDependencies();

const results = STEPS.map(([name, args]) => {
	console.log(`\n── ${name}`);
	const began = Date.now();
	const { status } = spawnSync('npm', ['--silent', ...args], {
		cwd: ROOT,
		stdio: 'inherit',
		shell: process.platform === 'win32',
	});
	return { name, passed: status === 0, seconds: Math.round((Date.now() - began) / 1000) };
});

console.log('');
for (const { name, passed, seconds } of results) {
	console.log(`${passed ? 'passed' : 'FAILED'}  ${String(seconds).padStart(4)} s  ${name}`);
}
const failed = results.filter(({ passed }) => !passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
