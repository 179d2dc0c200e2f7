import { toBody } from '../../../../aiclk/protocol/assumptions';
import { readId } from '../../../../aiclk/api/values';
import { oneItem } from '../../items';
import type { Operation } from '../../operation';
import { accountId, simplify } from '../../properties';
import { CHANGEABLE, readGiven } from './attributes';

/** POST adaccount/customer/update (AiClk docs, P5). */
export const update: Operation = {
	option: {
		name: 'Update',
		value: 'update',
		action: 'Update advertiser',
		description: 'Change company, contact or licence data of an advertiser account',
	},
	properties: [
		accountId('The agent or sub-manager account'),
		{
			displayName: 'Advertiser ID',
			name: 'advertiserId',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. 1928316',
			description: 'The account to change (account_id in the body)',
		},
		{
			displayName: 'Update Fields',
			name: 'updateFields',
			type: 'collection',
			placeholder: 'Add Field',
			default: {},
			options: CHANGEABLE.map(({ property }) => property),
		},
		simplify,
	],
	plan: (fields) => {
		const changes = readGiven(fields, 'updateFields', CHANGEABLE);
		if (Object.keys(changes).length === 0) {
			fields.refuse("'Update Fields' is empty", 'Nothing was sent. Add the fields to change.');
		}
		return {
			request: {
				method: 'POST',
				path: '/openapi/v1/adaccount/customer/update',
				effect: 'change',
				parameters: { account_id: fields.accountId() },
				body: toBody({
					account_id: fields.get('advertiserId', 'Advertiser ID', readId),
					...changes,
				}),
			},
			hint: 'Check the fields, and that your application may write for this account (ads_write).',
			simplify: fields.isOn('simplify'),
			toItems: oneItem,
		};
	},
};
