import type { IDataObject } from 'n8n-workflow';
import nock from 'nock';

import {
	CALL,
	CHARGE,
	dataOf,
	INFO,
	newBench,
	onApi,
	onLostAnswers,
	PERSON,
	type Ran,
	type Reply,
	type RunOptions,
	runNode,
	set,
	success,
} from './aiclk';
import { API, issued, networkError, onRefresh } from './support';
import { CredentialsHelper, newRow } from './context';

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

const refused = { code: 400, data: null, message: '参数错误', trace_id: 'dd55' };
const POST = { ...CALL, method: 'POST', bodyType: 'json', body: '={{ { n: $json.n } }}' };
const THREE = [{ n: 1 }, { n: 2 }, { n: 3 }];
const CONTINUE = { onError: 'continueRegularOutput' as const };

let executions = 0;

/** Tries of one run, as n8n's Retry On Fail makes them. */
function retries(parameters: IDataObject, input: IDataObject[], more: RunOptions = {}) {
	const executionId = `execution-${++executions}`;
	const helper = new CredentialsHelper(newRow({ accountId: '1000002' }));
	const { node, ...rest } = more;
	return async () =>
		await runNode(parameters, input, {
			helper,
			executionId,
			...rest,
			node: { retryOnFail: true, maxTries: 3, ...node },
		});
}

/** Numbers of the items that were sent, in order. */
const sent = (calls: ReturnType<typeof onApi>) =>
	calls
		.filter(({ method }) => method === 'POST')
		.map(({ body }) => (JSON.parse(body) as { n: number }).n);

const shown = ({ items, error }: Ran) =>
	error === null
		? items.map(({ json }) => json.n ?? (json.error as IDataObject).outcome)
		: 'failed';

describe('Retry On Fail', () => {
	it('a retry sends only items that were certainly not carried out, and outputs the results of earlier tries', async () => {
		const attempt = retries(POST, THREE);
		const answers: Array<[number, unknown]> = [
			[200, success({ n: 'first' })],
			[200, success({ n: 'second' })],
			[200, refused],
			[200, success({ n: 'third' })],
		];
		const calls = onApi((_, n) => answers[n - 1] as never);
		const first = await attempt();
		expect(first.error?.description).toMatch(/Before this, 2 of the items were carried out/);
		expect(shown(await attempt())).toEqual(['first', 'second', 'third']);
		expect(sent(calls)).toEqual([1, 2, 3, 3]);
	});

	it.each<[string, Reply]>([
		['HTTP 500', () => [500, 'oops']],
		['half a JSON', () => [200, '{"code":200']],
		['code 599', () => [200, { code: 599 }]],
		['code 0', () => [200, { code: 0, message: 'success', data: { id: 5 } }]],
		['HTTP 408 with code 408', () => [408, { code: 408 }]],
		['HTTP 503 and code 500', () => [503, { code: 500 }, { 'retry-after': '0' }]],
	])('a retry does not create an advertiser again after %s', async (_, reply) => {
		const attempt = retries(set('advertiser', 'create', PERSON), [{}]);
		const calls = onApi(reply);
		const runs = [await attempt(), await attempt(), await attempt()];
		expect(calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
		for (const { error } of runs) {
			expect(error?.message).toMatch(/may have been carried out.*outcome: unknown/);
			expect(error?.description).toMatch(/sent once and is not repeated/);
		}
	});

	it('a retry sends no change again that stands behind a read', async () => {
		const attempt = retries({ ...POST, method: '={{ $json.method }}' }, [
			{ n: 1, method: 'GET' },
			{ n: 2, method: 'POST' },
			{ n: 3, method: 'POST' },
		]);
		const calls = onApi(({ method }, n) =>
			method === 'GET' || n < 3 ? [200, success({ n })] : [200, refused],
		);
		await attempt();
		await attempt();
		expect(sent(calls)).toEqual([2, 3, 3]);
	});

	it('where changes are refused, reads are carried out', async () => {
		const calls = onApi(() => [200, success({ n: 1 })]);
		const input = [
			{ n: 1, method: 'GET' },
			{ n: 2, method: 'POST' },
		];
		const ran = await runNode({ ...POST, method: '={{ $json.method }}' }, input, {
			executionId: '',
			node: { retryOnFail: true, ...CONTINUE },
		});
		expect(calls.map(({ method }) => method)).toEqual(['GET']);
		expect(shown(ran)).toEqual([1, 'not-sent']);
	});

	it('a retry does not send a POST again whose connection was lost', async () => {
		const attempt = retries(POST, [{ n: 1 }]);
		const requests = onLostAnswers('ECONNRESET');
		await attempt();
		await attempt();
		expect(requests()).toBe(1);
	});

	it('a retry of a node that continues on error sends only refused items again', async () => {
		const attempt = retries(POST, THREE, { node: CONTINUE });
		const calls = onApi(({ body }, n) => {
			if (body.includes('1')) return n < 4 ? [429, '<html>'] : [200, success({ n: 'late' })];
			return body.includes('2') ? [500, ''] : [200, success({ n: 'third' })];
		});
		expect(shown(await attempt())).toEqual(['refused', 'unknown', 'third']);
		expect(shown(await attempt())).toEqual(['late', 'unknown', 'third']);
		expect(shown(await attempt())).toEqual(['late', 'unknown', 'third']);
		expect(sent(calls)).toEqual([1, 2, 3, 1]);
	});

	it('a run that succeeded is forgotten, and the next one sends everything', async () => {
		const attempt = retries(POST, [{ n: 1 }]);
		const calls = onApi(() => [200, success({ n: 1 })]);
		await attempt();
		await attempt();
		expect(sent(calls)).toEqual([1, 1]);
	});

	it.each<[string, RunOptions]>([
		['in another round of a loop', { runIndex: 1 }],
		['in another execution', { executionId: 'another' }],
		['in another node', { node: { name: 'AiClk 2' } }],
	])('the same body %s is sent again', async (_, other) => {
		const calls = onApi(({ body }) =>
			body.includes('1') ? [200, success({ n: 1 })] : [200, refused],
		);
		const twoItems = [{ n: 1 }, { n: 2 }];
		const executionId = `loop-${++executions}`;
		await retries(POST, twoItems, { executionId })();
		await retries(POST, twoItems, { executionId, ...other })();
		expect(sent(calls)).toEqual([1, 2, 1, 2]);
	});

	it('two items with the same body are both sent', async () => {
		const calls = onApi(() => [200, success({ n: 1 })]);
		await retries(POST, [{ n: 1 }, { n: 1 }])();
		expect(sent(calls)).toEqual([1, 1]);
	});

	it('a retry does not send an item whose fields have changed since it was carried out', async () => {
		let round = 0;
		const calls = onApi(({ body }) =>
			body.includes('1') ? [200, success({ n: 1 })] : [200, refused],
		);
		const attempt = retries({ ...POST, body: '={{ { n: $json.n, at: $json.at } }}' }, [
			{
				n: 1,
				get at() {
					return ++round;
				},
			} as never,
			{ n: 2, at: 0 },
		]);
		await attempt();
		const { error } = await attempt();
		expect(error?.message).toMatch(/An earlier try of this run sent another request.*unknown/);
		expect(sent(calls)).toEqual([1, 2]);
	});

	it.each<[string, RunOptions]>([
		['without an execution id', { executionId: undefined }],
		['as a tool', { node: { type: 'n8n-nodes-aiclk.aiClkTool' } }],
	])('Retry On Fail %s is refused for a change and allowed for a read', async (_, options) => {
		const calls = onApi();
		const { error } = await retries(POST, [{ n: 1 }], options)();
		expect(error?.message).toMatch(/could be sent twice.*Nothing was sent/);
		expect(calls).toEqual([]);
		expect((await retries(INFO, [{}], options)()).error).toBeNull();
	});

	it('Retry On Fail is refused for more than 10,000 changes', async () => {
		const calls = onApi();
		const many = Array.from({ length: 10_001 }, (_, n) => ({ n }));
		const { error } = await retries({ ...POST, body: '{}' }, many)();
		expect(error?.message).toMatch(/so many changes at once cannot be remembered/);
		expect(calls).toEqual([]);
	});

	it('Retry On Fail is refused for each charge if the node continues on error', async () => {
		const calls = onApi();
		const ran = await retries(CHARGE, [{}, {}], { node: CONTINUE })();
		expect(ran.items.map((item) => dataOf(item).outcome)).toEqual(['not-sent', 'not-sent']);
		expect(calls).toEqual([]);
	});
});

describe('what an error says was done', () => {
	it('outcome and trace_id are in the message, the error item and the data of the error', async () => {
		onApi(() => [200, refused]);
		const { error } = await runNode(CHARGE, [{}]);
		expect(error?.message).toBe('AiClk refused this: 参数错误 (outcome: refused, trace_id: dd55)');
		const data = {
			code: 400,
			httpCode: '200',
			traceId: 'dd55',
			outcome: 'refused',
			accountId: '1000002',
		};
		expect(error?.context.data).toEqual(data);
		const { items } = await runNode(CHARGE, [{}], { node: CONTINUE });
		expect(items).toEqual([
			{
				json: {
					error: {
						message: error?.message,
						description: expect.stringMatching(
							/permission agent\. POST \/openapi\/v1\/charge\/agent/,
						),
						...data,
					},
				},
				pairedItem: { item: 0 },
			},
		]);
	});

	it('an error counts the changes carried out before it, but no reads', async () => {
		onApi(({ url }) => (url.includes('account_id=2') ? [400, ''] : [200, success({ n: 1 })]));
		const items = ['1', '1', '2'].map((id) => ({ id }));
		const account = { accountId: '={{ $json.id }}' };
		const read = await runNode({ ...INFO, ...account }, items);
		expect(read.error?.description).not.toMatch(/Before this/);
		const post = await runNode({ ...CALL, method: 'POST', ...account }, items);
		expect(post.error?.description).toMatch(/Before this, 2 of the items were carried out/);
	});

	it.each([
		['the refresh token as typed', 'r-one two', 'r-one two'],
		['the refresh token without its pasted spaces', 'r-one two', 'r-onetwo'],
		['the rotated refresh token', 'r-1', 'rotated-1'],
		['the access token', 'r-1', 'access-1'],
	])('an error never holds %s, even if AiClk quotes it', async (_, refreshToken, secret) => {
		nock.cleanAll();
		onRefresh(() => [200, issued('access-1', { refresh_token: 'rotated-1' })]);
		const helper = new CredentialsHelper(newRow({ accountId: '1000002', refreshToken }));
		onApi(() => [200, success({ balance: 1 })]);
		expect((await runNode(INFO, [{}], { helper })).error).toBeNull();
		nock.cleanAll();
		onApi(() => [200, { ...refused, message: `bad <${secret}>` }]);
		const { items } = await runNode(CHARGE, [{}], { helper, node: CONTINUE });
		expect(dataOf(items[0] as never).message).toBe(
			'AiClk refused this: bad <***> (outcome: refused, trace_id: dd55)',
		);
		expect(JSON.stringify(items)).not.toContain(secret);
	});

	it('an error names the account even if another field is bad input', async () => {
		const { items } = await runNode({ ...CHARGE, money: 0 }, [{}], { node: CONTINUE });
		expect(dataOf(items[0] as never)).toMatchObject({ outcome: 'not-sent', accountId: '1000002' });
	});

	it.each<[string, number, string | object, string]>([
		['429 of a gateway', 429, '<html>', 'refused'],
		['301', 301, '', 'refused'],
		['413', 413, '', 'refused'],
		['502', 502, '<html>', 'unknown'],
		['code 40002', 200, { ...refused, code: 40_002 }, 'refused'],
		['code 40102', 200, { ...refused, code: 40_102 }, 'refused'],
		['code 503', 200, { ...refused, code: 503 }, 'unknown'],
	])(
		'a charge answered with %s is sent once, and its error states the outcome',
		async (_, status, body, outcome) => {
			const calls = onApi(() => [status, body]);
			const { error } = await runNode(CHARGE, [{}]);
			expect(error?.message).toContain(`(outcome: ${outcome}`);
			expect(/may have been carried out/.test(error?.message ?? '')).toBe(outcome === 'unknown');
			expect(calls).toHaveLength(1);
		},
	);

	it('a hint that n8n does not take hides no result of a change, and is in the log', async () => {
		const calls = onApi(() => [200, success([{ n: 1 }])]);
		const { items, log } = await runNode(
			{ ...POST, body: '{}', paginate: true, returnAll: true },
			[{}],
			{
				change: (context) => {
					context.addExecutionHints = () => {
						throw new Error('n8n has changed');
					};
				},
			},
		);
		expect(calls).toHaveLength(2);
		expect(items).toHaveLength(1);
		expect(log).toEqual([expect.stringMatching(/held the same rows/)]);
	});

	it("a member 'error' takes no name that AiClk's answer uses", async () => {
		onApi(() => [200, success({ error: 1, error_: 2 })]);
		const { items } = await runNode({ ...CALL, method: 'POST' }, [{}]);
		expect(items[0]?.json).toEqual({ error_: 2, error__: 1 });
	});

	it("a member 'error' in AiClk's answer is output as 'error_'", async () => {
		onApi(() => [200, { ...success({ error: null, n: 1 }), error: 'x' }]);
		const parameters = { ...CALL, method: 'POST' };
		expect((await runNode(parameters, [{}])).items[0]?.json).toEqual({ n: 1, error_: null });
		const whole = await runNode({ ...parameters, simplify: false }, [{}]);
		expect(whole.items[0]?.json).toMatchObject({ code: 200, error_: 'x', data: { error: null } });
		expect('error' in (whole.items[0]?.json ?? {})).toBe(false);
	});
});

describe('a run that was stopped', () => {
	it('after Stop, items that were not sent have the outcome not-sent, and one line is logged', async () => {
		const stop = new AbortController();
		const calls = onApi(() => {
			stop.abort();
			return [200, success(null)];
		});
		const ran = await runNode(CHARGE, [{}, {}, {}], { signal: stop.signal, node: CONTINUE });
		expect(calls).toHaveLength(1);
		expect(ran.items.slice(-2).map((item) => dataOf(item).outcome)).toEqual([
			'not-sent',
			'not-sent',
		]);
		expect(ran.log).toEqual([
			'AiClk: the run was stopped; 1 of 3 items were sent; 1 of them may or may not have been carried out',
		]);
	});

	it('a retry after Stop sends nothing and logs nothing', async () => {
		const calls = onApi();
		const signal = AbortSignal.abort();
		const ran = await runNode(CHARGE, [{}, {}], { signal, node: CONTINUE });
		expect([calls.length, ran.log]).toEqual([0, []]);
	});

	it('a run stopped before its first item sends nothing', async () => {
		const calls = onApi();
		const { error } = await runNode(CHARGE, [{}], { signal: AbortSignal.abort() });
		expect(error?.message).toMatch(/^The run was stopped before this item was sent/);
		expect(calls).toEqual([]);
	});
});

describe('as a tool of an AI agent', () => {
	const TOOL = { type: 'n8n-nodes-aiclk.aiClkTool' };

	it.each<[string, IDataObject]>([
		['without the option', {}],
		['with the option off', { allowAgents: false }],
		['with the option by an expression', { allowAgents: '={{ true }}' }],
		[
			'with the option by the model',
			{ allowAgents: "={{ $fromAI('allowed', '', 'boolean', true) }}" },
		],
		['with the option as text', { allowAgents: 'true' }],
	])('a tool moves no money %s', async (_, option) => {
		const calls = onApi();
		const { error } = await runNode({ ...CHARGE, ...option }, [{}], { node: TOOL });
		expect(error?.message).toMatch(/AI agent may not move money/);
		expect(calls).toEqual([]);
	});

	it('a tool moves money if a person has switched the option on', async () => {
		const calls = onApi();
		const { error } = await runNode({ ...CHARGE, allowAgents: true }, [{}], { node: TOOL });
		expect([error, calls.length]).toEqual([null, 1]);
	});

	it('isToolExecution alone also marks a run as a tool', async () => {
		const change = (context: object) => Object.assign(context, { isToolExecution: () => true });
		const { error } = await runNode(CHARGE, [{}], { change });
		expect(error?.message).toMatch(/AI agent may not move money/);
	});

	it('a tool may read, and its error message holds the outcome', async () => {
		onApi(() => [500, '']);
		const { error } = await runNode({ ...CHARGE, allowAgents: true }, [{}], { node: TOOL });
		expect(error?.message).toMatch(
			/do not send it again before you have checked.*outcome: unknown/,
		);
		nock.cleanAll();
		onRefresh();
		onApi();
		expect((await runNode(INFO, [{}], { node: TOOL })).error).toBeNull();
	});
});

describe('a request that fails before it leaves n8n', () => {
	it.each<[string, Error, string, RegExp]>([
		[
			'that the credential refuses to sign',
			Object.assign(new Error('Correct its URL.'), { description: 'It was for another host.' }),
			'Correct its URL. Nothing was sent.',
			/^It was for another host\. POST/,
		],
		[
			'whose credential fails unexpectedly',
			new RangeError('The delay is out of range'),
			'The delay is out of range. Nothing was sent.',
			/^n8n could not prepare the request/,
		],
		[
			'whose error looks like a lost answer',
			networkError('ECONNRESET'),
			'The connection to the server was closed unexpectedly, perhaps it is offline. You can retry the request immediately or wait and retry later. Nothing was sent.',
			/^n8n could not prepare the request/,
		],
	])('a charge %s has the outcome not-sent', async (_, thrown, message, description) => {
		const { bench } = newBench();
		bench.helper.authenticate = async () => await Promise.reject(thrown);
		const calls = onApi();
		const { error } = await runNode(CHARGE, [{}], { helper: bench.helper });
		expect([error?.message, calls]).toEqual([message, []]);
		expect(error?.description).toMatch(description);
	});

	it('a change whose token could not be stored is sent by the next try', async () => {
		const helper = new CredentialsHelper(newRow({ accountId: '1000002' }));
		const attempt = retries(POST, [{ n: 1 }], { helper });
		const calls = onApi(() => [200, success({ n: 1 })]);
		helper.failWrites('SQLITE_BUSY: database is locked');
		expect((await attempt()).error?.message).toBe(
			'SQLITE_BUSY: database is locked. Nothing was sent.',
		);
		expect(calls).toEqual([]);
		helper.failWrites(null);
		expect([(await attempt()).error, calls.length]).toEqual([null, 1]);
	});

	it('after Stop during a refresh, nothing is sent, and the log says so', async () => {
		nock.cleanAll();
		const stop = new AbortController();
		onRefresh(() => {
			stop.abort();
			return [200, issued('access-1')];
		});
		const calls = onApi();
		const ran = await runNode(CHARGE, [{}, {}, {}], { signal: stop.signal, node: CONTINUE });
		expect(calls).toEqual([]);
		expect(ran.items.map((item) => dataOf(item).outcome)).toEqual(Array(3).fill('not-sent'));
		expect(ran.log).toContain('AiClk: the run was stopped; 0 of 3 items were sent');
	});

	it('a charge whose answer is lost has the outcome unknown, and the error holds nothing of the request', async () => {
		nock(API)
			.post(/charge/)
			.replyWithError(new Error('a secret'));
		const { error } = await runNode(CHARGE, [{}]);
		expect(error?.message).toMatch(/connection failed.*outcome: unknown/);
		expect(JSON.stringify([error, error?.message])).not.toContain('secret');
	});
});
