import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Rig } from '../test/e2e/rig.mts';
import { type N8nVersion, ROOT } from '../test/harness/n8n/install.mts';
import { circumstances } from './parts/circumstances.mts';
import { print, type Section, toMarkdown } from './parts/figures.mts';
import { measurePages } from './parts/pages.mts';
import { writePlainCredential } from './parts/plain.mts';
import { measureStartup } from './parts/startup.mts';
import { measureTogether } from './parts/together.mts';
import { measureUpload } from './parts/upload.mts';
import { measureWorkflows } from './parts/workflows.mts';

const DEFAULT = '2.41.1';

/** What only a whole n8n can tell: `npm run bench:n8n`, or with `-- --n8n 1.123.81 --only together`. */
const { n8n: version, only } = parseArgs({
	options: { n8n: { type: 'string', default: DEFAULT }, only: { type: 'string' } },
}).values as { n8n: N8nVersion; only?: string };
const isWanted = (part: string): boolean => only === undefined || only === part;

const rig = new Rig(version, 'bench');
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
	if (isWanted('upload')) sections.push(await measureUpload(rig));
	if (isWanted('pages')) sections.push(await measurePages(rig));
	if (isWanted('together')) sections.push(...(await measureTogether(rig)));
	if (isWanted('workflows')) sections.push(...(await measureWorkflows(rig)));
} finally {
	await rig.stop();
}
if (isWanted('startup')) sections.push(await measureStartup(version));
for (const section of sections) print(section);
const where = `${await circumstances()}; n8n ${version}`;
console.log(`\n${where}`);
await writeFile(
	join(
		ROOT,
		'bench',
		`${['n8n', ...(version === DEFAULT ? [] : [version]), only].filter(Boolean).join('-')}.md`,
	),
	`# On a real n8n\n\nWritten by \`npm run bench:n8n\`: ${where}.\n\n${sections.map(toMarkdown).join('\n')}`,
);
