import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { BASE, type Life, type Scenario, simulate } from '../../bench/fleet/fleet.mts';

const SEED = 20_261_124;
const LIVES = 4;

const total = (lives: Life[], of: (life: Life) => number): number =>
	lives.reduce((sum, life) => sum + of(life), 0);

/**
 * What the fleet simulation must not lose (`npm run bench:fleet` has all of it): the real token manager in each worker, over
 * years of simulated time. A refresh that invalidates older tokens (strict) must not set off a chain of further refreshes.
 */
describe('a fleet of n8n processes', () => {
	const scenarios: Array<[name: string, changes: Partial<Scenario>, maxFailedALife: number]> = [
		['10 workers, 1 request/s, lenient', { strict: false }, 0],
		['3 workers, 1 request/s, strict', { workers: 3, strict: true }, 3],
		['100 workers, 10 requests/s, strict', { workers: 100, perSecond: 10, strict: true }, 30],
		[
			'100 workers, 10 requests/s, strict, rotation workflow',
			{ workers: 100, perSecond: 10, strict: true, rotation: true },
			6,
		],
	];
	for (const [name, changes, maxFailedALife] of scenarios) {
		it(`${name}: about one refresh a life`, async () => {
			const scenario: Scenario = { ...BASE, ...changes, lives: LIVES };
			const { lives, completed } = await simulate(scenario, SEED);
			const refreshes = total(lives, (life) => life.refreshes);
			const failed = total(lives, (life) => life.failed);
			assert.ok(completed);
			assert.ok(refreshes <= LIVES + 1, `${refreshes} refreshes in ${LIVES} lives`);
			assert.ok(failed <= LIVES * maxFailedALife, `${failed} failed runs in ${LIVES} lives`);
		});
	}
});
