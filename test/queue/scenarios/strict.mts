import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { call } from '../../e2e/workflows.mts';
import type { Finding, Load, QueueRig, Scenarios } from '../rig.mts';
import {
	DUE_FOR_ROTATION,
	ECHO,
	EXPIRED,
	HALF_LIFE,
	ROTATION,
	ROTATION_TRIGGER,
} from './shared.mts';

/** n8n's Retry On Fail as it is when somebody switches it on. */
const RETRY = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1_000 };

/** So slow that refreshes overlap, and that requests are on their way when their token dies. */
const SLOW = { tokenDelayMs: 800, apiDelayMs: 800 };

interface Pace {
	name: string;
	/** Starts a load in this way. */
	fire(rig: QueueRig, load: Load): Promise<void>;
}

const PACES: Pace[] = [
	{
		name: '40 runs at once',
		fire: async (rig, load) => await rig.fire(load, 40),
	},
	{
		name: '40 runs in 8 s',
		fire: async (rig, load) => await rig.fire(load, 40, 8_000),
	},
	{
		// The late one kills the token that the first one stores a moment later, and who comes then reads a dead one.
		name: 'one run, others as it is about to store its token',
		fire: async (rig, load) => {
			await rig.fire(load, 1);
			await rig.until(
				() => rig.to('account/info').some(({ token }) => token === 'live'),
				'the question about the new token',
			);
			await rig.fire(load, 39, 8_000);
		},
	},
];

/** Should AiClk kill the older tokens at each refresh: workers that refresh at the same time kill each other's. */
export const strict: Scenarios = (rig, scenario) => {
	const finding = async (): Promise<Finding> => {
		const figures = await rig.figures();
		const isAlive = await rig.isStoredTokenAlive();
		const { failedRuns, sentTwice } = figures;
		const text = `${JSON.stringify(figures)}, stored token ${isAlive ? 'alive' : 'dead'}`;
		assert.deepEqual([failedRuns, sentTwice, isAlive], [0, 0, true], text);
		return { figures, more: 'the stored token is alive' };
	};

	for (const deadTokenAnswer of ['http-401', 'body-401'] as const) {
		const settings = { mode: 'strict', deadTokenAnswer, ...SLOW } as const;
		const name = (what: string) => `strict, ${deadTokenAnswer}: ${what}`;

		scenario(name('steady load, the rotation workflow renews'), async () => {
			await rig.begin(DUE_FOR_ROTATION, settings);
			const load = await rig.load([call('POST JSON', rig.url(ECHO), RETRY)]);
			const firing = rig.fire(load, 80, 20_000);
			await sleep(8_000);
			await rig.run(ROTATION, ROTATION_TRIGGER);
			await firing;
			return await finding();
		});

		for (const pace of PACES) {
			scenario(name(`expired, ${pace.name}, Retry On Fail`), async () => {
				await rig.begin(EXPIRED, settings);
				await pace.fire(rig, await rig.load([call('POST JSON', rig.url(ECHO), RETRY)]));
				return await finding();
			});
		}
	}

	for (const pace of PACES) {
		scenario(`strict, http-401: revoked, ${pace.name}, Retry On Fail`, async () => {
			await rig.begin(HALF_LIFE, { mode: 'strict', ...SLOW });
			rig.sandbox.revoke();
			await pace.fire(rig, await rig.load([call('POST JSON', rig.url(ECHO), RETRY)]));
			return await finding();
		});
	}
};
