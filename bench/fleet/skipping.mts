import { BASE, type Outcome, type Scenario, simulate } from './fleet.mts';

/** Few requests, so that all of them can be simulated. */
const SMALL: Scenario = { ...BASE, workers: 3, perSecond: 0.005, lives: 40 };

const DAY_MS = 86_400_000;

function days({ lives }: Outcome) {
	const values = lives.map(({ renewedAfterMs }) => renewedAfterMs / DAY_MS);
	const mean = values.reduce((a, b) => a + b, 0) / values.length;
	const variance = values.reduce((sum, day) => sum + (day - mean) ** 2, 0) / (values.length - 1);
	return { mean, error: Math.sqrt(variance / values.length) };
}

const text = ({ mean, error }: { mean: number; error: number }): string =>
	`day ${mean.toFixed(2)} ± ${error.toFixed(2)}`;

/**
 * Simulates the same small fleet with and without skipping.
 *
 * @returns what came of it, in words
 * @throws Error when the two differ by more than chance would have it
 */
export async function checkSkipping(seed: number): Promise<string> {
	const skipped = await simulate(SMALL, seed);
	const whole = await simulate({ ...SMALL, everyRequest: true }, seed);
	const [a, b] = [days(skipped), days(whole)];
	const apart = Math.abs(a.mean - b.mean) / Math.hypot(a.error, b.error);
	const words = `Check of the skipping (${SMALL.workers} workers, ${SMALL.perSecond} requests/s, ${SMALL.lives} lives): renewed on ${text(a)} with it, from ${skipped.simulated} simulated requests, and on ${text(b)} without, from ${whole.simulated}.`;
	if (apart > 4) throw new Error(`${words} They should be the same.`);
	return words;
}
