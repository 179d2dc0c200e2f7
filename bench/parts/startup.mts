import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { installN8n, type N8nVersion, ROOT } from '../../test/harness/n8n/install.mts';
import { installByHand, packTarball } from '../../test/harness/n8n/package.mts';
import { startN8n } from '../../test/harness/n8n/server.mts';
import { figure, type Section, show } from './figures.mts';

const ROUNDS = 4;

/** How long n8n takes until its editor answers, with the package and without it. */
export async function measureStartup(version: N8nVersion): Promise<Section> {
	const installation = await installN8n(version);
	const folder = join(ROOT, '.n8n', 'bench-start');
	await rm(folder, { recursive: true, force: true });
	const withIt = join(folder, 'with');
	const without = join(folder, 'without');
	await installByHand(await packTarball(withIt), withIt);
	const start = async (userFolder: string): Promise<number> => {
		const began = performance.now();
		const server = await startN8n(installation, { userFolder });
		const ms = performance.now() - began;
		await server.stop();
		return ms;
	};
	// The first start of each makes its database.
	await start(withIt);
	await start(without);
	const times = { with: [] as number[], without: [] as number[] };
	for (let round = 0; round < ROUNDS; round++) {
		times.with.push(await start(withIt));
		times.without.push(await start(without));
	}
	const ratio = times.with.map((ms, round) => ms / (times.without[round] as number));
	return {
		title: 'Start of n8n, with the package and without',
		how: `${ROUNDS} rounds in turn; median (10 % to 90 %), until the editor's API answers.`,
		head: ['with', 'without', 'times'],
		rows: [
			[show(figure(times.with), ' ms'), show(figure(times.without), ' ms'), show(figure(ratio))],
		],
	};
}
