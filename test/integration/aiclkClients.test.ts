import type { IDataObject } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import nock from 'nock';

import {
	CALL,
	CHARGE,
	dataOf,
	ExpressionHelper,
	INFO,
	onApi,
	PERSON,
	type Ran,
	runNode,
	set,
	success,
} from './aiclk';
import { CredentialsHelper, newRow } from './context';
import { issued, onRefresh } from './support';

beforeAll(() => {
	nock.disableNetConnect();
});
afterEach(() => {
	nock.cleanAll();
});
afterAll(() => {
	nock.restore();
});

const CONTINUE = { node: { onError: 'continueErrorOutput' as const } };

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
		expect(dataOf(ran.items[0] as never).message).toMatch(/^The Account ID of the AiClk API/);
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
			const helper = old(new CredentialsHelper(newRow({ accountId: '1' })));
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
			onRefresh();
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
		onRefresh();
		const calls = onApi();
		const helper = new CredentialsHelper(newRow({ accountId: '1' }));
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
		onRefresh();
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
			onRefresh();
			const calls = onApi();
			const { error } = await runNode({ ...INFO, accountId }, [{ other: 1 }]);
			expect(error?.message).toBe("'Account ID' holds an expression that yields nothing");
			expect(calls).toEqual([]);
		},
	);

	it.each(['', '  ', '='])(
		"an Account ID left as %j means the credential's account",
		async (accountId) => {
			onRefresh();
			const calls = onApi();
			const { error } = await runNode({ ...INFO, accountId }, [{}]);
			expect(error).toBeNull();
			expect(calls[0]?.url).toContain('account_id=1000002&');
		},
	);
});

describe('input is refused, not guessed', () => {
	const POST = { ...CALL, method: 'POST', bodyType: 'json' };
	const creatives = (filters: unknown) => set('creative', 'getAll', { filters } as IDataObject);
	const links = (filters: IDataObject) => set('monitorLink', 'getAll', { filters });

	it.each<[string, IDataObject]>([
		["'Creative IDs' was added to 'Filters' but is empty", creatives({ creativeIds: '={{ [] }}' })],
		[
			"'Creative IDs' was added to 'Filters' but is empty",
			creatives({ creativeIds: '={{ $json.x }}' }),
		],
		["'Creative IDs' was added to 'Filters' but is empty", creatives({ creativeIds: '' })],
		[
			"'Creative IDs' has an entry (number 2) that is empty",
			creatives({ creativeIds: '={{ 7 }},{{ $json.x }}' }),
		],
		[
			"'Status' has an entry (number 2) that is empty",
			creatives({ configureStatus: '={{ ["PAUSED", ""] }}' }),
		],
		[
			"'Company Region' has an entry (number 1) that is empty",
			set('advertiser', 'create', { ...PERSON, companyRegion: '={{ $json.x }},310100,310115' }),
		],
		["'Campaign ID' was added to 'Filters' but is empty", creatives({ campaignId: '={{ null }}' })],
		["'Status' was added to 'Filters' but is empty", creatives({ configureStatus: [] })],
		["'Created From' was added to 'Filters' but is empty", creatives({ createdFrom: '={{ "" }}' })],
		[
			"'Material IDs' was added",
			set('material', 'getAll', { filters: { materialIds: '={{ [] }}' } }),
		],
		["'Keywords' was added to 'Filters' but is empty", links({ keywords: '={{ $json.x }}' })],
		[
			"'Shared Links' is 'yes', which is neither true nor false",
			links({ showShare: '={{ "yes" }}' }),
		],
		["'Report State' holds '3'", links({ click: 3 })],
		[
			"'App Company' was added to 'Update Fields'",
			set('advertiser', 'update', { advertiserId: '1', updateFields: { appCompany: '' } }),
		],
		[
			"'Return All' is '1', which is neither true nor false",
			{ ...creatives({}), returnAll: '={{ 1 }}' },
		],
		["'Return All' holds an expression", { ...creatives({}), returnAll: '={{ $json.all }}' }],
		["'Simplify' is 'yes', which is neither true nor false", { ...INFO, simplify: '={{ "yes" }}' }],
		["'Confirm' is '1', which is neither true nor false", { ...CHARGE, confirm: '={{ 1 }}' }],
		["'Confirm' is off", { ...CHARGE, confirm: '={{ "false" }}' }],
		["'Body Type' holds 'JSON'", { ...POST, bodyType: '={{ "JSON" }}' }],
		["'Method' holds 'post'", { ...POST, method: '={{ "post" }}' }],
		["'Query Format' holds 'JSON'", { ...POST, queryFormat: '={{ "JSON" }}' }],
		[
			"'Material ID' holds 'DESC'",
			set('material', 'getAll', { sort: { materialId: '={{ "DESC" }}' } }),
		],
		[
			"'Comment' was added to 'Additional Fields' but is empty",
			{ ...CHARGE, additionalFields: { comment: '={{ $json.x }}' } },
		],
		[
			"'Body' has a member 'campaign_id' that is a number that n8n has rounded",
			{ ...POST, body: '={{ $json.rounded }}' },
		],
		[
			"'Query' has a member 'a.b[0]' that is a number that n8n has rounded",
			{ ...CALL, query: '={{ ({ a: { b: [18446744073709551614] } }) }}' },
		],
		[
			"'Query' has a member 'creative_id' that is undefined",
			{ ...CALL, query: '={{ { creative_id: $json.ids, fields: ["creative_id"] } }}' },
		],
		[
			"'Query' has a member 'ids' that is undefined",
			{ ...CALL, method: 'DELETE', query: '={{ ({ ids: $json.ids }) }}' },
		],
		[
			"'Body' has a member 'a[1]' that is undefined",
			{ ...POST, body: '={{ ({ a: [1, $json.ids] }) }}' },
		],
		[
			"'Body' has a member 'a.day' that is undefined or an invalid date",
			{ ...POST, body: '={{ ({ a: { day: DateTime.fromISO("x") } }) }}' },
		],
		[
			"'Body' has a member 'day' that is undefined",
			{ ...POST, body: '={{ ({ day: new Date("x") }) }}' },
		],
		[
			"'Body' has a member 'ids' that is nothing",
			{ ...POST, body: '={{ ({ ids: new Set([1]) }) }}' },
		],
		[
			"'Body' has a member 'a' that is a number that is too large",
			{ ...POST, body: '{"a":1e400}' },
		],
		["'Body' is not valid JSON: see line 2, column 7", { ...POST, body: '{\n  "a" 1\n}' }],
		[
			"'Account ID' is '18446744073709552000', which is a number that n8n has rounded",
			{ ...INFO, accountId: '={{ $json.rounded.campaign_id }}' },
		],
	])('input is refused before any request: %s', async (message, parameters) => {
		const refreshes = onRefresh();
		const calls = onApi();
		const rounded = { campaign_id: Number('18446744073709551614') };
		const { error } = await runNode(parameters, [{ rounded }]);
		expect(error?.message).toContain(message);
		expect(error?.context.data).toMatchObject({ outcome: 'not-sent' });
		expect([calls, refreshes]).toEqual([[], []]);
	});

	it.each<[IDataObject, RegExp]>([
		[{ ...creatives({}), returnAll: "={{ 'true' }}" }, /"page_size":100/],
		[links({ showShare: '={{ "true" }}' }), /show_share=1/],
		[links({ showShare: '={{ "false" }}' }), /show_share=0/],
		[links({ click: '={{ 0 }}' }), /click=0/],
	])('switches and options accept text and numbers: %j', async (parameters, url) => {
		onRefresh();
		const calls = onApi();
		expect((await runNode(parameters, [{}])).error).toBeNull();
		expect(calls[0]?.url).toMatch(url);
	});

	it('half an emoji in the second of two POSTs keeps both from being sent', async () => {
		onRefresh();
		const calls = onApi();
		const parameters = {
			...POST,
			queryFormat: 'parameters',
			query: '={{ $json.q }}',
			body: '{"a":1}',
		};
		const { error } = await runNode(parameters, [
			{ q: { name: '广告😀' } },
			{ q: { name: '广告😀'.slice(0, 3) } },
		]);
		expect(error?.message).toMatch(/'name' that holds half a character/);
		expect(error?.context.itemIndex).toBe(1);
		expect(calls).toEqual([]);
	});

	it('plain URL parameters that are null are left out', async () => {
		onRefresh();
		const calls = onApi(() => [200, success({ a: 1 })]);
		await runNode({ ...CALL, queryFormat: 'parameters', query: { keywords: null, a: 0 } }, [{}]);
		expect(calls[0]?.url).toBe('/openapi/v1/report?a=0');
	});

	it('fields of a form that are null are left out', async () => {
		onRefresh();
		const calls = onApi();
		const body = '{"keywords":null,"a":0,"b":""}';
		await runNode({ ...POST, bodyType: 'form', body }, [{}]);
		expect(calls[0]?.body.match(/name="\w+"/g)).toEqual(['name="a"', 'name="b"']);
	});
});
