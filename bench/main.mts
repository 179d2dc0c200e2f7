import 'reflect-metadata';

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../test/harness/n8n/install.mts';
import { measureCalls } from './parts/calls.mts';
import { circumstances } from './parts/circumstances.mts';
import { print, type Section, toMarkdown } from './parts/figures.mts';
import { measurePackage } from './parts/package.mts';
import { measureRefreshes } from './parts/refreshes.mts';

const sections: Section[] = [];
for (const measure of [measureCalls, measurePackage, measureRefreshes]) {
	for (const section of await measure()) {
		print(section);
		sections.push(section);
	}
}
const where = await circumstances();
console.log(`\n${where}`);
await mkdir(join(ROOT, 'bench'), { recursive: true });
await writeFile(
	join(ROOT, 'bench', 'results.md'),
	`# Results\n\nWritten by \`npm run bench\`: ${where}.\n\n${sections.map(toMarkdown).join('\n')}`,
);
