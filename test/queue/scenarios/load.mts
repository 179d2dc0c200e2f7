import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { call, itemsOf } from '../../e2e/workflows.mts';
import { type Scenarios, WORKERS } from '../rig.mts';
import {
	DUE_FOR_ROTATION,
	ECHO,
	EXPIRED,
	HALF_LIFE,
	ROTATION,
	ROTATION_TRIGGER,
} from './shared.mts';

const CONTINUE = { onError: 'continueRegularOutput' };

/** Work on all workers while a token is renewed, expires, or is not to blame. */
export const load: Scenarios = (rig, scenario) => {
	scenario('steady load, the rotation workflow renews', async () => {
		await rig.begin(DUE_FOR_ROTATION, { tokenDelayMs: 400 });
		const load = await rig.load([call('POST JSON', rig.url(ECHO))]);
		const firing = rig.fire(load, 60, 20_000);
		await sleep(8_000);
		await rig.run(ROTATION, ROTATION_TRIGGER);
		await firing;
		const figures = await rig.figures();
		const { runs, failedRuns, refreshes, deadCalls, sentTwice } = figures;
		assert.deepEqual([runs, failedRuns, refreshes, deadCalls, sentTwice], [60, 0, 1, 0, 0]);
		assert.ok(await rig.isStoredTokenAlive());
		return { figures };
	});

	scenario('steady load, the credential renews by itself', async () => {
		// 90 days in 90 minutes, so the mean of the draw is a minute. Were it seconds, the 2 s that a refresh takes would
		// be as long as the draw spreads, which they never are in 90 days.
		const lifeMs = 90 * 60_000;
		const opensInMs = 300_000;
		await rig.begin({ lifeMs, leftMs: lifeMs / 6 + opensInMs }, { tokenDelayMs: 400 });
		const load = await rig.load([call('POST JSON', rig.url(ECHO))]);
		const deadline = Date.now() + opensInMs + 30_000;
		while (rig.refreshes === 0 && Date.now() < deadline) await rig.fire(load, 10, 5_000);
		await rig.fire(load, 20, 10_000);
		const figures = await rig.figures();
		const { failedRuns, refreshes, deadCalls, sentTwice } = figures;
		assert.deepEqual([failedRuns, deadCalls, sentTwice], [0, 0, 0]);
		// Now and then two workers draw within the 2 s of a refresh: a few in a hundred times here, never in 90 days.
		assert.ok(refreshes >= 1 && refreshes <= 2, `${refreshes} refreshes`);
		assert.ok(await rig.isStoredTokenAlive());
		return { figures };
	});

	scenario('60 runs at once just after expiry', async () => {
		await rig.begin(EXPIRED, { tokenDelayMs: 400 });
		const load = await rig.load([call('POST JSON', rig.url(ECHO))]);
		await rig.fire(load, 60);
		const figures = await rig.figures();
		const { runs, failedRuns, refreshes, deadCalls, sentTwice } = figures;
		assert.deepEqual([runs, failedRuns, deadCalls, sentTwice], [60, 0, 0, 0]);
		assert.ok(refreshes <= WORKERS.length, `${refreshes} refreshes`);
		assert.ok(await rig.isStoredTokenAlive());
		return { figures };
	});

	scenario('six runs of 300 items at once, all answered HTTP 500', async () => {
		await rig.begin(HALF_LIFE);
		const items = itemsOf(Array.from({ length: 300 }, (_, n) => ({ n })));
		const target = rig.url('sandbox/status/500');
		const load = await rig.load([...items, call('POST JSON', target, CONTINUE)]);
		await rig.fire(load, 6);
		const figures = await rig.figures();
		const sent = rig.sandbox.journal().filter(({ method }) => method === 'POST').length;
		assert.deepEqual([figures.refreshes, figures.sentTwice, sent], [0, 0, 1_800]);
		return { figures, more: `${sent} POSTs, each sent once` };
	});
};
