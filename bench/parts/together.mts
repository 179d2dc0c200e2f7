import { setTimeout as sleep } from 'node:timers/promises';

import type { Rig } from '../../test/e2e/rig.mts';
import { aiClk, call, chain, itemsOf, manualTrigger } from '../../test/e2e/workflows.mts';
import type { Workflow } from '../../test/harness/n8n/rest.mts';
import { figure, type Section, show } from './results.mts';
import { compare, inTurn } from './turns.mts';
import { runOf } from './workflows.mts';

const ROUNDS = 5;
const LATENCIES_MS = [0, 20, 100];

/** account/info, in both nodes the same request. */
const INFO = 'account/info?account_id=1000002&query=%7B%22fields%22%3A%5B%22balance%22%5D%7D';

const PAGES = 50;
const PAGE_SIZE = 100;

const LIMIT = 20;
const LIMITED_READS = 100;

const reads = (count: number) => itemsOf(Array.from({ length: count }, (_, n) => ({ n })));

const node = (count: number): Workflow =>
	chain(`AiClk, ${count} reads`, [
		manualTrigger,
		...reads(count),
		aiClk({ resource: 'account', operation: 'getInfo', fields: ['balance'] }),
	]);

const SPAN = { period: 'custom', startDate: '1000-01-01', endDate: '2999-12-31' };

const returnAll = chain('AiClk, Return All', [
	manualTrigger,
	aiClk({ resource: 'account', operation: 'getFundRecords', ...SPAN, returnAll: true }),
]);

/** The same pages by hand, as n8n's documentation builds them: HTTP Request counts up, and the rows are split out. */
function byHand(url: string): Workflow {
	const query = `={{ JSON.stringify({ start_date: '${SPAN.startDate}', end_date: '${SPAN.endDate}', fields: ['date', 'cash_cost', 'coupon_cost', 'compensation'], page: $pageCount + 1, page_size: ${PAGE_SIZE} }) }}`;
	const pagination = {
		paginationMode: 'updateAParameterInEachRequest',
		parameters: { parameters: [{ type: 'qs', name: 'query', value: query }] },
		paginationCompleteWhen: 'other',
		completeExpression: `={{ $response.body.data.list.length < ${PAGE_SIZE} }}`,
		requestInterval: 0,
	};
	const parameters = {
		sendQuery: true,
		queryParameters: { parameters: [{ name: 'account_id', value: '1000002' }] },
		options: { pagination: { pagination } },
	};
	return chain('By hand', [
		manualTrigger,
		call('GET', url, { parameters }),
		{
			name: 'Rows',
			type: 'n8n-nodes-base.splitOut',
			parameters: { fieldToSplitOut: 'data.list', options: {} },
		},
	]);
}

/** Many reads and many pages, over an API that answers at once, after 20 and after 100 ms. */
async function measureLatencies(rig: Rig): Promise<Section> {
	const requests = (count: number): Workflow =>
		chain(`HTTP Request, ${count} reads`, [
			manualTrigger,
			...reads(count),
			call('GET', rig.url(INFO)),
		]);
	const rows: string[][] = [];
	for (const apiDelayMs of LATENCIES_MS) {
		rig.sandbox.configure({ apiDelayMs, fundDays: PAGES * PAGE_SIZE });
		const compareAt = async (what: string, theirs: Workflow, ours: Workflow): Promise<void> => {
			const ways = { theirs: await runOf(rig, theirs), ours: await runOf(rig, ours) };
			rows.push(await compare(`${what}, ${apiDelayMs} ms`, ways, ROUNDS));
		};
		for (const count of apiDelayMs === 0 ? [200, 1_000] : [200]) {
			await compareAt(`${count} reads`, requests(count), node(count));
		}
		await compareAt(`${PAGES} pages`, byHand(rig.url('account_fund/list')), returnAll);
	}
	rig.sandbox.configure({ apiDelayMs: 0, fundDays: 250 });
	return {
		title: 'The AiClk node against HTTP Request',
		how: `Rounds in turn; median (10 % to 90 %). Whole runs over n8n’s API, so what n8n does with the items is in it. Reads of account/info; pages of ${PAGE_SIZE} rows, Return All against HTTP Request’s own pagination.`,
		head: ['', 'HTTP Request', 'AiClk node', 'times HTTP Request'],
		rows,
	};
}

/** An API that takes so many requests a second, and refuses the rest for a second. */
async function measureThrottle(rig: Rig): Promise<Section> {
	const limitMs = (LIMITED_READS / LIMIT) * 1_000;
	const rows: string[][] = [];
	for (const apiDelayMs of LATENCIES_MS) {
		rig.sandbox.configure({ apiDelayMs, requestsPerSecond: LIMIT, retryAfter: '1' });
		const requests: number[] = [];
		const run = await runOf(rig, node(LIMITED_READS));
		const { ours } = await inTurn(
			{
				ours: async () => {
					await run();
					requests.push(rig.to('account/info').length / LIMITED_READS);
				},
			},
			ROUNDS,
			async () => {
				// A limit that the round before has used up is not to count.
				await sleep(1_100);
				rig.sandbox.clearJournal();
			},
		);
		rows.push([
			`${apiDelayMs} ms`,
			show(figure(ours), ' ms'),
			show(figure(ours.map((ms) => ms / limitMs))),
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
	await measureLatencies(rig),
	await measureThrottle(rig),
];
