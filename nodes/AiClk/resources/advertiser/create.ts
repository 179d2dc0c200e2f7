import { toBody } from '../../../../aiclk/protocol/assumptions';
import { oneItem } from '../../items';
import type { Operation } from '../../operation';
import { accountId, simplify } from '../../properties';
import { OPTIONAL, readGiven, readRequired, REQUIRED } from './attributes';

/** POST adaccount/customer/create (AiClk docs, P4). */
export const create: Operation = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create advertiser',
		description: 'Open a new advertiser account below an agent or sub-manager',
	},
	properties: [
		accountId('The agent or sub-manager account'),
		...REQUIRED.map(({ property }) => ({ ...property, required: true })),
		{
			displayName: 'Additional Fields',
			name: 'additionalFields',
			type: 'collection',
			placeholder: 'Add Field',
			default: {},
			options: OPTIONAL.map(({ property }) => property),
		},
		simplify,
	],
	plan: (fields) => ({
		request: {
			method: 'POST',
			path: '/openapi/v1/adaccount/customer/create',
			effect: 'change',
			parameters: { account_id: fields.accountId() },
			body: toBody({
				...readRequired(fields, REQUIRED),
				...readGiven(fields, 'additionalFields', OPTIONAL),
			}),
		},
		hint: 'Check the fields, and that your application may write for this account (ads_write).',
		simplify: fields.isOn('simplify'),
		toItems: oneItem,
	}),
};
