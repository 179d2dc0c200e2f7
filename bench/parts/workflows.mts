import type { Rig } from '../../test/e2e/rig.mts';
import { httpRequest } from '../../test/e2e/workflows.mts';
import type { Workflow } from '../../test/harness/n8n/rest.mts';
import type { Section } from './results.mts';
import { compare } from './turns.mts';

/** What is compared, how many items a run has, how many runs go at once, and how often. */
const SIZES = [
	{ name: 'a run of one item', items: 1, atOnce: 1, rounds: 40 },
	{ name: 'a run of 300 items', items: 300, atOnce: 1, rounds: 15 },
	{ name: '50 runs at once', items: 1, atOnce: 50, rounds: 5 },
];

/** Imports a workflow once, and runs it so many times at once. */
export async function runsOf(rig: Rig, workflow: Workflow, atOnce = 1) {
	const id = await rig.n8n.importWorkflow(workflow, rig.credential);
	return async () => {
		const all = Array.from({ length: atOnce }, async () => await rig.n8n.run(id, 'Start'));
		const failed = (await Promise.all(all)).find(({ status }) => status !== 'success');
		if (failed !== undefined) throw new Error(failed.error?.message);
	};
}

/** Whole runs of HTTP Request: our credential against n8n's Header Auth. */
export async function measureWorkflows(rig: Rig): Promise<Section> {
	/** An HTTP Request node to a path that asks for no token. */
	const request = (items: number): Workflow =>
		httpRequest('GET', `${rig.sandbox.url}/sandbox/static`, items);
	const type = 'httpHeaderAuth';
	const id = await rig.n8n.createCredential({ name: 'X-Static', value: 'nothing' }, type, type);
	const withHeaderAuth = (items: number): Workflow => {
		const workflow = request(items);
		const changes = { authentication: 'genericCredentialType', genericAuthType: type };
		const nodes = workflow.nodes.map((node) =>
			node.credentials === undefined
				? node
				: {
						...node,
						credentials: { [type]: { id, name: type } },
						parameters: { ...node.parameters, ...changes },
					},
		);
		return { ...workflow, nodes };
	};
	const rows: string[][] = [];
	for (const { name, items, atOnce, rounds } of SIZES) {
		const ways = {
			theirs: await runsOf(rig, withHeaderAuth(items), atOnce),
			ours: await runsOf(rig, request(items), atOnce),
		};
		rows.push(await compare(`${name}, ${rounds} rounds`, ways, rounds));
	}
	return {
		title: 'HTTP Request with AiClk API and with Header Auth',
		how: "Rounds in turn; median (10 % to 90 %), over n8n's own API, as the editor runs them. n8n reads and decrypts a predefined credential twice for each request, Header Auth once.",
		head: ['', 'Header Auth', 'AiClk API', 'times Header Auth'],
		rows,
	};
}
