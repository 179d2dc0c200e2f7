import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Rig } from '../test/e2e/rig.mts';
import { ROOT } from '../test/n8n/install.mts';
import { circumstances } from './parts/circumstances.mts';
import { print, type Section, toMarkdown } from './parts/figures.mts';
import { measurePages } from './parts/pages.mts';
import { writePlainCredential } from './parts/plain.mts';
import { measureStartup } from './parts/startup.mts';
import { measureUpload } from './parts/upload.mts';
import { measureWorkflows } from './parts/workflows.mts';

/** What only a whole n8n can tell: `npm run bench:n8n`. */
const VERSION = '2.41.1';

const rig = new Rig(VERSION, 'bench');
const extensions = join(ROOT, '.n8n', 'bench-extensions');
const sections: Section[] = [];
try {
	await rig.start();
	await rig.server.stop();
	await writePlainCredential(extensions);
	await rig.startN8n({
		N8N_CUSTOM_EXTENSIONS: extensions,
		N8N_LOG_LEVEL: 'warn',
		N8N_METRICS: 'true',
		N8N_DEFAULT_BINARY_DATA_MODE: 'filesystem',
	});
	await rig.begin();
	sections.push(
		await measureUpload(rig),
		await measurePages(rig),
		...(await measureWorkflows(rig)),
	);
} finally {
	await rig.stop();
}
sections.push(await measureStartup(VERSION));
for (const section of sections) print(section);
const where = `${await circumstances()}; n8n ${VERSION}`;
console.log(`\n${where}`);
await writeFile(
	join(ROOT, 'bench', 'n8n.md'),
	`# On a real n8n\n\nWritten by \`npm run bench:n8n\`: ${where}.\n\n${sections.map(toMarkdown).join('\n')}`,
);
