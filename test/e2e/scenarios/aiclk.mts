import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Workflow } from '../../harness/n8n/rest.mts';
import { OPERATIONS, parametersOf } from '../../harness/operations.ts';
import type { SandboxSettings } from '../../sandbox/server.ts';
import type { Scenarios } from '../rig.mts';
import { aiClk, chain, CHARGE, INFO, itemsOf, manualTrigger } from '../workflows.mts';

type Json = Record<string, unknown>;

/** n8n's search (@n8n/utils sublime-search). */
type Search = <T extends object>(
	filter: string,
	data: readonly T[],
	keys: Array<{ key: string; weight: number }>,
) => Array<{ item: T }>;

/** The largest uint64. */
const MAX_UINT64 = '18446744073709551615';

const ALL_DAYS = { period: 'custom', startDate: '2020-01-01', endDate: '2099-12-31' };
const FUND = { resource: 'account', operation: 'getFundRecords', ...ALL_DAYS };

/** What people type into the node panel, and the node that should come first. Another service has the word in its name. */
const SEARCHES: Array<[words: string, node: string]> = [
	['AiClk Qutoutiao 趣头条 头条 广告 广告投放 创意 素材 审核 余额 消耗 充值 监控', 'AiClk'],
	['spending balance material creative', 'AiClk'],
	['令牌', 'AiClk Token'],
];

const CHARGE_FAULTS: Array<[string, SandboxSettings['apiFault'], RegExp]> = [
	['HTTP 500', { kind: 'status', status: 500 }, /may have been carried out/],
	['a dropped connection', { kind: 'drop' }, /was closed.*may have been carried out/],
	['half a JSON', { kind: 'broken-json' }, /may have been carried out/],
];

/** The AiClk node: every operation, pages, ids, money, and what happens to a refused token. */
export const aiclk: Scenarios = (rig, scenario) => {
	const node = (parameters: Json, items: Json[] = [], settings: Json = {}): Workflow =>
		chain('AiClk', [
			manualTrigger,
			...(items.length === 0 ? [] : itemsOf(items)),
			aiClk(parameters, settings),
		]);
	const output = async (parameters: Json, items?: Json[], settings?: Json) => {
		const execution = await rig.run(node(parameters, items, settings));
		assert.equal(execution.status, 'success', execution.error?.message);
		return execution.itemsOf('AiClk');
	};

	scenario('AiClk: each operation reaches its endpoint with a live token', async () => {
		// A file has a scenario of its own.
		const examples = Object.entries(OPERATIONS).filter(([, { item }]) => item === undefined);
		for (const [name, { request }] of examples) {
			const path = /^\w+ ([^?]+)/.exec(request)?.[1] ?? '';
			const before = rig.to(path).length;
			const items = await output(parametersOf(name));
			assert.ok(items.length > 0, name);
			const [entry, ...more] = rig.to(path).slice(before);
			assert.deepEqual([entry?.token, entry?.code, more.length], ['live', 200, 0], name);
		}
		assert.equal(rig.refreshes, 1);
		return `${examples.length} operations, ${rig.refreshes} refresh`;
	});

	scenario('AiClk: upload of a file from a binary field', async () => {
		const text = 'the picture, 图片';
		const execution = await rig.run(
			chain('Upload', [
				manualTrigger,
				...itemsOf([{ text }]),
				{
					name: 'File',
					type: 'n8n-nodes-base.convertToFile',
					typeVersion: 1.1,
					parameters: {
						operation: 'toText',
						sourceProperty: 'text',
						options: { fileName: '图 1.txt' },
					},
				},
				aiClk({
					resource: 'material',
					operation: 'upload',
					additionalFields: { materialType: 'IMAGE' },
				}),
			]),
		);
		assert.equal(execution.status, 'success', execution.error?.message);
		const [entry] = rig.to('material/upload');
		assert.deepEqual(entry?.bodyFields, ['material_type', 'file']);
		assert.equal(entry?.bodySha256, createHash('sha256').update(text).digest('hex'));
		const [item] = execution.itemsOf('AiClk');
		assert.deepEqual([item?.id, item?.name], ['24198456', '图 1.txt']);
		return 'the bytes arrived as they were, with their name';
	});

	scenario('AiClk: a list of 250 rows, all and 120 of them', async () => {
		const all = await output({ ...FUND, returnAll: true });
		const requestsForAll = rig.to('account_fund/list').length;
		rig.sandbox.clearJournal();
		const some = await output({ ...FUND, limit: 120 });
		const requestsForSome = rig.to('account_fund/list').length;
		assert.deepEqual([all.length, requestsForAll], [250, 3]);
		assert.deepEqual([some.length, requestsForSome], [120, 2]);
		return `Return All: ${requestsForAll} requests, ${all.length} items; Limit 120: ${requestsForSome} requests, ${some.length} items`;
	});

	scenario('AiClk: an id of 2^64 - 1 keeps every digit both ways', async () => {
		rig.sandbox.configure({ accountIds: [MAX_UINT64] });
		const [creative] = await output({
			resource: 'creative',
			operation: 'getAll',
			accountId: MAX_UINT64,
			filters: { creativeIds: MAX_UINT64 },
		});
		assert.deepEqual([creative?.account_id, creative?.creative_id], [MAX_UINT64, MAX_UINT64]);
		await output({ ...CHARGE, accountId: MAX_UINT64, targetUser: MAX_UINT64 });
		const [sent] = rig.to('charge/agent');
		assert.equal(sent?.query.account_id, MAX_UINT64);
		assert.match(sent?.body ?? '', new RegExp(`"target_user":${MAX_UINT64},`));
		return `${MAX_UINT64} in URL, query, body and answer`;
	});

	scenario("AiClk: n8n's own search finds the nodes in the node panel", async () => {
		const folder = join(rig.installation.n8n, '../../../@n8n/utils/dist/search');
		// n8n 1 writes its name in another way.
		const file = (await readdir(folder)).find((name) => /^sublime-?search\.mjs$/i.test(name));
		const { sublimeSearch } = (await import(join(folder, file ?? ''))) as {
			sublimeSearch: Search;
		};
		const panel = await rig.n8n.nodePanel();
		// As the editor searches (n8n editor-ui nodeCreator.utils.ts).
		const keys = [
			{ key: 'properties.displayName', weight: 1.3 },
			{ key: 'properties.codex.alias', weight: 1 },
		];
		const found = SEARCHES.flatMap(([words, node]) => words.split(' ').map((word) => [word, node]));
		for (const [word = '', node] of found) {
			const [first] = sublimeSearch(word.toLowerCase(), panel, keys);
			assert.equal(first?.item.properties.displayName, node, word);
		}
		return `${found.length} words, each finds its node first`;
	});

	scenario('AiClk: a charge that AiClk refuses is sent once', async () => {
		await output(INFO);
		const execution = await rig.run(node({ ...CHARGE, money: 2_000_000_000 }));
		const sent = rig.to('charge/agent').length;
		assert.equal(sent, 1);
		assert.match(execution.error?.message ?? '', /账户余额不足/);
		assert.match(execution.error?.description ?? '', /AiClk code 400, trace_id [0-9a-f]{16}/);
		return `${sent} request: "${execution.error?.message}"`;
	});

	for (const [name, apiFault, text] of CHARGE_FAULTS) {
		scenario(`AiClk: a charge answered with ${name}`, async () => {
			await output(INFO);
			rig.sandbox.configure({ apiFault });
			const execution = await rig.run(node(CHARGE));
			const sent = rig.to('charge/agent').length;
			assert.equal(sent, 1);
			assert.match(execution.error?.message ?? '', text);
			assert.match(execution.error?.description ?? '', /look for the transfer in AiClk's console/);
			assert.equal(rig.refreshes, 1);
			return `${sent} request, 0 refreshes`;
		});
	}

	scenario('AiClk: no charge without Confirm', async () => {
		const unconfirmed = await rig.run(node({ ...CHARGE, confirm: false }));
		assert.match(unconfirmed.error?.message ?? '', /'Confirm' is off/);
		assert.equal(rig.sandbox.journal().length, 0);
		return '0 requests';
	});

	for (const deadTokenAnswer of ['body-401', 'http-401'] as const) {
		scenario(`AiClk: a token refused during 100 items (${deadTokenAnswer})`, async () => {
			rig.sandbox.configure({ deadTokenAnswer });
			await output(INFO);
			rig.sandbox.revoke();
			rig.sandbox.clearJournal();
			const items = Array.from({ length: 100 }, (_, n) => ({ n }));
			const answered = (await output(INFO, items)).length;
			// A token that was issued just now is left to a peer for some seconds, and used until AiClk has accepted a probe of one:
			// AiClk may have refused the account and not the token.
			assert.deepEqual([rig.refreshes, answered], [1, 100]);
			assert.ok(rig.deadCalls < 200, `${rig.deadCalls} calls with the dead token`);
			return `${rig.refreshes} refresh, ${answered} of 100 items answered, ${rig.deadCalls} calls with the dead token`;
		});
	}

	const HUNDRED = Array.from({ length: 100 }, (_, n) => ({ n }));

	scenario('AiClk: a token killed at item 30 of 100 reads', async () => {
		await output(INFO);
		rig.sandbox.configure({ apiDelayMs: 100 });
		rig.sandbox.clearJournal();
		const answers = output(INFO, HUNDRED);
		while (rig.to('account/info').length < 30) await sleep(5);
		rig.sandbox.revoke();
		const answered = (await answers).length;
		assert.deepEqual([rig.refreshes, answered], [1, 100]);
		return `${rig.refreshes} refresh, ${answered} of 100 items answered`;
	});

	scenario('AiClk: 100 reads where AiClk takes 20 a second', async () => {
		await output(INFO);
		rig.sandbox.configure({ requestsPerSecond: 20 });
		rig.sandbox.clearJournal();
		const answered = (await output(INFO, HUNDRED)).length;
		const requests = rig.to('account/info').length;
		assert.deepEqual([rig.refreshes, answered], [0, 100]);
		return `${answered} of 100 items answered by ${requests} requests`;
	});

	scenario('AiClk: a charge that a busy AiClk refused', async () => {
		await output(INFO);
		rig.sandbox.configure({ requestsPerSecond: 0 });
		rig.sandbox.clearJournal();
		const { error } = await rig.run(node(CHARGE));
		assert.match(error?.message ?? '', /takes no more requests at the moment.*outcome: refused/);
		assert.match(error?.description ?? '', /A transfer is never repeated/);
		assert.equal(rig.to('charge/agent').length, 1);
		return 'sent once, and the text says why it was refused';
	});

	scenario('AiClk: a charge whose token was refused', async () => {
		rig.sandbox.configure({ deadTokenAnswer: 'body-401' });
		await output(INFO);
		rig.sandbox.revoke();
		rig.sandbox.clearJournal();
		const first = await rig.run(node(CHARGE));
		assert.match(
			first.error?.description ?? '',
			/Nothing was carried out.*a new one has been requested/,
		);
		assert.deepEqual([rig.to('charge/agent').length, rig.refreshes], [1, 1]);
		await output(CHARGE);
		const sent = rig.to('charge/agent').map(({ token }) => token);
		assert.deepEqual([sent, rig.refreshes], [['dead', 'live'], 1]);
		return 'refused once and said so, renewed in the same run; the next run charged once';
	});

	scenario('AiClk: Call Endpoint, and a path that leaves /openapi/', async () => {
		const echoed = await output({
			resource: 'api',
			operation: 'call',
			method: 'POST',
			path: 'v1/sandbox/echo',
			query: '{ "fields": ["a"] }',
			bodyType: 'json',
			body: `{ "ids": [${MAX_UINT64}] }`,
		});
		const [entry] = rig.to('sandbox/echo');
		assert.equal(entry?.body, `{"ids":[${MAX_UINT64}]}`);
		const { account_id: account, query } = entry?.query ?? {};
		assert.deepEqual([account, query], ['1000002', '{"fields":["a"]}']);
		assert.equal(echoed.length, 1);
		const climbing = await rig.run(
			node({ resource: 'api', operation: 'call', path: 'v1/../../oauth2/token' }),
		);
		assert.match(climbing.error?.message ?? '', /'Path' is '.*', which climbs out/);
		assert.equal(rig.refreshes, 1);
		return 'sent as typed; the other one was not sent';
	});

	scenario('AiClk: bad input in one of three items, nothing sent', async () => {
		const items = [{ id: '1000002' }, { id: 'x' }, { id: '1000002' }];
		const parameters = { ...INFO, accountId: '={{ $json.id }}' };
		const stopped = await rig.run(node(parameters, items));
		assert.match(stopped.error?.message ?? '', /'Account ID' is '.*', which is not an ID/);
		assert.equal(rig.sandbox.journal().length, 0);
		const continued = await output(parameters, items, { onError: 'continueRegularOutput' });
		const failed = continued.map(({ error }) => error !== undefined);
		assert.deepEqual(failed, [false, true, false]);
		return 'stops before any request; with Continue On Fail the other two are answered';
	});

	scenario('the editor offers three nodes, two of them as AI tools', async () => {
		const types = await rig.n8n.nodeTypes();
		const ours = types.filter((type) => type.startsWith('n8n-nodes-aiclk.')).sort();
		const wanted = ['aiClk', 'aiClkToken', 'aiClkTokenTool', 'aiClkTool', 'aiClkTrigger'];
		assert.deepEqual(
			ours,
			wanted.map((name) => `n8n-nodes-aiclk.${name}`),
		);
		return wanted.join(', ');
	});
};
