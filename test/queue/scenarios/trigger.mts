import assert from 'node:assert/strict';

import { trigger, Watched } from '../../e2e/scenarios/trigger.mts';
import { type Scenarios, WORKERS } from '../rig.mts';
import { EXPIRED } from './shared.mts';

const ROUNDS = 6;

/** Polls run on the main process, what they emit runs on the workers. */
export const triggered: Scenarios = (rig, scenario) => {
	scenario('the trigger emits each change once, whichever worker runs it', async () => {
		await rig.begin(EXPIRED);
		const workflow = trigger({ event: 'creativeChanged', filters: {} });
		const watched = new Watched(rig, await rig.n8n.importWorkflow(workflow, rig.credential));
		await watched.activate();
		let killed = '';
		for (let round = 1; round <= ROUNDS; round++) {
			for (const id of ['101', '102']) {
				rig.sandbox.change('creative', id, { audit_reason: `太暗 ${round}` });
			}
			// One that is killed takes no execution with it that has not begun.
			if (round === 3) {
				const [last] = await rig.n8n.listExecutions(watched.id);
				killed = await rig.workerOf(last?.id ?? '');
				await rig.workers.get(killed)?.kill();
			}
			await watched.poll();
			await watched.untilItems(round * 2);
		}
		await rig.startWorker(killed);
		const items = await watched.untilItems(ROUNDS * 2);
		await rig.n8n.deactivate(watched.id);
		const emitted = items.map(
			({ creative_id: id, audit_reason: why }) => `${String(id)} ${String(why)}`,
		);
		const expected = ['101', '102'].flatMap((id) =>
			Array.from({ length: ROUNDS }, (_, n) => `${id} 太暗 ${n + 1}`),
		);
		assert.deepEqual(emitted.sort(), expected.sort());
		const runs = await rig.n8n.listExecutions(watched.id);
		const workers = new Set(await Promise.all(runs.map(async ({ id }) => await rig.workerOf(id))));
		assert.ok(workers.size > 1 && workers.size <= WORKERS.length);
		const figures = await rig.figures();
		return {
			figures: { ...figures, runs: runs.length },
			more: `${items.length} changes, ${items.length} items, on ${workers.size} workers; one was killed`,
		};
	});
};
