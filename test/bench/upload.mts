import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';
import Table from 'cli-table3';
import { fastify } from 'fastify';

import { Rig } from '../e2e/rig.mts';
import { aiClk, chain, manualTrigger } from '../e2e/workflows.mts';
import type { Workflow } from '../n8n/rest.mts';

/** How much memory an upload takes: a video goes from n8n's disk to AiClk and should never sit in memory. */

const MEGABYTE = 1024 ** 2;
const SIZES = [1, 200, 1, 200];
const POLL_MS = 50;

/** Serves files of so many megabytes, made while they are sent. */
const files = fastify({ forceCloseConnections: true });
files.get('/:megabytes', async (request, reply) => {
	const { megabytes } = request.params as { megabytes: string };
	const chunk = Buffer.alloc(MEGABYTE, 'x');
	const body = Readable.from(Array.from({ length: Number(megabytes) }, () => chunk));
	return await reply.type('video/mp4').send(body);
});
await files.listen({ port: 0, host: '127.0.0.1' });
const address = files.server.address() as { port: number };

const download = (megabytes: number) => ({
	name: 'File',
	type: 'n8n-nodes-base.httpRequest',
	typeVersion: 4.2,
	parameters: {
		url: `http://127.0.0.1:${address.port}/${megabytes}`,
		options: { response: { response: { responseFormat: 'file' } } },
	},
});

const rig = new Rig('2.41.1');

/** Bytes that n8n holds, by its own metrics. */
async function residentBytes(): Promise<number> {
	const { data } = await axios.get<string>(`${rig.server.url}/metrics`);
	return Number(/^n8n_process_resident_memory_bytes\S* (\S+)/m.exec(data)?.[1]);
}

/** Runs a workflow. @returns by how many bytes n8n grew at most meanwhile */
async function growth(workflow: Workflow): Promise<number> {
	const before = await residentBytes();
	let peak = before;
	let hasEnded = false;
	const watch = (async () => {
		while (!hasEnded) {
			peak = Math.max(peak, await residentBytes());
			await sleep(POLL_MS);
		}
	})();
	const { status, error } = await rig.run(workflow);
	hasEnded = true;
	await watch;
	if (status !== 'success') throw new Error(error?.message);
	return peak - before;
}

const table = new Table({
	head: ['File', 'Download alone', 'Download and upload', 'Bytes that arrived'],
});
try {
	await rig.start();
	await rig.server.stop();
	await rig.startN8n({ N8N_METRICS: 'true', N8N_DEFAULT_BINARY_DATA_MODE: 'filesystem' });
	await rig.begin();
	for (const size of SIZES) {
		const alone = await growth(chain('Download', [manualTrigger, download(size)]));
		rig.sandbox.clearJournal();
		const upload = aiClk({ resource: 'material', operation: 'upload' });
		const both = await growth(chain('Upload', [manualTrigger, download(size), upload]));
		const [entry] = rig.to('material/upload');
		const inMegabytes = (bytes: number) => `+${Math.round(bytes / MEGABYTE)} MB`;
		table.push([
			`${size} MB`,
			inMegabytes(alone),
			inMegabytes(both),
			String(entry?.headers['content-length']),
		]);
	}
	console.log(table.toString());
} finally {
	await rig.stop();
	await files.close();
}
