import type { IDataObject } from 'n8n-workflow';

import { field } from '../../shared/fields';
import { ACCOUNT_IDS, alarm, type TriggerEvent } from './event';

const BALANCE = field.number('balance', 'Balance (Fen)', {
	typeOptions: { minValue: 0, maxValue: Number.MAX_SAFE_INTEGER, numberPrecision: 0 },
	default: 100000,
	description:
		'Emit when the cash balance is below this amount, and when it has recovered. 100,000 fen are 1,000 yuan.',
	hint: "100 fen are 1 yuan. Both crossings are emitted: an If node on 'change' (below, recovered) tells them apart",
});

/** Emits `below` when the balance of an account is below the amount, and `recovered` when it is back (P2). */
export const balanceBelow: TriggerEvent = {
	option: {
		name: 'Balance Below',
		value: 'balanceBelow',
		description: 'The cash balance of an account is below an amount, or has recovered',
	},
	properties: [ACCOUNT_IDS.property, BALANCE.property],
	createWatcher: (fields) => {
		const amount = fields.read(BALANCE);
		return alarm(async (api, account) => {
			const info = await api.getBalance(account);
			const isBelow = info.balance < amount;
			const change = isBelow ? 'below' : 'recovered';
			return {
				is: isBelow ? 'below' : 'fine',
				item: { change, display_name: null, ...(info as IDataObject), amount },
			};
		});
	},
};
