import assert from 'node:assert/strict';

import type { Workflow } from '../../harness/n8n/rest.mts';
import type { JournalEntry } from '../../sandbox/journal.ts';
import type { Rig, Scenarios } from '../rig.mts';
import { answersOf, askAgent, type Question, type ToolCall, withModel } from '../agent.mts';
import { aiClk, chain, CHARGE, INFO, itemsOf, manualTrigger, UPDATE } from '../workflows.mts';
import { readExample } from './examples.mts';

type Json = Record<string, unknown>;

const ACCOUNTS = ['1000101', '1000102', '1000103'];
const FUND = {
	resource: 'account',
	operation: 'getFundRecords',
	period: 'last7Days',
	returnAll: true,
};
const PAID = {
	...CHARGE,
	accountId: '={{ $json.account }}',
	additionalFields: { comment: '={{ $json.account }}' },
};
const OPERATIONS: Array<[path: string, parameters: Json]> = [
	['account/info', INFO],
	['account_fund/list', FUND],
	['adaccount/customer/update', UPDATE],
	['charge/agent', PAID],
];
/** Of an amount that a model names. */
const CHARGE_OF_MODEL = { ...CHARGE, money: "={{ $fromAI('Fen', 'how much', 'number') }}" };
const CALL = { resource: 'api', operation: 'call' };
/** n8n sends what fails here out of its second output. */
const ERROR_OUTPUT = { onError: 'continueErrorOutput' };

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

/** What they are to carry. */
const expected = (clients: ReturnType<typeof threeClients>) =>
	clients.map(({ clientId, account }) => `live ${clientId} ${account}`);

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

/** A model that calls its tool until the answer tells it not to, at most three times. @param happen given what it was told */
async function withTool<T>(happen: (url: string, told: string[]) => Promise<T>): Promise<T> {
	const told: string[] = [];
	const decide = (question: Question): ToolCall[] => {
		const answers = answersOf(question);
		told.splice(0, told.length, ...answers);
		const mustStop =
			answers.length === 3 || /outcome: unknown|may not move money/.test(answers.at(-1) ?? '');
		return mustStop ? [] : [[question.tools?.[0]?.function.name ?? '', { Fen: 500 }]];
	};
	return await withModel(decide, async (url) => await happen(url, told));
}

/** Asks an agent whose one tool is this. @returns the agent's answer */
async function askWithTool(
	rig: Rig,
	url: string,
	parameters: Json,
	settings = {},
): Promise<string> {
	const example = await readExample('ai-agent', rig.sandbox.url);
	const kept = ['Chat', 'AI Agent', 'Chat model', 'Account info'];
	const nodes = example.nodes.filter(({ name }) => kept.includes(name));
	const connections = Object.fromEntries(
		Object.entries(example.connections).filter(([from]) => kept.includes(from)),
	);
	const tool = { descriptionType: 'manual', toolDescription: 'A tool', ...parameters };
	const answer = await askAgent(rig, { ...example, nodes, connections }, url, (node) =>
		node.name === 'Account info' ? { ...node, ...settings, parameters: tool } : node,
	);
	return JSON.stringify(answer);
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
		for (const [path, parameters] of OPERATIONS) {
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
				expected(clients),
			);
		}
		if (rig.isN8n1) {
			assert.equal(rig.sandbox.journal().length, 0);
			return 'refused, 0 requests';
		}
		return `each with its own token and account; ${rig.refreshes} refreshes for 3 clients and ${OPERATIONS.length} runs`;
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
		assert.deepEqual(sent, rig.isN8n1 ? [] : expected(clients));
		return rig.isN8n1 ? 'refused, 0 requests' : 'each run with its own token and account';
	});

	scenario('agency: three clients with a credential each', async () => {
		const clients = threeClients(rig);
		const nodes = [];
		for (const { clientId, refreshToken, account } of clients) {
			const id = await rig.newCredential({ clientId, refreshToken, accountId: account });
			const credentials = { aiClkApi: { id, name: 'AiClk API' } };
			nodes.push(
				...itemsOf([{ account }]).map((node) => ({ ...node, name: `${node.name} ${account}` })),
			);
			for (const [path, parameters] of OPERATIONS) {
				const payer =
					path === 'charge/agent'
						? { accountId: account, additionalFields: { comment: account } }
						: {};
				const settings = { name: `${path} ${account}`, credentials, executeOnce: true };
				nodes.push(aiClk({ ...parameters, ...payer }, settings));
			}
		}
		const execution = await rig.run(chain('A credential each', [manualTrigger, ...nodes]));
		assert.equal(execution.status, 'success', execution.error?.message);
		for (const [path] of OPERATIONS) {
			assert.deepEqual(rig.to(path).map(carried), expected(clients));
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
		return await withTool(async (url, told) => {
			const answer = await askWithTool(rig, url, CHARGE_OF_MODEL);
			assert.equal(rig.to('charge/agent').length, 0);
			return endOf(answer, told, /AI agent may not move money/);
		});
	});

	scenario('AI agent: a charge without an answer is not sent again', async () => {
		await rig.run(chain('First', [manualTrigger, aiClk(INFO)]));
		rig.sandbox.configure({ apiFault: { kind: 'status', status: 500 } });
		const tool = { ...CHARGE_OF_MODEL, allowAgents: true };
		return await withTool(async (url, told) => {
			const ends: string[] = [];
			for (const settings of [{}, { onError: 'continueRegularOutput' }]) {
				rig.sandbox.clearJournal();
				const answer = await askWithTool(rig, url, tool, settings);
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
