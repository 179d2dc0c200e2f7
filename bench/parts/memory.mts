import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';

import type { Rig } from '../../test/e2e/rig.mts';
import type { Workflow } from '../../test/harness/n8n/rest.mts';

export const MEGABYTE = 1024 ** 2;

const POLL_MS = 50;

/** Bytes that n8n holds, by its own metrics. */
async function residentBytes(rig: Rig): Promise<number> {
	const { data } = await axios.get<string>(`${rig.server.url}/metrics`);
	return Number(/^n8n_process_resident_memory_bytes\S* (\S+)/m.exec(data)?.[1]);
}

/** What a run took. */
export interface Cost {
	/** How much n8n's process grew at most, in bytes. */
	growth: number;
	ms: number;
	/** Items that the last node put out. */
	items: number;
}

/** Runs a workflow, and watches n8n's memory meanwhile. */
export async function costOf(rig: Rig, workflow: Workflow): Promise<Cost> {
	const before = await residentBytes(rig);
	let peak = before;
	let hasEnded = false;
	const watch = (async () => {
		while (!hasEnded) {
			peak = Math.max(peak, await residentBytes(rig));
			await sleep(POLL_MS);
		}
	})();
	const began = performance.now();
	const { status, error, itemsOf } = await rig.run(workflow);
	const ms = performance.now() - began;
	hasEnded = true;
	await watch;
	if (status !== 'success') throw new Error(error?.message);
	const last = workflow.nodes.at(-1)?.name ?? '';
	return { growth: peak - before, ms, items: itemsOf(last).length };
}
