import type { Workflow } from '../harness/n8n/rest.mts';
import { parametersOf } from '../harness/operations.ts';

type Json = Record<string, unknown>;
type Node = Json & { name: string };

/** What has its AiClk API credential filled in when it is imported. */
const CREDENTIALS = { aiClkApi: {} };

export const manualTrigger: Node = {
	name: 'Start',
	type: 'n8n-nodes-base.manualTrigger',
	parameters: {},
};

/** A webhook that answers when the workflow has ended, with what its last node put out. */
export const webhook = (path: string): Node => ({
	name: 'Start',
	type: 'n8n-nodes-base.webhook',
	typeVersion: 2,
	webhookId: path,
	parameters: { path, httpMethod: 'POST', responseMode: 'lastNode', options: {} },
});

/** A workflow whose nodes follow each other; the first one is the trigger. */
export function chain(name: string, nodes: Node[], more: Partial<Workflow> = {}): Workflow {
	const all = nodes.map((node, index) => ({
		id: `node-${index}`,
		typeVersion: 1,
		position: [index * 220, 0],
		...node,
	})) as unknown as Workflow['nodes'];
	const links = all
		.slice(0, -1)
		.map(({ name: from }, index) => [
			from,
			{ main: [[{ node: all[index + 1]?.name, type: 'main', index: 0 }]] },
		]);
	return {
		name,
		nodes: all,
		connections: Object.fromEntries(links) as Json,
		settings: { executionOrder: 'v1' },
		...more,
	};
}

/** Nodes that turn one item into many, one for each of these. */
export const itemsOf = (items: Json[]): Node[] => [
	{
		name: 'List',
		type: 'n8n-nodes-base.set',
		typeVersion: 3.4,
		parameters: { mode: 'raw', jsonOutput: JSON.stringify({ items }), options: {} },
	},
	{
		name: 'Items',
		type: 'n8n-nodes-base.splitOut',
		parameters: { fieldToSplitOut: 'items', options: {} },
	},
];

const manyItems = (items: number): Node[] =>
	items === 1 ? [] : itemsOf(Array.from({ length: items }, (_, n) => ({ n })));

/** How a request can carry a body. */
export type Shape = 'GET' | 'POST JSON' | 'POST multipart';

const BODIES: Record<Shape, Json> = {
	GET: { method: 'GET' },
	'POST JSON': {
		method: 'POST',
		sendBody: true,
		specifyBody: 'json',
		jsonBody: '={{ { n: $json.n } }}',
	},
	'POST multipart': {
		method: 'POST',
		sendBody: true,
		contentType: 'multipart-form-data',
		bodyParameters: { parameters: [{ name: 'n', value: '={{ $json.n ?? 0 }}' }] },
	},
};

/**
 * The HTTP Request node with the AiClk API credential.
 *
 * @param node more of the node: its settings, and `parameters` on top of these
 */
export const call = (shape: Shape, url: string, node: Json = {}): Node => ({
	name: 'Call',
	type: 'n8n-nodes-base.httpRequest',
	typeVersion: 4.2,
	credentials: CREDENTIALS,
	...node,
	parameters: {
		url,
		authentication: 'predefinedCredentialType',
		nodeCredentialType: 'aiClkApi',
		options: {},
		...BODIES[shape],
		...(node.parameters as Json | undefined),
	},
});

/** The AiClk Token node. */
export const token = (parameters: Json): Node => ({
	name: 'Token',
	type: 'n8n-nodes-aiclk.aiClkToken',
	parameters: { options: {}, ...parameters },
	credentials: CREDENTIALS,
});

/**
 * The AiClk node.
 *
 * @param node its settings
 */
export const aiClk = (parameters: Json, node: Json = {}): Node => ({
	name: 'AiClk',
	type: 'n8n-nodes-aiclk.aiClk',
	parameters,
	credentials: CREDENTIALS,
	...node,
});

export const REFRESH = { operation: 'refresh', when: 'always' };
export const STATUS = { operation: 'status' };

export const INFO = { resource: 'account', operation: 'getInfo' };
export const UPDATE = parametersOf('advertiser update');

/** A transfer of 100 yuan, as a person fills it in. */
export const CHARGE = {
	resource: 'charge',
	operation: 'agent',
	accountId: '1000002',
	targetUser: '1000004',
	money: 10_000,
	confirm: true,
};

/** HTTP Request, started by hand, once for each item. */
export const httpRequest = (shape: Shape, url: string, items = 1, node: Json = {}): Workflow =>
	chain(`${shape} ${url} for ${items}`, [
		manualTrigger,
		...manyItems(items),
		call(shape, url, node),
	]);

/** AiClk Token, started by hand, behind so many items. */
export const tokenNode = (parameters: Json, items = 1): Workflow =>
	chain('AiClk Token', [manualTrigger, ...manyItems(items), token(parameters)]);

/** A node that runs so many times in one execution, once for each item: n8n's Loop Over Items. */
export function inTurns(turns: number, node: Node): Workflow {
	const loop: Node = {
		name: 'Loop',
		type: 'n8n-nodes-base.splitInBatches',
		typeVersion: 3,
		parameters: { batchSize: 1, options: {} },
	};
	const workflow = chain('In turns', [manualTrigger, ...manyItems(turns), loop, node]);
	const to = (name: string) => [{ node: name, type: 'main', index: 0 }];
	// Its first output is for the end.
	return {
		...workflow,
		connections: {
			...workflow.connections,
			Loop: { main: [[], to(node.name)] },
			[node.name]: { main: [to('Loop')] },
		},
	};
}
