import { setTimeout as sleep } from 'node:timers/promises';

import type { Rig } from '../../test/e2e/rig.mts';
import { aiClk, call, chain, itemsOf, manualTrigger } from '../../test/e2e/workflows.mts';
import type { Workflow } from '../../test/harness/n8n/rest.mts';
import { figure, type Section, show } from './figures.mts';
import { byHand, SPAN } from './pages.mts';
import { inTurn, ratio, runsOf } from './workflows.mts';

const LATENCIES_MS = [0, 20, 100];

/** account/info, in both nodes the same request. */
const INFO = 'account/info?account_id=1000002&query=%7B%22fields%22%3A%5B%22balance%22%5D%7D';

const PAGES = 50;
const PAGE_SIZE = 100;

/** One request after the other. */
const ONE_BY_ONE = { options: { batching: { batch: { batchSize: 1, batchInterval: 0 } } } };

const LIMIT = 20;
const LIMITED_READS = 100;

const reads = (count: number) => itemsOf(Array.from({ length: count }, (_, n) => ({ n })));

const node = (count: number, more: Record<string, unknown> = {}): Workflow =>
	chain(`AiClk, ${count} reads`, [
		manualTrigger,
		...reads(count),
		aiClk({ resource: 'account', operation: 'getInfo', fields: ['balance'], ...more }),
	]);

const returnAll = (more: Record<string, unknown> = {}): Workflow =>
	chain('AiClk, Return All', [
		manualTrigger,
		aiClk({ resource: 'account', operation: 'getFundRecords', ...SPAN, returnAll: true, ...more }),
	]);

/** Many reads and many pages, over an API that answers at once, after 20 and after 100 ms. */
async function measureLatencies(rig: Rig): Promise<Section[]> {
	const request = (count: number) =>
		chain(`HTTP Request, ${count} reads`, [
			manualTrigger,
			...reads(count),
			call('GET', rig.url(INFO)),
		]);
	const rows: string[][] = [];
	const pages: string[][] = [];
	for (const apiDelayMs of LATENCIES_MS) {
		rig.sandbox.configure({ apiDelayMs, fundDays: PAGES * PAGE_SIZE });
		for (const count of apiDelayMs === 0 ? [200, 1_000] : [200]) {
			const { theirs = [], ours = [] } = await inTurn({
				theirs: await runsOf(rig, request(count)),
				ours: await runsOf(rig, node(count)),
			});
			rows.push([
				`${count} reads, ${apiDelayMs} ms`,
				show(figure(theirs), ' ms'),
				show(figure(ours), ' ms'),
				show(ratio(ours, theirs)),
			]);
		}
		const {
			theirs = [],
			oneByOne = [],
			ours = [],
		} = await inTurn({
			theirs: await runsOf(rig, byHand(rig.url('account_fund/list'))),
			oneByOne: await runsOf(rig, returnAll(ONE_BY_ONE)),
			ours: await runsOf(rig, returnAll()),
		});
		pages.push([
			`${PAGES} pages, ${apiDelayMs} ms`,
			show(figure(theirs), ' ms'),
			show(figure(oneByOne), ' ms'),
			show(figure(ours), ' ms'),
			show(ratio(ours, theirs)),
			show(ratio(ours, oneByOne)),
		]);
	}
	rig.sandbox.configure({ apiDelayMs: 0, fundDays: 250 });
	return [
		{
			title: 'The AiClk node against HTTP Request, reads of account/info',
			how: 'Rounds in turn; median (10 % to 90 %). Whole runs over n8n’s API, so what n8n does with the items is in it.',
			head: ['', 'HTTP Request', 'AiClk node', 'times HTTP Request'],
			rows,
		},
		{
			title: `Return All against HTTP Request’s own pagination, ${PAGE_SIZE} rows a page`,
			how: 'Rounds in turn; median (10 % to 90 %). One after the other: the AiClk node with batches of one item.',
			head: [
				'',
				'HTTP Request',
				'AiClk, one after the other',
				'AiClk',
				'times HTTP Request',
				'times one after the other',
			],
			rows: pages,
		},
	];
}

/** An API that takes so many requests a second, and refuses the rest for a second. */
async function measureThrottle(rig: Rig): Promise<Section> {
	const limitMs = (LIMITED_READS / LIMIT) * 1_000;
	const rows: string[][] = [];
	for (const apiDelayMs of LATENCIES_MS) {
		rig.sandbox.configure({ apiDelayMs, requestsPerSecond: LIMIT, retryAfter: '1' });
		const requests: number[] = [];
		const run = await runsOf(rig, node(LIMITED_READS));
		const times: number[] = [];
		await inTurn({
			ours: async () => {
				// A limit that the round before has used up is not to count.
				await sleep(1_100);
				rig.sandbox.clearJournal();
				const beganAtMs = performance.now();
				await run();
				times.push(performance.now() - beganAtMs);
				requests.push(rig.to('account/info').length / LIMITED_READS);
			},
		});
		rows.push([
			`${apiDelayMs} ms`,
			show(figure(times.slice(1)), ' ms'),
			show(figure(times.slice(1).map((ms) => ms / limitMs))),
			show(figure(requests.slice(1))),
		]);
	}
	rig.sandbox.configure({ apiDelayMs: 0, requestsPerSecond: null });
	return {
		title: `${LIMITED_READS} reads where AiClk takes ${LIMIT} a second`,
		how: `HTTP 429 with Retry-After: 1 for the rest, which ends an HTTP Request run. All are served in each round; the limit allows them in ${limitMs / 1000} s.`,
		head: ['latency', 'AiClk node', 'times what the limit allows', 'requests an item'],
		rows,
	};
}

/** Many requests at once: latency, pages and throttling. */
export const measureTogether = async (rig: Rig): Promise<Section[]> => [
	...(await measureLatencies(rig)),
	await measureThrottle(rig),
];
