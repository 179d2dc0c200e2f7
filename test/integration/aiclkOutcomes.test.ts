import { type IDataObject, type INode, NodeOperationError } from 'n8n-workflow';

import { errorItem } from '../harness/context';
import { issued, networkError, onApi, onLostAnswers, onRefresh, success } from '../harness/nocks';
import {
	CALL,
	CHARGE,
	CONTINUE,
	dataOf,
	INFO,
	jsonOf,
	MAX_UINT64,
	newHelper,
	runNode,
	type RunOptions,
	set,
	TOOL,
} from '../harness/runNode';

const refused = { code: 400, data: null, message: '参数错误', trace_id: 'dd55' };
const POST = { ...CALL, method: 'POST', bodyType: 'json', body: '={{ { n: $json.n } }}' };
const UPDATE = set('advertiser', 'update', {
	advertiserId: '1928316',
	updateFields: { contacter: '联系人' },
});
const RETRIED: RunOptions = { mode: 'retry', hasRun: true };
const RETRY_ON_FAIL: RunOptions = { node: { retryOnFail: true } };

describe('a change does not run where n8n would run it again', () => {
	it.each<[string, IDataObject, string, RunOptions]>([
		['a charge', CHARGE, 'with Retry On Fail', RETRY_ON_FAIL],
		['a charge', CHARGE, 'in a retried execution', RETRIED],
		['a charge', CHARGE, 'in a retried execution that it is new to', { mode: 'retry' }],
		['an update', UPDATE, 'in a retried execution', RETRIED],
		['a custom DELETE', { ...CALL, method: 'DELETE' }, 'with Retry On Fail', RETRY_ON_FAIL],
	])('%s (%j) is refused %s before anything is sent', async (_, parameters, __, options) => {
		const refreshes = onRefresh();
		const calls = onApi();
		const { error } = await runNode(parameters, [{}, {}], options);
		expect(error?.message).toMatch(
			/(twice|retried execution)\. Nothing was sent\. \(account 1000002\)$/,
		);
		expect(error?.message).toMatch(
			parameters === CHARGE ? /this transfer|No money is moved/ : /this change/,
		);
		expect(error?.description).toMatch(/Switch 'Retry On Fail' off|start a new execution/);
		expect(error?.context.data).toMatchObject({ outcome: 'not-sent', accountId: '1000002' });
		expect([calls, refreshes]).toEqual([[], []]);
	});

	it.each<[string, IDataObject, RunOptions]>([
		['a read with Retry On Fail', INFO, RETRY_ON_FAIL],
		['a read in a retried execution', INFO, RETRIED],
		['an update in a retried execution that it is new to', UPDATE, { mode: 'retry' }],
		['an update by a trigger', UPDATE, { mode: 'trigger', hasRun: true }],
		['a charge by hand', CHARGE, { mode: 'manual', hasRun: true }],
	])('%s runs', async (_, parameters, options) => {
		onApi(() => [200, success({ balance: 1 })]);
		expect((await runNode(parameters, [{}], options)).error).toBeNull();
	});

	it('a retried change is refused whatever the name of its node', async () => {
		const calls = onApi();
		const node = { name: `AiClk "1" {{ 'x' }} \\ 充值` };
		const { error } = await runNode(UPDATE, [{}], { ...RETRIED, node });
		expect(error?.message).toBe(
			'Retrying this execution could send this change twice. Nothing was sent. (account 1000002)',
		);
		expect(calls).toEqual([]);
	});

	it.each<[string, RunOptions]>([
		['with Retry On Fail', RETRY_ON_FAIL],
		['in a retried execution', RETRIED],
	])('%s, a node that continues on error reads and refuses its changes', async (_, options) => {
		const calls = onApi(() => [200, success({ n: 1 })]);
		const input = [
			{ n: 1, method: 'GET' },
			{ n: 2, method: 'POST' },
		];
		const ran = await runNode({ ...POST, method: '={{ $json.method }}' }, input, {
			...options,
			node: { ...options.node, ...CONTINUE.node },
		});
		expect(calls.map(({ method }) => method)).toEqual(['GET']);
		expect(ran.items.map(({ json }) => json.n ?? (json.error as IDataObject).outcome)).toEqual([
			1,
			'not-sent',
		]);
	});
});

/** Codes of Node's for which n8n's errors replace a message, in any case and anywhere in it (n8n-workflow node.error.js). */
const PATTERNS =
	'ECONNREFUSED ECONNRESET ENOTFOUND ETIMEDOUT ERRADDRINUSE EADDRNOTAVAIL ECONNABORTED EHOSTUNREACH EAI_AGAIN ENOENT EISDIR ENOTDIR EACCES EEXIST EPERM GETADDRINFO'.split(
		' ',
	);

describe("AiClk's words are shown whatever they hold", () => {
	const words = [...PATTERNS, ...PATTERNS.map((one) => one.toLowerCase()), 'CreativeNotFound'];

	it.each(words)('a message of AiClk that holds %s is shown as it is', async (word) => {
		for (const code of [400, 500, 1001]) {
			onApi(() => [200, { code, message: `上游 ${word}`, data: null, trace_id: 'dd55' }]);
			const parameters = { ...CHARGE, allowAgents: true };
			const { error } = await runNode(parameters);
			const tool = await runNode(parameters, [{}], TOOL);
			// As n8n wraps what a tool throws (n8n-core get-input-connection-data.js).
			const wrapped = new NodeOperationError({} as INode, tool.error as Error);
			for (const shown of [error, tool.error, wrapped]) {
				expect(shown?.message).toMatch(`上游 ${word}`);
				expect(shown?.message).toMatch(
					/\(outcome: (refused|unknown), trace_id: dd55(, account 1000002)?\)$/,
				);
			}
		}
	});
});

describe('what an error says was done', () => {
	it('outcome and trace_id are in the message, the error item and the data of the error', async () => {
		onApi(() => [200, refused]);
		const { error } = await runNode(CHARGE);
		expect(error?.message).toBe(
			'AiClk refused this: 参数错误. The transfer of 10000 fen (100 yuan) from 1000002 to 1000004 was not carried out. (outcome: refused, trace_id: dd55)',
		);
		const data = {
			code: 400,
			httpCode: '200',
			traceId: 'dd55',
			outcome: 'refused',
			accountId: '1000002',
			target: '1000004',
			amount: 10000,
			kind: 'money',
			comment: '',
		};
		expect(error?.context.data).toEqual(data);
		const { items } = await runNode(CHARGE, [{}], CONTINUE);
		const { message } = error ?? {};
		const description = expect.stringMatching(
			/permission agent\. POST \/openapi\/v1\/charge\/agent/,
		);
		expect(items).toEqual([errorItem(0, { message, description, ...data })]);
	});

	it.each<[string, number, string]>([
		['lost', 500, 'may have been carried out: check before you send it again. (outcome: unknown, '],
		['refused', 403, 'was not carried out. (outcome: refused, '],
	])('a change that is %s names the advertiser, in message and data', async (_, status, end) => {
		onApi(() => [status, '']);
		const { error } = await runNode(UPDATE, [{}]);
		expect(error?.message).toContain(`. The change of advertiser 1928316 ${end}account 1000002)`);
		expect(error?.context.data).toMatchObject({ advertiserId: '1928316', accountId: '1000002' });
	});

	it('an error counts the changes carried out before it, but no reads', async () => {
		onApi(({ url }) => (url.includes('account_id=2') ? [400, ''] : [200, success({ n: 1 })]));
		const items = ['1', '1', '2'].map((id) => ({ id }));
		const account = { accountId: '={{ $json.id }}' };
		const read = await runNode({ ...INFO, ...account }, items);
		expect(read.error?.description).not.toMatch(/before this one/);
		const post = await runNode({ ...CALL, method: 'POST', ...account }, items);
		expect(post.error?.description).toMatch(/Items carried out before this one: 2\./);
		expect(post.error?.context.itemIndex).toBe(2);
	});

	it('the error counts the charges carried out before the credential changed during the run', async () => {
		const helper = newHelper();
		onApi((_, n) => {
			// Somebody types another refresh token, and no token is to be had for it.
			if (n === 2) {
				helper.row.refreshToken = 'another';
				onRefresh(() => [500, '<html>']);
			}
			return [200, success(null)];
		});
		const { error } = await runNode(CHARGE, [{}, {}, {}], { helper });
		expect(error?.message).toMatch(/credential has changed since this item was read/);
		expect(error?.description).toMatch(/Items carried out before this one: 2\./);
	});

	it.each([
		['the refresh token as typed', 'r-one two', 'r-one two'],
		['the refresh token without its pasted spaces', 'r-one two', 'r-onetwo'],
		['the rotated refresh token', 'r-1', 'rotated-1'],
		['the access token', 'r-1', 'access-1'],
	])('an error never holds %s, even if AiClk quotes it', async (_, refreshToken, secret) => {
		onRefresh(() => [200, issued('access-1', { refresh_token: 'rotated-1' })]);
		const helper = newHelper({ refreshToken });
		onApi(() => [200, success({ balance: 1 })]);
		expect((await runNode(INFO, [{}], { helper })).error).toBeNull();
		onApi(() => [200, { ...refused, message: `bad <${secret}>` }]);
		const { items } = await runNode(CHARGE, [{}], { helper, ...CONTINUE });
		expect(dataOf(items[0] as never).message).toBe(
			'AiClk refused this: bad <***>. The transfer of 10000 fen (100 yuan) from 1000002 to 1000004 was not carried out. (outcome: refused, trace_id: dd55)',
		);
		expect(JSON.stringify(items)).not.toContain(secret);
	});

	it('an error names the account even if another field is bad input', async () => {
		const { items } = await runNode({ ...CHARGE, money: 0 }, [{}], CONTINUE);
		expect(dataOf(items[0] as never)).toMatchObject({ outcome: 'not-sent', accountId: '1000002' });
	});

	it.each<[string, number, string | object, string, RegExp?]>([
		['code 400', 200, refused, 'refused', /refused this: 参数错误/],
		['500', 500, 'oops', 'unknown'],
		['half a JSON', 200, '{"code":200', 'unknown'],
	])(
		'a charge answered with %s is sent once, and its error states the outcome',
		async (_, status, body, outcome, message = /./) => {
			const calls = onApi(() => [status, body]);
			const { error } = await runNode(CHARGE);
			expect(error?.name).toBe('NodeApiError');
			expect(error?.message).toMatch(message);
			expect(error?.message).toContain(`(outcome: ${outcome}`);
			const isUnknown = outcome === 'unknown';
			expect(/may have been carried out/.test(error?.message ?? '')).toBe(isUnknown);
			expect(/look for the transfer in AiClk's console/.test(error?.description ?? '')).toBe(
				isUnknown,
			);
			expect(error?.description).toMatch(
				body instanceof Object ? /dd55/ : /POST \/openapi\/v1\/charge\/agent/,
			);
			expect(JSON.stringify([error, error?.message, error?.description])).not.toContain('access-1');
			expect(calls).toHaveLength(1);
		},
	);

	it.each([
		['a dropped connection', 'ECONNRESET', /was closed.*unknown/, /in AiClk's console/],
		['a refused connection', 'ECONNREFUSED', /Nothing was sent/, /Nothing was changed/],
		['an error without a code of Node', 'a secret', /connection failed.*unknown/, /console/],
	])(
		'a charge that meets %s is sent once, and the error says what is known and holds nothing of the request',
		async (_, code, message, description) => {
			const requests = onLostAnswers(code);
			const { error } = await runNode(CHARGE);
			expect(requests()).toBe(1);
			expect(error?.message).toMatch(message);
			expect(error?.description).toMatch(description);
			expect(JSON.stringify([error, error?.message])).not.toMatch(/access-1|secret/);
		},
	);

	it.each<[string, IDataObject, string]>([
		['agent', { payer: '1000002', kind: 'money' }, '(100 yuan) from'],
		['agentCoupon', { payer: '1000002', kind: 'coupon' }, '(100 yuan in coupons) from'],
		[
			'subAgent',
			{ authorizedAccount: '1000002', subManager: MAX_UINT64, kind: 'money' },
			'(100 yuan) by',
		],
		['subAgentCoupon', { payer: '1000002', kind: 'coupon' }, '(100 yuan in coupons) from'],
	])(
		'output and error of a charge of the kind %s say what moves',
		async (operation, said, words) => {
			const charge = { ...CHARGE, operation, subAgentUser: MAX_UINT64, coupon: 10000 };
			onApi(() => [200, success(null)]);
			expect(jsonOf((await runNode(charge)).items)).toEqual([
				{ success: true, ...said, target: '1000004', amount: 10000, traceId: 'cc44' },
			]);
			onApi(() => [500, '']);
			const { error } = await runNode(charge);
			expect(error?.message).toContain(
				`The transfer of 10000 fen ${words} 1000002 to 1000004 may have been carried out`,
			);
			const { kind } = said;
			expect(error?.context.data).toMatchObject({ target: '1000004', amount: 10000, kind });
		},
	);

	it('a node that continues on error outputs a result or an error for each item, in order', async () => {
		onApi(({ url }) =>
			url.includes('account_id=2&') ? [404, '<html>'] : [200, success({ balance: 1 })],
		);
		const input = ['1', 'x', '2', '3'].map((id) => ({ id }));
		const account = { accountId: '={{ $json.id }}' };
		const { items } = await runNode({ ...INFO, ...account }, input, CONTINUE);
		expect(items).toEqual([
			{ json: { account_id: 1, balance: 1 }, pairedItem: { item: 0 } },
			errorItem(1, {
				message: "'Account ID' is 'x', which is not an ID: digits only, e.g. 1000002",
				description: 'Correct the field or its expression.',
			}),
			errorItem(2, {
				message: expect.stringMatching(/\(HTTP 404\) \(account 2\)$/),
				description: expect.stringMatching(/GET \/openapi\/v1\/account\/info\.$/),
				httpCode: '404',
				outcome: 'refused',
				accountId: '2',
			}),
			{ json: { account_id: 3, balance: 1 }, pairedItem: { item: 3 } },
		]);
	});

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

	it('an unexpected error after a change was sent gives it the outcome unknown', async () => {
		const change: RunOptions['change'] = (context) => {
			onApi(() => {
				context.getInputData = () => {
					throw new TypeError('unforeseen');
				};
				return [200, success([])];
			});
		};
		const post = { ...POST, body: '{}', paginate: true };
		const { items } = await runNode(post, [{}], { change, ...CONTINUE });
		expect(items.map(dataOf)).toMatchObject([{ outcome: 'unknown', accountId: '1000002' }]);
	});
});

describe('a run that was stopped', () => {
	it('after Stop, items that were not sent have the outcome not-sent, and one line is logged', async () => {
		const stop = new AbortController();
		const calls = onApi(() => {
			stop.abort();
			return [200, success(null)];
		});
		const ran = await runNode(CHARGE, [{}, {}, {}], { signal: stop.signal, ...CONTINUE });
		expect(calls).toHaveLength(1);
		expect(ran.items.slice(-2).map((item) => dataOf(item).outcome)).toEqual([
			'not-sent',
			'not-sent',
		]);
		expect(ran.log).toEqual([
			'AiClk: the run was stopped; 1 of 3 items were sent; 1 of them may or may not have been carried out',
		]);
	});

	it.each<[string, RunOptions]>([
		['that continues on error', CONTINUE],
		['that ends at the first error', {}],
	])(
		'the log of a stopped run counts what was carried out before Stop: a node %s',
		async (...row) => {
			const stop = new AbortController();
			onApi((_, n) => {
				if (n === 2) stop.abort();
				return [200, success(null)];
			});
			const { log } = await runNode(CHARGE, [{}, {}, {}], { signal: stop.signal, ...row[1] });
			expect(log).toEqual([
				'AiClk: the run was stopped; 2 of 3 items were sent; 1 of them may or may not have been carried out',
			]);
		},
	);

	it('a retry after Stop sends nothing and logs nothing', async () => {
		const calls = onApi();
		const signal = AbortSignal.abort();
		const ran = await runNode(CHARGE, [{}, {}], { signal, ...CONTINUE });
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
	it.each<[string, IDataObject]>([
		['without the option', {}],
		['with the option off', { allowAgents: false }],
		['with the option by an expression', { allowAgents: '={{ true }}' }],
		['with the option as text', { allowAgents: 'true' }],
	])('a tool moves no money %s', async (_, option) => {
		const calls = onApi();
		const { error } = await runNode({ ...CHARGE, ...option }, [{}], TOOL);
		expect(error?.message).toMatch(/AI agent may not move money/);
		expect(calls).toEqual([]);
	});

	it('a tool moves money if a person has switched the option on', async () => {
		const calls = onApi();
		const { error } = await runNode({ ...CHARGE, allowAgents: true }, [{}], TOOL);
		expect([error, calls.length]).toEqual([null, 1]);
	});

	it('isToolExecution alone also marks a run as a tool', async () => {
		const change = (context: object) => Object.assign(context, { isToolExecution: () => true });
		const { error } = await runNode(CHARGE, [{}], { change });
		expect(error?.message).toMatch(/AI agent may not move money/);
	});

	it('a tool outputs a hint as its last item, because an agent sees nothing else', async () => {
		onApi(({ url }) => {
			const list = /"page":1\b/.test(url) ? [{ creative_id: 1 }] : [];
			return [200, success({ list, page_info: { total_number: 5 } })];
		});
		const list = set('creative', 'getAll', { returnAll: true });
		const { items } = await runNode(list, [{}], TOOL);
		const pairedItem = { item: 0 };
		expect(items).toEqual([
			{ json: { account_id: 1000002, creative_id: 1 }, pairedItem },
			{
				json: { hint: expect.stringMatching(/names more rows than came.*1 of 5 rows/) },
				pairedItem,
			},
		]);
		expect(jsonOf((await runNode(list, [{}])).items)).toHaveLength(1);
	});

	it('a tool may read, and its error message holds the outcome', async () => {
		onApi(() => [500, '']);
		const { error } = await runNode({ ...CHARGE, allowAgents: true }, [{}], TOOL);
		expect(error?.message).toMatch(
			/do not send it again before you have checked.*outcome: unknown/,
		);
		onApi();
		expect((await runNode(INFO, [{}], TOOL)).error).toBeNull();
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
		const helper = newHelper();
		helper.authenticate = async () => await Promise.reject(thrown);
		const calls = onApi();
		const { error } = await runNode(CHARGE, [{}], { helper });
		expect([error?.message, calls]).toEqual([`${message} (account 1000002)`, []]);
		expect(error?.description).toMatch(description);
	});

	it('a change whose token could not be stored is not sent', async () => {
		const helper = newHelper();
		const calls = onApi(() => [200, success({ n: 1 })]);
		helper.failWrites('SQLITE_BUSY: database is locked');
		expect((await runNode(POST, [{ n: 1 }], { helper })).error?.message).toBe(
			'SQLITE_BUSY: database is locked. Nothing was sent. (account 1000002)',
		);
		expect(calls).toEqual([]);
	});

	it('after Stop during a refresh, nothing is sent, and the log says so', async () => {
		const stop = new AbortController();
		onRefresh(() => {
			stop.abort();
			return [200, issued('access-1')];
		});
		const calls = onApi();
		const ran = await runNode(CHARGE, [{}, {}, {}], { signal: stop.signal, ...CONTINUE });
		expect(calls).toEqual([]);
		expect(ran.items.map((item) => dataOf(item).outcome)).toEqual(Array(3).fill('not-sent'));
		expect(ran.log).toContain('AiClk: the run was stopped; 0 of 3 items were sent');
	});
});
