import { Readable } from 'node:stream';
import { fastify } from 'fastify';

import type { Rig } from '../../test/e2e/rig.mts';
import { aiClk, chain, manualTrigger } from '../../test/e2e/workflows.mts';
import type { Section } from './figures.mts';
import { costOf, MEGABYTE } from './memory.mts';

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
			const alone = (await costOf(rig, chain('Download', [manualTrigger, download]))).growth;
			rig.sandbox.clearJournal();
			const upload = aiClk({ resource: 'material', operation: 'upload' });
			const both = (await costOf(rig, chain('Upload', [manualTrigger, download, upload]))).growth;
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
