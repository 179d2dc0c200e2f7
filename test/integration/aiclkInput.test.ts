import type { IDataObject } from 'n8n-workflow';
import nock from 'nock';

import {
	CALL,
	FUND,
	INFO,
	jsonOf,
	MAX_UINT64,
	onApi,
	runNode,
	set,
	success,
} from '../harness/runNode';
import { onRefresh } from '../harness/nocks';

const CREATIVES = set('creative', 'getAll');
const POST = { ...CALL, method: 'POST', bodyType: 'json' };

beforeAll(() => {
	nock.disableNetConnect();
});
beforeEach(() => {
	onRefresh();
});
afterEach(() => {
	nock.cleanAll();
});
afterAll(() => {
	nock.restore();
});

describe('a list', () => {
	it.each<[string, IDataObject, string]>([
		[
			'of IDs as JSON text',
			{ ...CREATIVES, filters: { creativeIds: '={{ "[77777, 88888]" }}' } },
			'"creative_id":[77777,88888]',
		],
		[
			'of long IDs as JSON text',
			{ ...CREATIVES, filters: { creativeIds: `[${MAX_UINT64}]` } },
			`"creative_id":[${MAX_UINT64}]`,
		],
		[
			'of fields as JSON text',
			{ ...INFO, fields: `={{ '["account_id","balance"]' }}` },
			'"fields":["account_id","balance"]',
		],
		[
			'of IDs with invisible characters',
			{ ...CREATIVES, filters: { creativeIds: '77777\u200b, \ufeff88888' } },
			'"creative_id":[77777,88888]',
		],
	])('%s is sent as a list', async (_, parameters, sent) => {
		const calls = onApi();
		expect((await runNode(parameters, [{}] as never)).error).toBeNull();
		expect(calls[0]?.url).toContain(sent);
	});

	it.each(['1,234,567', '1，234', '7 123 456'])('%s is refused: nothing is sent', async (ids) => {
		const calls = onApi();
		const parameters = { ...CREATIVES, filters: { creativeIds: ids } };
		const { error } = await runNode(parameters, [{}] as never);
		expect(error?.message).toMatch(/^'Creative IDs' holds '.*', which may be one number or two/);
		expect(calls).toEqual([]);
	});

	it('is a JSON body for an endpoint that takes one', async () => {
		const calls = onApi();
		const body = `[{"id":${MAX_UINT64}},{}]`;
		expect((await runNode({ ...POST, body }, [{}] as never)).error).toBeNull();
		expect(calls[0]?.body).toBe(body);
	});

	it.each<[string, IDataObject, RegExp]>([
		['form', { bodyType: 'form' }, /^'Body' is a list, but a form has named fields/],
		['paged call', { paginate: true }, /^'Body' is a list, but 'Paginate' adds page/],
	])('is no body of a %s', async (_, more, message) => {
		const calls = onApi();
		const { error } = await runNode({ ...POST, body: '[{}]', ...more }, [{}] as never);
		expect(error?.message).toMatch(message);
		expect(calls).toEqual([]);
	});
});

it('an account ID with an invisible character behind it is that ID', async () => {
	const calls = onApi();
	await runNode({ ...INFO, accountId: '1000002\u200b' }, [{}] as never);
	expect(calls[0]?.url).toContain('account_id=1000002&');
});

it.each([
	['a period', { period: 'yesterday' }],
	['a moment', { startDate: '2026-01-01T00:00:00Z' }],
])(
	'%s in a time zone that does not exist is refused with the settings to correct',
	async (...of) => {
		const calls = onApi();
		const change = (context: object) =>
			Object.assign(context, { getTimezone: () => 'Asia/Beijing' }) as never;
		const { error } = await runNode({ ...FUND, ...of[1] }, [{}] as never, { change });
		expect(error?.message).toMatch(/^The time zone 'Asia\/Beijing' does not exist/);
		expect(error?.description).toMatch(/Timezone.*GENERIC_TIMEZONE.*Asia\/Shanghai/);
		expect(calls).toEqual([]);
	},
);

it.each(['\t', '\n', '\u0000', '\u001b[0m'])(
	'a raw control character %j in one title does no harm to a list',
	async (raw) => {
		const list = `[{"creative_id":1,"title":"a${raw}b"},{"creative_id":${MAX_UINT64}}]`;
		onApi(() => [200, `{"code":200,"data":{"list":${list}},"trace_id":"aa"}`]);
		const { items, error } = await runNode({ ...CREATIVES, returnAll: true }, [{}] as never);
		expect(error).toBeNull();
		expect(jsonOf(items as never)).toEqual([
			expect.objectContaining({ creative_id: 1, title: `a${raw}b` }),
			expect.objectContaining({ creative_id: MAX_UINT64 }),
		]);
	},
);

it('long IDs come out with every digit, and a text of digits as text', async () => {
	onApi(() => [
		200,
		JSON.stringify(success({ text: MAX_UINT64 })).replace('"text"', `"id":${MAX_UINT64},"text"`),
	]);
	const { items } = await runNode(CALL, [{}] as never);
	expect(jsonOf(items as never)).toEqual([
		expect.objectContaining({ id: MAX_UINT64, text: MAX_UINT64 }),
	]);
});
