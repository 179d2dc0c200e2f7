import assert from 'node:assert/strict';

import { call } from '../../e2e/workflows.mts';
import { type Scenarios, WORKERS } from '../rig.mts';
import { ECHO, EXPIRED } from './shared.mts';

/** The refresh takes longer than this, so its answer arrives while the service is away. */
const DOWN_MS = 4_000;

/** n8n cannot write down what became of a run while its database is away: such a run never ends in the list. */
const LOST_AFTER_MS = 20_000;

/**
 * A service that n8n cannot do without goes away during a refresh.
 *
 * @param restart ends the service and starts it again after so many ms
 */
export const outage =
	(service: string, restart: (downMs: number) => Promise<void>): Scenarios =>
	(rig, scenario) => {
		scenario(`${service} away for ${DOWN_MS / 1000} s during a refresh`, async () => {
			await rig.begin(EXPIRED, { tokenDelayMs: 1_000 });
			const load = await rig.load([call('POST JSON', rig.url(ECHO))]);
			const probe = await rig.load([call('POST JSON', rig.url(ECHO))], 'lastNode');
			await rig.fire(load, 15);
			await rig.until(() => rig.refreshes > 0, 'the refresh');
			await restart(DOWN_MS);
			const seconds = await rig.secondsUntilServed(probe);
			const figures = await rig.figures(LOST_AFTER_MS);
			assert.deepEqual([figures.deadCalls, figures.sentTwice], [0, 0]);
			assert.ok(figures.refreshes <= WORKERS.length, `${figures.refreshes} refreshes`);
			assert.ok(await rig.isStoredTokenAlive());
			return { figures, more: `served ${seconds} s after it was back` };
		});
	};
