import { parseArgs } from 'node:util';

import { Rig } from '../test/e2e/rig.mts';
import type { N8nVersion } from '../test/harness/n8n/install.mts';
import { report, type Section } from './parts/results.mts';
import { measureTogether } from './parts/together.mts';
import { measureUpload } from './parts/upload.mts';
import { measureWorkflows } from './parts/workflows.mts';

const DEFAULT = '2.41.1';

/** What only a whole n8n can tell, each part with a file of results of its own. */
const PARTS: Record<string, (rig: Rig) => Promise<Section[]>> = {
	together: measureTogether,
	upload: async (rig) => [await measureUpload(rig)],
	workflows: async (rig) => [await measureWorkflows(rig)],
};

/** `npm run bench:n8n`, or with `-- --n8n 1.123.81 --only together`. */
const { n8n: version, only } = parseArgs({
	options: { n8n: { type: 'string', default: DEFAULT }, only: { type: 'string' } },
}).values as { n8n: N8nVersion; only?: string };

const rig = new Rig(version, 'bench');
try {
	await rig.start();
	await rig.server.stop();
	await rig.startN8n({
		N8N_LOG_LEVEL: 'warn',
		N8N_METRICS: 'true',
		N8N_DEFAULT_BINARY_DATA_MODE: 'filesystem',
	});
	for (const [part, measure] of Object.entries(PARTS)) {
		if (only !== undefined && only !== part) continue;
		await rig.begin();
		const file = ['n8n', ...(version === DEFAULT ? [] : [version]), part].join('-');
		await report(`${file}.md`, `On n8n ${version}`, 'npm run bench:n8n', await measure(rig));
	}
} finally {
	await rig.stop();
}
