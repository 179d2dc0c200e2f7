import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Table from 'cli-table3';

import { REFRESHES_PER_DAY } from '../aiclk/token/quota.ts';
import { BASE, type Life, type Outcome, type Scenario, simulate } from './fleet/fleet.mts';
import { GROUPS } from './fleet/scenarios.mts';
import { checkSkipping } from './fleet/skipping.mts';
import { ROOT } from '../test/harness/n8n/install.mts';

const SEED = 20_261_124;
const DAY_MS = 86_400_000;

const HOW = `How: the real TokenManager and policy, one of each worker, over one stored row that is read afresh for each request,
in simulated time; AiClk, its clock and n8n's storing (5 ms) are simulated, a request to the API takes 100 ms, tokens live
90 days. Requests that cannot change anything are skipped: as long as the stored token lives, only those whose draw may begin
a renewal are simulated (where they fall is drawn at random, whether they succeed is left to the policy). From the moment
at which the stored token dies (killed by a strict server, or expired) every request is simulated at full rate until the
fleet has had a live token for 10 s; after 20,000 such requests in one go only one a worker and minute, counted as many.
Failed runs are counted before any Retry On Fail. Seed ${SEED}.`;

const round = (value: number): string => {
	if (!Number.isFinite(value)) return '–';
	if (value === 0) return '0';
	if (Math.abs(value) < 0.001) return value.toExponential(1);
	return value >= 100
		? Math.round(value).toLocaleString('en')
		: String(Number(value.toPrecision(3)));
};

const mean = (lives: Life[], of: (life: Life) => number): number =>
	lives.reduce((sum, life) => sum + of(life), 0) / lives.length;

const seconds = (ms: number): string => `${ms / 1000} s`;

function outageText({ outage }: Scenario): string {
	if (outage === null) return '';
	const span = outage.days < 1 ? `${Math.round(outage.days * 24)} h` : `${outage.days} d`;
	return `, out for ${span} from day ${outage.fromDay}`;
}

/** A scenario in words. */
const describe = (scenario: Scenario): string =>
	`${scenario.workers.toLocaleString('en')} × ${scenario.perSecond.toLocaleString('en')}/s ${scenario.pattern}, ${
		scenario.strict ? 'strict' : 'lenient'
	}${scenario.deadTokenAnswer === 'body-401' ? ' (HTTP 200)' : ''}, ${seconds(scenario.refreshMs)}${
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
	const first = lives.filter(({ renewedAfterMs }) => !Number.isNaN(renewedAfterMs));
	return [
		describe(scenario),
		completed ? String(lives.length) : `${lives.length}, no new token`,
		round(mean(lives, (life) => life.refreshes)),
		round(doubles / lives.length),
		round(mean(first, (life) => life.renewedAfterMs) / DAY_MS),
		round(mean(lives, (life) => life.dead)),
		round(mean(lives, (life) => life.failed)),
		worstDay > REFRESHES_PER_DAY ? `OVER: ${round(worstDay)}` : String(worstDay),
	];
}

const toMarkdown = (rows: string[][]): string =>
	[HEAD, HEAD.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

function print(rows: string[][]): void {
	const table = new Table({
		head: HEAD,
		wordWrap: true,
		colWidths: [58, 10, 18, 18, 16, 14, 14, 16],
		style: { head: [] },
	});
	table.push(...rows);
	console.log(table.toString());
}

const begun = performance.now();
console.log(HOW);
const sections: string[] = [];
let requests = 0;
let simulated = 0;
for (const { title, scenarios } of GROUPS) {
	const rows: string[][] = [];
	for (const changes of scenarios) {
		const scenario = { ...BASE, ...changes };
		const outcome = await simulate(scenario, SEED);
		requests += outcome.requests;
		simulated += outcome.simulated;
		rows.push(cells(scenario, outcome));
	}
	console.log(`\n${title}`);
	print(rows);
	sections.push(`## ${title}\n\n${toMarkdown(rows)}`);
}

const check = await checkSkipping(SEED);
console.log(`\n${check}`);
const scale = `${requests.toExponential(1)} requests in the simulated time, of which ${simulated.toLocaleString('en')} were simulated one by one.`;
console.log(scale);

await writeFile(
	join(ROOT, 'bench', 'fleet.md'),
	`# Fleet simulation\n\nWritten by \`npm run bench:fleet\`.\n\n${HOW}\n\n${sections.join('\n\n')}\n\n${check}\n\n${scale}\n`,
);
console.log(`Done in ${Math.round((performance.now() - begun) / 1000)} s: bench/fleet.md`);
