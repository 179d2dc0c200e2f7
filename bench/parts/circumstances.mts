import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

import { ROOT } from '../../test/harness/n8n/install.mts';

const versionOf = async (folder: string): Promise<string> =>
	(JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8')) as { version: string })
		.version;

/** Machine, date and versions: without them no figure means anything. */
export async function circumstances(): Promise<string> {
	const [cpu] = cpus();
	const machine = `${cpu?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB`;
	const n8n = `n8n-core ${await versionOf('node_modules/n8n-core')}, n8n-workflow ${await versionOf('node_modules/n8n-workflow')}`;
	return `${new Date().toISOString().slice(0, 10)}; ${machine}; Node ${process.versions.node}; ${n8n}; n8n-nodes-aiclk ${await versionOf('.')}`;
}
