import type { IDataObject } from 'n8n-workflow';
import nock from 'nock';

import { CALL, FUND, INFO, onApi, type Reply, runNode, set, success } from './aiclk';
import { onRefresh } from './support';

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

const LINKS = set('monitorLink', 'getAll', { returnAll: true });
const CREATIVES = set('creative', 'getAll', { returnAll: true });
const PAGED = { ...CALL, paginate: true, returnAll: true };
const rows = (length: number, name = 'id') => Array.from({ length }, (_, n) => ({ [name]: n }));

const pageOf = (url: string) => Number(/page"?[:=](\d+)/.exec(url)?.[1]);
const sizeOf = (url: string) => Number(/page_size"?[:=](\d+)/.exec(url)?.[1]);

/** Answers pages of so many rows at most. @param wrap makes the data of a page */
const server =
	(all: unknown[], cap: number, wrap: (page: unknown[]) => unknown = (page) => page): Reply =>
	({ url, body }) => {
		const asked = body === '' ? url : body;
		const size = Math.min(cap, sizeOf(asked));
		const first = (pageOf(asked) - 1) * size;
		return [200, success(wrap(all.slice(first, first + size)))];
	};

const read = async (parameters: IDataObject) => {
	const { items, error, hints, log } = await runNode(parameters, [{}]);
	if (error !== null) throw error;
	return { rows: items.map(({ json }) => json), hints, log };
};

describe('rows', () => {
	it('all 180 of a server that sends at most 50 a page and names no total', async () => {
		onApi(server(rows(180), 50));
		expect((await read(LINKS)).rows).toHaveLength(180);
	});

	it.each([0, '', false, 'rows of the page'])('all 250 beside a total of %j', async (total) => {
		const wrap = (list: unknown[]) => ({
			list,
			page_info: { total_number: total === 'rows of the page' ? list.length : total },
		});
		onApi(server(rows(250, 'creative_id'), 100, wrap));
		expect((await read(CREATIVES)).rows).toHaveLength(250);
	});

	it('no more than there are, where the server repeats its last page for ever: and that is said', async () => {
		const calls = onApi(() => [200, success(rows(100))]);
		const ran = await read({ ...LINKS, returnAll: false, limit: 250 });
		expect([ran.rows.length, calls.length]).toEqual([100, 2]);
		expect(ran.hints).toEqual([expect.stringMatching(/item 0: Page 2 held the same rows/)]);
		expect(ran.log).toEqual(ran.hints);
	});

	it('each once, where a row is inserted while the pages are read: and that is said', async () => {
		const pages = [rows(100, 'creative_id'), rows(200, 'creative_id').slice(99)];
		onApi(({ url }) => [
			200,
			success({ list: pages[pageOf(url) - 1], page_info: { total_number: 199 + pageOf(url) } }),
		]);
		const ran = await read(CREATIVES);
		expect(ran.rows.map(({ creative_id: id }) => id)).toEqual(rows(200).map(({ id }) => id));
		expect(ran.hints.join()).toMatch(/1 rows came twice.*total changed.*\(200, 201\)/);
	});

	it.each([
		[0, { list: {} }],
		[0, { list: '' }],
		[0, { list: null }],
		[0, { list: [] }],
		[0, []],
		[1, { list: { creative_id: 1 } }],
	])('are %d where AiClk answers %j', async (count, data) => {
		onApi(({ url }) => [200, success(pageOf(url) === 1 ? data : { list: [] })]);
		expect((await read(CREATIVES)).rows).toHaveLength(count);
	});

	it.each([
		['Simplify', true],
		['the whole answers', false],
	])('as many as were wanted, with %s', async (_, simplify) => {
		onApi(server(rows(250, 'date'), 100, (list) => ({ list })));
		const ran = await read({ ...FUND, limit: 150, simplify });
		const all = simplify
			? ran.rows
			: ran.rows.flatMap(({ data }) => (data as { list: unknown[] }).list);
		expect(all).toHaveLength(150);
	});

	it('carry the account where AiClk sends none', async () => {
		onApi(() => [200, success({ list: [{ date: 'a' }, { date: 'b', account_id: 7 }, 'odd'] })]);
		expect((await read(FUND)).rows).toEqual([
			{ account_id: 1000002, date: 'a' },
			{ date: 'b', account_id: 7 },
			{ account_id: 1000002, value: 'odd' },
		]);
		const longId = '18446744073709551615';
		nock.cleanAll();
		onRefresh();
		onApi(() => [200, success({ balance: 1 })]);
		expect((await read({ ...INFO, accountId: longId })).rows).toEqual([
			{ account_id: longId, balance: 1 },
		]);
	});
});

describe('a read without data', () => {
	it.each([[null], [[]], [{}], [''], [undefined]])('%j of an account is an error', async (data) => {
		onApi(() => [200, { code: 200, data }]);
		const { error } = await runNode(INFO, [{}]);
		expect(error?.message).toMatch(/^AiClk's answer holds no data.*outcome: unknown/);
		expect(error?.description).toMatch(/switch Simplify off.*GET \/openapi\/v1\/account\/info/);
	});

	it.each([null, undefined, {}, 'text'])('%j of a list is an error', async (data) => {
		onApi(() => [200, { code: 200, data }]);
		expect((await runNode(CREATIVES, [{}])).error?.message).toMatch(/holds no (data|rows)/);
	});
});

describe('a custom call', () => {
	const body = { code: 200, total: 2, list: [{ a: 1 }, { a: 2 }] };

	it('shows the whole body without Simplify, and names the members with it', async () => {
		onApi(() => [200, body]);
		expect((await read({ ...CALL, simplify: false })).rows).toEqual([body]);
		const { error } = await runNode(CALL, [{}]);
		expect(error?.message).toContain('holds no data (it has: code, total, list)');
		expect(error?.description).toContain('GET /openapi/v1/report');
	});

	it('that finds no rows on a page names what is there', async () => {
		onApi(() => [200, success({ rows: [{ a: 1 }], total: 1 })]);
		const { error } = await runNode(PAGED, [{}]);
		expect(error?.message).toContain('(data has: rows, total)');
		expect((await read(CALL)).rows).toEqual([{ rows: [{ a: 1 }], total: 1 }]);
	});

	it('that changes something never fails for want of data', async () => {
		onApi(() => [200, { code: 200, data: null, id: 7 }]);
		expect((await read({ ...CALL, method: 'POST' })).rows).toEqual([{ success: true, id: 7 }]);
	});

	it('makes items of rows', async () => {
		onApi(() => [200, success([{ a: 1 }, { a: 2 }])]);
		expect((await read(CALL)).rows).toEqual([{ a: 1 }, { a: 2 }]);
	});

	it.each<[string, IDataObject, RegExp]>([
		['its query', { query: '{ "page_size": 20 }' }, /query=\{"page_size":20,"page":1\}/],
		['plain parameters', { queryFormat: 'parameters', query: { page_size: '20' } }, /page_size=20/],
	])("counts the user's own page size in %s", async (_, parameters, url) => {
		const calls = onApi(server(rows(50), 50));
		expect((await read({ ...PAGED, ...parameters })).rows).toHaveLength(50);
		expect([calls.length, calls[0]?.url]).toEqual([3, expect.stringMatching(url)]);
	});

	it('begins at the page of the user', async () => {
		const calls = onApi(server(rows(50), 50));
		const query = '{ "page": 2, "page_size": 20 }';
		expect((await read({ ...PAGED, query })).rows).toHaveLength(30);
		expect(calls[0]?.url).toContain('"page":2');
	});

	it('refuses a page size that is none', async () => {
		const calls = onApi();
		const { error } = await runNode({ ...PAGED, query: '{ "page_size": "many" }' }, [{}]);
		expect(error?.message).toMatch(/'page_size' is not a whole number/);
		expect(calls).toEqual([]);
	});

	it('pages a POST by its body, each page sent once', async () => {
		const calls = onApi(
			server(rows(250), 100, (list) => ({ list, page_info: { total_number: 250 } })),
		);
		const parameters = { ...PAGED, method: 'POST', bodyType: 'json', body: '{ "level": "ad" }' };
		expect((await read(parameters)).rows).toHaveLength(250);
		expect(calls.map((call) => call.body)).toEqual(
			[1, 2, 3].map((page) => `{"level":"ad","page":${page},"page_size":100}`),
		);
		expect(calls[0]?.url).toBe('/openapi/v1/report?account_id=1000002');
	});

	it('that is paged by a POST is perhaps carried out, once one of its pages was', async () => {
		onApi((_, n) => (n === 1 ? [200, success(rows(100))] : [429, '<html>']));
		const post = { ...PAGED, method: 'POST', bodyType: 'json' };
		const { error } = await runNode(post, [{}]);
		expect(error?.message).toMatch(/outcome: unknown/);
		expect(error?.description).toMatch(/1 pages before this one were carried out/);
		nock.cleanAll();
		onRefresh();
		onApi(() => [429, '<html>']);
		expect((await runNode(post, [{}])).error?.message).toMatch(/outcome: refused/);
	});

	it("takes a URL of the credential's own host", async () => {
		const calls = onApi(() => [200, success({ a: 1 })]);
		await read({ ...CALL, path: 'https://openapi.aiclk.com/openapi/v1/x' });
		expect(calls[0]?.url).toBe('/openapi/v1/x?account_id=1000002');
	});

	it.each([
		[500, '<html>'],
		[200, { code: 400, message: '参数错误' }],
		[404, '<html>'],
	])('says method and path when it meets HTTP %d', async (status, answer) => {
		onApi(() => [status, answer]);
		const { error } = await runNode({ ...CALL, method: 'DELETE' }, [{}]);
		expect(error?.description).toContain('DELETE /openapi/v1/report');
	});
});

describe('periods of the fund records', () => {
	const NOW = Date.parse('2026-02-28T16:30:00Z');

	it.each([
		['yesterday', '"start_date":"2026-02-28","end_date":"2026-02-28"'],
		['last7Days', '"start_date":"2026-02-22","end_date":"2026-02-28"'],
		['thisMonth', '"start_date":"2026-03-01","end_date":"2026-03-01"'],
		['lastMonth', '"start_date":"2026-02-01","end_date":"2026-02-28"'],
	])("%s in the workflow's time zone", async (period, days) => {
		const calls = onApi();
		const clock = jest.spyOn(Date, 'now').mockReturnValue(NOW);
		const change = (context: object) =>
			Object.assign(context, { getTimezone: () => 'Asia/Shanghai' });
		const parameters = set('account', 'getFundRecords', { period });
		const { error } = await runNode(parameters, [{}], { change });
		clock.mockRestore();
		expect([error, calls[0]?.url]).toEqual([null, expect.stringContaining(days)]);
	});

	it('a moment out of a Code node is the day that it falls on', async () => {
		const calls = onApi();
		const change = (context: object) =>
			Object.assign(context, { getTimezone: () => 'Asia/Shanghai' });
		const at = '={{ $json.at }}';
		const parameters = set('account', 'getFundRecords', { startDate: at, endDate: at });
		await runNode(parameters, [{ at: '2026-01-30T16:00:00.000Z' }], { change });
		expect(calls[0]?.url).toContain('"start_date":"2026-01-31","end_date":"2026-01-31"');
	});
});
