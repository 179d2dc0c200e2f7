import type { IDataObject } from 'n8n-workflow';

import { onApi, onRefresh } from '../harness/nocks';
import { parametersOf } from '../harness/operations';
import {
	CALL,
	CHARGE,
	FUND,
	INFO,
	jsonOf,
	MAX_UINT64,
	newHelper,
	runNode,
	set,
} from '../harness/runNode';

const CREATIVES = set('creative', 'getAll');
const CREATE = parametersOf('advertiser create');
const POST = { ...CALL, method: 'POST', bodyType: 'json' };

describe('a list', () => {
	it('of long IDs as JSON text, with invisible characters, is sent as a list', async () => {
		const calls = onApi();
		const creativeIds = `={{ "[77777\u200b, ${MAX_UINT64}]" }}`;
		expect((await runNode({ ...CREATIVES, filters: { creativeIds } })).error).toBeNull();
		expect(calls[0]?.url).toContain(`"creative_id":[77777,${MAX_UINT64}]`);
	});

	it('is a JSON body for an endpoint that takes one', async () => {
		const calls = onApi();
		const body = `[{"id":${MAX_UINT64}},{}]`;
		expect((await runNode({ ...POST, body })).error).toBeNull();
		expect(calls[0]?.body).toBe(body);
	});

	it.each<[string, IDataObject, RegExp]>([
		['form', { bodyType: 'form' }, /^'Body' is a list, but a form has named fields/],
		['paged call', { paginate: true }, /^'Body' is a list, but 'Paginate' adds page/],
	])('is no body of a %s', async (_, more, message) => {
		const calls = onApi();
		const { error } = await runNode({ ...POST, body: '[{}]', ...more });
		expect(error?.message).toMatch(message);
		expect(calls).toEqual([]);
	});
});

it('a moment in a time zone that does not exist is refused with the settings to correct', async () => {
	const calls = onApi();
	const change = (context: object) =>
		Object.assign(context, { getTimezone: () => 'Asia/Beijing' }) as never;
	const moment = { ...FUND, startDate: '2026-01-01T00:00:00Z' };
	const { error } = await runNode(moment, [{}], { change });
	expect(error?.message).toMatch(/^The time zone 'Asia\/Beijing' does not exist/);
	expect(error?.description).toMatch(/Timezone.*GENERIC_TIMEZONE.*Asia\/Shanghai/);
	expect(calls).toEqual([]);
});

it('a raw control character in one title does no harm to a list, nor to the digits of its IDs', async () => {
	const list = `[{"creative_id":1,"title":"a\tb"},{"creative_id":${MAX_UINT64}}]`;
	onApi(() => [200, `{"code":200,"data":{"list":${list}},"trace_id":"aa"}`]);
	const { items, error } = await runNode({ ...CREATIVES, returnAll: true });
	expect(error).toBeNull();
	expect(jsonOf(items as never)).toEqual([
		expect.objectContaining({ creative_id: 1, title: 'a\tb' }),
		expect.objectContaining({ creative_id: MAX_UINT64 }),
	]);
});

describe('input is refused, not guessed', () => {
	const creatives = (filters: unknown) => set('creative', 'getAll', { filters } as IDataObject);
	const links = (filters: IDataObject) => set('monitorLink', 'getAll', { filters });

	it.each<[string, IDataObject]>([
		["'Account ID' is empty", { ...INFO, accountId: ' ' }],
		["'Fields' has an entry (number 1) that holds 'password'", { ...INFO, fields: ['password'] }],
		[
			"'Start Date' is '2026-02-30', which names a day that does not exist (2026-02-30)",
			{ ...FUND, startDate: '2026-02-30' },
		],
		["'End Date' is 'yesterday', which is not a date", { ...FUND, endDate: 'yesterday' }],
		['is after', { ...FUND, startDate: '2026-02-02', endDate: '2026-02-01' }],
		["'Limit' is '0', which is below 1", { ...FUND, limit: 0 }],
		[
			"'Money (Fen)' is '99.5', which is not a whole number: amounts are in fen",
			{ ...CHARGE, money: 99.5 },
		],
		...['short', 'Abcd5', `Abc4${'5'.repeat(27)}`, 'ABCDEF1', 'abcdef1', 'Abcdefg', 123456].map(
			(password): [string, IDataObject] => [
				"'Password' must have 6 to 30",
				{ ...CREATE, password },
			],
		),
		["'Email' is 'a', which is not an e-mail", { ...CREATE, email: 'a' }],
		["'Email' is not text", { ...CREATE, email: ['a@b.cn'] }],
		["'Email' is 'a@b.cn', which is not an e-mail", { ...CREATE, email: 'a\u200b@b.cn' }],
		[
			'which holds half a character',
			set('advertiser', 'update', {
				advertiserId: '1',
				updateFields: { contacterEmail: `${'😀'.slice(0, 1)}@b.cn` },
			}),
		],
		["'Update Fields' is empty", set('advertiser', 'update', { advertiserId: '1' })],
		[
			"'Created From' (2026-02-02) is after",
			set('creative', 'getAll', {
				filters: { createdFrom: '2026-02-02', createdTo: '2026-02-01' },
			}),
		],
		["'Query' is not valid JSON", { ...CALL, query: '{' }],
		["'Query' is not a JSON object", { ...CALL, query: '[]' }],
		['names another host: calls go', { ...CALL, path: 'https://evil.example/openapi/v1/x' }],
		['which holds characters that no path', { ...CALL, path: 'v1/%63harge/agent' }],
		[
			"'Path' is 'v1/Charge/agent', which leads to a charge",
			{ ...CALL, method: 'POST', path: 'v1/Charge/agent' },
		],
		['has no such resource and operation', { resource: '__CUSTOM_API_CALL__', operation: 'x' }],
		['has no such resource and operation', set('account', '__CUSTOM_API_CALL__')],
		["'data'", set('material', 'upload')],
		["'Account ID' is 'a b', which is not an ID", { ...INFO, accountId: ' a\n\tb ' }],
		["'Target' is '1.5', which is not an ID", { ...CHARGE, targetUser: 1.5 }],
		["'page' is '-1', which is below 0", { ...CALL, paginate: true, query: { page: -1 } }],
		[
			"'Creative IDs' was added to 'Filters' but is empty",
			creatives({ creativeIds: '={{ $json.x }}' }),
		],
		[
			"'Creative IDs' has an entry (number 2) that is empty",
			creatives({ creativeIds: '={{ 7 }},{{ $json.x }}' }),
		],
		["'Keywords' was added to 'Filters' but is empty", links({ keywords: '={{ $json.x }}' })],
		["'Report State' holds '3'", links({ click: 3 })],
		[
			"'App Company' was added to 'Update Fields'",
			set('advertiser', 'update', { advertiserId: '1', updateFields: { appCompany: '' } }),
		],
		["'Return All' holds an expression", { ...creatives({}), returnAll: '={{ $json.all }}' }],
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
			"'Query' has a member 'creative_id' that is undefined",
			{ ...CALL, query: '={{ { creative_id: $json.ids, fields: ["creative_id"] } }}' },
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
			"'Account ID' is '18446744073709552000', which is a number that n8n has rounded",
			{ ...INFO, accountId: '={{ $json.rounded.campaign_id }}' },
		],
	])('bad input is refused before any request: %s', async (message, parameters) => {
		const refreshes = onRefresh();
		const calls = onApi();
		const rounded = { campaign_id: Number('18446744073709551614') };
		const helper = newHelper({ accountId: '' });
		const { error } = await runNode({ accountId: '1', ...parameters }, [{ rounded }], { helper });
		expect(error?.name).toBe('NodeOperationError');
		expect(error?.message).toContain(message);
		expect(error?.message).not.toContain('short');
		expect(error?.context.data).toMatchObject({ outcome: 'not-sent' });
		expect([calls, refreshes]).toEqual([[], []]);
	});

	it.each<[IDataObject, RegExp]>([
		[{ ...creatives({}), returnAll: "={{ 'true' }}" }, /"page_size":100/],
		[links({ showShare: '={{ "false" }}' }), /show_share=0/],
	])('switches and options accept text and numbers: %j', async (parameters, url) => {
		const calls = onApi();
		expect((await runNode(parameters)).error).toBeNull();
		expect(calls[0]?.url).toMatch(url);
	});

	it('half an emoji in the second of two POSTs keeps both from being sent', async () => {
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
});

it.each([
	['a password of 6 characters', { password: 'Abcde6' }, { password: 'Abcde6' }],
	['a password of 30 characters', { password: `Abc4${'5'.repeat(26)}` }, {}],
	['an address with spaces around it', { email: ' a@b.cn ' }, { email: 'a@b.cn' }],
])('a new advertiser may have %s', async (_, set, sent) => {
	onRefresh();
	const calls = onApi();
	expect((await runNode({ ...CREATE, ...set })).error).toBeNull();
	expect(JSON.parse(calls[0]?.body ?? '')).toMatchObject(sent);
});
