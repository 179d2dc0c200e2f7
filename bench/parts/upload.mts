import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';
import { fastify } from 'fastify';

import type { Rig } from '../../test/e2e/rig.mts';
import { aiClk, chain, manualTrigger } from '../../test/e2e/workflows.mts';
import type { Workflow } from '../../test/harness/n8n/rest.mts';
import type { Section } from './results.mts';

const MEGABYTE = 1024 ** 2;
const SIZES = [1, 200, 1, 200];

const inMegabytes = (bytes: number): string => `${Math.round(bytes / MEGABYTE)} MB`;

/** Serves files of so many megabytes, made while they are sent. */
async function serveFiles() {
	const app = fastify({ forceCloseConnections: true });
	app.get('/:megabytes', async (request, reply) => {
		const { megabytes } = request.params as { megabytes: string };
		const chunk = Buffer.alloc(MEGABYTE, 'x');
		const body = Readable.from(Array.from({ length: Number(megabytes) }, () => chunk));
		return await reply.type('video/mp4').send(body);
	});
	const url = await app.listen({ port: 0, host: '127.0.0.1' });
	return { url, close: async () => await app.close() };
}

const POLL_MS = 50;

/** Bytes that n8n holds, by its own metrics. */
async function residentBytes(rig: Rig): Promise<number> {
	const { data } = await axios.get<string>(`${rig.server.url}/metrics`);
	return Number(/^n8n_process_resident_memory_bytes\S* (\S+)/m.exec(data)?.[1]);
}

/** Runs a workflow. @returns how much n8n's process grew at most meanwhile, in bytes */
async function growthOf(rig: Rig, workflow: Workflow): Promise<number> {
	const before = await residentBytes(rig);
	let peak = before;
	let hasEnded = false;
	const watch = (async () => {
		while (!hasEnded) {
			peak = Math.max(peak, await residentBytes(rig));
			await sleep(POLL_MS);
		}
	})();
	const { status, error } = await rig.run(workflow).finally(() => {
		hasEnded = true;
	});
	await watch;
	if (status !== 'success') throw new Error(error?.message);
	return peak - before;
}

/** How much memory an upload takes: a video goes from n8n's disk to AiClk and should never sit in memory. */
export async function measureUpload(rig: Rig): Promise<Section> {
	const files = await serveFiles();
	const rows: string[][] = [];
	try {
		for (const size of SIZES) {
			const download = {
				name: 'File',
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: {
					url: `${files.url}/${size}`,
					options: { response: { response: { responseFormat: 'file' } } },
				},
			};
			const alone = await growthOf(rig, chain('Download', [manualTrigger, download]));
			rig.sandbox.clearJournal();
			const upload = aiClk({ resource: 'material', operation: 'upload' });
			const both = await growthOf(rig, chain('Upload', [manualTrigger, download, upload]));
			const [entry] = rig.to('material/upload');
			rows.push([
				`${size} MB`,
				`+${inMegabytes(alone)}`,
				`+${inMegabytes(both)}`,
				String(entry?.headers['content-length']),
			]);
		}
	} finally {
		await files.close();
	}
	return {
		title: "n8n's memory during an upload",
		how: 'HTTP Request downloads the file to n8n’s disk, the AiClk node uploads it; how much the process grew at most.',
		head: ['File', 'Download alone', 'Download and upload', 'Bytes that arrived'],
		rows,
	};
}
