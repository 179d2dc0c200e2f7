import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastify from 'fastify';

import { ROOT } from '../../harness/n8n/install.mts';
import { type Execution, until, type Workflow } from '../../harness/n8n/rest.mts';
import { parametersOf } from '../../harness/operations.ts';
import { storedToken } from '../../harness/storedToken.ts';
import type { SandboxSettings } from '../../sandbox/server.ts';
import type { Rig, Scenario, Scenarios } from '../rig.mts';
import { driversOf, SHARED } from '../../queue/services.mts';
import { type Chat, type Chats, CHATS, startChats } from '../chats.mts';
import { answersOf, askAgent, type Question, type ToolCall, withModel } from '../agent.mts';
import { aiClk, chain, CHARGE, INFO, REFRESH, token, webhook } from '../workflows.mts';
import { Watched } from './trigger.mts';

type Json = Record<string, unknown>;
type Node = Workflow['nodes'][number];

const FOLDER = join(ROOT, 'examples');
const REAL_API = 'https://openapi.aiclk.com';
const REFUSED = /AiClk refused to refresh the access token: (client_id 不存在|refresh_token 无效)/;
const DAY_MS = 86_400_000;

/** Where the copies in Chinese are. */
const CHINESE = 'zh-CN';

/** The names of all example workflows. */
export const listExamples = async (): Promise<string[]> =>
	(await readdir(FOLDER))
		.filter((file) => file.endsWith('.json'))
		.map((file) => file.replace(/\.json$/, ''))
		.sort();

/**
 * Reads an example workflow, with what a person has to set.
 *
 * @param name behind `zh-CN/` for the copy in Chinese
 * @param api the address in place of AiClk's
 * @param change more that a person sets in a node
 */
export async function readExample(
	name: string,
	api = REAL_API,
	change: (node: Node) => Node = (node) => node,
): Promise<Workflow> {
	const text = await readFile(join(FOLDER, `${name}.json`), 'utf8');
	const workflow = JSON.parse(text.replaceAll(REAL_API, api)) as Workflow;
	return { ...workflow, nodes: workflow.nodes.map(change) };
}

/** Runs an example that is started by its schedule. */
const runDaily = async (
	rig: Rig,
	workflow: Workflow,
	credential = rig.credential,
): Promise<Execution> =>
	await rig.n8n.run(await rig.n8n.importWorkflow(workflow, credential), 'Every day');

/** Who gets the alerts that an example sends. */
interface Receiver {
	/** The texts that came, oldest first. */
	texts: string[];
	/** Switches the node Webhook on, with the address of this receiver. */
	switchOn(node: Node): Node;
}

async function withReceiver<T>(happen: (receiver: Receiver) => Promise<T>): Promise<T> {
	const texts: string[] = [];
	const app = fastify();
	app.post('/alert', ({ body }) => {
		texts.push((body as { text: { content: string } }).text.content);
		return { errcode: 0 };
	});
	const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/alert`;
	const switchOn = (node: Node): Node =>
		node.name === 'Webhook'
			? { ...node, disabled: false, parameters: { ...node.parameters, url } }
			: node;
	try {
		return await happen({ texts, switchOn });
	} finally {
		await app.close();
	}
}

/** What a credential stores of a token of 90 days that has so many left. */
const tokenOf = async (rig: Rig, client: Rig['client'], daysLeft: number, refreshesToday = 0) =>
	await storedToken(
		rig.sandbox,
		client,
		{ lifeMs: 90 * DAY_MS, leftMs: daysLeft * DAY_MS },
		refreshesToday,
	);

/** What the model in the place of DeepSeek fills in, whichever tool has it. */
const FILLED_IN: Json = { Start_Date: '2020-01-01', End_Date: '2099-12-31', Limit: 3 };

/** A call of every tool that a model is offered. */
const callAll = ({ tools = [] }: Question): ToolCall[] =>
	tools.map(({ function: { name, parameters } }) => {
		const known = Object.keys(parameters.properties).filter((key) => key in FILLED_IN);
		return [name, Object.fromEntries(known.map((key) => [key, FILLED_IN[key]]))];
	});

/** Those that a person runs as they are: the trigger that starts each, and the node whose output counts. */
const PLAIN: Array<[name: string, trigger: string, last: string]> = [
	['account-info-http-request', 'Start', 'Account info'],
	['daily-spending', 'Every day', 'Spreadsheet'],
	['error-workflow', 'Error Trigger', 'Message'],
	['low-balances-to-chat', 'Every day', 'Account'],
	['rejected-creatives-to-chat', 'AiClk Trigger', 'AiClk Trigger'],
	['token-alert', 'Every day', 'Token status'],
	['token-rotation', 'Every day', 'AiClk Token'],
	['token-rotation-clients', 'Every day', 'Each client'],
	['token-rotation-with-alerts', 'Every day', 'Token status'],
];

/** The one that needs a second account first, that of a model. */
const OTHERS = ['ai-agent'];

/** A way to fail, by the kind that the error workflow is to find. */
interface Failing {
	/** What AiClk does. */
	settings?: Partial<SandboxSettings>;
	/** The days that the credential's token has left, and the refreshes that it has counted today; without it, one of no token. */
	token?: [daysLeft: number, refreshesToday: number];
	nodes: Parameters<typeof chain>[1];
	/** Lets something happen while it runs. */
	meanwhile?(rig: Rig): Promise<void>;
	error: RegExp;
	whatToDo: RegExp;
}

const FAILING: Record<string, Failing> = {
	'May have been carried out': {
		settings: { apiFault: { kind: 'status', status: 500 } },
		nodes: [aiClk(CHARGE)],
		error: /100 yuan\) from 1000002 to 1000004 may have been carried out/,
		whatToDo: /Do not run it again/,
	},
	'Quota used up': {
		token: [45, 300],
		nodes: [token(REFRESH)],
		error: /All 300 refreshes that AiClk allows in a day are used up/,
		whatToDo: /Find out what refreshes so often/,
	},
	'AiClk unavailable': {
		settings: { tokenFault: { kind: 'html' } },
		nodes: [token(REFRESH)],
		error: /AiClk's token endpoint did not answer as documented/,
		whatToDo: /Try again in a few minutes/,
	},
	'Token needs a person': {
		settings: { clients: [] },
		nodes: [token(REFRESH)],
		error: REFUSED,
		whatToDo: /get a new refresh token/,
	},
	'Run it again': {
		token: [-1, 0],
		nodes: [aiClk(INFO)],
		// As another process's refresh would, before the new token is asked about. The node tries once more.
		meanwhile: async (rig) => {
			for (const lost of [1, 2]) {
				await until(
					async () => rig.refreshes,
					(refreshes) => refreshes === lost,
				);
				rig.sandbox.revoke();
			}
		},
		error: /Another n8n process refreshed/,
		whatToDo: /Run it again/,
	},
	'Refused by AiClk': {
		nodes: [aiClk({ ...INFO, accountId: '7' })],
		error: /账户不存在或无权限/,
		whatToDo: /Nothing was carried out/,
	},
	'To correct': {
		nodes: [aiClk({ ...INFO, accountId: 'abc' })],
		error: /'Account ID'/,
		whatToDo: /Nothing was sent/,
	},
	'Answer cannot be used': {
		nodes: [aiClk({ ...parametersOf('api call'), paginate: true })],
		error: /AiClk's answer holds no rows/,
		whatToDo: /ask AiClk's support/,
	},
	'Anything else': {
		nodes: [
			{
				name: 'Boom',
				type: 'n8n-nodes-base.stopAndError',
				parameters: { errorMessage: 'Something of our own' },
			},
		],
		error: /Something of our own/,
		whatToDo: /The text says what happened/,
	},
};

/** Every workflow in `examples/`, imported and run as a person would. */
export const examples: Scenarios = (rig, scenario) => {
	scenario('examples: every file is imported, and a scenario runs it', async () => {
		const names = await listExamples();
		assert.deepEqual(names, [...PLAIN.map(([name]) => name), ...OTHERS].sort());
		const types = new Set(await rig.n8n.nodeTypes());
		for (const name of names.flatMap((name) => [name, `${CHINESE}/${name}`])) {
			const workflow = await readExample(name, rig.sandbox.url);
			const unknown = workflow.nodes.filter(({ type }) => !types.has(type));
			assert.deepEqual(unknown, [], name);
			const ofNode = workflow.nodes.map(({ type }) => type);
			assert.ok(ofNode.includes('n8n-nodes-base.stickyNote'), `${name} explains nothing`);
			await rig.n8n.importWorkflow(workflow, rig.credential);
		}
		return `${names.length} examples in two languages`;
	});

	for (const [name, trigger, last] of PLAIN) {
		scenario(`example ${name}: green at its first run`, async () => {
			let items: Json[] = [];
			for (const file of [`${CHINESE}/${name}`, name]) {
				const workflow = await readExample(file, rig.sandbox.url);
				const id = await rig.n8n.importWorkflow(workflow, rig.credential);
				const execution = await rig.n8n.run(id, trigger);
				assert.equal(execution.status, 'success', execution.error?.message);
				items = execution.itemsOf(last);
				assert.ok(items.length > 0, 'nothing came out');
			}
			assert.ok(rig.refreshes <= 1);
			assert.equal(rig.deadCalls, 0);
			return `success in two languages, ${items.length} items out of '${last}'`;
		});
	}

	scenario('example token-alert: fails when the token needs a person', async () => {
		// One whose token is not remembered from another run.
		const stranger = rig.newClient();
		const dead = await runDaily(
			rig,
			await readExample('token-alert'),
			await rig.newCredential({ ...stranger }),
		);
		assert.match(dead.error?.message ?? '', /^AiClk token: missing, 0 days left\./);
		return `"${dead.error?.message}"`;
	});

	for (const chat of CHATS) {
		scenario(`example rejected-creatives-to-chat: ${chat}`, async () => {
			return await withChats(async (chats) => await rejectedToChat(rig, chats, chat));
		});
	}

	scenario('example low-balances-to-chat: one message a chat', async () => {
		return await withChats(async (chats) => await lowBalances(rig, chats));
	});

	scenario('example daily-spending: a spreadsheet and PostgreSQL rows', async () => {
		return await dailySpending(rig);
	});

	scenario(
		'example token-rotation-clients: one client fails',
		async () => await rotateClients(rig),
	);

	scenario('example token-rotation-with-alerts: who is told', async () => {
		return await withReceiver(async (receiver) => {
			const { switchOn } = receiver;
			const name = 'token-rotation-with-alerts';
			const workflow = await readExample(name, rig.sandbox.url, switchOn);
			const renewed = await runDaily(rig, workflow);
			assert.equal(renewed.status, 'success', renewed.error?.message);
			assert.equal(renewed.itemsOf('AiClk Token')[0]?.status, 'valid');
			assert.equal(renewed.itemsOf('Token status')[0]?.reason, 'accepted');
			assert.deepEqual([rig.refreshes, receiver.texts.length], [1, 0]);

			rig.sandbox.configure({ clients: [] });
			const refused = await runDaily(rig, workflow, await rig.newCredential());
			assert.equal(refused.status, 'error');
			assert.match(refused.error?.message ?? '', REFUSED);
			assert.equal(receiver.texts.length, 1);
			assert.match(receiver.texts[0] ?? '', /^AiClk: the access token needs a person\n/);
			assert.match(receiver.texts[0] ?? '', REFUSED);
			assert.match(receiver.texts[0] ?? '', /docs\/operations\.md$/);
			return `renewed: no alert; refused: ${receiver.texts.length} alert, and the run fails`;
		});
	});

	scenario('example ai-agent: a model calls each tool once', async () => {
		const questions: Question[] = [];
		const decide = (question: Question) =>
			questions.push(question) === 1 ? callAll(question) : [];
		const example = await readExample('ai-agent', rig.sandbox.url);
		const answer = await withModel(decide, async (url) => await askAgent(rig, example, url));
		assert.equal((answer as Json).output, 'Done', JSON.stringify(answer));

		const [first, second] = questions;
		assert.equal(first?.tools?.length, 5);
		const told = second === undefined ? [] : answersOf(second);
		assert.equal(told.length, 5);
		const fields = ['balance', 'cash_cost', 'creative_id', 'material_id', 'tokenFingerprint'];
		for (const field of fields) assert.ok(told.join().includes(field), field);
		const paths = ['account/info', 'account_fund/list', 'creative/get', 'material/get'];
		for (const path of paths) assert.ok(rig.to(path).length > 0, path);
		const changes = rig.sandbox
			.journal()
			.filter(({ kind, method }) => kind === 'api' && method !== 'GET');
		assert.deepEqual([changes.length, rig.refreshes, rig.deadCalls], [0, 1, 0]);
		return `${told.length} tools answered, ${rig.refreshes} refresh`;
	});

	for (const [kind, failing] of Object.entries(FAILING)) {
		errorWorkflow(rig, scenario, kind, failing);
	}
};

/** Publishes what another workflow starts: n8n 2 wants it, n8n 1 says that there is nothing to switch on. */
async function publish(rig: Rig, workflowId: string): Promise<void> {
	if (rig.isN8n1) return;
	await rig.n8n.activate(workflowId);
	await rig.n8n.untilPublished(workflowId);
}

async function withChats(happen: (chats: Chats) => Promise<string>): Promise<string> {
	const chats = await startChats('AiClk');
	try {
		return await happen(chats);
	} finally {
		await chats.close();
	}
}

/** What a person sets up to send to a chat. */
const toChat =
	(chats: Chats, chat: Chat) =>
	(node: Node): Node => {
		if (node.name === 'Send') {
			return {
				...node,
				disabled: false,
				parameters: { ...node.parameters, url: chats.url(chat) },
				retryOnFail: false,
			};
		}
		if (node.name !== 'Chat') return node;
		const clients = { 1000002: 'Client A' };
		const jsonOutput = JSON.stringify({ chat, keyword: 'AiClk', clients });
		return { ...node, parameters: { ...node.parameters, jsonOutput } };
	};

/** 60 creatives are rejected and one is paused; then one more, which the chat refuses. */
async function rejectedToChat(rig: Rig, chats: Chats, chat: Chat): Promise<string> {
	rig.sandbox.reset();
	const isChinese = chat !== 'wecom';
	const name = 'rejected-creatives-to-chat';
	const workflow = await readExample(
		isChinese ? `${CHINESE}/${name}` : name,
		rig.sandbox.url,
		toChat(chats, chat),
	);
	const id = await rig.n8n.importWorkflow(workflow, rig.credential);
	const watched = new Watched(rig, id, 'Send');
	await watched.activate();
	for (let n = 0; n < 60; n++) {
		const fields = { creative_name: `双十一主会场 ${n}`, audit_reason: '图片不清晰，请更换素材' };
		rig.sandbox.change('creative', String(100 + n), fields);
	}
	rig.sandbox.change('creative', '99', { configure_status: 'PAUSED' });
	await watched.poll();
	await watched.untilItems(1);
	const [text = '', ...more] = chats.texts(chat);
	assert.deepEqual(more, []);
	const [head, first] = text.split('\n');
	assert.equal(head, isChinese ? '【AiClk】被拒创意：60 个' : '[AiClk] Rejected creatives: 60');
	const row = isChinese
		? 'Client A（1000002） 双十一主会场 0：'
		: 'Client A (1000002) 双十一主会场 0: ';
	assert.equal(first, `${row}图片不清晰，请更换素材`);
	assert.match(text, isChinese ? /\n…… 另有 \d+ 条$/ : /\n… and \d+ more$/);
	assert.ok(Buffer.byteLength(text) <= 2_048);

	const sent = `1 message of ${Buffer.byteLength(text)} bytes for 60 creatives: "${head}"`;
	if (chat === 'dingtalk') {
		// It refuses in the same shape as WeCom.
		await rig.n8n.deactivate(id);
		return sent;
	}
	chats.refuse('keywords not in content');
	rig.sandbox.change('creative', '100', { audit_reason: '太暗' });
	await watched.poll();
	const runs = await rig.n8n.executionsOf(id);
	await rig.n8n.deactivate(id);
	assert.equal(runs[0]?.status, 'error');
	const refused = isChinese ? '群聊拒绝了消息：' : 'The chat refused the message: ';
	assert.equal(runs[0]?.error?.message, `${refused}keywords not in content`);
	return `${sent}; a refusal fails the run`;
}

/** The node with these accounts, each of a client of its own. @param more what each row holds besides */
const tableOf = (node: Node, ids: string[], more: Json = {}): Node => {
	const accounts = ids.map((id) => ({ client: `Client ${id}`, account_id: id, ...more }));
	return { ...node, parameters: { ...node.parameters, jsonOutput: JSON.stringify({ accounts }) } };
};

/** The error names every account that failed, with its client, and no other. */
function assertNames({ status, error }: Execution, what: string, ids: string[]): void {
	assert.equal(status, 'error');
	const [head, ...lines] = (error?.message ?? '').split('\n');
	assert.equal(head, `AiClk: ${what}`);
	assert.deepEqual(
		lines.map((line) => line.split(': AiClk refused')[0]),
		ids.map((id) => `Client ${id} (${id})`),
	);
}

/** Two of three accounts are low; two of a table that AiClk does not know fail the run when the message is sent. */
async function lowBalances(rig: Rig, chats: Chats): Promise<string> {
	rig.sandbox.reset();
	rig.sandbox.configure({ accountIds: [1000002, 1000003, 1000004] });
	for (const [account, balance] of Object.entries({ 1000003: 99_900, 1000004: 1 })) {
		rig.sandbox.change('account', account, { balance }, account);
	}
	const withTable = async (ids: string[], folder = '') =>
		await readExample(`${folder}low-balances-to-chat`, rig.sandbox.url, (node) =>
			node.name === 'Table'
				? tableOf(node, ids, { minimum_yuan: 1_000 })
				: toChat(chats, 'dingtalk')(node),
		);
	const run = async (ids: string[], folder?: string) =>
		await runDaily(rig, await withTable(ids, folder));
	const low = await run(['1000002', '1000003', '1000004'], `${CHINESE}/`);
	assert.equal(low.status, 'success', low.error?.message);
	const unknown = await run(['7', '1000003', '8', '1000004']);
	assertNames(unknown, 'could not read the balance of', ['7', '8']);
	assert.deepEqual(chats.texts('dingtalk'), [
		'【AiClk】余额不足：2 个账户\nClient 1000003（1000003）：余额 999.00 元\nClient 1000004（1000004）：余额 0.01 元',
		'[AiClk] Low balance: 2\nClient 1000003 (1000003): 999.00 yuan left\nClient 1000004 (1000004): 0.01 yuan left',
	]);
	return `one message about 2 of 3 accounts; afterwards a run fails: ${unknown.error?.message}`;
}

/** Run twice with other figures: one spreadsheet a run, and one row an account and day in PostgreSQL. */
async function dailySpending(rig: Rig): Promise<string> {
	rig.sandbox.configure({ accountIds: [1000002, 1000003] });
	const table = `aiclk_spending_${randomBytes(4).toString('hex')}`;
	const { hostname, port, username, password, pathname } = new URL(SHARED.postgres);
	const id = await rig.n8n.createCredential(
		{
			host: hostname,
			port: Number(port || 5432),
			user: decodeURIComponent(username),
			password: decodeURIComponent(password) || 'none',
			database: pathname.slice(1),
			ssl: 'disable',
		},
		'PostgreSQL',
		'postgres',
	);
	const set = (node: Node): Node => {
		if (node.name === 'Table') return tableOf(node, ['7', '1000002', '8', '1000003']);
		if (node.type !== 'n8n-nodes-base.postgres') return node;
		const query = String(node.parameters.query).replaceAll('aiclk_spending', table);
		const credentials = { postgres: { id, name: 'PostgreSQL' } };
		return { ...node, disabled: false, credentials, parameters: { ...node.parameters, query } };
	};
	const run = async (name: string): Promise<Execution> =>
		await runDaily(rig, await readExample(name, rig.sandbox.url, set));
	try {
		const english = await run('daily-spending');
		const chinese = await run(`${CHINESE}/daily-spending`);
		assertNames(english, "could not read yesterday's spending of", ['7', '8']);
		assert.match(
			chinese.error?.message ?? '',
			/^AiClk：未能读取以下账户昨天的消耗\nClient 7（7）：/,
		);
		for (const [execution, column] of [
			[english, 'cash_yuan'],
			[chinese, '现金消耗（元）'],
		] as const) {
			assert.equal(execution.itemsOf('In yuan').length, 2);
			assert.equal(execution.itemsOf('Spreadsheet').length, 1);
			assert.equal(execution.itemsOf('Upsert').length, 2);
			const fen = execution.itemsOf('Fund records').map(({ cash_cost: cash }) => cash);
			const yuan = execution.itemsOf('In yuan').map((item) => item[column]);
			assert.deepEqual(
				yuan.map((cash) => Math.round(Number(cash) * 100)),
				fen,
			);
		}
		const { sql } = driversOf(rig.installation);
		const rows = await sql(
			SHARED.postgres,
			`SELECT account_id, client, cash_yuan::text FROM ${table} ORDER BY 1`,
		);
		assert.deepEqual(
			rows.map(({ account_id: account, client }) => [account, client]),
			[
				['1000002', 'Client 1000002'],
				['1000003', 'Client 1000003'],
			],
		);
		return `2 runs, 1 spreadsheet each, ${rows.length} rows in PostgreSQL: ${JSON.stringify(rows[0])}`;
	} finally {
		await driversOf(rig.installation).sql(SHARED.postgres, `DROP TABLE IF EXISTS ${table}`);
	}
}

/** Three clients with a credential each: a token that is due, a refresh token that is refused, and a token that is not due. */
async function rotateClients(rig: Rig): Promise<string> {
	const credentials = new Map<string, string>();
	const known = rig.sandbox.settings().clients;
	const daysLeft = { 'Client A': 20, 'Client B': -1, 'Client C': 80 };
	for (const [name, days] of Object.entries(daysLeft)) {
		const client = rig.newClient();
		rig.sandbox.configure({ clients: [...rig.sandbox.settings().clients, client] });
		const stored = await tokenOf(rig, client, days);
		credentials.set(name, await rig.newCredential({ ...client, ...stored }));
	}
	const all = rig.sandbox.settings().clients;
	const workflow = await readExample('token-rotation-clients', rig.sandbox.url, (node) => {
		const id = credentials.get(node.name.replace(/ status$/, ''));
		return id === undefined
			? node
			: { ...node, retryOnFail: false, credentials: { aiClkApi: { id, name: node.name } } };
	});
	rig.sandbox.configure({ clients: all.filter((_, index) => index !== known.length + 1) });
	const failed = await runDaily(rig, workflow);
	assert.equal(failed.status, 'error');
	const summary = failed
		.itemsOf('Each client')
		.map((item) => [item.client, item.needsPerson, item.status, item.refreshed]);
	assert.deepEqual(summary, [
		['Client A', false, 'valid', true],
		['Client B', true, 'failed', false],
		['Client C', false, 'valid', false],
	]);
	assert.match(
		failed.error?.message ?? '',
		/^Client B: failed\. AiClk refused to refresh the access token/,
	);
	assert.doesNotMatch(failed.error?.message ?? '', /Client [AC]/);
	return `1 renewed, 1 not due, and the run fails with "${failed.error?.message}"`;
}

/** A workflow that fails and names the example as its error workflow. */
function errorWorkflow(rig: Rig, scenario: Scenario, kind: string, failing: Failing): void {
	scenario(`example error-workflow: ${kind}`, async () => {
		return await withReceiver(async (receiver) => {
			const example = await readExample('error-workflow', rig.sandbox.url, receiver.switchOn);
			const handler = await rig.n8n.importWorkflow(example, rig.credential);
			await publish(rig, handler);
			const path = `fails-${handler}`;
			const workflow = chain(`Fails: ${kind}`, [webhook(path), ...failing.nodes], {
				settings: { executionOrder: 'v1', errorWorkflow: handler },
			});
			const { settings = {}, token: [daysLeft, refreshes] = [] } = failing;
			const credential =
				daysLeft === undefined
					? rig.credential
					: await rig.newCredential(await tokenOf(rig, rig.client, daysLeft, refreshes));
			rig.sandbox.configure(settings);
			const id = await rig.n8n.importWorkflow(workflow, credential);
			await rig.n8n.activate(id);
			const call = rig.n8n.callWebhook(path);
			await failing.meanwhile?.(rig);
			assert.equal((await call).status, 500);

			const [told] = await rig.n8n.executionsOf(handler);
			assert.equal(told?.status, 'success', told?.error?.message);
			const [message] = told?.itemsOf('Message') ?? [];
			assert.equal(message?.kind, kind, String(message?.error));
			assert.match(String(message?.error), failing.error);
			assert.match(String(message?.whatToDo), failing.whatToDo);
			assert.equal(receiver.texts.length, 1);
			assert.match(receiver.texts[0] ?? '', new RegExp(`^Fails: ${kind}: ${kind}\n`));
			assert.match(receiver.texts[0] ?? '', failing.error);
			assert.match(receiver.texts[0] ?? '', /What to do: /);
			return String(message?.error);
		});
	});
}
