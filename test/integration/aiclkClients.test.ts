import type { IDataObject } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';

import { CredentialsHelper, newRow } from '../harness/context';
import { issued, onApi, onRefresh, success } from '../harness/nocks';
import {
	CALL,
	CHARGE,
	CONTINUE,
	dataOf,
	ExpressionHelper,
	INFO,
	newHelper,
	type Ran,
	runNode,
	set,
} from '../harness/runNode';

let clients = 0;

/** Three clients of an agency, each with an account and a refresh token of its own, and their one credential. */
function agency() {
	const number = ++clients;
	const items = ['a', 'b', 'c'].map((name, index) => ({
		client: `agency${number}${name}`,
		rt: `refresh-${number}-${name}`,
		account: String(100 + index),
		payer: String(200 + index),
	}));
	onRefresh((body) => [200, issued(`token-of-${/client_id"\r\n\r\n(\w+)/.exec(body)?.[1]}`)]);
	const helper = new ExpressionHelper(
		newRow({
			clientId: '={{ $json.client }}',
			refreshToken: '={{ $json.rt }}',
			accountId: '={{ $json.account }}',
		}),
	);
	return { items, helper };
}

const sentBy = (calls: ReturnType<typeof onApi>, path: string) =>
	calls
		.filter(({ url }) => url.includes(path))
		.map(({ url, token }) => `${token} ${/account_id=(\d+)/.exec(url)?.[1]}`);

/** The outcome of each item; a success has none. */
const outcomes = ({ items }: Ran) => items.map((item) => dataOf(item)?.outcome);

describe('a credential whose fields are expressions of the item', () => {
	it.each<[string, IDataObject, string, (index: number) => number]>([
		['a read', INFO, 'account/info?', (index) => 100 + index],
		['a list', set('creative', 'getAll'), 'creative/get', (index) => 100 + index],
		[
			'an update',
			set('advertiser', 'update', { advertiserId: '9', updateFields: { contacter: 'x' } }),
			'customer/update',
			(index) => 100 + index,
		],
		['a charge', { ...CHARGE, accountId: '={{ $json.payer }}' }, 'charge/agent', (i) => 200 + i],
		['a custom call', { ...CALL, method: 'POST' }, 'v1/report', (index) => 100 + index],
	])('%s goes out with the token and account of its own item', async (_, parameters, path, id) => {
		const { items, helper } = agency();
		const calls = onApi();
		const { error } = await runNode(parameters, items, { helper });
		expect(error).toBeNull();
		expect(sentBy(calls, path)).toEqual(
			items.map(({ client }, index) => `token-of-${client} ${id(index)}`),
		);
	});

	it('items are refused once n8n has overwritten the expressions with another client', async () => {
		const { items, helper } = agency();
		const calls = onApi(() => {
			Object.assign(helper.row, { clientId: items[0]?.client, refreshToken: items[0]?.rt });
			return [200, success(null)];
		});
		const charge = { ...CHARGE, accountId: '={{ $json.payer }}' };
		const ran = await runNode(charge, items, { helper, ...CONTINUE });
		expect(sentBy(calls, 'charge')).toHaveLength(1);
		expect(outcomes(ran)).toEqual([undefined, 'not-sent', 'not-sent']);
		expect(dataOf(ran.items[1] as never).message).toMatch(
			/would have been sent for another client/,
		);
	});

	it('an item is refused whose account in the credential is a number that n8n has rounded', async () => {
		const { items, helper } = agency();
		const calls = onApi();
		const input = [{ ...items[0], account: Number('9007199254740993') }, { ...items[1] }];
		const ran = await runNode(INFO, input, { helper, ...CONTINUE });
		expect(outcomes(ran)).toEqual(['not-sent', undefined]);
		expect(dataOf(ran.items[0] as never).message).toMatch(/^The 'Account ID' of the AiClk API/);
		expect(sentBy(calls, 'info')).toEqual([`token-of-${items[1]?.client} 101`]);
	});

	it('items are refused when only the account of the credential changes during the run', async () => {
		const { items, helper } = agency();
		const calls = onApi();
		const change = (context: { getCredentials: unknown }) => {
			const read = context.getCredentials as (...args: unknown[]) => Promise<unknown>;
			let readings = 0;
			context.getCredentials = async (...args: unknown[]) => {
				// Each item is read once before the first one is sent.
				if (++readings > items.length) helper.row.accountId = '100';
				return await read.apply(context, args);
			};
		};
		const ran = await runNode(INFO, items, { helper, change: change as never, ...CONTINUE });
		expect(sentBy(calls, 'info')).toHaveLength(1);
		expect(outcomes(ran)).toEqual([undefined, 'not-sent', 'not-sent']);
	});

	it.each<[string, (helper: CredentialsHelper) => void, RegExp]>([
		[
			'is empty',
			({ row }) => {
				row.clientId = '';
			},
			/Client ID/,
		],
		[
			'cannot be read',
			(helper) => {
				helper.getDecrypted = () => Promise.reject(new Error('The database is locked'));
			},
			/^The database is locked/,
		],
	])('charges are refused once the credential %s during the run', async (_, spoil, message) => {
		const { items, helper } = agency();
		const calls = onApi(() => {
			spoil(helper);
			return [200, success(null)];
		});
		const ran = await runNode(CHARGE, items, { helper, ...CONTINUE });
		expect(calls).toHaveLength(1);
		expect(outcomes(ran)).toEqual([undefined, 'not-sent', 'not-sent']);
		expect(dataOf(ran.items[1] as never).message).toMatch(message);
	});

	describe('on n8n before 2.34', () => {
		const OVERWRITES = /n8n before 2\.34 overwrites them/;
		const old = (helper: CredentialsHelper) => {
			delete helper.parseJsonLeafExpressionFields;
			return helper;
		};

		it.each([1, 3])('is refused before any request: %d items', async (count) => {
			const { items, helper } = agency();
			const calls = onApi();
			const some = items.slice(0, count);
			const { error } = await runNode(INFO, some, { helper: old(helper) });
			expect(error?.message).toMatch(OVERWRITES);
			const ran = await runNode(CHARGE, some, { helper, ...CONTINUE });
			expect(outcomes(ran)).toEqual(some.map(() => 'not-sent'));
			expect(calls).toEqual([]);
		});

		it.each(['clientId', 'refreshToken', 'accountId', 'baseUrl'])(
			'is refused if only %s is an expression',
			async (name) => {
				const { items, helper } = agency();
				const calls = onApi();
				helper.row = newRow({ accountId: '1', [name]: '={{ $vars.of_this }}' });
				const { error } = await runNode(INFO, items, { helper: old(helper) });
				expect(error?.message).toMatch(OVERWRITES);
				expect(calls).toEqual([]);
			},
		);

		it('is accepted once it holds no expressions', async () => {
			const { items } = agency();
			const calls = onApi();
			const helper = old(newHelper({ accountId: '1' }));
			expect((await runNode(INFO, items, { helper })).error).toBeNull();
			expect(calls).toHaveLength(3);
		});
	});
});

describe('a credential that cannot be read', () => {
	const failing = (message: string) =>
		Object.assign(new CredentialsHelper(newRow()), {
			getDecrypted: async () => {
				throw new NodeOperationError({ name: 'AiClk' } as never, message);
			},
		});

	it.each([
		['was deleted', 'Credential with ID "1" does not exist for type "aiClkApi".'],
		['holds an expression that n8n refuses', 'access to env vars denied'],
	])(
		'a credential that %s gives one error item for each input, and nothing is sent',
		async (_, message) => {
			const calls = onApi();
			const ran = await runNode(CHARGE, [{}, {}], { helper: failing(message), ...CONTINUE });
			expect(ran.items).toEqual(
				[0, 1].map((item) => ({
					json: {
						error: expect.objectContaining({
							message: `${message}`,
							outcome: 'not-sent',
							accountId: null,
						}),
					},
					pairedItem: { item },
				})),
			);
			expect(Object.keys(ran.items[0]?.json ?? {})).toEqual(['error']);
			expect(calls).toEqual([]);
		},
	);

	it('an unreadable credential stops a run that does not continue on error', async () => {
		const { error } = await runNode(INFO, [{}], { helper: failing('gone') });
		expect([error?.name, error?.message]).toEqual(['NodeOperationError', 'gone']);
	});

	it('a credential that becomes unreadable after the first request fails only the items after it', async () => {
		const calls = onApi();
		const helper = newHelper({ accountId: '1' });
		const read = helper.getDecrypted;
		let reads = 0;
		helper.getDecrypted = async () => {
			// Two to plan the items, one to send the first.
			if (++reads > 3) throw new Error('gone');
			return await read();
		};
		const ran = await runNode(INFO, [{}, {}], { helper, ...CONTINUE });
		expect([calls.length, outcomes(ran)]).toEqual([1, [undefined, 'not-sent']]);
	});

	it('a parameter that n8n cannot read gives an error item', async () => {
		const change = (context: { getNodeParameter: unknown }) => {
			context.getNodeParameter = () => {
				throw new Error('n8n could not read this');
			};
		};
		const ran = await runNode(INFO, [{}], { change: change as never, ...CONTINUE });
		expect(outcomes(ran)).toEqual(['not-sent']);
	});
});

describe('the account of a call', () => {
	it("the payer of a charge is never the credential's account", async () => {
		const calls = onApi();
		for (const accountId of ['', ' ', '=', '={{ $json.payer }}', '={{ "" }}', '={{ null }}']) {
			const { error } = await runNode({ ...CHARGE, accountId }, [{ other: 1 }]);
			expect(error?.message).toMatch(/^'Payer' (is empty|holds an expression that yields nothing)/);
		}
		expect(calls).toEqual([]);
	});

	it.each(['={{ $json.member }}', '={{ "" }}', '={{ [] }}', '={{ null }}', '= {{ $json.member }}'])(
		'an Account ID of %s that yields nothing is refused',
		async (accountId) => {
			const calls = onApi();
			const { error } = await runNode({ ...INFO, accountId }, [{ other: 1 }]);
			expect(error?.message).toBe("'Account ID' holds an expression that yields nothing");
			expect(calls).toEqual([]);
		},
	);

	it.each(['', '  ', '='])(
		"an Account ID left as %j means the credential's account",
		async (accountId) => {
			const calls = onApi();
			const helper = newHelper({ accountId: ' 100 0002\n' });
			const { error } = await runNode({ ...INFO, accountId }, [{}], { helper });
			expect(error).toBeNull();
			expect(calls[0]?.url).toContain('account_id=1000002&');
		},
	);
});
