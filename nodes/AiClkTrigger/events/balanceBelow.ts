import type { IDataObject } from 'n8n-workflow';

import type { Row, TriggerEvent } from './event';

/** By account: whether its balance was below the amount. */
export type BalanceState = Record<string, 'below' | 'fine'>;

/** An account as AiClk describes it; amounts in fen. */
export type BalanceLook = Array<{ account: bigint; info: Row }>;

/** Emits `below` when an account's balance falls below the amount, and `recovered` when it is back (P2). */
export const balanceBelow: TriggerEvent<BalanceState, BalanceLook> = {
	look: async (api, _state, { accounts }) =>
		await Promise.all(
			accounts.map(async (account) => {
				const query = { fields: ['account_id', 'display_name', 'balance'] };
				const request = { path: '/openapi/v1/account/info', account, query };
				return { account, info: await api.readOne(request, 'balance') };
			}),
		),

	compare: (state, looks, { balance: amount, emitExisting }) => {
		const after: BalanceState = {};
		const items: IDataObject[] = [];
		for (const { account, info } of looks) {
			const now = Number(info.balance) < amount ? 'below' : 'fine';
			const before = state?.[`${account}`] ?? (emitExisting ? 'fine' : now);
			after[`${account}`] = now;
			if (now === before) continue;
			const change = now === 'below' ? 'below' : 'recovered';
			items.push({ ...info, account_id: `${account}`, change, amount });
		}
		return { state: after, items };
	},
};
