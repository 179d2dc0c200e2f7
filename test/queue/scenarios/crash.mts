import assert from 'node:assert/strict';

import { call } from '../../e2e/workflows.mts';
import type { Scenarios } from '../rig.mts';
import { ECHO, EXPIRED } from './shared.mts';

/** A process that dies with a refresh in its hands. */
export const crash: Scenarios = (rig, scenario) => {
	scenario('a worker killed with -9 during its refresh', async () => {
		await rig.begin(EXPIRED, { tokenDelayMs: 3_000 });
		const load = await rig.load([call('POST JSON', rig.url(ECHO))]);
		const probe = await rig.load([call('POST JSON', rig.url(ECHO))], 'lastNode');
		await rig.fire(load, 1);
		await rig.until(() => rig.refreshes > 0, 'the refresh');
		const [execution] = await rig.n8n.listExecutions(load.id);
		const worker = await rig.workerOf(execution?.id ?? '');
		await rig.workers.get(worker)?.kill();
		const seconds = await rig.secondsUntilServed(probe);
		await rig.startWorker(worker);
		const figures = await rig.figures();
		assert.ok(seconds <= 30, `served again after ${seconds} s`);
		assert.deepEqual([figures.failedRuns, figures.refreshes, figures.sentTwice], [1, 2, 0]);
		assert.ok(await rig.isStoredTokenAlive());
		return { figures, more: `only the killed run failed; served again after ${seconds} s` };
	});
};
