import type { Workflow } from '../n8n/rest.mts';

type Json = Record<string, unknown>;

/** What has its AiClk API credential filled in when it is imported. */
const CREDENTIALS = { aiClkApi: {} };

/** A chain of nodes behind a manual trigger called Start. */
function chain(name: string, nodes: Array<Json & { name: string }>): Workflow {
	const start = { name: 'Start', type: 'n8n-nodes-base.manualTrigger', parameters: {} };
	const all = [start, ...nodes].map((node, index) => ({
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
	};
}

/** Nodes that turn one item into many. */
const manyItems = (items: number) =>
	items === 1
		? []
		: [
				{
					name: 'List',
					type: 'n8n-nodes-base.set',
					typeVersion: 3.4,
					parameters: {
						mode: 'raw',
						jsonOutput: JSON.stringify({ n: Array.from({ length: items }, (_, n) => n) }),
						options: {},
					},
				},
				{
					name: 'Items',
					type: 'n8n-nodes-base.splitOut',
					parameters: { fieldToSplitOut: 'n', options: {} },
				},
			];

/** HTTP Request with the AiClk API credential, once for each item. */
export const httpRequest = (
	method: 'GET' | 'POST',
	url: string,
	items = 1,
	node: Json = {},
): Workflow =>
	chain(`${method} ${url} for ${items}`, [
		...manyItems(items),
		{
			name: 'Call',
			type: 'n8n-nodes-base.httpRequest',
			typeVersion: 4.2,
			parameters: {
				method,
				url,
				authentication: 'predefinedCredentialType',
				nodeCredentialType: 'aiClkApi',
				...(method === 'POST' && {
					sendBody: true,
					specifyBody: 'json',
					jsonBody: '={{ { n: $json.n } }}',
				}),
				options: {},
			},
			credentials: CREDENTIALS,
			...node,
		},
	]);

/** An AiClk Token node behind so many items. */
export const tokenNode = (parameters: Json, items = 1): Workflow =>
	chain('AiClk Token', [
		...manyItems(items),
		{
			name: 'Token',
			type: 'n8n-nodes-aiclk.aiClkToken',
			parameters: { options: {}, ...parameters },
			credentials: CREDENTIALS,
		},
	]);
