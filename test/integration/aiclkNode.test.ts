import type { IDataObject } from 'n8n-workflow';
import nock from 'nock';

import { readInput } from '../../aiclk/token/input';
import { RESOURCES } from '../../nodes/AiClk/resources';
import {
	CALL,
	CHARGE,
	failureOf,
	file,
	FUND,
	INFO,
	jsonOf,
	MAX_UINT64,
	newBench,
	onApi,
	onLostAnswers,
	PAYER,
	PERSON,
	type Reply,
	set,
	success,
} from '../harness/runNode';
import { DAY_MS, token } from '../harness/fakes';
import { Bench } from '../harness/nodeRig';
import { newRow } from '../harness/context';
import { API, issued, onAccountInfo, onRefresh, REJECTED } from '../harness/nocks';

beforeAll(() => {
	nock.disableNetConnect();
});
afterEach(() => {
	nock.cleanAll();
});
afterAll(() => {
	nock.restore();
});

const ALL_FUND_FIELDS = '"fields":["date","cash_cost","coupon_cost","compensation"]';
const PAGE = '"page":1,"page_size":50';
/** Every documented endpoint: the operation, what the user sets, and the request as AiClk's page has it. */
const ENDPOINTS: Array<
	[endpoint: string, parameters: IDataObject, url: string, body: string | undefined]
> = [
	[
		'GET account/info',
		set('account', 'getInfo', { fields: ['account_id', 'balance'] }),
		'/openapi/v1/account/info?account_id=1000002&query={"fields":["account_id","balance"]}',
		undefined,
	],
	[
		'GET account_fund/list',
		set('account', 'getFundRecords', {
			period: 'custom',
			startDate: '2020-01-01T00:00:00',
			endDate: '2021-06-18T23:59:59.000+08:00',
		}),
		`/openapi/v1/account_fund/list?account_id=1000002&query={"start_date":"2020-01-01","end_date":"2021-06-18",${ALL_FUND_FIELDS},${PAGE}}`,
		undefined,
	],
	[
		'GET creative/get',
		set('creative', 'getAll', {
			accountId: '7',
			fields: ['creative_id', 'title'],
			filters: {
				campaignId: '300001',
				creativeIds: `77777, ${MAX_UINT64}`,
				configureStatus: ['ENABLE'],
				createdFrom: '2020-03-10',
				createdTo: '2020-03-12',
				updatedFrom: '2020-03-11',
			},
		}),
		`/openapi/v1/creative/get?account_id=7&query={"campaign_id":300001,"creative_id":[77777,${MAX_UINT64}],"configure_status":["ENABLE"],"created_at":{"start":"2020-03-10","end":"2020-03-12"},"updated_at":{"start":"2020-03-11"},"fields":["creative_id","title"],${PAGE}}`,
		undefined,
	],
	[
		'GET material/get',
		set('material', 'getAll', {
			fields: ['material_id'],
			sort: { materialId: 'desc' },
			filters: { materialIds: '11111,22222', materialStatus: ['PASSED', 'UN_PASSED'] },
		}),
		`/openapi/v1/material/get?account_id=1000002&query={"material_id":[11111,22222],"material_status":["PASSED","UN_PASSED"],"fields":["material_id"],"order_by":[["material_id","desc"]],${PAGE}}`,
		undefined,
	],
	[
		'GET conv/targeturl_monitor/list',
		set('monitorLink', 'getAll', {
			conversionType: 'API_DOWNLOAD',
			filters: {
				keywords: '下载 a&b',
				conversionGoal: 3,
				adgroupId: '20195330',
				click: 1,
				showShare: false,
			},
		}),
		'/openapi/v1/conv/targeturl_monitor/list?account_id=1000002&conversion_type=API_DOWNLOAD&keywords=下载 a&b&adgroup_id=20195330&click=1&conversion_goal=3&show_share=0&page=1&page_size=50',
		undefined,
	],
	[
		'POST adaccount/customer/create',
		set('advertiser', 'create', { ...PERSON, additionalFields: { subAgentId: '1716318' } }),
		'/openapi/v1/adaccount/customer/create?account_id=1000002',
		'{"company":"测试公司","display_name":"测试公司简称","license_code":"DSSSAAASSSSWSSSSDA","company_region":[310000,310100,310115],"company_address":"上海上海市浦东新区三林软件园1号楼","license":14705564,"qualification":[14705564],"category":100101101,"app_name":"测试产品名称","username":"ceshizhanghumingcheng6","password":"Abcdef1","link":"https://www.example.com","source_mark":"n8n","email":"a@example.com","contacter":"联系人","contacter_phone":"13800000000","sub_agent_id":1716318}',
	],
	[
		'POST adaccount/customer/update',
		set('advertiser', 'update', {
			advertiserId: '1928316',
			updateFields: { contacter: '修改联系人姓名' },
		}),
		'/openapi/v1/adaccount/customer/update?account_id=1000002',
		'{"account_id":1928316,"contacter":"修改联系人姓名"}',
	],
	[
		'POST charge/agent',
		set('charge', 'agent', { ...PAYER, targetUser: '1000004', money: 10000, confirm: true }),
		'/openapi/v1/charge/agent?account_id=1000002',
		'{"target_user":1000004,"money":10000,"comment":""}',
	],
	[
		'POST charge/agent-coupon',
		set('charge', 'agentCoupon', {
			...PAYER,
			targetUser: MAX_UINT64,
			coupon: -10000,
			confirm: true,
		}),
		'/openapi/v1/charge/agent-coupon?account_id=1000002',
		`{"target_user":${MAX_UINT64},"coupon":-10000,"comment":""}`,
	],
	[
		'POST charge/sub-agent-v2',
		set('charge', 'subAgent', {
			...PAYER,
			subAgentUser: '1000003',
			targetUser: '1000003',
			money: 10000,
			additionalFields: { comment: '备注' },
			confirm: true,
		}),
		'/openapi/v1/charge/sub-agent-v2?account_id=1000002',
		'{"sub_agent_user":1000003,"target_user":1000003,"money":10000,"comment":"备注"}',
	],
	[
		'POST charge/sub-agent-coupon',
		set('charge', 'subAgentCoupon', {
			...PAYER,
			targetUser: 1000003,
			coupon: '10000',
			confirm: true,
		}),
		'/openapi/v1/charge/sub-agent-coupon?account_id=1000002',
		'{"target_user":1000003,"coupon":10000,"comment":""}',
	],
];

describe('the request of each operation', () => {
	it.each(ENDPOINTS)(
		'%s is sent as AiClk documents it',
		async (endpoint, parameters, url, body) => {
			const { bench, refreshes } = newBench();
			const calls = onApi();
			await bench.runAiClk(parameters);
			expect(calls).toHaveLength(1);
			const [call] = calls;
			expect(`${call?.method} ${call?.url}`).toBe(`${endpoint.split(' ')[0]} ${url}`);
			expect(call?.url).toContain(endpoint.split(' ')[1]);
			expect(call?.token).toBe('access-1');
			if (body !== undefined) {
				expect(call?.body).toBe(body);
				expect(call?.contentType).toBe('application/json');
			}
			expect(refreshes).toHaveLength(1);
		},
	);

	it('ENDPOINTS has a case for every operation of every resource', () => {
		const all = RESOURCES.flatMap(({ option: { value: resource }, operations }) =>
			operations.map(({ option: { value: operation } }) => `${resource} ${operation}`),
		);
		const tested = ENDPOINTS.map(
			([, parameters]) => `${String(parameters.resource)} ${String(parameters.operation)}`,
		);
		// These two have tests of their own.
		expect([...new Set(tested), 'api call', 'material upload'].sort()).toEqual(all.sort());
	});

	it('POST material/upload is sent as a multipart form', async () => {
		const { bench } = newBench();
		const calls = onApi(() => [200, success({ id: 24198456, pid: 0, cover: { id: 24198455 } })]);
		const parameters = set('material', 'upload', {
			additionalFields: { materialType: 'IMAGE', pid: 'p1' },
		});
		const items = await bench.runAiClk(parameters, file('the picture'));
		const [call] = calls;
		expect(call?.url).toBe('/openapi/v1/material/upload?account_id=1000002');
		expect(call?.contentType).toMatch(/^multipart\/form-data; boundary=/);
		const body = call?.body;
		expect(body).toMatch(/name="material_type"\r\n\r\nIMAGE\r\n/);
		expect(body).toMatch(/name="pid"\r\n\r\np1\r\n/);
		expect(body).toMatch(
			/name="file"; filename="图 1.png"\r\nContent-Type: image\/png\r\n\r\nthe picture\r\n/,
		);
		expect(jsonOf(items)).toEqual([
			{ account_id: 1000002, id: '24198456', pid: '0', cover: { id: '24198455' } },
		]);
	});

	it('percent-encodes characters that could start another URL parameter', async () => {
		const { bench } = newBench();
		const raw: string[] = [];
		nock(API)
			.get(/.*/)
			.reply((uri) => {
				raw.push(uri);
				return [200, success([])];
			});
		const filters = { keywords: '&account_id=1#?+ 下载' };
		await bench.runAiClk(set('monitorLink', 'getAll', { filters }));
		expect(raw[0]).toContain(
			'&keywords=%26account_id%3D1%23%3F%2B%20%E4%B8%8B%E8%BD%BD&page=1&page_size=50',
		);
	});
});

/** Rows of a list, page by page, as the fund list documents it. */
const pagesOf =
	(rows: unknown[], { withTotal = true } = {}): Reply =>
	({ url }) => {
		const { page, page_size: size } = JSON.parse(/query=(\{.*\})/.exec(url)?.[1] ?? '{}') as Record<
			string,
			number
		>;
		const first = ((page ?? 1) - 1) * (size ?? 10);
		const info = { page, page_size: size, total_number: rows.length };
		return [
			200,
			success({
				list: rows.slice(first, first + (size ?? 10)),
				...(withTotal && { page_info: info }),
			}),
		];
	};

const rowsOfDays = Array.from({ length: 250 }, (_, n) => ({ date: n }));

describe('lists', () => {
	it.each([
		['all of 250 rows', { returnAll: true }, true, 3, 250],
		['all of 250 rows where no total is named', { returnAll: true }, false, 4, 250],
		['120 of 250 rows', { limit: 120 }, true, 2, 120],
		['100 of 250 rows', { limit: 100 }, true, 1, 100],
		['1 of 250 rows', { limit: 1 }, true, 1, 1],
		['1,000 of 250 rows', { limit: 1_000 }, true, 3, 250],
	])(
		'Get Fund Records reads %s in as few requests as it can',
		async (_, parameters, withTotal, requests, found) => {
			const { bench } = newBench();
			const calls = onApi(pagesOf(rowsOfDays, { withTotal }));
			const items = await bench.runAiClk({ ...FUND, ...parameters });
			expect([calls.length, items.length]).toEqual([requests, found]);
			expect(new Set(jsonOf(items).map(({ date }) => date)).size).toBe(found);
		},
	);

	it("a list without Simplify outputs AiClk's whole answer for each page", async () => {
		const { bench } = newBench();
		onApi(pagesOf(rowsOfDays));
		const items = await bench.runAiClk({ ...FUND, returnAll: true, simplify: false });
		expect(items).toHaveLength(3);
		expect(items[2]?.json).toEqual({
			code: 200,
			message: 'success',
			trace_id: 'cc44',
			data: {
				list: rowsOfDays.slice(200),
				page_info: { page: 3, page_size: 100, total_number: 250 },
			},
		});
	});

	it('a list keeps every digit of ids beyond 2^53', async () => {
		const { bench } = newBench();
		onApi(() => [
			200,
			`{"code":200,"message":"success","data":{"list":[{"creative_id":${MAX_UINT64},"title":"${MAX_UINT64} \\" 9","n":9007199254740991}]}}`,
		]);
		const items = await bench.runAiClk(set('creative', 'getAll'));
		expect(jsonOf(items)).toEqual([
			{
				account_id: 1000002,
				creative_id: MAX_UINT64,
				title: `${MAX_UINT64} " 9`,
				n: 9_007_199_254_740_991,
			},
		]);
	});
});

describe('custom call', () => {
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
		const { bench } = newBench();
		const calls = onApi(() => [200, success({ a: 1 })]);
		const items = await bench.runAiClk({ ...CALL, method, ...parameters });
		expect(calls).toEqual([expect.objectContaining({ method, url, body })]);
		expect(jsonOf(items)).toMatchObject([{ a: 1 }]);
	});

	it('a custom call reads all pages when Paginate is on', async () => {
		const { bench } = newBench();
		const calls = onApi(pagesOf(rowsOfDays));
		const items = await bench.runAiClk({ ...CALL, paginate: true, returnAll: true });
		expect([calls.length, items.length]).toEqual([3, 250]);
	});

	it('a custom call sends a form as multipart form data', async () => {
		const { bench } = newBench();
		const calls = onApi();
		await bench.runAiClk({ ...CALL, method: 'POST', bodyType: 'form', body: { a: 'x', n: 1 } });
		expect(calls[0]?.contentType).toMatch(/^multipart\/form-data/);
		expect(calls[0]?.body).toMatch(/name="a"\r\n\r\nx\r\n[^]*name="n"\r\n\r\n1\r\n/);
	});
});

describe('money', () => {
	/** The first token is refused, the one after it is not. */
	const refuse =
		(status: number): Reply =>
		({ token }) =>
			token === 'access-1' ? [status, REJECTED] : [200, success(null)];
	const trace = { code: 400, data: null, message: '账户余额不足', trace_id: '51e3db63b922cc8d' };

	it.each<[string, Reply, RegExp, RegExp]>([
		['code 400 in HTTP 200', () => [200, trace], /refused this: 账户余额不足/, /51e3db63b922cc8d/],
		[
			'HTTP 500',
			() => [500, 'oops'],
			/may have been carried out/,
			/look for the transfer in AiClk's console/,
		],
		[
			'HTTP 502 with an envelope',
			() => [502, { ...trace, code: 500 }],
			/may have been carried out/,
			/look for the transfer in AiClk's console/,
		],
		['half a JSON', () => [200, '{"code":200'], /may have been carried out/, /in AiClk's console/],
		['a token refused in the body', refuse(200), /token: access_token 无效/, /requested.*bb22/],
		['a token refused with HTTP 401', refuse(401), /not accept/, /Nothing was carried/],
	])(
		'a charge that meets %s is sent once, and the error says what is known of it',
		async (_, reply, message, description) => {
			const { bench } = newBench();
			const calls = onApi(reply);
			const error = await failureOf(bench.runAiClk(CHARGE));
			expect(calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
			expect(error.name).toBe('NodeApiError');
			expect(error.message).toMatch(message);
			expect(error.description).toMatch(description);
			expect(JSON.stringify([error, error.message, error.description])).not.toContain('access-1');
		},
	);

	it.each([
		[
			'a dropped connection',
			'ECONNRESET',
			/was closed.*may have been carried out/,
			/in AiClk's console/,
		],
		['a time-out', 'ECONNABORTED', /in time.*may have been carried out/, /in AiClk's console/],
		['a refused connection', 'ECONNREFUSED', /Nothing was sent/, /Nothing was changed/],
		['an unknown host', 'ENOTFOUND', /Nothing was sent/, /Nothing was changed/],
	])(
		'a charge that meets %s is sent once, and the error says what is known of it',
		async (_, code, message, description) => {
			const { bench } = newBench();
			const requests = onLostAnswers(code);
			const error = await failureOf(bench.runAiClk(CHARGE));
			expect(requests()).toBe(1);
			expect(error.message).toMatch(message);
			expect(error.description).toMatch(description);
			expect(JSON.stringify([error, error.message])).not.toContain('access-1');
		},
	);

	it('a charge is refused without Confirm', async () => {
		const { bench } = newBench();
		const calls = onApi();
		await expect(bench.runAiClk({ ...CHARGE, confirm: false })).rejects.toThrow(/Confirm/);
		expect(calls).toEqual([]);
	});

	it('the error of a charge counts the items carried out before it', async () => {
		const { bench } = newBench();
		onApi((_, n) => (n < 3 ? [200, success(null)] : [200, trace]));
		const items = [{ json: {} }, { json: {} }, { json: {} }, { json: {} }];
		const error = await failureOf(bench.runAiClk(CHARGE, items));
		expect(error.description).toMatch(/Before this, 2 of the items were carried out/);
		expect(error.context.itemIndex).toBe(2);
	});

	it('the error counts the charges carried out before the credential changed during the run', async () => {
		const { bench } = newBench();
		onApi((_, n) => {
			// Somebody types another refresh token, and no token is to be had for it.
			if (n === 2) {
				bench.helper.row.refreshToken = 'another';
				nock.cleanAll();
				onRefresh(() => [500, '<html>']);
			}
			return [200, success(null)];
		});
		const error = await failureOf(
			bench.runAiClk(CHARGE, [{ json: {} }, { json: {} }, { json: {} }]),
		);
		expect(error.message).toMatch(/credential has changed since this item was read/);
		expect(error.description).toMatch(/Before this, 2 of the items were carried out/);
	});

	it("a charge outputs AiClk's data, too, if there is any", async () => {
		const { bench } = newBench();
		onApi(() => [200, success({ order: 7 })]);
		const [item] = await bench.runAiClk(CHARGE);
		expect(item?.json).toMatchObject({ success: true, data: { order: 7 } });
	});

	it('a charge outputs payer, target, amount and kind', async () => {
		const { bench } = newBench();
		onApi(() => [200, success(null)]);
		const charge = { ...CHARGE, operation: 'subAgent', subAgentUser: MAX_UINT64, money: -5 };
		expect(await bench.runAiClk(charge)).toEqual([
			{
				json: {
					success: true,
					authorizedAccount: '1000002',
					subManager: MAX_UINT64,
					target: '1000004',
					amount: -5,
					kind: 'money',
					traceId: 'cc44',
				},
				pairedItem: { item: 0 },
			},
		]);
	});
});

describe('a token that AiClk rejects', () => {
	const hundred = Array.from({ length: 100 }, () => ({ json: {} }));

	it.each([
		['in an HTTP-200 body', 200, true],
		['with HTTP 401', 401, true],
		['soon after it was issued', 200, false],
	])(
		'a token rejected %s costs one refresh for 100 items, and every item gets its answer',
		async (_, status, isAged) => {
			const { bench, refreshes } = newBench();
			onApi(() => [200, success({ balance: 1 })]);
			await bench.runAiClk(INFO);
			nock.cleanAll();
			const more = onRefresh(() => [200, issued('access-2')]);
			const calls = onApi(({ token }) =>
				token === 'access-1' ? [status, REJECTED] : [200, success({ n: 1 })],
			);
			if (isAged) bench.age();
			const output = await bench.runAiClk(INFO, hundred);
			expect(output).toHaveLength(100);
			expect([refreshes.length, more.length]).toEqual([1, 1]);
			expect(bench.helper.row.accessToken).toBe('access-2');
			const dead = calls.filter(({ token }) => token === 'access-1');
			// The calls that were under way together, and the probe of their token. A token that was issued just now is probed again,
			// and left to a peer for 6 s. Until AiClk has accepted a probe, it is used meanwhile.
			expect(dead.length).toBeLessThan(isAged ? 60 : 200);
			// The new token is probed before it is stored.
			expect(calls.length - dead.length).toBe(100 + 1);
		},
	);

	it('a token rejected by one endpoint only (a missing permission) costs no refresh', async () => {
		const { bench, refreshes } = newBench();
		const calls = onApi(({ url }) =>
			url.includes('account/info') ? [200, success({ balance: 1 })] : [200, REJECTED],
		);
		const output = await bench.runAiClk(set('creative', 'getAll'), hundred, {
			onError: 'continueRegularOutput',
		});
		expect(refreshes).toHaveLength(1);
		expect(output).toHaveLength(100);
		expect(output[0]?.json.error).toMatchObject({
			message: expect.stringMatching(/does not accept the access token: access_token 无效/),
		});
		// AiClk is asked once, and that is remembered for a while.
		expect(calls).toHaveLength(101);
	});

	it('a token rejected on a charge is refreshed in the same run, and the charge is sent again only by the next run', async () => {
		const { bench, refreshes } = newBench();
		const calls = onApi(({ token }) =>
			token === 'access-1' ? [200, REJECTED] : [200, success(null)],
		);
		const error = await failureOf(bench.runAiClk(CHARGE));
		expect(error.description).toMatch(
			/^Nothing was carried out. If the token was the cause, a new one has been requested/,
		);
		expect(bench.helper.row.accessToken).toBe('access-2');
		await bench.runAiClk(CHARGE);
		const charges = calls.filter(({ url }) => url.includes('charge'));
		expect(charges.map(({ token }) => token)).toEqual(['access-1', 'access-2']);
		expect(refreshes).toHaveLength(2);
	});

	it('a token rejected on the first of four charges fails that charge only, if the node continues on error', async () => {
		const { bench, refreshes } = newBench();
		const calls = onApi(({ token }) =>
			token === 'access-1' ? [200, REJECTED] : [200, success(null)],
		);
		const output = await bench.runAiClk(CHARGE, hundred.slice(0, 4), {
			onError: 'continueRegularOutput',
		});
		expect(output.map(({ json }) => json.success ?? 'failed')).toEqual([
			'failed',
			true,
			true,
			true,
		]);
		expect(calls.filter(({ url }) => url.includes('charge'))).toHaveLength(4);
		expect(refreshes).toHaveLength(2);
	});

	it('a token rejected again after its refresh ends in an error, with two refreshes', async () => {
		const { bench, refreshes } = newBench();
		onApi(() => [200, REJECTED]);
		const error = await failureOf(bench.runAiClk(INFO));
		expect(error.message).toMatch(/^AiClk does not accept the access token/);
		expect(refreshes).toHaveLength(2);
	});

	it.each([
		['read', INFO],
		['charge', CHARGE],
	])(
		"a %s whose refresh lost against a peer is sent once, with the peer's token",
		async (_, parameters) => {
			const row = newRow({ accountId: '1000002' });
			const input = readInput(row);
			const state = {
				...token('old-1').state,
				fingerprint: input.ok ? input.value.fingerprint : '',
				issuedAtMs: Date.now() - 91 * DAY_MS,
				expiresAtMs: Date.now() - DAY_MS,
			};
			Object.assign(row, { accessToken: 'old-1', tokenState: JSON.stringify(state) });
			const bench = new Bench(row);
			const refreshes = onRefresh(() => {
				const times = { issuedAtMs: Date.now(), expiresAtMs: Date.now() + 90 * DAY_MS };
				row.accessToken = 'peer-1';
				row.tokenState = JSON.stringify({ ...state, ...times, generation: state.generation + 1 });
				return [200, issued('access-2')];
			});
			const calls = onApi((call) =>
				call.token === 'peer-1' ? [200, success({ balance: 2 })] : [200, REJECTED],
			);
			const [item] = jsonOf(await bench.runAiClk(parameters));
			expect(item?.error).toBeUndefined();
			// Two probes of the token that lost, and the request itself.
			expect(calls.map((call) => call.token)).toEqual(['access-2', 'access-2', 'peer-1']);
			expect(refreshes).toHaveLength(1);
		},
	);
});

describe('the account', () => {
	it.each([
		['the field', { accountId: '7' }, '7'],
		['the credential, pasted with spaces', {}, '1000002'],
	])('account_id comes from %s', async (_, parameters, id) => {
		const { bench } = newBench();
		bench.helper.row.accountId = ' 100 0002\n';
		const calls = onApi();
		await bench.runAiClk({ ...INFO, ...parameters });
		expect(calls[0]?.url).toContain(`account_id=${id}&`);
	});
});

describe('bad input', () => {
	it.each<[string, IDataObject]>([
		["'Account ID' is empty", { ...INFO, accountId: ' ' }],
		["'Account ID' is '1000002x', which is not an ID", { ...INFO, accountId: '1000002x' }],
		["'Account ID' is '1152921504606847000', which is a number", { ...INFO, accountId: 2 ** 60 }],
		["'Fields' is empty", { ...INFO, fields: [] }],
		["'Fields' has an entry (number 1) that holds 'password'", { ...INFO, fields: ['password'] }],
		["'Start Date' is empty", { ...FUND, startDate: '' }],
		[
			"'Start Date' is '2026-02-30', which names a day that does not exist (2026-02-30)",
			{ ...FUND, startDate: '2026-02-30' },
		],
		["'End Date' is 'yesterday', which is not a date", { ...FUND, endDate: 'yesterday' }],
		['is after', { ...FUND, startDate: '2026-02-02', endDate: '2026-02-01' }],
		["'Limit' is '0', which is below 1", { ...FUND, limit: 0 }],
		["'Limit' is '1.5', which is not a whole number", { ...FUND, limit: 1.5 }],
		["'Money (Fen)' is '0', which moves nothing", { ...CHARGE, money: 0 }],
		[
			"'Money (Fen)' is '99.5', which is not a whole number: amounts are in fen",
			{ ...CHARGE, money: 99.5 },
		],
		["'Money (Fen)' is '2147483648', which is above 2147483647", { ...CHARGE, money: 2 ** 31 }],
		["'Target' is empty", { ...CHARGE, targetUser: '' }],
		["'Password' must have 6 to 30", set('advertiser', 'create', { ...PERSON, password: 'short' })],
		["'Company Region' is empty", set('advertiser', 'create', { ...PERSON, companyRegion: '' })],
		[
			"'Email' is 'a', which is not an e-mail",
			set('advertiser', 'create', { ...PERSON, email: 'a' }),
		],
		["'Email' is not text", set('advertiser', 'create', { ...PERSON, email: ['a@b.cn'] })],
		[
			"'Email' is 'a@b.cn', which is not an e-mail",
			set('advertiser', 'create', { ...PERSON, email: 'a\u200b@b.cn' }),
		],
		[
			'which holds half a character',
			set('advertiser', 'update', {
				advertiserId: '1',
				updateFields: { contacterEmail: `${'😀'.slice(0, 1)}@b.cn` },
			}),
		],
		["'Update Fields' is empty", set('advertiser', 'update', { advertiserId: '1' })],
		[
			"'Creative IDs' has an entry (number 2) that is 'x', which is not an ID",
			set('creative', 'getAll', { filters: { creativeIds: '1,x' } }),
		],
		[
			"'Created From' (2026-02-02) is after",
			set('creative', 'getAll', {
				filters: { createdFrom: '2026-02-02', createdTo: '2026-02-01' },
			}),
		],
		["'Query' is not valid JSON", { ...CALL, query: '{' }],
		["'Query' is not a JSON object", { ...CALL, query: '[]' }],
		["'Body' is not valid JSON", { ...CALL, method: 'POST', bodyType: 'json', body: '{' }],
		[
			"'Path' is '/openapi/v1/../../oauth2/token', which climbs out",
			{ ...CALL, path: '/openapi/v1/../../oauth2/token' },
		],
		[
			"'Path' is 'v1/%2e%2e/%2E%2e/oauth2/token', which holds an encoded dot",
			{ ...CALL, path: 'v1/%2e%2e/%2E%2e/oauth2/token' },
		],
		['names another host: calls go', { ...CALL, path: 'https://evil.example/openapi/v1/x' }],
		['names another host: calls go', { ...CALL, path: '//evil.example/x' }],
		['which holds a % that encodes no character', { ...CALL, path: 'v1/x%zz' }],
		['which holds a % that encodes no character', { ...CALL, path: 'v1/x%ff' }],
		[
			"'Path' is 'v1/%63harge/agent', which leads to a charge",
			{ ...CALL, method: 'POST', path: 'v1/%63harge/agent' },
		],
		['has no such resource and operation', { resource: '__CUSTOM_API_CALL__', operation: 'x' }],
		['has no such resource and operation', set('account', '__CUSTOM_API_CALL__')],
		["'data'", set('material', 'upload')],
	])('bad input is refused before any request: %s', async (message, parameters) => {
		const { bench, refreshes } = newBench();
		bench.helper.row.accountId = '';
		const calls = onApi();
		const accountId = 'accountId' in parameters ? {} : { accountId: '1' };
		const error = await failureOf(bench.runAiClk({ ...accountId, ...parameters }));
		expect(error.name).toBe('NodeOperationError');
		expect(error.message).toContain(message);
		expect(error.message).not.toContain('short');
		expect([calls, refreshes]).toEqual([[], []]);
	});

	it('bad input in one item keeps all items from being sent', async () => {
		const { bench } = newBench();
		const calls = onApi();
		const items = [{ json: { id: '1' } }, { json: { id: 'x' } }];
		await expect(bench.runAiClk({ ...INFO, accountId: '={{ $json.id }}' }, items)).rejects.toThrow(
			/'Account ID' is 'x', which is not an ID/,
		);
		expect(calls).toEqual([]);
	});
});

describe('continue on error', () => {
	it('outputs a result or an error for each item, in order', async () => {
		const { bench } = newBench();
		onApi(({ url }) =>
			url.includes('account_id=2&') ? [404, '<html>'] : [200, success({ balance: 1 })],
		);
		const items = ['1', 'x', '2', '3'].map((id) => ({ json: { id } }));
		const output = await bench.runAiClk({ ...INFO, accountId: '={{ $json.id }}' }, items, {
			onError: 'continueRegularOutput',
		});
		expect(output).toEqual([
			{ json: { account_id: 1, balance: 1 }, pairedItem: { item: 0 } },
			{
				json: {
					error: {
						message: "'Account ID' is 'x', which is not an ID: digits only, e.g. 1000002",
						description: 'Correct the field or its expression.',
						code: null,
						httpCode: null,
						traceId: null,
						outcome: 'not-sent',
						accountId: null,
					},
				},
				pairedItem: { item: 1 },
			},
			{
				json: {
					error: {
						message: expect.stringMatching(/\(HTTP 404\) \(account 2\)$/),
						description: expect.stringMatching(/GET \/openapi\/v1\/account\/info\.$/),
						code: null,
						httpCode: '404',
						traceId: null,
						outcome: 'refused',
						accountId: '2',
					},
				},
				pairedItem: { item: 2 },
			},
			{ json: { account_id: 3, balance: 1 }, pairedItem: { item: 3 } },
		]);
	});
});

describe('without a valid token', () => {
	it('a refused refresh is shown with the text that AiClk Token shows, and no charge is sent', async () => {
		const bench = new Bench(newRow({ accountId: '1000002' }));
		onRefresh(() => [200, { code: 400, data: null, message: '参数错误', trace_id: 'dd55' }]);
		const calls = onApi();
		const error = await failureOf(bench.runAiClk(CHARGE));
		expect(error.message).toBe(
			'AiClk refused to refresh the access token: 参数错误 (code 400). Check the Client ID and the Refresh Token. (account 1000002)',
		);
		expect(error.description).toMatch(/trace_id: dd55/);
		expect(calls).toEqual([]);
	});

	it('an incomplete credential is named in the error', async () => {
		const bench = new Bench(newRow({ accountId: '', refreshToken: '' }));
		onAccountInfo();
		const error = await failureOf(bench.runAiClk(INFO));
		expect(error.message).toMatch(/has no Refresh Token/);
	});
});
