import { BASE, type Scenario } from './fleet.mts';

/** Lives of a lenient server cost little to simulate, and what is rare needs many. */
const MANY = 1_000;

/** A strict server costs more: every request is simulated for ten seconds after a refresh. */
const lenientAndStrict = (scenarios: Array<Partial<Scenario>>): Array<Partial<Scenario>> =>
	scenarios.flatMap((scenario) => [
		{ lives: MANY, ...scenario },
		{ ...scenario, strict: true, lives: Math.min(BASE.lives, scenario.lives ?? BASE.lives) },
	]);

/** Each way. A token from a clock that is more than 5 minutes ahead counts as expired. */
const CLOCKS_MS = 2.5 * 60_000;

/** Scenarios that differ in one thing. */
export const GROUPS: Array<{ title: string; scenarios: Array<Partial<Scenario>> }> = [
	{
		title: 'Workers',
		scenarios: lenientAndStrict([
			{ workers: 1 },
			{ workers: 3 },
			{ workers: 10 },
			{ workers: 100, perSecond: 10 },
			{ workers: 1_000, perSecond: 100, lives: 100 },
		]),
	},
	{
		title: 'Requests a second',
		scenarios: lenientAndStrict([
			{ perSecond: 0.001 },
			{ perSecond: 0.1 },
			{ perSecond: 100 },
			{ perSecond: 1_000 },
		]),
	},
	{
		title:
			'Time that a refresh takes (30 s is longer than the time limit of 15 s; simulated to the end of that life)',
		scenarios: lenientAndStrict([
			{ refreshMs: 50 },
			{ refreshMs: 14_000 },
			{ refreshMs: 30_000, perSecond: 0.1, lives: 1 },
		]),
	},
	{
		title: 'Chains of refreshes: a strict server, 400 lives',
		scenarios: [1_000, 5_000, 14_000].flatMap((refreshMs) =>
			(['http-401', 'body-401'] as const).map((deadTokenAnswer) => ({
				strict: true,
				refreshMs,
				deadTokenAnswer,
				lives: 400,
			})),
		),
	},
	{
		title: 'Bursts: all requests of an hour, a day or a week within one minute',
		scenarios: lenientAndStrict(
			(['hourly', 'daily', 'weekly'] as const).flatMap((pattern) => [
				{ pattern, lives: 200 },
				{ pattern, workers: 100, lives: 100 },
				{ pattern, workers: 1_000, lives: 20 },
			]),
		),
	},
	{
		title: 'Strict server that answers HTTP 200 to a dead token',
		scenarios: [
			{ strict: true, deadTokenAnswer: 'body-401', workers: 100, perSecond: 100 },
			{ strict: true, deadTokenAnswer: 'body-401', workers: 100, pattern: 'weekly' },
		],
	},
	{
		title: 'Clocks apart by up to 5 minutes',
		scenarios: lenientAndStrict([
			{ clocksMs: CLOCKS_MS },
			{ clocksMs: CLOCKS_MS, workers: 100, pattern: 'weekly', lives: 100 },
		]),
	},
	{
		title:
			'Token endpoint answering HTTP 500 from a day of each life (all attempts counted against the cap)',
		scenarios: [
			{ outage: { fromDay: 66, days: 1 / 24 } },
			{ outage: { fromDay: 62, days: 7 } },
			{ outage: { fromDay: 62, days: 29 }, workers: 1, perSecond: 0.1 },
			{ outage: { fromDay: 62, days: 29 }, workers: 3, perSecond: 0.1, lives: 5 },
			{ outage: { fromDay: 60, days: 29 } },
			{ outage: { fromDay: 62, days: 29 }, perSecond: 0.1, lives: 3 },
			{ outage: { fromDay: 60, days: 7 }, workers: 100 },
			{ outage: { fromDay: 62, days: 1 / 24 }, workers: 1_000, perSecond: 100, lives: 5 },
			{ outage: { fromDay: 60, days: 7 }, strict: true },
		],
	},
	{
		title: 'With the rotation workflow (daily, within 30 days)',
		scenarios: [
			...lenientAndStrict([
				{ rotation: true },
				{ rotation: true, workers: 100, perSecond: 100 },
				{ rotation: true, workers: 1_000, perSecond: 100, lives: 100 },
				{ rotation: true, workers: 1_000, pattern: 'weekly', lives: 100 },
				{ rotation: true, clocksMs: CLOCKS_MS },
			]),
			{ rotation: true, strict: true, deadTokenAnswer: 'body-401', workers: 100, perSecond: 100 },
			{ rotation: true, outage: { fromDay: 59, days: 7 } },
			{ rotation: true, outage: { fromDay: 59, days: 29 }, workers: 3, lives: 5 },
		],
	},
];
