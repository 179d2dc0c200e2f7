import type { IPollFunctions, NodeApiError } from 'n8n-workflow';

import type { ApiRequest } from '../../../aiclk/api/request';
import { createApi } from '../../../nodes/AiClkTrigger/poll';
import { Lane } from '../../../nodes/shared/lane';
import { ACCOUNT, OTHER } from './support';

/** What AiClk answers a request with. */
let answer: (query: { page: number }) => unknown;

jest.mock('../../../nodes/shared/transport', () => ({
	readCredential: async () => ({ input: { ok: true, value: {} } }),
	send: async (_sender: unknown, { query }: ApiRequest) => {
		return { ok: true, value: { body: {}, data: answer(query as never) } };
	},
}));

const context = { getNode: () => ({ name: 'AiClk Trigger' }) } as unknown as IPollFunctions;
const REQUEST = { path: '/openapi/v1/material/get', account: ACCOUNT, query: {} };

async function errorOf(run: Promise<unknown>): Promise<NodeApiError> {
	return await run.then(
		() => {
			throw new Error('it did not fail');
		},
		(error: NodeApiError) => error,
	);
}

describe("an answer about another account than the request's", () => {
	const row = { material_id: '1', balance: 5 };
	const ask = async (account_id: unknown, isList: boolean) => {
		answer = ({ page }) => {
			const found = { ...row, account_id };
			return isList ? { list: page === 1 ? [found] : [] } : found;
		};
		const api = createApi(context, new Lane(null), null);
		return isList
			? await api.readRows(REQUEST, 'material_id')
			: [await api.readOne(REQUEST, 'balance')];
	};

	it.each([
		['an object', `${OTHER}`, false],
		['an object', Number(OTHER), false],
		['a row', `${OTHER}`, true],
		['a row', 3, true],
	])('fails the poll: %s about %p', async (_, account, isList) => {
		const { message, description } = await errorOf(ask(account, isList));
		expect(message).toBe(`AiClk answered about account ${account}`);
		expect(description).toMatch(/^Account 1000002, .*no change is lost\.$/);
	});

	it.each([undefined, null, '', 0, 'x', `${ACCOUNT}`, Number(ACCOUNT)])(
		'is no matter if it names no other one: %p',
		async (account_id) => {
			for (const isList of [true, false])
				expect(await ask(account_id, isList)).toEqual([{ ...row, account_id }]);
		},
	);
});
