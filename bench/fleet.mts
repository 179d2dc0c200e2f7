import { REFRESHES_PER_DAY } from '../aiclk/token/quota.ts';
import { BASE, type Life, type Outcome, type Scenario, simulate } from './fleet/fleet.mts';
import { GROUPS } from './fleet/scenarios.mts';
import { report, type Section } from './parts/results.mts';

const SEED = 20_261_124;
const DAY_MS = 86_400_000;

const HOW = `The real TokenManager and policy, one of each worker, over one stored row that is read afresh for each request, in simulated
time. AiClk, its clock and n8n's storing (5 ms) are simulated; a request to the API takes 100 ms, tokens live 90 days. While the
stored token lives, each worker steps through the requests at which it applies its jitter, one in 5 minutes, and those that may begin
a renewal are simulated. When that token has died (killed by a strict server, or expired), every request is, until the fleet has had
a live token for 10 s. Failed runs are counted before any Retry On Fail. Seed ${SEED}.`;

const round = (value: number): string =>
	value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));

const mean = (lives: Life[], of: (life: Life) => number): number =>
	lives.reduce((sum, life) => sum + of(life), 0) / lives.length;

function outageText({ outage }: Scenario): string {
	if (outage === null) return '';
	const span = outage.days < 1 ? `${Math.round(outage.days * 24)} h` : `${outage.days} d`;
	return `, out for ${span} from day ${outage.fromDay}`;
}

/** A scenario in words. */
const describe = (scenario: Scenario): string =>
	`${scenario.workers.toLocaleString('en')} × ${scenario.perSecond.toLocaleString('en')}/s ${scenario.pattern}, ${
		scenario.strict ? 'strict' : 'lenient'
	}${scenario.deadTokenAnswer === 'body-401' ? ' (HTTP 200)' : ''}, ${scenario.refreshMs / 1000} s${
		scenario.clocksMs > 0 ? ', clocks ± 2.5 min' : ''
	}${outageText(scenario)}${scenario.rotation ? ', rotation' : ''}`;

const HEAD = [
	'Workers × requests/s, server, refresh time',
	'Lives',
	'Refreshes a life',
	'Share of lives with more than one',
	'Renewed on day',
	'Dead-token requests a life',
	'Failed runs a life',
	`Worst day of ${REFRESHES_PER_DAY}`,
];

function cells(scenario: Scenario, { lives, worstDay, completed }: Outcome): string[] {
	const doubles = lives.filter(({ refreshes }) => refreshes > 1).length;
	return [
		describe(scenario),
		completed ? String(lives.length) : `${lives.length}, no new token`,
		round(mean(lives, (life) => life.refreshes)),
		round(doubles / lives.length),
		round(mean(lives, (life) => life.renewedAfterMs) / DAY_MS),
		round(mean(lives, (life) => life.dead)),
		round(mean(lives, (life) => life.failed)),
		worstDay > REFRESHES_PER_DAY ? `OVER: ${round(worstDay)}` : String(worstDay),
	];
}

const sections: Section[] = [];
for (const { title, scenarios } of GROUPS) {
	const rows: string[][] = [];
	for (const changes of scenarios) {
		const scenario = { ...BASE, ...changes };
		rows.push(cells(scenario, await simulate(scenario, SEED)));
	}
	sections.push({ title, head: HEAD, rows });
}
await report('fleet.md', 'Fleet simulation', 'npm run bench:fleet', sections, HOW);
