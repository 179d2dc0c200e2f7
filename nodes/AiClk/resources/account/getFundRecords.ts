import { readNames } from '../../../../aiclk/api/values';
import { rowItems } from '../../items';
import type { Operation } from '../../operation';
import { accountId, fieldList, paging, simplify } from '../../properties';

const FIELDS = ['date', 'cash_cost', 'coupon_cost', 'compensation'];

/** GET account_fund/list (AiClk docs, P3). */
export const getFundRecords: Operation = {
	option: {
		name: 'Get Fund Records',
		value: 'getFundRecords',
		action: 'Get account fund records',
		description: 'Get what an advertiser account spent on each day, in fen',
	},
	properties: [
		accountId('The advertiser account'),
		{
			displayName: 'Start Date',
			name: 'startDate',
			type: 'dateTime',
			default: '',
			required: true,
			placeholder: 'e.g. 2026-01-01',
			description: 'First day; the time of day does not matter',
		},
		{
			displayName: 'End Date',
			name: 'endDate',
			type: 'dateTime',
			default: '',
			required: true,
			placeholder: 'e.g. 2026-01-31',
			description: 'Last day; the time of day does not matter',
		},
		fieldList(FIELDS, FIELDS),
		...paging,
		simplify,
	],
	plan: (fields) => {
		const start = fields.get('startDate', 'Start Date', fields.asDay);
		const end = fields.get('endDate', 'End Date', fields.asDay);
		if (start > end) {
			fields.refuse(
				`'Start Date' (${start}) is after 'End Date' (${end})`,
				'Nothing was sent. Exchange the two.',
			);
		}
		return {
			request: {
				method: 'GET',
				path: '/openapi/v1/account_fund/list',
				effect: 'read',
				parameters: { account_id: fields.accountId() },
				query: {
					start_date: start,
					end_date: end,
					fields: fields.get('fields', 'Fields', (value) => readNames(value, FIELDS)),
				},
			},
			hint: 'Check the Account ID and the dates, and that your application may read it (ads_read).',
			pages: { limit: fields.limit(), travelIn: 'query' },
			simplify: fields.isOn('simplify'),
			toItems: rowItems,
		};
	},
};
