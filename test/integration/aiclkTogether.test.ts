import { type IDataObject, type INodeExecutionData, sleep as pause } from 'n8n-workflow';

import { type Answer, onApi, success } from '../harness/nocks';
import {
	CALL,
	CHARGE,
	CONTINUE,
	dataOf,
	FUND,
	INFO,
	inStore,
	jsonOf,
	newHelper,
	runNode,
	set,
} from '../harness/runNode';

const itemsOf = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

/** A read of one's own for each item. */
const READ = { ...CALL, query: '={{ { n: $json.n } }}' };
const POST = { ...CALL, method: 'POST', bodyType: 'json', body: '={{ { n: $json.n } }}' };

/** The number of the item that a call is about. */
const numberOf = ({ url, body }: { url: string; body: string }) =>
	Number(/"n":(\d+)/.exec(body === '' ? url : body)?.[1]);

const batching = (batch: IDataObject) => ({ options: { batching: { batch } } });

describe('reads', () => {
	it('reads go out together, and their results come in the order of the items', async () => {
		let underWay = 0;
		let most = 0;
		onApi(async (call) => {
			most = Math.max(most, ++underWay);
			await pause(numberOf(call) % 2 === 0 ? 60 : 5);
			underWay--;
			return [200, success({ n: numberOf(call) })];
		});
		const { items } = await runNode(READ, itemsOf(40));
		expect(jsonOf(items).map(({ n }) => n)).toEqual([...Array(40).keys()]);
		expect(items.map(({ pairedItem }) => pairedItem)).toEqual(
			itemsOf(40).map(({ n }) => ({ item: n })),
		);
		expect(most).toBeGreaterThanOrEqual(10);
	});

	it('after a read fails, no read is sent that was not under way already', async () => {
		const calls = onApi(async (call) => {
			await pause(5);
			return numberOf(call) === 3 ? [403, ''] : [200, success({ n: 1 })];
		});
		const { error } = await runNode(READ, itemsOf(200));
		expect(error?.context.itemIndex).toBe(3);
		expect(calls.length).toBeLessThan(100);
	});

	it('pages of a list are requested together once the first page has named a total', async () => {
		const rows = Array.from({ length: 450 }, (_, n) => ({ date: n }));
		const calls = onApi(async ({ url }) => {
			const page = Number(/"page":(\d+)/.exec(url)?.[1]);
			await pause(100 - 10 * page);
			const list = rows.slice((page - 1) * 100, page * 100);
			return [200, success({ list, page_info: { total_number: 450 } })];
		});
		const { items } = await runNode({ ...FUND, returnAll: true });
		expect(jsonOf(items).map(({ date }) => date)).toEqual(rows.map(({ date }) => date));
		expect(calls).toHaveLength(5);
	});
});

describe('changes', () => {
	it.each([
		['posts', POST],
		['charges', { ...CHARGE, additionalFields: { comment: '={{ $json.n }}' } }],
	])('changes go out one after the other: %s', async (_, parameters) => {
		let underWay = 0;
		let most = 0;
		const calls = onApi(async () => {
			most = Math.max(most, ++underWay);
			await pause(20);
			underWay--;
			return [200, success(null)];
		});
		const { error } = await runNode(parameters, itemsOf(5));
		expect([error, calls.length, most]).toEqual([null, 5, 1]);
	});

	it.each([0, 1, 2, 4])(
		'a change that is item %d of five waits for the reads before it, and later reads wait for it',
		async (change) => {
			const events: string[] = [];
			onApi(async (call) => {
				const name = `${call.method} ${numberOf(call)}`;
				events.push(name);
				await pause(call.method === 'GET' ? 20 : 5);
				events.push(`${name} ends`);
				return [200, success({ n: 1 })];
			});
			const method = `={{ $json.n === ${change} ? "POST" : "GET" }}`;
			const mixed = { ...POST, method, query: READ.query };
			await runNode(mixed, itemsOf(5));
			// Reads that go together begin and end in any order.
			const ofReads = (n: number[]) => n.flatMap((one) => [`GET ${one}`, `GET ${one} ends`]);
			const numbers = [...Array(5).keys()];
			expect(events.slice(0, 2 * change).sort()).toEqual(ofReads(numbers.slice(0, change)));
			expect(events.slice(2 * change, 2 * change + 2)).toEqual([
				`POST ${change}`,
				`POST ${change} ends`,
			]);
			expect(events.slice(2 * change + 2).sort()).toEqual(ofReads(numbers.slice(change + 1)));
		},
	);
});

describe('batching', () => {
	it.each([
		['reads', INFO],
		['posts', POST],
		['charges', CHARGE],
	])('the second batch is kept back until its time has come: %s', async (_, parameters) => {
		const stop = new AbortController();
		const calls = onApi((_call, n) => {
			if (n === 2) void pause(100).then(() => stop.abort());
			return [200, success({ n: 1 })];
		});
		const settings = batching({ batchSize: 2, batchInterval: 4_000 });
		await runNode({ ...parameters, ...settings }, itemsOf(6), { signal: stop.signal });
		expect(calls).toHaveLength(2);
	});

	it.each([
		['that of the first item', [{ size: 1 }, { size: 3 }, { size: 3 }, { size: 3 }]],
		[
			'that of the first good item where the node continues on error',
			[{ size: 1, id: 'x' }, { size: 1 }, { size: 3 }, { size: 3 }],
		],
	])('one Batching holds for all items: %s', async (_, items) => {
		const stop = new AbortController();
		const calls = onApi((_call, n) => {
			if (n === 1) void pause(100).then(() => stop.abort());
			return [200, success({ n: 1 })];
		});
		const settings = batching({ batchSize: '={{ $json.size }}', batchInterval: 4_000 });
		const parameters = { ...INFO, accountId: '={{ $json.id ?? 1 }}', ...settings };
		await runNode(parameters, items, { signal: stop.signal, ...CONTINUE });
		expect(calls).toHaveLength(1);
	});

	it.each([
		[{ batchSize: '={{ $json.nope }}' }, /'Items per Batch' is not a whole number/],
		[{ batchInterval: '={{ undefined }}' }, /'Batch Interval \(Ms\)' is not a whole number/],
		[{ batchSize: -2 }, /'Items per Batch' is '-2', which is below -1/],
		[{ batchInterval: -1 }, /'Batch Interval \(Ms\)' is '-1', which is below 0/],
	])('Batching of %j is refused before any request', async (batch, message) => {
		const calls = onApi();
		const { error } = await runNode({ ...READ, ...batching(batch) }, itemsOf(2));
		expect(error?.message).toMatch(message);
		expect(calls).toEqual([]);
	});
});

describe('a busy AiClk', () => {
	const BUSY: Array<
		[name: string, status: number, body: unknown, headers: Record<string, string>]
	> = [
		['HTTP 429', 429, '<html>', { 'retry-after': '0' }],
		['HTTP 503 with Retry-After', 503, '', { 'retry-after': '0' }],
		[
			'code 429',
			200,
			{ code: 429, message: '请求过于频繁', trace_id: 'tt1' },
			{ 'retry-after': '0' },
		],
	];

	it.each(BUSY)(
		'reads that meet a busy AiClk wait and all succeed: %s',
		async (_, status, body, headers) => {
			const calls = onApi((call, n) =>
				n % 3 === 2 ? [status, body, headers] : [200, success({ n: numberOf(call) })],
			);
			const { items } = await runNode(READ, itemsOf(20));
			expect(jsonOf(items).map(({ n }) => n)).toEqual([...Array(20).keys()]);
			expect(calls.length).toBeGreaterThan(20);
		},
	);

	it('a read that was refused goes out again behind those that wait for their batch', async () => {
		const calls = onApi((_, n) =>
			n === 2 ? [429, '', { 'retry-after': '0' }] : [200, success({ n: 1 })],
		);
		const settings = batching({ batchSize: 1, batchInterval: 50 });
		const { error } = await runNode({ ...READ, ...settings }, itemsOf(5));
		expect([error, calls.map(numberOf)]).toEqual([null, [0, 1, 2, 3, 4, 1]]);
	});

	it.each(BUSY)(
		'a charge that meets a busy AiClk is sent once, and the error says why: %s',
		async (_, status, body, headers) => {
			const calls = onApi(() => [status, body, headers]);
			const { error } = await runNode(CHARGE, [{ n: 1 }]);
			const outcome = status === 503 ? 'unknown' : 'refused';
			expect(error?.message).toMatch(/^AiClk takes no more requests at the moment: /);
			expect(error?.message).toContain(`(outcome: ${outcome}`);
			expect(error?.failure).toEqual({ cause: 'rate-limited', retryAfterMs: 0 });
			expect(calls).toHaveLength(1);
		},
	);

	it('a Retry-After beyond the limit fails all items at once and says how long to wait', async () => {
		const calls = onApi(() => [429, '', { 'retry-after': '3600' }]);
		const { items } = await runNode(READ, itemsOf(30), CONTINUE);
		expect(calls.length).toBeLessThanOrEqual(10);
		const errors = items.map(dataOf);
		expect(new Set(errors.map(({ cause }) => cause))).toEqual(new Set(['rate-limited']));
		expect(errors.every(({ retryAfterMs }) => Number(retryAfterMs) > 3_590_000)).toBe(true);
		expect(errors[0]).toMatchObject({ outcome: 'refused', httpCode: '429' });
		expect(errors.at(-1)).toMatchObject({
			outcome: 'not-sent',
			message: expect.stringMatching(
				/takes no more requests for another 3\d{3} s\. Nothing was sent/,
			),
		});
	});

	it('after a list has failed, none of its pages is requested any more', async () => {
		const calls = onApi(({ url }) => {
			const page = Number(/"page":(\d+)/.exec(url)?.[1]);
			if (page > 1) return page === 2 ? [403, ''] : [429, '', { 'retry-after': '1' }];
			const list = Array.from({ length: 100 }, (_, n) => ({ date: n }));
			return [200, success({ list, page_info: { total_number: 3_000 } })];
		});
		const { items } = await runNode({ ...FUND, returnAll: true }, [{}], CONTINUE);
		expect(items.map((item) => dataOf(item).httpCode)).toEqual(['403']);
		// Those under way arrive.
		await pause(500);
		const sent = calls.length;
		await pause(1_500);
		expect(calls).toHaveLength(sent);
	});

	it.each<[string, IDataObject]>([
		['while another item goes on', {}],
		['while another item goes on, with Batching', batching({ batchSize: 4, batchInterval: 50 })],
	])('a list that fails sends no page that was not under way, %s', async (_, options) => {
		let isGone = false;
		let after = 0;
		onApi(async ({ url }) => {
			if (url.includes('account_id=2')) {
				await pause(1_200);
				return [200, success({ list: [{ date: 'x' }], page_info: { total_number: 1 } })];
			}
			if (isGone) after++;
			const page = Number(/"page":(\d+)/.exec(url)?.[1]);
			if (page === 2) {
				isGone = true;
				return [403, ''];
			}
			await pause(30);
			const list = Array.from({ length: 100 }, (_n, n) => ({ date: `${page}-${n}` }));
			return [200, success({ list, page_info: { total_number: 10_000 } })];
		});
		const parameters = { ...FUND, ...options, returnAll: true, accountId: '={{ $json.a }}' };
		const { items } = await runNode(parameters, [{ a: 1 }, { a: 2 }], CONTINUE);
		expect(items.map((item) => dataOf(item)?.httpCode)).toEqual(['403', undefined]);
		// Those that were under way with page 2, of 98 more.
		expect(after).toBeLessThan(30);
	});

	it.each(BUSY.filter(([, status]) => status !== 503))(
		'of 20 changes the 6th meets a busy AiClk, is sent again and the run goes on: %s',
		async (_, status, body, headers) => {
			const calls = onApi((_call, n) => (n === 6 ? [status, body, headers] : [200, success(null)]));
			const { error } = await runNode(POST, itemsOf(20));
			expect(error).toBeNull();
			const sent = [...Array(20).keys()];
			expect(calls.map(numberOf)).toEqual([...sent.slice(0, 6), ...sent.slice(5)]);
		},
	);

	it('after a wait, the error says why the request was not sent again', async () => {
		const helper = newHelper();
		const calls = onApi(() => {
			helper.row.refreshToken = 'another';
			return [429, '', { 'retry-after': '0' }];
		});
		const { error } = await runNode(POST, itemsOf(1), { helper });
		expect(error?.message).toMatch(/^The credential has changed since this item was read/);
		expect(calls).toHaveLength(1);
	});

	it('a change that may have been carried out is not sent again: HTTP 503 with Retry-After', async () => {
		const calls = onApi(() => [503, '', { 'retry-after': '0' }]);
		const { items } = await runNode(POST, itemsOf(1), CONTINUE);
		expect(items.map((item) => dataOf(item).outcome)).toEqual(['unknown']);
		expect(calls).toHaveLength(1);
	});

	it.each<[string, IDataObject, number, unknown[]]>([
		['a change waits before it is sent again', POST, 3, [undefined, undefined]],
		['the charge after a refused one waits', CHARGE, 2, ['refused', undefined]],
	])('%s as long as a busy AiClk says', async (_, parameters, requests, outcomes) => {
		const beganAtMs = performance.now();
		const times: number[] = [];
		onApi((_call, n) => {
			times.push(performance.now() - beganAtMs);
			return n === 1 ? [429, '', { 'retry-after': '1' }] : [200, success(null)];
		});
		const { items } = await runNode(parameters, itemsOf(2), CONTINUE);
		expect(items.map((item) => dataOf(item)?.outcome)).toEqual(outcomes);
		expect(times).toHaveLength(requests);
		expect(times[1]).toBeGreaterThan(990);
	});

	it('an upload that was refused as busy starts its file anew', async () => {
		const calls = onApi((_, n) =>
			n < 3 ? [429, '', { 'retry-after': '0' }] : [200, success({ material_id: 1 })],
		);
		const text = 'the bytes of the file';
		const stored: INodeExecutionData = {
			json: {},
			binary: { data: { data: '', id: 'database:1', mimeType: 'image/png', fileName: 'a.png' } },
		};
		const { error } = await runNode(
			set('material', 'upload'),
			[stored],
			inStore(text.length, Buffer.from(text)),
		);
		expect([error, calls.length]).toEqual([null, 3]);
		expect(calls.every(({ body }) => body.includes(text))).toBe(true);
	});
});

describe('Stop', () => {
	it.each<[string, IDataObject, Answer, number]>([
		['while reads wait for a busy AiClk', READ, [429, '', { 'retry-after': '4' }], 3],
		[
			'while reads wait for their batch',
			{ ...READ, ...batching({ batchSize: 1, batchInterval: 4_000 }) },
			[200, success({ n: 1 })],
			1,
		],
		[
			'while charges wait for their batch',
			{ ...CHARGE, ...batching({ batchSize: 1, batchInterval: 4_000 }) },
			[200, success(null)],
			1,
		],
	])(
		'Stop %s ends the wait at once, sends nothing more and logs one line',
		async (_, parameters, answer, most) => {
			const stop = new AbortController();
			const calls = onApi((_call, n) => {
				if (n === 1) void pause(100).then(() => stop.abort());
				return answer;
			});
			const beganAtMs = performance.now();
			const ran = await runNode(parameters, itemsOf(3), { signal: stop.signal, ...CONTINUE });
			expect(performance.now() - beganAtMs).toBeLessThan(3_500);
			const sent = calls.length;
			expect(sent).toBeLessThanOrEqual(most);
			expect(ran.log).toEqual([`AiClk: the run was stopped; ${sent} of 3 items were sent`]);
			await pause(50);
			expect(calls).toHaveLength(sent);
		},
	);

	it('the error of a read that was stopped while it waited for a busy AiClk is that refusal', async () => {
		const stop = new AbortController();
		onApi(() => {
			void pause(50).then(() => stop.abort());
			return [429, '', { 'retry-after': '1' }];
		});
		const { items } = await runNode(READ, itemsOf(1), { signal: stop.signal, ...CONTINUE });
		expect(items.map(dataOf)).toMatchObject([
			{ outcome: 'refused', httpCode: '429', cause: 'rate-limited', retryAfterMs: 1_000 },
		]);
	});

	it.each([
		[
			'Stop',
			true,
			/^AiClk's answer was lost: the run was stopped\. The transfer of 10000 fen .* may have been/,
		],
		[
			'a time limit',
			false,
			/^AiClk's answer was lost: no answer came in time\. The transfer of 10000 fen .* may have been/,
		],
	])('an aborted charge names its cause: %s', async (_, isStopped, message) => {
		const stop = new AbortController();
		onApi(async () => {
			if (isStopped) stop.abort();
			await pause(20);
			throw Object.assign(new Error('canceled'), { code: 'ERR_CANCELED' });
		});
		const { error } = await runNode(CHARGE, [{}], { signal: stop.signal });
		expect(error?.message).toMatch(message);
	});
});
