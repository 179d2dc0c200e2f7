import { figure, ratio, show } from './results.mts';

/** Ways to the same result, by name. */
type Ways = Record<string, () => Promise<unknown>>;

/**
 * Lets each way go in turn, first once for nothing, so that a busy machine slows all alike.
 *
 * @param before each of them, not measured
 * @param now a clock, in ms
 * @returns ms of each way by name, round by round
 */
export async function inTurn<W extends Ways>(
	ways: W,
	rounds: number,
	before: () => unknown = () => undefined,
	now = () => performance.now(),
): Promise<Record<keyof W, number[]>> {
	const names: Array<keyof W> = Object.keys(ways);
	const times = Object.fromEntries(names.map((name) => [name, [] as number[]]));
	for (let round = -1; round < rounds; round++) {
		for (const name of names) {
			await before();
			const began = now();
			await ways[name]?.();
			if (round >= 0) times[name as string]?.push(now() - began);
		}
	}
	return times as Record<keyof W, number[]>;
}

/** Compares two ways to the same result. @returns a row: the name, both times, and ours as a share of theirs */
export async function compare(
	name: string,
	ways: Record<'theirs' | 'ours', () => Promise<unknown>>,
	rounds: number,
): Promise<string[]> {
	const { theirs, ours } = await inTurn(ways, rounds);
	return [name, show(figure(theirs), ' ms'), show(figure(ours), ' ms'), show(ratio(ours, theirs))];
}
