import { COLLISION_PROBE_MS } from '../../../aiclk/token/policy.ts';
import { exposureMs, type Scenario } from './fleet.mts';
import { LIFE_MS } from './server.mts';
import { BURST_MS, createTraffic } from './traffic.mts';

const DAY_MS = 86_400_000;
const EULER = 0.577_215_664_9;

/** What theory says of one life. */
export interface Estimate {
	refreshes: number;
	/** Chance of more than one refresh. */
	double: number;
	/** Most refreshes in a day, failed ones included. */
	worstDay: number;
	/** Day of a token's life on which its successor is issued. */
	day: number;
}

type Renewal = Omit<Estimate, 'worstDay'>;

/**
 * Steady traffic: N workers draw every d; t before the window opens a draw succeeds with e^(-t/m). What is to
 * be expected until then is H(t) = N m/d e^(-t/m), and a first start comes when H reaches an exponentially distributed
 * number. H grows by e^(w/m) in the w that a refresh takes, which gives the chance that another one starts meanwhile.
 */
function steady(scenario: Scenario): Renewal {
	const { workers, timing } = scenario;
	const traffic = createTraffic(scenario.pattern, scenario.perSecond);
	const meanMs = timing.jitterMeanShare * LIFE_MS;
	const spacingMs = timing.jitterIntervalShare * LIFE_MS + workers / traffic.perMs;
	const exposed = exposureMs(scenario, COLLISION_PROBE_MS);
	const atOpening = (workers * meanMs) / spacingMs;
	const others = (workers - 1) / workers;
	const growth = others * Math.expm1(Math.min(50, exposed / meanMs));
	const afterOpening = Math.exp(-atOpening);
	const startsMeanwhile = (workers - 1) * Math.min(1, exposed / spacingMs);
	const doubleBefore = 1 - afterOpening - (1 - Math.exp(-atOpening * (1 + growth))) / (1 + growth);
	return {
		refreshes: 1 + growth * (1 - afterOpening * (1 + atOpening)) + afterOpening * startsMeanwhile,
		double: doubleBefore + afterOpening * (1 - Math.exp(-startsMeanwhile)),
		day: (timing.renewalShare * LIFE_MS - meanMs * (Math.log(atOpening) + EULER)) / DAY_MS,
	};
}

/**
 * Bursts: each worker that takes part draws once a burst, so every burst is a throw of n dice with the same chance.
 * A token that was issued in a burst meets the later ones at whole periods of its life.
 */
function bursts(scenario: Scenario): Renewal {
	const { workers, timing } = scenario;
	const { periodMs, perMs } = createTraffic(scenario.pattern, scenario.perSecond);
	const period = periodMs as number;
	const meanMs = timing.jitterMeanShare * LIFE_MS;
	const opensMs = timing.renewalShare * LIFE_MS;
	const active = workers * (1 - Math.exp((-perMs * BURST_MS) / workers));
	/** Chance that a worker's first request of the burst comes while another's refresh is under way. */
	const meets = 1 - Math.exp((-perMs * exposureMs(scenario, COLLISION_PROBE_MS)) / workers);
	const sum = { refreshes: 0, double: 0, day: 0 };
	let untouched = 1;
	for (let atMs = period; atMs < LIFE_MS && untouched > 1e-9; atMs += period) {
		const chance = Math.min(1, Math.exp((atMs - opensMs) / meanMs));
		const nobody = (1 - chance) ** active;
		const somebody = 1 - nobody;
		const alone =
			1 - meets < 1e-6
				? active * chance * (1 - chance) ** (active - 1)
				: ((1 - chance * meets) ** active - nobody) / (1 - meets);
		sum.refreshes += untouched * (somebody + (active * chance - somebody) * meets);
		sum.double += untouched * Math.max(0, somebody - alone);
		sum.day += (untouched * somebody * atMs) / DAY_MS;
		untouched *= nobody;
	}
	return sum;
}

/**
 * Refreshes that are tried on the last day of an outage. Each worker keeps its own pauses: 5 min once the token is
 * dead, 15 min while it lives and the window is open; before that a try is a draw that succeeds.
 */
function attemptsInOutage({ workers, outage, timing }: Scenario): number {
	if (outage === null) return 0;
	const endDay = outage.fromDay + outage.days;
	const lifeDays = LIFE_MS / DAY_MS;
	const opensDay = timing.renewalShare * lifeDays;
	const meanDays = timing.jitterMeanShare * lifeDays;
	const drawsADay = 1 / (timing.jitterIntervalShare * lifeDays);
	/** How much of the last day lies after a day, in days. */
	const lastDayAfter = (day: number) => Math.min(1, outage.days, Math.max(0, endDay - day));
	const untilOpen = Math.max(0, opensDay - endDay) / meanDays;
	const drawn = drawsADay * meanDays * Math.exp(-untilOpen) * -Math.expm1(-1 / meanDays);
	return (
		workers *
		Math.max(
			288 * lastDayAfter(lifeDays),
			96 * lastDayAfter(opensDay),
			Math.min(96, drawn) * lastDayAfter(0),
		)
	);
}

/** The closed form beside the simulation. */
export function estimate(scenario: Scenario): Estimate {
	const alone = scenario.pattern === 'steady' ? steady(scenario) : bursts(scenario);
	// A single writer, at some time of day 60.
	const rotated = { refreshes: 1, double: 0, day: 60.5 };
	const renewal = scenario.rotation ? rotated : alone;
	return {
		...renewal,
		worstDay: Math.max(renewal.refreshes, attemptsInOutage(scenario)),
	};
}
