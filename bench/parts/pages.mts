import type { Rig } from '../../test/e2e/rig.mts';
import { aiClk, call, chain, manualTrigger } from '../../test/e2e/workflows.mts';
import type { Section } from './figures.mts';
import { type Cost, costOf, MEGABYTE } from './memory.mts';

const ROWS = 50_000;
const PAGE_SIZE = 100;
const ROUNDS = 3;

export const SPAN = { period: 'custom', startDate: '1000-01-01', endDate: '2999-12-31' };

/** The same pages by hand, as n8n's documentation builds them: HTTP Request counts up, and the rows are split out. */
export const byHand = (url: string) => {
	const query = `={{ JSON.stringify({ start_date: '${SPAN.startDate}', end_date: '${SPAN.endDate}', fields: ['date', 'cash_cost', 'coupon_cost', 'compensation'], page: $pageCount + 1, page_size: ${PAGE_SIZE} }) }}`;
	return chain('By hand', [
		manualTrigger,
		call('GET', url, {
			parameters: {
				sendQuery: true,
				queryParameters: { parameters: [{ name: 'account_id', value: '1000002' }] },
				options: {
					pagination: {
						pagination: {
							paginationMode: 'updateAParameterInEachRequest',
							parameters: { parameters: [{ type: 'qs', name: 'query', value: query }] },
							paginationCompleteWhen: 'other',
							completeExpression: `={{ $response.body.data.list.length < ${PAGE_SIZE} }}`,
							requestInterval: 0,
						},
					},
				},
			},
		}),
		{
			name: 'Rows',
			type: 'n8n-nodes-base.splitOut',
			parameters: { fieldToSplitOut: 'data.list', options: {} },
		},
	]);
};

const row = (name: string, { items, ms, growth }: Cost): string[] => [
	name,
	items.toLocaleString('en'),
	Math.round(items / (ms / 1000)).toLocaleString('en'),
	`+${Math.round(growth / MEGABYTE)} MB`,
];

/** All rows of a long list: our node beside pages built by hand. */
export async function measurePages(rig: Rig): Promise<Section> {
	rig.sandbox.configure({ fundDays: ROWS });
	const node = chain('Return All', [
		manualTrigger,
		aiClk({ resource: 'account', operation: 'getFundRecords', ...SPAN, returnAll: true }),
	]);
	const oneByOne = chain('One by one', [
		manualTrigger,
		aiClk({
			resource: 'account',
			operation: 'getFundRecords',
			...SPAN,
			returnAll: true,
			options: { batching: { batch: { batchSize: 1, batchInterval: 0 } } },
		}),
	]);
	const hand = byHand(rig.url('account_fund/list'));
	const rows: string[][] = [];
	for (let round = 0; round < ROUNDS; round++) {
		rows.push(row('AiClk node, Return All', await costOf(rig, node)));
		rows.push(row('AiClk node, one page after the other', await costOf(rig, oneByOne)));
		rows.push(row('HTTP Request, pages by hand', await costOf(rig, hand)));
	}
	rig.sandbox.configure({ fundDays: 250 });
	return {
		title: `${ROWS.toLocaleString('en')} rows, ${PAGE_SIZE} a page`,
		how: `${ROUNDS} rounds in turn; time and memory include what n8n does with the items, storing the run among it. A process that has grown grows less the next time.`,
		head: ['', 'items', 'rows a second', 'n8n grew by'],
		rows,
	};
}
