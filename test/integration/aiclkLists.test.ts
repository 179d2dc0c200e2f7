import type { IDataObject } from 'n8n-workflow';

import { type Answer, onApi, type Reply, success } from '../harness/nocks';
import { CALL, CHARGE, FUND, INFO, MAX_UINT64, runNode, set } from '../harness/runNode';

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
	const { items, error, hints, log } = await runNode(parameters);
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

	const DAYS = rows(250, 'date');
	const daysWith = (total?: number) =>
		server(DAYS, 100, (list) => ({ list, page_info: { total_number: total } }));

	it.each([
		['all of 250 rows', { returnAll: true }, 250, 3, 250],
		['all of 250 rows where no total is named', { returnAll: true }, undefined, 4, 250],
		['120 of 250 rows', { limit: 120 }, 250, 2, 120],
		['100 of 250 rows', { limit: 100 }, 250, 1, 100],
		['1 of 250 rows', { limit: 1 }, 250, 1, 1],
		['1,000 of 250 rows', { limit: 1_000 }, 250, 3, 250],
	])(
		'Get Fund Records reads %s in as few requests as it can',
		async (_, parameters, total, requests, found) => {
			const calls = onApi(daysWith(total));
			const ran = await read({ ...FUND, ...parameters });
			expect([calls.length, ran.rows.length]).toEqual([requests, found]);
			expect(new Set(ran.rows.map(({ date }) => date)).size).toBe(found);
		},
	);

	it("a list without Simplify outputs AiClk's whole answer for each page", async () => {
		onApi(daysWith(250));
		const ran = await read({ ...FUND, returnAll: true, simplify: false });
		expect(ran.rows).toHaveLength(3);
		expect(ran.rows[2]).toEqual(
			success({ list: DAYS.slice(200), page_info: { total_number: 250 } }),
		);
	});

	it('ends with a hint when the server repeats its last page', async () => {
		const calls = onApi(() => [200, success(rows(100))]);
		const ran = await read({ ...LINKS, returnAll: false, limit: 250 });
		expect([ran.rows.length, calls.length]).toEqual([100, 2]);
		expect(ran.hints).toEqual([
			expect.stringMatching(
				/^AiClk: A page held the same rows.* \[item 0: account 1000002, page 2\]$/,
			),
		]);
		expect(ran.log).toEqual(ran.hints);
	});

	it('reads all 323 rows of pages of 98, 95, 100 and 30 rows without a total', async () => {
		const sizes = [98, 95, 100, 30];
		const calls = onApi(({ url }) => {
			const page = pageOf(url);
			return [200, success(rows(sizes[page - 1] ?? 0).map(({ id }) => ({ id: `${page}-${id}` })))];
		});
		const ran = await read(LINKS);
		expect([ran.rows.length, calls.length, ran.hints]).toEqual([323, 5, []]);
	});

	it('rows of AiClk that stay below its total come out after two readings, with a hint', async () => {
		const all = rows(249, 'creative_id').slice(1);
		const calls = onApi(server(all, 100, (list) => ({ list, page_info: { total_number: 250 } })));
		const ran = await read(CREATIVES);
		expect([ran.rows.length, calls.length]).toEqual([248, 8]);
		expect(ran.hints).toEqual([
			expect.stringMatching(
				/^AiClk: AiClk names more rows than came.*\[item 0: account 1000002, 248 of 250 rows\]$/,
			),
		]);
		expect(ran.log).toEqual(ran.hints);
	});

	it('rows that AiClk leaves out once are there after a second reading, and nothing is said', async () => {
		const all = rows(251, 'creative_id').slice(1);
		onApi((call, n) => {
			const found = n < 4 ? all.filter(({ creative_id: id }) => Number(id) % 125 !== 0) : all;
			return server(found, 100, (list) => ({ list, page_info: { total_number: 250 } }))(call, n);
		});
		const ran = await read(CREATIVES);
		expect([ran.rows, ran.hints]).toMatchObject([all, []]);
	});

	it('a POST below its total is not sent again: its rows come out with a hint', async () => {
		const calls = onApi(
			server(rows(248), 100, (list) => ({ list, page_info: { total_number: 250 } })),
		);
		const ran = await read({ ...PAGED, method: 'POST', bodyType: 'json' });
		expect([ran.rows.length, calls.length]).toEqual([248, 4]);
		expect(ran.hints).toEqual([
			expect.stringMatching(/\[item 0: account 1000002, 248 of 250 rows\]$/),
		]);
	});

	it.each<[string, number, number[]]>([
		['a row is inserted', 201, [99]],
		['a row moves to the front', 200, [99]],
	])('outputs each row once, with a hint, when %s at each reading', async (_, total, again) => {
		const all = rows(201, 'creative_id').slice(1);
		const second = [...again.map((n) => all[n]), ...all.slice(100)].slice(0, 100);
		const pages = [all.slice(0, 100), second];
		onApi(({ url }) => {
			const page = pageOf(url);
			const info = { total_number: page === 1 ? 200 : total };
			return [200, success({ list: pages[page - 1] ?? [], page_info: info })];
		});
		const ran = await read(CREATIVES);
		expect(ran.rows).toMatchObject(all.slice(0, 199));
		expect(ran.hints.join()).toMatch(
			/Rows came twice.*\[item 0: account 1000002, 1 row\].*names more rows than came/,
		);
	});

	it('fund records have no ID: two rows of one date are both output', async () => {
		const list = [
			{ date: '2026-01-01', cash_cost: 100 },
			{ date: '2026-01-01', cash_cost: 250 },
			{ date: '2026-01-01', cash_cost: 250 },
			{ date: '2026-01-02', cash_cost: 3 },
		];
		onApi(server(list, 100, (page) => ({ list: page, page_info: { total_number: 4 } })));
		const ran = await read({ ...FUND, returnAll: true });
		expect(ran.rows.map(({ cash_cost: cost }) => cost)).toEqual([100, 250, 250, 3]);
		expect(ran.hints).toEqual([]);
	});

	it('one day of fund records may be an object in data.list', async () => {
		onApi(({ url }) => [200, success({ list: pageOf(url) === 1 ? { date: 'a' } : [] })]);
		expect((await read(FUND)).rows).toEqual([{ account_id: 1000002, date: 'a' }]);
	});

	it.each<[string, IDataObject, unknown]>([
		['fund records without costs', FUND, { date: '' }],
		['links without an ID', LINKS, { monitor_url: '' }],
	])('reads all 250 rows that are all alike: %s', async (_, parameters, row) => {
		onApi(server(Array(250).fill(row), 100));
		expect((await read({ ...parameters, returnAll: true })).rows).toHaveLength(250);
	});

	it('says the same of many items in one hint and one line of the log', async () => {
		onApi(() => [200, success(rows(100))]);
		const ran = await runNode(PAGED, Array(300).fill({}));
		expect(ran.hints).toEqual([
			expect.stringMatching(/same rows.* \[items 0-299: account 1000002, page 2\]$/),
		]);
		expect(ran.log).toEqual(ran.hints);
	});

	it('one hint names each item with what is true of it', async () => {
		onApi((call, n) => {
			const account = Number(/account_id=(\d+)/.exec(call.url)?.[1]);
			const wrap = (list: unknown[]) => ({ list, page_info: { total_number: 9 } });
			return server(rows(account + 1, 'creative_id').slice(1), 100, wrap)(call, n);
		});
		const parameters = { ...CREATIVES, accountId: '={{ $json.id }}' };
		const accounts = [8, 9, 7, 8, 8].map((id) => ({ id }));
		const { hints, items } = await runNode(parameters, accounts);
		expect(items).toHaveLength(40);
		expect(hints).toEqual([
			expect.stringMatching(
				/\[items 0, 3-4: account 8, 8 of 9 rows; item 2: account 7, 7 of 9 rows\]$/,
			),
		]);
	});

	it('names the accounts that have no rows, if there are several items', async () => {
		onApi(({ url }) => [200, success(/account_id=[79]&/.test(url) ? [] : rows(1))]);
		const parameters = { ...LINKS, accountId: '={{ $json.id }}' };
		const { hints } = await runNode(parameters, [{ id: 7 }, { id: 8 }, { id: 9 }]);
		expect(hints.filter((hint) => hint.includes('No rows'))).toEqual([
			expect.stringMatching(
				/No rows came.* \[item 0: account 7, 0 rows; item 2: account 9, 0 rows\]$/,
			),
		]);
		expect((await runNode(parameters, [{ id: 7 }])).hints).toEqual([]);
	});

	it('what was remarked before another item failed is in the log', async () => {
		onApi(({ url }) => (url.includes('id=9') ? [403, ''] : [200, success(rows(100))]));
		const parameters = { ...PAGED, accountId: '={{ $json.id }}' };
		const ran = await runNode(parameters, [{ id: 8 }, { id: 9 }]);
		expect(ran.error?.message).toMatch(/403/);
		expect(ran.log.join()).toMatch(/same rows/);
	});

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
		const { error } = await runNode(parameters);
		expect(error?.message).toContain('holds no rows in data or data.list');
		expect(error?.message).toContain(`(data.list has: ${members})`);
	});

	it.each([
		['Simplify', true, 0],
		['the whole answers', false, 0],
		['Simplify, of rows that come twice', true, 10],
		['the whole answers, of rows that come twice', false, 10],
	])('outputs no more rows than the limit, with %s', async (_, simplify, repeated) => {
		const all = rows(251, 'creative_id').slice(1);
		const sent = [...all.slice(0, 100), ...all.slice(100 - repeated)];
		onApi(server(sent, 100, (list) => ({ list })));
		const ran = await read({ ...CREATIVES, returnAll: false, limit: 150, simplify });
		const found = simplify
			? ran.rows
			: ran.rows.flatMap(({ data }) => (data as { list: IDataObject[] }).list);
		expect(found).toMatchObject(all.slice(0, 150));
	});

	const REFUSED: Answer = [200, { code: 400, message: '页码超出范围' }];

	it.each<[string, IDataObject, Answer, RegExp]>([
		['refused', CREATIVES, REFUSED, /页码超出范围/],
		['refused, of a custom call', PAGED, REFUSED, /页码超出范围/],
		['lost to HTTP 400', LINKS, [400, '<html>'], /400/],
		['without rows', CREATIVES, [200, success({ items: [] })], /data has: items/],
	])('says how many rows were read before a page that is %s', async (...row) => {
		const [, parameters, last, message] = row;
		const good = server(rows(200), 100, (list) => ({ list, page_info: { total_number: 300 } }));
		onApi((call, n) => (pageOf(call.url) < 3 ? good(call, n) : last));
		const { error } = await runNode(parameters);
		expect(error?.message).toMatch(message);
		expect(error?.description).toMatch(
			/ Rows read before this: 200\. A 'Limit' of 200 returns them\.$/,
		);
		expect((await read({ ...parameters, returnAll: false, limit: 200 })).rows).toHaveLength(200);
	});

	it('says nothing of rows when the first page fails', async () => {
		onApi(() => REFUSED);
		expect((await runNode(CREATIVES)).error?.description).not.toMatch(/before this/);
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
				list: [
					{ date: 'a' },
					{ date: 'b', account_id: 7 },
					{ account_id: null, n: 1 },
					{ account_id: 0 },
					{ account_id: '' },
					{ account_id: '0' },
					{ account_id: [] },
					{ account_id: {} },
					'odd',
				],
				page_info: { total_number: 9 },
			}),
		]);
		expect((await read(FUND)).rows).toEqual([
			{ account_id: 1000002, date: 'a' },
			{ date: 'b', account_id: 7 },
			{ account_id: 1000002, n: 1 },
			...Array(5).fill({ account_id: 1000002 }),
			{ account_id: 1000002, value: 'odd' },
		]);
		const longId = '18446744073709551615';
		onApi(() => [200, success({ balance: 1 })]);
		expect((await read({ ...INFO, accountId: longId })).rows).toEqual([
			{ account_id: longId, balance: 1 },
		]);
	});
});

describe('a read without data', () => {
	it.each<[unknown, string]>([
		[null, 'data is null'],
		[[], 'data is empty'],
		[{}, 'data is empty'],
		['', 'data is empty'],
		[undefined, 'it has: code'],
		['abc', 'data is text'],
		[7, 'data is 7'],
		[[{ a: 1 }, { a: 2 }], 'data is a list of 2'],
		[[null], 'data is a list of 1'],
		[{ list: [] }, 'data.list is empty'],
		[{ list: [{ a: 1 }, { a: 2 }] }, 'data.list is a list of 2'],
		['{}', 'data is empty'],
	])('Get Info fails when its data is %j, and says what is there', async (data, found) => {
		onApi(() => [200, { code: 200, data }]);
		const { error } = await runNode(INFO);
		expect(error?.message).toMatch(/^AiClk's answer holds no data.*\) \(account 1000002\)$/);
		expect(error?.message).toContain(`(${found})`);
		expect(error?.description).toMatch(/switch 'Simplify' off.*GET \/openapi\/v1\/account\/info/);
	});

	it.each<[unknown]>([
		[[{ balance: 5 }]],
		['{"balance":5}'],
		['[{"balance":5}]'],
		[{ list: [{ balance: 5 }] }],
	])('Get Info finds its one object in %j', async (data) => {
		onApi(() => [200, { code: 200, data }]);
		expect((await read(INFO)).rows).toEqual([{ account_id: 1000002, balance: 5 }]);
	});

	it('rows and their total are found in data that is JSON as text, and long IDs keep every digit', async () => {
		const text = '{"list":[{"creative_id":18446744073709551615}],"page_info":{"total_number":1}}';
		const calls = onApi(() => [200, success(text)]);
		expect((await read(CREATIVES)).rows).toEqual([
			{ account_id: 1000002, creative_id: '18446744073709551615' },
		]);
		expect(calls).toHaveLength(1);
	});

	it.each([null, undefined, {}, 'text'])('Get Many fails when its data is %j', async (data) => {
		onApi(() => [200, { code: 200, data }]);
		expect((await runNode(CREATIVES)).error?.message).toMatch(/holds no (data|rows)/);
	});
});

describe('a custom call', () => {
	it.each([
		['GET', {}, '/openapi/v1/report?account_id=1000002', ''],
		[
			'GET',
			{ query: `{ "id": ${MAX_UINT64}, "fields": ["a"] }` },
			`/openapi/v1/report?account_id=1000002&query={"id":${MAX_UINT64},"fields":["a"]}`,
			'',
		],
		[
			'GET',
			{ query: { a: 1, b: ['x'], c: 'y z' }, queryFormat: 'parameters' },
			'/openapi/v1/report?a=1&b=["x"]&c=y z',
			'',
		],
		[
			'POST',
			{ bodyType: 'json', body: `{ "ids": [${MAX_UINT64}] }` },
			'/openapi/v1/report?account_id=1000002',
			`{"ids":[${MAX_UINT64}]}`,
		],
		['DELETE', {}, '/openapi/v1/report?account_id=1000002', ''],
	])('a custom call sends %s with %j', async (method, parameters, url, body) => {
		const calls = onApi(() => [200, success({ a: 1 })]);
		const ran = await read({ ...CALL, method, ...parameters });
		expect(calls).toEqual([expect.objectContaining({ method, url, body })]);
		expect(ran.rows).toMatchObject([{ a: 1 }]);
	});

	it('a custom call sends a form as multipart form data', async () => {
		const calls = onApi();
		await runNode({ ...CALL, method: 'POST', bodyType: 'form', body: { a: 'x', n: 1 } });
		expect(calls[0]?.contentType).toMatch(/^multipart\/form-data/);
		expect(calls[0]?.body).toMatch(/name="a"\r\n\r\nx\r\n[^]*name="n"\r\n\r\n1\r\n/);
	});

	const body = { code: 200, total: 2, list: [{ a: 1 }, { a: 2 }] };

	it('a custom call outputs the whole body without Simplify; with it, the error names the members of the body', async () => {
		onApi(() => [200, body]);
		expect((await read({ ...CALL, simplify: false })).rows).toEqual([body]);
		const { error } = await runNode(CALL);
		expect(error?.message).toContain(
			'holds no rows in data or data.list (it has: code, total, list)',
		);
		expect(error?.description).toContain('GET /openapi/v1/report');
	});

	it('a paginated custom call that finds no rows names the members of data', async () => {
		onApi(() => [200, success({ rows: [{ a: 1 }], total: 1 })]);
		const { error } = await runNode(PAGED);
		expect(error?.message).toContain('(data has: rows, total)');
		expect((await read(CALL)).rows).toEqual([{ account_id: 1000002, rows: [{ a: 1 }], total: 1 }]);
	});

	it('a custom POST does not fail when data is null', async () => {
		onApi(() => [200, { code: 200, data: null, id: 7 }]);
		expect((await read({ ...CALL, method: 'POST' })).rows).toEqual([{ success: true, id: 7 }]);
	});

	it.each([{}, 'text', 5])(
		'a custom GET says what is in the data %j, or outputs it',
		async (data) => {
			onApi(() => [200, success(data)]);
			const { error, items } = await runNode(CALL);
			expect(error?.message ?? items.map(({ json }) => json)).toEqual(
				data instanceof Object
					? expect.stringContaining('holds no rows in data or data.list (data is empty)')
					: [{ account_id: 1000002, value: data }],
			);
		},
	);

	it.each([
		['POST', null],
		['POST', []],
		['POST', ''],
		['POST', {}],
		['DELETE', {}],
	])('a custom %s answered with the data %j outputs one success for each item', async (...of) => {
		const [method, data] = of;
		onApi(() => [200, success(data)]);
		const { items } = await runNode({ ...CALL, method }, [{}, {}]);
		expect(items.map(({ json }) => json)).toEqual([{ success: true }, { success: true }]);
	});

	const POST = { ...CALL, method: 'POST' };
	const FAILED = [{ id: 5, code: 40001, message: '余额不足' }];

	it.each<[string, IDataObject, unknown]>([
		['errors', { data: null, errors: FAILED }, { errors: FAILED }],
		['failed', { data: {}, failed: 200 }, { failed: 200 }],
		['fail_list', { data: [], fail_list: [0] }, { fail_list: [0] }],
		['failList', { data: null, failList: [5] }, { failList: [5] }],
		['error_msg', { data: null, error_msg: '余额不足' }, { error_msg: '余额不足' }],
		['invalid_ids', { data: null, invalid_ids: [5] }, { invalid_ids: [5] }],
		['success', { data: null, success: false }, { success: false }],
		['data.error_list', { data: { error_list: FAILED } }, { error_list: FAILED }],
		['data.result.failed', { data: { result: { failed: 1 } } }, { result: { failed: 1 } }],
		['data.error', { data: [{ id: 4 }, { id: 5, error: '余额不足' }] }, { id: 4 }],
		['error', { data: null, error: '余额不足' }, { error_: '余额不足' }],
	])(
		'a change that AiClk calls a success, with failures in %s, has no success and a hint',
		async (...row) => {
			const [name, answer, item] = row;
			onApi(() => [200, { code: 200, message: 'success', ...answer }]);
			const ran = await read(POST);
			expect(ran.rows[0]).toEqual(item);
			expect(ran.hints).toEqual([
				expect.stringMatching(
					`names failures\\..*\\[item 0: account 1000002, ${name.replaceAll('.', '\\.')}\\]$`,
				),
			]);
			const charged = await read(CHARGE);
			expect(charged.rows[0]).toMatchObject({ amount: 10000, payer: '1000002' });
			expect(charged.rows[0]?.success).not.toBe(true);
			expect(charged.hints).toEqual(ran.hints);
		},
	);

	it.each<[IDataObject]>([
		[{ data: null, errors: [] }],
		[{ data: null, errors: null, failed: 0, fail_count: '0' }],
		[{ data: null, error: '', error_msg: 'ok', errcode: 0, error_code: 200 }],
		[{ data: {}, fail_list: {}, transferred: 5, referrer: 'a', override: 1 }],
	])('members that name no failure leave a change a success: %j', async (answer) => {
		onApi(() => [200, { code: 200, message: 'success', ...answer }]);
		const ran = await read(POST);
		expect([ran.rows[0]?.success, ran.hints]).toEqual([true, []]);
	});

	it('failures that a read names beside its data are told of, and those in its rows are not', async () => {
		onApi(() => [200, { code: 200, data: [], errors: FAILED }]);
		expect((await read(CALL)).hints).toEqual([
			expect.stringMatching(/\[item 0: account 1000002, errors\]$/),
		]);
		onApi(() => [200, success([{ reject_reason: 'x', failed: 1 }])]);
		expect((await read(CALL)).hints).toEqual([]);
	});

	it('an object around rows is no row, so it gets no account', async () => {
		onApi(() => [200, success({ list: [{ a: 1 }] })]);
		expect((await read(CALL)).rows).toEqual([{ list: [{ a: 1 }] }]);
	});

	it.each<[string, unknown, IDataObject, string[]]>([
		[
			'page 1 of more',
			{ list: rows(10), page_info: { total_number: 250 } },
			{},
			['10 of 250 rows'],
		],
		['all rows', { list: rows(10), page_info: { total_number: 10 } }, {}, []],
		[
			'page 1 of more, by POST',
			{ list: rows(10), page_info: { total_number: 250 } },
			{ method: 'POST' },
			['10 of 250 rows'],
		],
		[
			'a page of its own, in the body',
			{ list: rows(10), page_info: { total_number: 250 } },
			{ method: 'POST', bodyType: 'json', body: '{ "page": 2 }' },
			[],
		],
		['no total', { list: rows(10) }, {}, []],
		[
			'a page of its own',
			{ list: rows(10), page_info: { total_number: 250 } },
			{ query: { page: 2 } },
			[],
		],
		[
			'a page that AiClk names',
			{ list: rows(10), page_info: { page: 3, total_number: 250 } },
			{},
			[],
		],
	])('without Paginate, a hint tells of rows that are left: %s', async (...row) => {
		const [, data, parameters, hints] = row;
		onApi(() => [200, success(data)]);
		expect((await read({ ...CALL, ...parameters })).hints).toEqual(
			hints.map((text) =>
				expect.stringMatching(`switch 'Paginate' on\\. \\[item 0: account 1000002, ${text}\\]$`),
			),
		);
	});

	it.each<[string, IDataObject, unknown]>([
		['the Account ID', {}, 1000002],
		['plain parameters', { queryFormat: 'parameters', query: '{"account_id":"8"}' }, 8],
		['no account', { queryFormat: 'parameters' }, undefined],
	])(
		'rows of a custom call get the account that was sent, unless they have one: %s',
		async (...row) => {
			const [, parameters, account] = row;
			onApi(({ url }) => [200, success(pageOf(url) > 1 ? [] : [{ a: 1 }, { account_id: 9 }])]);
			for (const call of [CALL, PAGED]) {
				const found = (await read({ ...call, ...parameters })).rows;
				expect(found.map(({ account_id: id }) => id)).toEqual([account, 9]);
			}
		},
	);

	it('the hint of a custom call without an account names no account', async () => {
		onApi(() => [200, success(rows(100))]);
		expect((await read({ ...PAGED, queryFormat: 'parameters' })).hints).toEqual([
			expect.stringMatching(/same rows.* \[item 0: page 2\]$/),
		]);
	});

	it.each([
		['counts from 0', (page: number) => page],
		['takes 0 for 1', (page: number) => Math.max(0, page - 1)],
	])('a custom call may begin at page 0, also where AiClk %s', async (_, indexOf) => {
		const all = rows(250, 'n');
		const calls = onApi(({ url }) => {
			const first = indexOf(pageOf(url)) * 100;
			return [200, success(all.slice(first, first + 100))];
		});
		const ran = await read({ ...PAGED, query: '{ "page": 0 }' });
		expect(ran.rows.map(({ n }) => n)).toEqual(all.map(({ n }) => n));
		expect([pageOf(calls[0]?.url ?? ''), ran.hints]).toEqual([0, []]);
	});

	it.each<[string, IDataObject, RegExp]>([
		['its query', { query: '{ "page_size": 20 }' }, /query=\{"page_size":20,"page":1\}/],
		['plain parameters', { queryFormat: 'parameters', query: { page_size: '20' } }, /page_size=20/],
	])("a custom call uses the user's page size in %s", async (_, parameters, url) => {
		const calls = onApi(server(rows(50), 50));
		expect((await read({ ...PAGED, ...parameters })).rows).toHaveLength(50);
		expect([calls.length, calls[0]?.url]).toEqual([4, expect.stringMatching(url)]);
	});

	it.each<[number, string, number]>([
		[50, '{ "page": 2, "page_size": 20 }', 30],
		[450, '{ "page": 3 }', 250],
	])("of %d rows, a custom call begins at the user's page: %s", async (count, query, left) => {
		const calls = onApi(
			server(rows(count), 100, (list) => ({ list, page_info: { total_number: count } })),
		);
		expect((await read({ ...PAGED, query })).rows).toMatchObject(rows(count).slice(-left));
		expect(calls[0]?.url).toContain(query.slice(2, 10).replace(' ', ''));
	});

	it('a custom call refuses a page size that is not a number', async () => {
		const calls = onApi();
		const { error } = await runNode({ ...PAGED, query: '{ "page_size": "many" }' });
		expect(error?.message).toMatch(/'page_size' is 'many', which is not a whole number/);
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
		const { error } = await runNode(post);
		expect(error?.message).toMatch(/outcome: unknown/);
		expect(error?.description).toMatch(/ Pages carried out before this: 1\.$/);
		onApi(() => [403, '<html>']);
		expect((await runNode(post)).error?.message).toMatch(/outcome: refused/);
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
		const { error } = await runNode({ ...CALL, method: 'DELETE' });
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
		const parameters = { ...FUND, startDate: at, endDate: at };
		await runNode(parameters, [{ at: '2026-01-30T16:00:00.000Z' }], { change });
		expect(calls[0]?.url).toContain('"start_date":"2026-01-31","end_date":"2026-01-31"');
	});
});
