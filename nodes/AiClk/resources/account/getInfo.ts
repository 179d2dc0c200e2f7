import { readNames } from '../../../../aiclk/api/values';
import { oneItem } from '../../items';
import type { Operation } from '../../operation';
import { accountId, fieldList, simplify } from '../../properties';

const FIELDS = [
	'account_id',
	'username',
	'display_name',
	'balance',
	'coupon',
	'compensation',
	'configure_status',
	'refuse_reason',
];

/** GET account/info (AiClk docs, P2). */
export const getInfo: Operation = {
	option: {
		name: 'Get Info',
		value: 'getInfo',
		action: 'Get account info',
		description: 'Get names, balances in fen and review status of an advertiser account',
	},
	properties: [accountId('The advertiser account'), fieldList(FIELDS, FIELDS), simplify],
	plan: (fields) => ({
		request: {
			method: 'GET',
			path: '/openapi/v1/account/info',
			effect: 'read',
			parameters: { account_id: fields.accountId() },
			query: { fields: fields.get('fields', 'Fields', (value) => readNames(value, FIELDS)) },
		},
		hint: 'Check the Account ID, and that your application may read it (ads_read).',
		simplify: fields.isOn('simplify'),
		toItems: oneItem,
	}),
};
