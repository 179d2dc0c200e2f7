import type { IDataObject, INodePropertyOptions } from 'n8n-workflow';

import { RESOURCES } from '../../nodes/AiClk/resources';
import { type Answer, API, onApi, type Reply, success } from '../harness/nocks';
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
	const DAYS = rows(250, 'date');
	const daysWith = (total?: number) =>
		server(DAYS, 100, (list) => ({ list, page_info: { total_number: total } }));

	it.each([
		['all of 250 rows', { returnAll: true }, 250, 3, 250],
		['120 of 250 rows', { limit: 120 }, 250, 2, 120],
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

	it('says the same of many items in one hint and one line of the log', async () => {
		onApi(() => [200, success(rows(100))]);
		const ran = await runNode(PAGED, Array(300).fill({}));
		expect(ran.hints).toEqual([
			expect.stringMatching(/same rows.* \[items 0-299: account 1000002, page 2\]$/),
		]);
		expect(ran.log).toEqual(ran.hints);
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

	it('an object in data.list that holds rows is no row: the error names its members', async () => {
		const list = { 77: { creative_id: 77 }, 78: { creative_id: 78 } };
		onApi(() => [200, success({ list, page_info: {} })]);
		const { error } = await runNode(CREATIVES);
		expect(error?.message).toContain('holds no rows in data or data.list (data.list has: 77, 78)');
	});

	it.each([
		['Simplify', true],
		['the whole answers', false],
	])(
		'outputs rows that come twice once, and no more than the limit, with %s',
		async (_, simplify) => {
			const all = rows(251, 'creative_id').slice(1);
			const sent = [...all.slice(0, 100), ...all.slice(90)];
			onApi(server(sent, 100, (list) => ({ list })));
			const ran = await read({ ...CREATIVES, returnAll: false, limit: 150, simplify });
			const found = simplify
				? ran.rows
				: ran.rows.flatMap(({ data }) => (data as { list: IDataObject[] }).list);
			expect(found).toMatchObject(all.slice(0, 150));
		},
	);

	const REFUSED: Answer = [200, { code: 400, message: '页码超出范围' }];

	it.each<[string, IDataObject, Answer, RegExp]>([
		['refused', CREATIVES, REFUSED, /页码超出范围/],
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
});

describe('a read without data', () => {
	it.each<[unknown, string]>([
		[null, 'data is null'],
		[[], 'data is empty'],
		[[{ a: 1 }, { a: 2 }], 'data is a list of 2'],
		[{ list: [{ a: 1 }, { a: 2 }] }, 'data.list is a list of 2'],
		['{}', 'data is empty'],
	])('Get Info fails when its data is %j, and says what is there', async (data, found) => {
		onApi(() => [200, { code: 200, data }]);
		const { error } = await runNode(INFO);
		expect(error?.message).toMatch(/^AiClk's answer holds no data.*\) \(account 1000002\)$/);
		expect(error?.message).toContain(`(${found})`);
		expect(error?.description).toMatch(/switch 'Simplify' off.*GET \/openapi\/v1\/account\/info/);
	});

	it('rows and their total are found in data that is JSON as text, and long IDs keep every digit', async () => {
		const text = '{"list":[{"creative_id":18446744073709551615}],"page_info":{"total_number":1}}';
		const calls = onApi(() => [200, success(text)]);
		expect((await read(CREATIVES)).rows).toEqual([
			{ account_id: 1000002, creative_id: '18446744073709551615' },
		]);
		expect(calls).toHaveLength(1);
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
			{ query: { a: 0, b: ['x'], c: 'y z', d: null }, queryFormat: 'parameters' },
			'/openapi/v1/report?a=0&b=["x"]&c=y z',
			'',
		],
		[
			'POST',
			{ bodyType: 'json', body: `{ "ids": [${MAX_UINT64}] }` },
			'/openapi/v1/report?account_id=1000002',
			`{"ids":[${MAX_UINT64}]}`,
		],
		['DELETE', {}, '/openapi/v1/report?account_id=1000002', ''],
		['GET', { path: `${API}/openapi/v1/x` }, '/openapi/v1/x?account_id=1000002', ''],
	])('a custom call sends %s with %j', async (method, parameters, url, body) => {
		const calls = onApi(() => [200, success({ a: 1 })]);
		const ran = await read({ ...CALL, method, ...parameters });
		expect(calls).toEqual([expect.objectContaining({ method, url, body })]);
		expect(ran.rows).toMatchObject([{ a: 1 }]);
	});

	it('a custom call sends a form as multipart form data, without fields that are null', async () => {
		const calls = onApi();
		const body = { keywords: null, a: 0, b: '' };
		await runNode({ ...CALL, method: 'POST', bodyType: 'form', body });
		expect(calls[0]?.contentType).toMatch(/^multipart\/form-data/);
		const fields = calls[0]?.body.match(/name="\w+"\r\n\r\n.*\r\n/g);
		expect(fields).toEqual(['name="a"\r\n\r\n0\r\n', 'name="b"\r\n\r\n\r\n']);
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

	it.each([
		['POST', ''],
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
		['data.error_list', { data: { error_list: FAILED } }, { error_list: FAILED }],
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

	it('members that name no failure leave a change a success', async () => {
		const fine = { errors: [], failed: 0, fail_count: '0', error_msg: 'ok', error_code: 200 };
		onApi(() => [200, { code: 200, data: {}, ...fine, transferred: 5, override: 1 }]);
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

	it('without Paginate, a hint tells of rows that are left, unless a page is asked for', async () => {
		onApi(() => [200, success({ list: rows(10), page_info: { total_number: 250 } })]);
		const left = /switch 'Paginate' on\. \[item 0: account 1000002, 10 of 250 rows\]$/;
		expect((await read(CALL)).hints).toEqual([expect.stringMatching(left)]);
		expect((await read({ ...CALL, query: { page: 2 } })).hints).toEqual([]);
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

	it.each<[number, string, number]>([
		[250, '{ "page": 0 }', 250],
		[50, '{ "page": 2, "page_size": 20 }', 30],
		[450, '{ "page": 3 }', 250],
	])("of %d rows, a custom call begins at the user's page: %s", async (count, query, left) => {
		const calls = onApi(
			server(rows(count), 100, (list) => ({ list, page_info: { total_number: count } })),
		);
		expect((await read({ ...PAGED, query })).rows).toMatchObject(rows(count).slice(-left));
		expect(calls[0]?.url).toContain(query.slice(2, 10).replace(' ', ''));
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
});

it.each<[string, IDataObject, string]>([
	['a period', { period: 'yesterday' }, '2026-02-28'],
	['a moment', { startDate: '2026-01-30T16:00:00.000Z', endDate: '2026-01-31' }, '2026-01-31'],
])("%s of the fund records follows the workflow's time zone", async (_, parameters, day) => {
	const calls = onApi();
	const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-02-28T16:30:00Z'));
	const change = (context: object) =>
		Object.assign(context, { getTimezone: () => 'Asia/Shanghai' });
	const { error } = await runNode({ ...FUND, ...parameters }, [{}], { change });
	clock.mockRestore();
	const days = `"start_date":"${day}","end_date":"${day}"`;
	expect([error, calls[0]?.url]).toEqual([null, expect.stringContaining(days)]);
});

const LISTS = RESOURCES.flatMap(({ option: { value: resource }, operations }) =>
	operations.flatMap(({ option: { value: operation }, properties }) => {
		const fields = properties.find(({ name }) => name === 'fields');
		const names = ((fields?.options ?? []) as INodePropertyOptions[]).map(({ value }) => value);
		const id = `${String(resource)}_id`;
		const isList = properties.some(({ name }) => name === 'returnAll') && names.includes(id);
		return isList ? [{ resource: String(resource), operation: String(operation), id }] : [];
	}),
);

it.each(LISTS)('$resource $operation outputs a row once if its $id comes twice', async (list) => {
	const { resource, operation, id } = list;
	const ids = [1, 2, 2, 3];
	onApi(
		server(
			ids.map((value, index) => ({ [id]: value, created_at: index })),
			2,
		),
	);
	const { rows: found } = await read(set(resource, operation, { returnAll: true }));
	expect(found.map((row) => row[id])).toEqual([1, 2, 3]);
});
