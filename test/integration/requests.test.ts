import type { IHttpRequestMethods, NodeApiError } from 'n8n-workflow';
import nock from 'nock';

import { AiClkApi } from '../../credentials/AiClkApi.credentials';
import { Bench } from '../harness/nodeRig';
import { newRow } from '../harness/context';
import {
	ACCEPTED,
	API,
	issued,
	networkError,
	onAccountInfo,
	onRefresh,
	REJECTED,
} from '../harness/nocks';

beforeAll(() => {
	nock.disableNetConnect();
});
afterEach(() => {
	nock.cleanAll();
});
afterAll(() => {
	nock.restore();
});

interface Request {
	method: IHttpRequestMethods;
	url: string;
	body?: object;
}

/** The two ways in which n8n's nodes send requests: HTTP Request uses the legacy one, most others the modern one. */
const WAYS = {
	legacy: async (bench: Bench, { url, ...rest }: Request): Promise<unknown> => {
		const context = bench.context();
		return await context.helpers.requestWithAuthentication.call(context, 'aiClkApi', {
			uri: url,
			json: true,
			...rest,
		});
	},
	modern: async (bench: Bench, request: Request): Promise<unknown> => {
		const context = bench.context();
		return await context.helpers.httpRequestWithAuthentication.call(context, 'aiClkApi', {
			json: true,
			...request,
		});
	},
};
type Way = keyof typeof WAYS;
const ways = Object.keys(WAYS) as Way[];

const failureOf = async (run: Promise<unknown>) =>
	await run.then(
		() => {
			throw new Error('the request did not fail');
		},
		(error: unknown) => error as NodeApiError,
	);

/** A row that holds the token `access-1`. */
async function benchWithToken(): Promise<Bench> {
	const bench = new Bench();
	onRefresh();
	const first = nock(API).get('/first').reply(200, ACCEPTED);
	await WAYS.legacy(bench, { method: 'GET', url: `${API}/first` });
	expect(first.isDone()).toBe(true);
	nock.cleanAll();
	bench.helper.writes = 0;
	return bench;
}

/** An endpoint that notes the tokens it was called with. */
function onCall(reply: (accessToken: string) => [number, nock.Body?], path = '/a') {
	const tokens: string[] = [];
	const noting = function (this: { req: { headers: Record<string, unknown> } }) {
		const accessToken = String(this.req.headers.ogw_access_token);
		tokens.push(accessToken);
		return reply(accessToken);
	};
	nock(API).get(path).reply(noting).persist();
	nock(API).post(path).reply(noting).persist();
	return tokens;
}

describe.each(ways)('a request sent the %s way', (way) => {
	const send = WAYS[way];

	it('the first request gets a token, stores it and carries it', async () => {
		const bench = new Bench();
		const refreshes = onRefresh();
		const calls = onCall(() => [200, ACCEPTED]);
		await send(bench, { method: 'GET', url: `${API}/a` });
		await send(bench, { method: 'POST', url: `${API}/a`, body: { a: 1 } });
		expect(calls).toEqual(['access-1', 'access-1']);
		expect(refreshes).toHaveLength(1);
		expect(bench.helper.writes).toBe(1);
		expect(bench.helper.row.accessToken).toBe('access-1');
	});

	const statuses = [400, 403, 404, 408, 409, 429, 500, 502, 503, 504];
	it.each(statuses.flatMap((status) => [[status, 'GET'] as const, [status, 'POST'] as const]))(
		'HTTP %d on a %s costs no refresh, and the request is sent once',
		async (status, method) => {
			const bench = await benchWithToken();
			const refreshes = onRefresh();
			const checks = onAccountInfo();
			const calls = onCall(() => [status, { message: 'no' }]);
			const error = await failureOf(send(bench, { method, url: `${API}/a` }));
			expect(error.httpCode).toBe(String(status));
			expect(calls).toEqual(['access-1']);
			expect(refreshes).toEqual([]);
			expect(checks.length).toBeLessThanOrEqual(1);
			expect(bench.helper.writes).toBe(0);
		},
	);

	it('a request whose connection is cut is sent once and costs no refresh', async () => {
		const bench = await benchWithToken();
		const refreshes = onRefresh();
		onAccountInfo();
		const cut = nock(API).post('/a').replyWithError(networkError('ECONNRESET'));
		await failureOf(send(bench, { method: 'POST', url: `${API}/a`, body: { a: 1 } }));
		expect(cut.isDone()).toBe(true);
		expect(refreshes).toEqual([]);
	});

	it('20 requests at once whose token is rejected with HTTP 401 cost one refresh and all succeed', async () => {
		const bench = await benchWithToken();
		bench.age();
		const refreshes = onRefresh(() => [200, issued('access-2')]);
		onAccountInfo((token) => [200, token === 'access-2' ? ACCEPTED : REJECTED]);
		const calls = onCall((token) => (token === 'access-2' ? [200, ACCEPTED] : [401, REJECTED]));
		const runs = Array.from(
			{ length: 20 },
			async () => await send(bench, { method: 'GET', url: `${API}/a` }),
		);
		expect(await Promise.all(runs)).toEqual(runs.map(() => ACCEPTED));
		expect(refreshes).toHaveLength(1);
		expect(calls.filter((token) => token === 'access-1')).toHaveLength(20);
		expect(calls.filter((token) => token === 'access-2')).toHaveLength(20);
	}, 10_000);

	it('a request to another host carries no token, and the error names the host of the token', async () => {
		const bench = await benchWithToken();
		const calls = nock('https://evil.example').get('/a').reply(200, 'stolen');
		const error = await failureOf(send(bench, { method: 'GET', url: 'https://evil.example/a' }));
		expect(error.message).toBe(
			'The AiClk API credential is for openapi.aiclk.com only, and this request goes elsewhere. Correct its URL.',
		);
		expect(calls.isDone()).toBe(false);
	});

	it.each([301, 302, 303, 307, 308])('follows no redirect with HTTP %d', async (status) => {
		const bench = await benchWithToken();
		onAccountInfo();
		const elsewhere = nock('https://evil.example').get('/b').reply(200, 'stolen').persist();
		nock(API).get('/a').reply(status, '', { location: 'https://evil.example/b' });
		await send(bench, { method: 'GET', url: `${API}/a` }).catch(() => undefined);
		expect(elsewhere.isDone()).toBe(false);
	});

	it('a request is not sent without a token, and the error says why and what to do', async () => {
		const bench = new Bench();
		onRefresh(() => [200, { code: 400, message: '参数错误', trace_id: 'cc33' }]);
		const calls = onCall(() => [200, ACCEPTED]);
		const error = await failureOf(send(bench, { method: 'POST', url: `${API}/a` }));
		expect(error.message).toBe(
			'AiClk refused to refresh the access token: 参数错误 (code 400). Check the Client ID and the Refresh Token.',
		);
		expect(error.description).toMatch(/^If both are as AiClk shows them.*trace_id: cc33\.$/);
		expect(calls).toEqual([]);
		expect(JSON.stringify([error, { ...error }])).not.toContain(bench.helper.row.refreshToken);
	});
});

describe('300 items that meet HTTP 500', () => {
	it('300 items that meet HTTP 500 cost one check of the token and no refresh, and each is sent once', async () => {
		const bench = await benchWithToken();
		const refreshes = onRefresh();
		const checks = onAccountInfo();
		const calls = onCall(() => [500, 'no']);
		const post = { method: 'POST' as const, url: `${API}/a`, body: { a: 1 } };
		for (let batch = 0; batch < 6; batch++) {
			await Promise.all(
				Array.from({ length: 50 }, async () => await failureOf(WAYS.legacy(bench, post))),
			);
		}
		expect(calls).toHaveLength(300);
		expect(refreshes).toEqual([]);
		expect(checks).toHaveLength(1);
	});
});

describe('50 items without a token', () => {
	it.each<[string, [number, nock.Body]]>([
		['with HTTP 500', [500, '<html>']],
		['with HTML', [200, '<html>']],
		['with half a JSON', [200, '{"code":200,"data":{"access']],
		['with nothing', [200, '']],
		['with a token that n8n would run', [200, issued('={{1}}')]],
	])(
		'a token endpoint that answers %s is called once for 50 items, and no item is sent',
		async (_, reply) => {
			const bench = new Bench(newRow());
			const before = { ...bench.helper.row };
			const refreshes = onRefresh(() => reply);
			const calls = onCall(() => [200, ACCEPTED]);
			const errors: NodeApiError[] = [];
			for (let batch = 0; batch < 5; batch++) {
				const runs = Array.from(
					{ length: 10 },
					async () =>
						await failureOf(WAYS.legacy(bench, { method: 'POST', url: `${API}/a`, body: {} })),
				);
				errors.push(...(await Promise.all(runs)));
			}
			expect(refreshes).toHaveLength(1);
			expect(calls).toEqual([]);
			expect(errors.every(({ message }) => message.includes('AiClk'))).toBe(true);
			expect(bench.helper.row).toEqual(before);
		},
	);
});

describe('the test of the credential', () => {
	const { request } = new AiClkApi().test;
	/** n8n's own expression engine, as the credential tester uses it. */
	const resolve = (expression: string, credentials: object) => {
		const context = new Bench().context();
		const { workflow } = context as unknown as {
			workflow: { expression: { getSimpleParameterValue: (...args: unknown[]) => unknown } };
		};
		return workflow.expression.getSimpleParameterValue(
			context.getNode(),
			expression,
			'internal',
			{ $credentials: credentials },
			undefined,
			'',
		);
	};

	it.each([
		['', ''],
		[undefined, ''],
		[API, API],
		[' http://127.0.0.1:5790/\n', 'http://127.0.0.1:5790'],
	])('the credential test goes to the base URL pasted as %j', (baseUrl, expected) => {
		expect(resolve(request.baseURL as string, { baseUrl })).toBe(expected);
	});

	it.each([
		[' 1000002 ', '1000002'],
		[1000002, '1000002'],
		['', ''],
	])('the credential test names the account pasted as %j', (accountId, expected) => {
		const { account_id: expression } = request.qs as { account_id: string };
		expect(resolve(expression, { accountId })).toBe(expected);
	});
});
