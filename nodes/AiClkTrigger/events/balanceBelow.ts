import type { IDataObject } from 'n8n-workflow';

import { parameter } from '../../shared/fields';
import { readWholeNumber } from '../../shared/values';
import { ACCOUNT_IDS, type Api, type Row, type TriggerEvent } from './event';

const FIELDS = ['account_id', 'display_name', 'balance'];

const BALANCE = parameter(
	'balance',
	'Balance (Fen)',
	(value) => readWholeNumber(value, { min: 0, max: Number.MAX_SAFE_INTEGER }),
	{
		type: 'number',
		typeOptions: { minValue: 0, numberPrecision: 0 },
		default: 100000,
		description:
			'Emit when the cash balance is below this amount, and when it has recovered. 100,000 fen are 1,000 yuan.',
		hint: "100 fen are 1 yuan. Both crossings are emitted: an If node on 'change' (below, recovered) tells them apart",
	},
);

const readInfo = async (api: Api, account: string): Promise<Row> =>
	await api.readOne(
		{ path: '/openapi/v1/account/info', account, query: { fields: FIELDS } },
		'balance',
	);

/** Emits `below` when the balance of an account is below the amount, and `recovered` when it is back (P2). */
export const balanceBelow: TriggerEvent = {
	option: {
		name: 'Balance Below',
		value: 'balanceBelow',
		description: 'The cash balance of an account is below an amount, or has recovered',
	},
	properties: [ACCOUNT_IDS.property, BALANCE.property],
	read: (fields) => {
		const amount = fields.read(BALANCE);
		const toItem = (info: Row): IDataObject => ({
			change: Number(info.balance) < amount ? 'below' : 'recovered',
			display_name: null,
			...(info as IDataObject),
			amount,
		});
		return {
			look: async (api, account, known) => {
				const item = toItem(await readInfo(api, account));
				const is = item.change === 'below' ? 'below' : 'fine';
				return { known: { is }, items: is === (known?.is ?? 'fine') ? [] : [item] };
			},
			sample: async (api, account) => [toItem(await readInfo(api, account))],
		};
	},
};
