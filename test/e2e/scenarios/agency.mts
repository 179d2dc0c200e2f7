import assert from 'node:assert/strict';
import fastify from 'fastify';

import type { Workflow } from '../../harness/n8n/rest.mts';
import type { JournalEntry } from '../../sandbox/journal.ts';
import type { Rig, Scenarios } from '../rig.mts';
import { aiClk, chain, CHARGE, itemsOf, manualTrigger } from '../workflows.mts';
import { readExample } from './examples.mts';

type Json = Record<string, unknown>;

const ACCOUNTS = ['1000101', '1000102', '1000103'];
const INFO = { resource: 'account', operation: 'getInfo' };
const FUND = {
	resource: 'account',
	operation: 'getFundRecords',
	period: 'last7Days',
	returnAll: true,
};
const UPDATE = {
	resource: 'advertiser',
	operation: 'update',
	advertiserId: '1928316',
	updateFields: { contacter: 'n8n' },
};
const PAID = {
	...CHARGE,
	accountId: '={{ $json.account }}',
	additionalFields: { comment: '={{ $json.account }}' },
};
const CALL = { resource: 'api', operation: 'call' };
/** n8n sends what fails here out of its second output. */
const ERROR_OUTPUT = { onError: 'continueErrorOutput' };

const named = (name: string, parameters: Json, settings: Json = {}) => ({
	...aiClk(parameters, settings),
	name,
});

/** Three clients of an agency, each with an account of its own. */
function threeClients(rig: Rig) {
	const clients = ACCOUNTS.map((account) => ({ ...rig.newClient(), account }));
	rig.sandbox.configure({ clients, accountIds: ACCOUNTS });
	rig.sandbox.clearJournal();
	return clients;
}

/** One credential for all of them: its fields are expressions of the item. */
async function oneCredential(rig: Rig, clients: ReturnType<typeof threeClients>): Promise<string> {
	for (const { refreshToken } of clients) rig.disclose(refreshToken);
	return await rig.newCredential({
		clientId: '={{ $json.clientId }}',
		refreshToken: '={{ $json.refreshToken }}',
		accountId: '={{ $json.account }}',
	});
}

/** Whose token and account a request carried. */
const carried = ({ client, query, token }: JournalEntry) =>
	`${token} ${client} ${query.account_id}`;

/** A workflow whose node AiClk has two ends: Succeeded and Failed. */
function forked(nodes: Parameters<typeof chain>[1]): Workflow {
	const workflow = chain('Forked', [
		...nodes,
		{ name: 'Succeeded', type: 'n8n-nodes-base.noOp', parameters: {} },
		{ name: 'Failed', type: 'n8n-nodes-base.noOp', parameters: {} },
	]);
	const to = (node: string) => [{ node, type: 'main', index: 0 }];
	const { Succeeded: _, ...connections } = workflow.connections;
	return {
		...workflow,
		connections: { ...connections, AiClk: { main: [to('Succeeded'), to('Failed')] } },
	};
}

/** What a chat model is asked, as far as it counts here. */
interface Question {
	messages: Array<{ role: string; content: unknown }>;
	tools?: Array<{ function: { name: string } }>;
}

/** Plays a chat model that calls its tool until the answer tells it not to, at most three times. */
async function withModel<T>(happen: (url: string, told: string[]) => Promise<T>): Promise<T> {
	const told: string[] = [];
	const app = fastify({ bodyLimit: 16 * 1024 * 1024 });
	app.post('/chat/completions', ({ body }) => {
		const { messages, tools = [] } = body as Question;
		const answers = messages
			.filter(({ role }) => role === 'tool')
			.map(({ content }) => JSON.stringify(content));
		told.splice(0, told.length, ...answers);
		const mustStop =
			answers.length === 3 || /outcome: unknown|may not move money/.test(answers.at(-1) ?? '');
		const [tool] = tools;
		const call = {
			id: `call_${answers.length}`,
			type: 'function',
			function: { name: tool?.function.name, arguments: JSON.stringify({ Fen: 500 }) },
		};
		const message = mustStop
			? { role: 'assistant', content: 'Done' }
			: { role: 'assistant', content: null, tool_calls: [call] };
		return {
			id: `answer-${answers.length}`,
			object: 'chat.completion',
			created: 0,
			model: 'deepseek-chat',
			choices: [{ index: 0, message, finish_reason: mustStop ? 'stop' : 'tool_calls' }],
			usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
		};
	});
	try {
		return await happen(await app.listen({ port: 0, host: '127.0.0.1' }), told);
	} finally {
		await app.close();
	}
}

/** The example of an AI agent with one tool: this. @returns the agent's answer */
async function askAgent(
	rig: Rig,
	url: string,
	parameters: Json,
	settings: Json = {},
): Promise<string> {
	const id = await rig.n8n.createCredential({ apiKey: 'none', url }, 'Model', 'deepSeekApi');
	const example = await readExample('ai-agent', rig.sandbox.url);
	let chat = '';
	const kept = ['Chat', 'AI Agent', 'Chat model', 'Account info'];
	const nodes = example.nodes
		.filter(({ name }) => kept.includes(name))
		.map((node) => {
			if (node.name === 'Chat model')
				return { ...node, credentials: { deepSeekApi: { id, name: 'Model' } } };
			if (node.name === 'Account info') {
				return {
					...node,
					...settings,
					parameters: { descriptionType: 'manual', toolDescription: 'A tool', ...parameters },
				};
			}
			if (node.name !== 'Chat') return node;
			chat = `${String(node.webhookId)}-${rig.client.clientId}-${id}`;
			return { ...node, webhookId: chat, parameters: { ...node.parameters, public: true } };
		});
	const connections = Object.fromEntries(
		Object.entries(example.connections).filter(([from]) => kept.includes(from)),
	);
	const agent = await rig.n8n.importWorkflow({ ...example, nodes, connections }, rig.credential);
	await rig.n8n.activate(agent);
	const asked = { action: 'sendMessage', sessionId: 'one', chatInput: 'Do it' };
	const { data } = await rig.n8n.callWebhook(`${chat}/chat`, asked);
	return JSON.stringify(data);
}

/** How an agent's run ended: n8n 1 ends it when a tool throws, n8n 2 tells the model. */
function endOf(answer: string, told: string[], text: RegExp): string {
	if (told.length === 0) {
		assert.match(answer, /error|problem/i);
		return 'n8n ends the run';
	}
	assert.match(told.join(), text);
	return 'the model reads why, and stops';
}

/** Whose account, what an error says was done, and what a retry sends: where n8n decides. */
export const agency: Scenarios = (rig, scenario) => {
	scenario('agency: three clients in one credential with expressions', async () => {
		const clients = threeClients(rig);
		const credential = await oneCredential(rig, clients);
		const operations: Array<[path: string, parameters: Json]> = [
			['account/info', INFO],
			['account_fund/list', FUND],
			['adaccount/customer/update', UPDATE],
			['charge/agent', PAID],
		];
		for (const [path, parameters] of operations) {
			const workflow = chain(path, [manualTrigger, ...itemsOf(clients), aiClk(parameters)]);
			const execution = await rig.run(workflow, credential);
			if (rig.isN8n1) {
				assert.match(execution.error?.message ?? '', /n8n before 2\.34 overwrites/);
				continue;
			}
			assert.equal(execution.status, 'success', execution.error?.message);
			assert.deepEqual(
				// Reads go out together.
				rig.to(path).map(carried).sort(),
				clients.map(({ clientId, account }) => `live ${clientId} ${account}`),
			);
		}
		if (rig.isN8n1) {
			assert.equal(rig.sandbox.journal().length, 0);
			return 'refused, 0 requests';
		}
		return `each with its own token and account; ${rig.refreshes} refreshes for 3 clients and ${operations.length} runs`;
	});

	scenario('agency: one credential with expressions, a run for each client', async () => {
		const clients = threeClients(rig);
		const credential = await oneCredential(rig, clients);
		for (const client of clients) {
			const workflow = chain('One client', [manualTrigger, ...itemsOf([client]), aiClk(INFO)]);
			const execution = await rig.run(workflow, credential);
			if (rig.isN8n1) assert.match(execution.error?.message ?? '', /n8n before 2\.34 overwrites/);
			else assert.equal(execution.status, 'success', execution.error?.message);
		}
		const sent = rig.to('account/info').map(carried);
		const expected = clients.map(({ clientId, account }) => `live ${clientId} ${account}`);
		assert.deepEqual(sent, rig.isN8n1 ? [] : expected);
		return rig.isN8n1 ? 'refused, 0 requests' : 'each run with its own token and account';
	});

	scenario('agency: three clients with a credential each', async () => {
		const clients = threeClients(rig);
		const operations: Array<[path: string, parameters: Json]> = [
			['account/info', INFO],
			['account_fund/list', FUND],
			['adaccount/customer/update', UPDATE],
			['charge/agent', PAID],
		];
		const nodes = [];
		for (const { clientId, refreshToken, account } of clients) {
			const id = await rig.newCredential({ clientId, refreshToken, accountId: account });
			const credentials = { aiClkApi: { id, name: 'AiClk API' } };
			nodes.push(
				...itemsOf([{ account }]).map((node) => ({ ...node, name: `${node.name} ${account}` })),
			);
			for (const [path, parameters] of operations) {
				const payer =
					path === 'charge/agent'
						? { accountId: account, additionalFields: { comment: account } }
						: {};
				nodes.push(
					named(
						`${path} ${account}`,
						{ ...parameters, ...payer },
						{ credentials, executeOnce: true },
					),
				);
			}
		}
		const execution = await rig.run(chain('A credential each', [manualTrigger, ...nodes]));
		assert.equal(execution.status, 'success', execution.error?.message);
		for (const [path] of operations) {
			assert.deepEqual(
				rig.to(path).map(carried),
				clients.map(({ clientId, account }) => `live ${clientId} ${account}`),
			);
		}
		return `each with its own token and account; ${rig.refreshes} refreshes`;
	});

	scenario('error output: a credential that cannot be read', async () => {
		const broken: Array<[string, string]> = [
			['deleted', 'no-such-credential'],
			['$env', await rig.newCredential({ refreshToken: '={{ $env.SOME_TOKEN }}' })],
		];
		for (const [what, id] of broken) {
			const credentials = { aiClkApi: { id, name: 'AiClk API' } };
			const node = aiClk(CHARGE, { ...ERROR_OUTPUT, credentials });
			const execution = await rig.run(
				forked([manualTrigger, ...itemsOf([{ n: 1 }, { n: 2 }]), node]),
			);
			assert.deepEqual(
				[execution.itemsOf('Succeeded').length, execution.itemsOf('Failed').length],
				[0, 2],
				`${what}: ${execution.error?.message}`,
			);
			const [failed] = execution.itemsOf('Failed');
			assert.equal((failed?.error as Json).outcome, 'not-sent', what);
		}
		assert.equal(rig.to('charge/agent').length, 0);
		return '2 of 2 items leave by the error branch, 0 requests';
	});

	scenario('error output: refused, lost and successful items', async () => {
		const items = [
			{ path: 'sandbox/echo' },
			{ path: 'sandbox/status/403' },
			{ path: 'sandbox/status/500' },
			{ path: 'x//y' },
		];
		const call = { ...CALL, method: 'POST', path: '=v1/{{ $json.path }}' };
		const node = aiClk(call, ERROR_OUTPUT);
		const execution = await rig.run(forked([manualTrigger, ...itemsOf(items), node]));
		assert.equal(execution.itemsOf('Succeeded').length, 1, execution.error?.message);
		const failed = execution.itemsOf('Failed') as Array<{ path: string; error: Json }>;
		assert.deepEqual(
			failed.map(({ path, error }) => [path, error.outcome, error.httpCode, error.accountId]),
			[
				['sandbox/status/403', 'refused', '403', '1000002'],
				['sandbox/status/500', 'unknown', '500', '1000002'],
				['x//y', 'not-sent', null, '1000002'],
			],
		);
		assert.match(String(failed[1]?.error.message), /outcome: unknown, trace_id: [0-9a-f]{16}/);
		return '1 item by the success branch, 3 by the error branch: refused, unknown, not-sent';
	});

	scenario('AI agent: moves money only if a person has allowed it', async () => {
		const tool = { ...CHARGE, money: "={{ $fromAI('Fen', 'how much', 'number') }}" };
		return await withModel(async (url, told) => {
			const answer = await askAgent(rig, url, tool);
			assert.equal(rig.to('charge/agent').length, 0);
			return endOf(answer, told, /AI agent may not move money/);
		});
	});

	scenario('AI agent: a charge without an answer is not sent again', async () => {
		await rig.run(chain('First', [manualTrigger, aiClk(INFO)]));
		rig.sandbox.configure({ apiFault: { kind: 'status', status: 500 } });
		const tool = {
			...CHARGE,
			money: "={{ $fromAI('Fen', 'how much', 'number') }}",
			allowAgents: true,
		};
		return await withModel(async (url, told) => {
			const ends: string[] = [];
			for (const settings of [{}, { onError: 'continueRegularOutput' }]) {
				rig.sandbox.clearJournal();
				const answer = await askAgent(rig, url, tool, settings);
				assert.equal(rig.to('charge/agent').length, 1, answer);
				ends.push(endOf(answer, told, /may have been carried out.*outcome: unknown, trace_id/));
			}
			return `1 charge each: ${ends.join('; with continue on error: ')}`;
		});
	});

	scenario('AiClk: repeated pages of a list show a hint in the panel', async () => {
		await rig.run(chain('First', [manualTrigger, aiClk(INFO)]));
		const list = Array.from({ length: 100 }, (_, id) => ({ creative_id: id }));
		rig.sandbox.configure({ apiFault: { kind: 'data', data: { list } } });
		const parameters = { resource: 'creative', operation: 'getAll', returnAll: true };
		const execution = await rig.run(chain('List', [manualTrigger, aiClk(parameters)]));
		assert.equal(execution.itemsOf('AiClk').length, 100);
		assert.match(JSON.stringify(execution.stored), /A page held the same rows/);
		return '100 rows, 2 requests, a hint';
	});
};
