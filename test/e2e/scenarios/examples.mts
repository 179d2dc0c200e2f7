import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastify from 'fastify';

import { ROOT } from '../../n8n/install.mts';
import { type Execution, until, type Workflow } from '../../n8n/rest.mts';
import { storedToken } from '../../sandbox/storedToken.ts';
import type { Rig, Scenario, Scenarios } from '../rig.mts';
import { aiClk, chain, CHARGE, itemsOf, REFRESH, token, webhook } from '../workflows.mts';

type Json = Record<string, unknown>;
type Node = Workflow['nodes'][number];

const FOLDER = join(ROOT, 'examples');
const REAL_API = 'https://openapi.aiclk.com';
const REFUSED = /AiClk refused to refresh the access token: (client_id 不存在|refresh_token 无效)/;
const DAY_MS = 86_400_000;

/** The names of all example workflows. */
export const listExamples = async (): Promise<string[]> =>
	(await readdir(FOLDER)).map((file) => file.replace(/\.json$/, '')).sort();

/**
 * Reads an example workflow, with what a person has to set.
 *
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

/** Who gets the alerts that an example sends. */
interface Receiver {
	url: string;
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
		return await happen({ url, texts, switchOn });
	} finally {
		await app.close();
	}
}

/** What a chat model is asked, as far as it counts here. */
interface Question {
	messages: Array<{ role: string; content: unknown }>;
	tools: Array<{ function: { name: string; parameters: { properties: Json } } }>;
}

/** What the model in the place of DeepSeek fills in, whichever tool has it. */
const FILLED_IN: Json = {
	Start_Date: '2020-01-01',
	End_Date: '2099-12-31',
	Limit: 3,
};

/** Plays a chat model that calls every tool it is offered once, and then says that it is done. */
async function withModel<T>(
	happen: (url: string, questions: Question[]) => Promise<T>,
): Promise<T> {
	const questions: Question[] = [];
	const app = fastify({ bodyLimit: 16 * 1024 * 1024 });
	app.post('/chat/completions', ({ body }) => {
		const question = body as Question;
		questions.push(question);
		const calls = question.tools.map(({ function: { name, parameters } }, index) => {
			const known = Object.keys(parameters.properties).filter((key) => key in FILLED_IN);
			const args = Object.fromEntries(known.map((key) => [key, FILLED_IN[key]]));
			return {
				id: `call_${index}`,
				type: 'function',
				function: { name, arguments: JSON.stringify(args) },
			};
		});
		const message =
			questions.length === 1
				? { role: 'assistant', content: null, tool_calls: calls }
				: { role: 'assistant', content: 'Done' };
		return {
			id: `answer-${questions.length}`,
			object: 'chat.completion',
			created: 0,
			model: 'deepseek-chat',
			choices: [
				{ index: 0, message, finish_reason: questions.length === 1 ? 'tool_calls' : 'stop' },
			],
			usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
		};
	});
	try {
		return await happen(await app.listen({ port: 0, host: '127.0.0.1' }), questions);
	} finally {
		await app.close();
	}
}

/** Those that are run as they are: the trigger that starts each, and the node whose output counts. */
const PLAIN: Array<[name: string, trigger: string, last: string]> = [
	['account-info-http-request', 'Start', 'Account info'],
	['creatives-under-review', 'Start', 'By status'],
	['fund-report', 'Every day', 'Spreadsheet'],
	['low-balance-alert', 'Every day', 'Account'],
	['token-alert', 'Every day', 'Token status'],
	['token-rotation', 'Every day', 'AiClk Token'],
];

/** Those with a scenario of their own. */
const OTHERS = [
	'ai-agent',
	'error-workflow',
	'token-rotation-client',
	'token-rotation-clients',
	'token-rotation-with-alerts',
];

/** The fields of a client's row in the summary of token-rotation-clients. */
const ROW = [
	'client',
	'needsPerson',
	'status',
	'refreshed',
	'expiresInDays',
	'refreshesToday',
	'message',
];

/** A way to fail, by the kind that the error workflow is to find. */
interface Failing {
	/** Brings it about. @returns the credential to fail with */
	prepare(rig: Rig): Promise<string>;
	nodes: Json[];
	/** Lets something happen while it runs. */
	meanwhile?(rig: Rig): Promise<void>;
	error: RegExp;
	whatToDo: RegExp;
}

const FAILING: Record<string, Failing> = {
	'May have been carried out': {
		prepare: async (rig) => {
			rig.sandbox.configure({ apiFault: { kind: 'status', status: 500 } });
			return rig.credential;
		},
		nodes: [aiClk(CHARGE)],
		error: /The transfer may have been carried out/,
		whatToDo: /Do not run it again/,
	},
	'Quota used up': {
		prepare: async (rig) => {
			const age = { lifeMs: 90 * DAY_MS, leftMs: 45 * DAY_MS };
			return await rig.newCredential(await storedToken(rig.sandbox, rig.client, age, 300));
		},
		nodes: [token(REFRESH)],
		error: /All 300 refreshes that AiClk allows in a day are used up/,
		whatToDo: /Find out what refreshes so often/,
	},
	'AiClk unavailable': {
		prepare: async (rig) => {
			rig.sandbox.configure({ tokenFault: { kind: 'html' } });
			return rig.credential;
		},
		nodes: [token(REFRESH)],
		error: /AiClk's token endpoint did not answer as documented/,
		whatToDo: /Try again in a few minutes/,
	},
	'Refresh token refused': {
		prepare: async (rig) => {
			rig.sandbox.configure({ clients: [] });
			return rig.credential;
		},
		nodes: [token(REFRESH)],
		error: REFUSED,
		whatToDo: /get a new refresh token/,
	},
	Superseded: {
		prepare: async (rig) => {
			const age = { lifeMs: 90 * DAY_MS, leftMs: -DAY_MS };
			return await rig.newCredential(await storedToken(rig.sandbox, rig.client, age));
		},
		nodes: [aiClk({ resource: 'account', operation: 'getInfo' })],
		// As another process's refresh would, before the new token is asked about.
		meanwhile: async (rig) => {
			await until(async () => rig.refreshes, Boolean);
			rig.sandbox.revoke();
		},
		error: /Another n8n process refreshed/,
		whatToDo: /Run again/,
	},
	'Anything else': {
		prepare: async (rig) => rig.credential,
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
	const alertsOn = async (name: string, { switchOn }: Receiver): Promise<Workflow> =>
		await readExample(name, rig.sandbox.url, switchOn);
	const start = async (workflow: Workflow, credential = rig.credential): Promise<Execution> =>
		await rig.n8n.run(await rig.n8n.importWorkflow(workflow, credential), 'Every day');

	scenario('examples: each is imported, and each is run below', async () => {
		const names = await listExamples();
		assert.deepEqual(names, [...PLAIN.map(([name]) => name), ...OTHERS].sort());
		const types = new Set(await rig.n8n.nodeTypes());
		for (const name of names) {
			const workflow = await readExample(name, rig.sandbox.url);
			const unknown = workflow.nodes.filter(({ type }) => !types.has(type));
			assert.deepEqual(
				unknown.map(({ type }) => type),
				[],
				name,
			);
			assert.ok(
				workflow.nodes.some(({ type }) => type === 'n8n-nodes-base.stickyNote'),
				`${name} explains nothing`,
			);
			await rig.n8n.importWorkflow(workflow, rig.credential);
		}
		return `${names.length} examples`;
	});

	for (const [name, trigger, last] of PLAIN) {
		scenario(`example ${name}`, async () => {
			const workflow = await readExample(name, rig.sandbox.url);
			const id = await rig.n8n.importWorkflow(workflow, rig.credential);
			const execution = await rig.n8n.run(id, trigger);
			assert.equal(execution.status, 'success', execution.error?.message);
			const items = execution.itemsOf(last);
			assert.ok(items.length > 0, 'nothing came out');
			assert.deepEqual([rig.refreshes, rig.deadCalls], [1, 0]);
			return `${execution.status}, ${items.length} items out of '${last}'`;
		});
	}

	scenario('examples low-balance-alert and token-alert: what makes them fail', async () => {
		const data = { account_id: 1000002, display_name: '广告主名称', balance: 99_900 };
		rig.sandbox.configure({ apiFault: { kind: 'data', data } });
		const low = await start(await readExample('low-balance-alert'));
		assert.equal(low.error?.message, 'AiClk account 1000002 (广告主名称) has 999 yuan left.');
		// One whose token is not remembered from another run.
		const stranger = rig.newClient();
		rig.sandbox.configure({ apiFault: null });
		const dead = await start(
			await readExample('token-alert'),
			await rig.newCredential({ ...stranger }),
		);
		assert.match(dead.error?.message ?? '', /^AiClk token: missing, 0 days left\./);
		return `"${low.error?.message}" "${dead.error?.message}"`;
	});

	scenario('example token-rotation-with-alerts', async () => {
		return await withReceiver(async (receiver) => {
			const workflow = await alertsOn('token-rotation-with-alerts', receiver);
			const renewed = await start(workflow);
			assert.equal(renewed.status, 'success', renewed.error?.message);
			assert.equal(renewed.itemsOf('AiClk Token')[0]?.status, 'valid');
			assert.equal(renewed.itemsOf('Token status')[0]?.reason, 'accepted');
			assert.deepEqual([rig.refreshes, receiver.texts.length], [1, 0]);

			rig.sandbox.configure({ clients: [] });
			const refused = await start(workflow, await rig.newCredential());
			assert.equal(refused.status, 'error');
			assert.match(refused.error?.message ?? '', REFUSED);
			assert.equal(receiver.texts.length, 1);
			assert.match(receiver.texts[0] ?? '', /^AiClk: the access token needs a person\n/);
			assert.match(receiver.texts[0] ?? '', REFUSED);
			assert.match(receiver.texts[0] ?? '', /docs\/operations\.md$/);
			return `renewed: no alert; refused: ${receiver.texts.length} alert, and the run fails`;
		});
	});

	scenario('examples token-rotation-client and token-rotation-clients', async () => {
		return await withReceiver(async (receiver) => await rotateClients(rig, receiver));
	});

	scenario('example ai-agent: a model that calls each tool once', async () => {
		return await withModel(async (url, questions) => {
			const account = { apiKey: 'none', url };
			const id = await rig.n8n.createCredential(account, 'Model', 'deepSeekApi');
			let chat = '';
			const workflow = await readExample('ai-agent', rig.sandbox.url, (node) => {
				if (node.name === 'Chat model') {
					return { ...node, credentials: { deepSeekApi: { id, name: 'Model' } } };
				}
				if (node.name !== 'Chat') return node;
				chat = `${String(node.webhookId)}/chat`;
				return { ...node, parameters: { ...node.parameters, public: true } };
			});
			const agent = await rig.n8n.importWorkflow(workflow, rig.credential);
			await rig.n8n.activate(agent);
			const asked = { action: 'sendMessage', sessionId: 'one', chatInput: 'How is the account?' };
			const answer = await rig.n8n.callWebhook(chat, asked);
			assert.equal((answer.data as Json).output, 'Done', JSON.stringify(answer.data));

			const [first, second] = questions;
			assert.equal(first?.tools.length, 5);
			const told = second?.messages.filter(({ role }) => role === 'tool') ?? [];
			assert.equal(told.length, 5);
			const texts = told.map(({ content }) => JSON.stringify(content)).join('\n');
			for (const what of [
				/balance/,
				/cash_cost/,
				/creative_id/,
				/material_id/,
				/tokenFingerprint/,
			]) {
				assert.match(texts, what);
			}
			const paths = ['account/info', 'account_fund/list', 'creative/get', 'material/get'];
			for (const path of paths) assert.ok(rig.to(path).length > 0, path);
			const changes = rig.sandbox
				.journal()
				.filter(({ kind, method }) => kind === 'api' && method !== 'GET');
			assert.deepEqual([changes.length, rig.refreshes, rig.deadCalls], [0, 1, 0]);
			return `${told.length} tools answered, ${rig.refreshes} refresh`;
		});
	});

	for (const [kind, failing] of Object.entries(FAILING)) {
		errorWorkflow(rig, scenario, kind, failing);
	}
};

/** Publishes what another workflow starts: n8n 2 wants it, n8n 1 says that there is nothing to switch on. */
async function publish(rig: Rig, workflowId: string): Promise<void> {
	if (!rig.isN8n1) await rig.n8n.activate(workflowId);
}

/** A line of the list in token-rotation-clients. */
interface Listed {
	client: string;
	workflowId: string;
}

/**
 * Imports token-rotation-client for a client that is new to the sandbox.
 *
 * @param daysLeft of the token that is stored; null when there is none yet
 */
async function addClient(
	rig: Rig,
	name: string,
	daysLeft: number | null,
	isPublished = true,
): Promise<Listed> {
	const client = rig.newClient();
	rig.sandbox.configure({ clients: [...rig.sandbox.settings().clients, client] });
	const age = { lifeMs: 90 * DAY_MS, leftMs: (daysLeft ?? 0) * DAY_MS };
	const stored = daysLeft === null ? {} : await storedToken(rig.sandbox, client, age);
	const credential = await rig.newCredential({ ...client, ...stored });
	const example = await readExample('token-rotation-client', rig.sandbox.url);
	const workflowId = await rig.n8n.importWorkflow(example, credential);
	if (isPublished) await publish(rig, workflowId);
	return { client: name, workflowId };
}

/** A sub-workflow that is not the example, and gives back these rows. */
async function addOther(rig: Rig, name: string, rows: Json[]): Promise<Listed> {
	const trigger = {
		name: 'Start',
		type: 'n8n-nodes-base.executeWorkflowTrigger',
		typeVersion: 1.1,
		parameters: { inputSource: 'passthrough' },
	};
	const workflow = chain(name, [trigger, ...itemsOf(rows)]);
	const workflowId = await rig.n8n.importWorkflow(workflow, rig.credential);
	await publish(rig, workflowId);
	return { client: name, workflowId };
}

/** token-rotation-clients when a person has filled in the list and switched the alert on. */
const withList = async (clients: Listed[], { switchOn }: Receiver): Promise<Workflow> =>
	await readExample('token-rotation-clients', REAL_API, (node) =>
		node.name === 'Clients'
			? { ...node, parameters: { ...node.parameters, jsonOutput: JSON.stringify({ clients }) } }
			: switchOn(node),
	);

/** The summary of token-rotation-clients: client, whether it needs a person, status, refreshed, refreshes that day. */
const summaryOf = (execution: Execution): unknown[][] =>
	execution.itemsOf('Summary').map((row) => {
		assert.deepEqual(Object.keys(row), ROW);
		return [row.client, row.needsPerson, row.status, row.refreshed, row.refreshesToday];
	});

/**
 * Runs a workflow that fails in production, that is with a webhook in the place of its schedule.
 *
 * @returns its execution, and that of the example error-workflow, which it starts
 */
async function failInProduction(
	rig: Rig,
	workflow: Workflow,
): Promise<{ failed: Execution; handled: Execution }> {
	const handler = await rig.n8n.importWorkflow(await readExample('error-workflow'), rig.credential);
	await publish(rig, handler);
	const path = `daily-${handler}`;
	const nodes = workflow.nodes.map((node) =>
		node.name === 'Every day' ? { ...node, ...webhook(path), name: node.name } : node,
	);
	const settings = { ...workflow.settings, errorWorkflow: handler };
	const id = await rig.n8n.importWorkflow({ ...workflow, nodes, settings }, rig.credential);
	await rig.n8n.activate(id);
	assert.equal((await rig.n8n.callWebhook(path)).status, 500);
	const [failed] = await rig.n8n.executionsOf(id);
	const [handled] = await rig.n8n.executionsOf(handler);
	assert.ok(failed?.status === 'error' && handled, 'no error workflow was started');
	return { failed, handled };
}

/** A day of an agency in production, with a client of each kind, and a run by hand when all has been put right. */
async function rotateClients(rig: Rig, receiver: Receiver): Promise<string> {
	const due = await addClient(rig, 'Due', 20);
	const fresh = await addClient(rig, 'Fresh', 80);
	const first = await addClient(rig, 'First', null);
	const draft = await addClient(rig, 'Draft', null, false);
	const known = rig.sandbox.settings().clients;
	const refused = await addClient(rig, 'Refused', 20);
	const all = rig.sandbox.settings().clients;
	const missing = { client: 'Missing', workflowId: 'nothing-has-this-id' };
	const none = await addOther(rig, 'Nothing', []);
	const two = await addOther(rig, 'Two', [{}, {}]);
	const isDraftRun = rig.isN8n1;

	rig.sandbox.configure({ clients: known });
	rig.sandbox.clearJournal();
	const daily = await withList([due, refused, missing, none, two, fresh, draft, first], receiver);
	const { failed, handled } = await failInProduction(rig, daily);
	const renewed = rig.sandbox
		.journal()
		.filter(({ kind, code }) => kind === 'refresh' && code === 200);
	assert.equal(renewed.length, isDraftRun ? 3 : 2);

	assert.deepEqual(summaryOf(failed), [
		['Refused', true, 'failed', false, null],
		['Missing', true, 'failed', false, null],
		['Nothing', true, 'failed', false, null],
		['Two', true, 'failed', false, null],
		...(isDraftRun ? [] : [['Draft', true, 'failed', false, null]]),
		['Due', false, 'valid', true, 1],
		['Fresh', false, 'valid', false, 0],
		...(isDraftRun ? [['Draft', false, 'valid', true, 1]] : []),
		['First', false, 'valid', true, 1],
	]);
	const told = [failed.error?.message, handled.itemsOf('Message')[0]?.error, ...receiver.texts];
	assert.equal(told.length, 3);
	for (const text of told.map(String)) {
		assert.match(text, /^Refused: failed\. AiClk refused to refresh the access token/m);
		assert.match(text, /^Missing: failed\. Workflow (does not exist|is not active)/m);
		assert.equal(/^Draft: failed\. Workflow is not active/m.test(text), !isDraftRun);
		assert.doesNotMatch(text, /^(Due|Fresh|First)/m);
	}

	rig.sandbox.configure({ clients: all });
	rig.sandbox.clearJournal();
	const right = await withList([due, refused, fresh, draft, first], receiver);
	const good = await rig.n8n.run(await rig.n8n.importWorkflow(right, rig.credential), 'Every day');
	assert.equal(good.status, 'success', good.error?.message);
	assert.deepEqual(summaryOf(good), [
		['Due', false, 'valid', false, 1],
		// Three that were refused, and this one.
		['Refused', false, 'valid', true, 4],
		['Fresh', false, 'valid', false, 0],
		['Draft', false, 'valid', !isDraftRun, 1],
		['First', false, 'valid', false, 1],
	]);
	assert.equal(rig.refreshes, isDraftRun ? 1 : 2);
	assert.equal(receiver.texts.length, 1);
	return `${renewed.length} renewed, the others named in one alert; with all put right: none`;
}

/** A workflow that fails and names the example as its error workflow. */
function errorWorkflow(rig: Rig, scenario: Scenario, kind: string, failing: Failing): void {
	scenario(`example error-workflow: ${kind}`, async () => {
		return await withReceiver(async (receiver) => {
			const example = await readExample('error-workflow', rig.sandbox.url, receiver.switchOn);
			const handler = await rig.n8n.importWorkflow(example, rig.credential);
			await publish(rig, handler);
			const path = `fails-${handler}`;
			const workflow = chain(
				`Fails: ${kind}`,
				[webhook(path), ...(failing.nodes as Array<Json & { name: string }>)],
				{ settings: { executionOrder: 'v1', errorWorkflow: handler } },
			);
			const id = await rig.n8n.importWorkflow(workflow, await failing.prepare(rig));
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
