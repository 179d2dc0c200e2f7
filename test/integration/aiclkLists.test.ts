import type { IDataObject } from 'n8n-workflow';
import nock from 'nock';

import { type Answer, CALL, FUND, INFO, onApi, type Reply, runNode, set, success } from './aiclk';
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

describe('the rows of a list', () => {
	it('reads all 180 rows of a server that sends at most 50 per page and names no total', async () => {
		onApi(server(rows(180), 50));
		expect((await read(LINKS)).rows).toHaveLength(180);
	});

	it.each([0, '', false, 'rows of the page'])(
		'reads all 250 rows although the total is %j',
		async (total) => {
			const wrap = (list: unknown[]) => ({
				list,
				page_info: { total_number: total === 'rows of the page' ? list.length : total },
			});
			onApi(server(rows(250, 'creative_id'), 100, wrap));
			expect((await read(CREATIVES)).rows).toHaveLength(250);
		},
	);

	it.each([
		['creative_id', 0, CREATIVES, 250],
		['date', '', FUND, 3],
	])('outputs all rows when fields that were not requested come empty: %s', async (...row) => {
		const [name, value, parameters, count] = row;
		const all = rows(count, 'n').map((one) => ({ ...one, [name]: value }));
		onApi(server(all, 100, (list) => ({ list })));
		expect((await read(parameters)).rows).toEqual(all.map(expect.objectContaining));
	});

	it('ends with a hint when the server repeats its last page', async () => {
		const calls = onApi(() => [200, success(rows(100))]);
		const ran = await read({ ...LINKS, returnAll: false, limit: 250 });
		expect([ran.rows.length, calls.length]).toEqual([100, 2]);
		expect(ran.hints).toEqual([expect.stringMatching(/item 0: Page 2 held the same rows/)]);
		expect(ran.log).toEqual(ran.hints);
	});

	it.each<[string, number, number[], number, RegExp]>([
		['a row is inserted', 201, [99], 200, /1 row came twice.*total changed.*\(200, 201\)/],
		['a row moves to the front', 200, [99], 199, /1 row came twice.*Only 199 of the 200 rows/],
		['nothing moves', 200, [], 200, /^$/],
	])(
		'outputs each row once, with a hint, when %s while pages are read',
		async (_, total, again, count, hints) => {
			const all = rows(201, 'creative_id').slice(1);
			const second = [...again.map((n) => all[n]), ...all.slice(100)].slice(0, total - 100);
			const pages = [all.slice(0, 100), second];
			onApi(({ url }) => {
				const page = pageOf(url);
				const info = { total_number: page === 1 ? 200 : total };
				return [200, success({ list: pages[page - 1] ?? [], page_info: info })];
			});
			const ran = await read(CREATIVES);
			expect(ran.rows.map(({ creative_id: id }) => id)).toEqual(
				all.slice(0, count).map(({ creative_id: id }) => id),
			);
			expect(ran.hints.join()).toMatch(hints);
		},
	);

	it.each([
		[0, { list: {} }],
		[0, { list: '' }],
		[0, { list: null }],
		[0, { list: [] }],
		[0, []],
		[1, { list: { creative_id: 1 } }],
	])('finds %d rows in the data %j', async (count, data) => {
		onApi(({ url }) => [200, success(pageOf(url) === 1 ? data : { list: [] })]);
		expect((await read(CREATIVES)).rows).toHaveLength(count);
	});

	it.each<[IDataObject, IDataObject, string]>([
		[CREATIVES, { 77: { creative_id: 77 }, 78: { creative_id: 78 } }, '77, 78'],
		[CREATIVES, { rows: [{ creative_id: 77 }], total: 250 }, 'rows, total'],
		[PAGED, { rows: [{ a: 1 }], total: 250 }, 'rows, total'],
		[PAGED, { 77: { a: 1 } }, '77'],
	])('of %j, the object %j in data.list is no row: the error names its members', async (...row) => {
		const [parameters, list, members] = row;
		onApi(() => [200, success({ list, page_info: {} })]);
		const { error } = await runNode(parameters, [{}]);
		expect(error?.message).toContain('holds no rows in data or data.list');
		expect(error?.message).toContain(`(data.list has: ${members})`);
	});

	it.each([
		['Simplify', true, 0],
		['the whole answers', false, 0],
		['Simplify, of rows that come twice', true, 10],
		['the whole answers, of rows that come twice', false, 10],
	])('outputs no more rows than the limit, with %s', async (_, simplify, repeated) => {
		const all = rows(250, 'date').map(({ date = 0 }) => ({ date: `day ${date}` }));
		const sent = [...all.slice(0, 100), ...all.slice(100 - repeated)];
		onApi(server(sent, 100, (list) => ({ list })));
		const ran = await read({ ...FUND, limit: 150, simplify });
		const found = simplify
			? ran.rows
			: ran.rows.flatMap(({ data }) => (data as { list: IDataObject[] }).list);
		expect(found.map(({ date }) => date)).toEqual(all.slice(0, 150).map(({ date }) => date));
	});

	const REFUSED: Answer = [200, { code: 400, message: '页码超出范围' }];

	it.each<[string, IDataObject, Answer, RegExp]>([
		['refused', CREATIVES, REFUSED, /页码超出范围/],
		['refused, of a custom call', PAGED, REFUSED, /页码超出范围/],
		['lost to HTTP 400', LINKS, [400, '<html>'], /400/],
		['without rows', CREATIVES, [200, success({ items: [] })], /data has: items/],
		['empty, although more rows are due', CREATIVES, [200, success([])], /names 300 rows but sent/],
	])('says how many rows were read before a page that is %s', async (...row) => {
		const [, parameters, last, message] = row;
		const good = server(rows(200), 100, (list) => ({ list, page_info: { total_number: 300 } }));
		onApi((call, n) => (pageOf(call.url) < 3 ? good(call, n) : last));
		const { error } = await runNode(parameters, [{}]);
		expect(error?.message).toMatch(message);
		expect(error?.description).toMatch(
			/ Rows read before this: 200\. A Limit of 200 returns them\.$/,
		);
		expect((await read({ ...parameters, returnAll: false, limit: 200 })).rows).toHaveLength(200);
	});

	it('says nothing of rows when the first page fails', async () => {
		onApi(() => REFUSED);
		expect((await runNode(CREATIVES, [{}])).error?.description).not.toMatch(/before this/);
		nock.cleanAll();
		onRefresh();
		onApi(() => [200, success({ list: [], page_info: { total_number: 5 } })]);
		expect((await runNode(CREATIVES, [{}])).error?.description).not.toMatch(/before this/);
	});

	it("rows without an account get that of their item, not the credential's", async () => {
		onApi(() => [200, success({ list: [{ date: 'a' }] })]);
		const ran = await runNode({ ...FUND, accountId: '={{ $json.id }}' }, [{ id: 8 }, { id: 9 }]);
		expect(ran.items.map(({ json }) => json.account_id)).toEqual([8, 9]);
	});

	it('monitor links are paged by plain URL parameters, and nothing is sent as query', async () => {
		const calls = onApi(server(rows(150), 100));
		await read(LINKS);
		const asked = calls.map(({ url }) => [...new URL(url, 'http://x').searchParams.keys()].sort());
		expect(asked[1]).toEqual(['account_id', 'conversion_type', 'page', 'page_size']);
	});

	it('adds the account to rows that AiClk sends without one', async () => {
		onApi(() => [
			200,
			success({
				list: [{ date: 'a' }, { date: 'b', account_id: 7 }, { account_id: null, n: 1 }, 'odd'],
			}),
		]);
		expect((await read(FUND)).rows).toEqual([
			{ account_id: 1000002, date: 'a' },
			{ date: 'b', account_id: 7 },
			{ account_id: 1000002, n: 1 },
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
	it.each([[null], [[]], [{}], [''], [undefined]])(
		'Get Info fails when its data is %j',
		async (data) => {
			onApi(() => [200, { code: 200, data }]);
			const { error } = await runNode(INFO, [{}]);
			expect(error?.message).toMatch(/^AiClk's answer holds no data.*outcome: unknown/);
			expect(error?.description).toMatch(/switch Simplify off.*GET \/openapi\/v1\/account\/info/);
		},
	);

	it.each([null, undefined, {}, 'text'])('Get Many fails when its data is %j', async (data) => {
		onApi(() => [200, { code: 200, data }]);
		expect((await runNode(CREATIVES, [{}])).error?.message).toMatch(/holds no (data|rows)/);
	});
});

describe('a custom call', () => {
	const body = { code: 200, total: 2, list: [{ a: 1 }, { a: 2 }] };

	it('a custom call outputs the whole body without Simplify; with it, the error names the members of the body', async () => {
		onApi(() => [200, body]);
		expect((await read({ ...CALL, simplify: false })).rows).toEqual([body]);
		const { error } = await runNode(CALL, [{}]);
		expect(error?.message).toContain('holds no data (it has: code, total, list)');
		expect(error?.description).toContain('GET /openapi/v1/report');
	});

	it('a paginated custom call that finds no rows names the members of data', async () => {
		onApi(() => [200, success({ rows: [{ a: 1 }], total: 1 })]);
		const { error } = await runNode(PAGED, [{}]);
		expect(error?.message).toContain('(data has: rows, total)');
		expect((await read(CALL)).rows).toEqual([{ rows: [{ a: 1 }], total: 1 }]);
	});

	it('a custom POST does not fail when data is null', async () => {
		onApi(() => [200, { code: 200, data: null, id: 7 }]);
		expect((await read({ ...CALL, method: 'POST' })).rows).toEqual([{ success: true, id: 7 }]);
	});

	it.each([null, [], ''])(
		'a custom POST answered with the data %j outputs one item',
		async (data) => {
			onApi(() => [200, success(data)]);
			const { items } = await runNode({ ...CALL, method: 'POST' }, [{}, {}]);
			expect(items.map(({ json }) => json)).toEqual([{ success: true }, { success: true }]);
		},
	);

	it('a custom call outputs one item per row', async () => {
		onApi(() => [200, success([{ a: 1 }, { a: 2 }])]);
		expect((await read(CALL)).rows).toEqual([{ a: 1 }, { a: 2 }]);
	});

	it.each<[string, IDataObject, RegExp]>([
		['its query', { query: '{ "page_size": 20 }' }, /query=\{"page_size":20,"page":1\}/],
		['plain parameters', { queryFormat: 'parameters', query: { page_size: '20' } }, /page_size=20/],
	])("a custom call uses the user's page size in %s", async (_, parameters, url) => {
		const calls = onApi(server(rows(50), 50));
		expect((await read({ ...PAGED, ...parameters })).rows).toHaveLength(50);
		expect([calls.length, calls[0]?.url]).toEqual([3, expect.stringMatching(url)]);
	});

	it.each<[number, string, number]>([
		[50, '{ "page": 2, "page_size": 20 }', 30],
		[450, '{ "page": 3 }', 250],
	])("of %d rows, a custom call begins at the user's page: %s", async (count, query, left) => {
		const calls = onApi(
			server(rows(count), 100, (list) => ({ list, page_info: { total_number: count } })),
		);
		expect((await read({ ...PAGED, query })).rows).toEqual(rows(count).slice(-left));
		expect(calls[0]?.url).toContain(query.slice(2, 10).replace(' ', ''));
	});

	it('a custom call refuses a page size that is not a number', async () => {
		const calls = onApi();
		const { error } = await runNode({ ...PAGED, query: '{ "page_size": "many" }' }, [{}]);
		expect(error?.message).toMatch(/'page_size' is not a whole number/);
		expect(calls).toEqual([]);
	});

	it('a paginated POST sends page and page_size in its body, each page once', async () => {
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

	it('a paginated POST that fails after its first page has the outcome unknown', async () => {
		onApi((_, n) => (n === 1 ? [200, success(rows(100))] : [403, '<html>']));
		const post = { ...PAGED, method: 'POST', bodyType: 'json' };
		const { error } = await runNode(post, [{}]);
		expect(error?.message).toMatch(/outcome: unknown/);
		expect(error?.description).toMatch(/ Pages carried out before this: 1\.$/);
		nock.cleanAll();
		onRefresh();
		onApi(() => [403, '<html>']);
		expect((await runNode(post, [{}])).error?.message).toMatch(/outcome: refused/);
	});

	it("a custom call accepts a URL on the credential's host", async () => {
		const calls = onApi(() => [200, success({ a: 1 })]);
		await read({ ...CALL, path: 'https://openapi.aiclk.com/openapi/v1/x' });
		expect(calls[0]?.url).toBe('/openapi/v1/x?account_id=1000002');
	});

	it.each([
		[500, '<html>'],
		[200, { code: 400, message: '参数错误' }],
		[404, '<html>'],
	])('the error of a custom call names method and path at HTTP %d', async (status, answer) => {
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
	])("the period %s follows the workflow's time zone", async (period, days) => {
		const calls = onApi();
		const clock = jest.spyOn(Date, 'now').mockReturnValue(NOW);
		const change = (context: object) =>
			Object.assign(context, { getTimezone: () => 'Asia/Shanghai' });
		const parameters = set('account', 'getFundRecords', { period });
		const { error } = await runNode(parameters, [{}], { change });
		clock.mockRestore();
		expect([error, calls[0]?.url]).toEqual([null, expect.stringContaining(days)]);
	});

	it("a moment from a Code node becomes its day in the workflow's time zone", async () => {
		const calls = onApi();
		const change = (context: object) =>
			Object.assign(context, { getTimezone: () => 'Asia/Shanghai' });
		const at = '={{ $json.at }}';
		const parameters = set('account', 'getFundRecords', { startDate: at, endDate: at });
		await runNode(parameters, [{ at: '2026-01-30T16:00:00.000Z' }], { change });
		expect(calls[0]?.url).toContain('"start_date":"2026-01-31","end_date":"2026-01-31"');
	});
});
