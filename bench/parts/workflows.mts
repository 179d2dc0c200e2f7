import type { Rig } from '../../test/e2e/rig.mts';
import { httpRequest } from '../../test/e2e/workflows.mts';
import type { Workflow } from '../../test/harness/n8n/rest.mts';
import type { Section } from './results.mts';
import { compare } from './turns.mts';

/** How many items a run has, and how often it is compared. */
const SIZES = [
	{ name: 'a run of one item', items: 1, rounds: 40 },
	{ name: 'a run of 300 items', items: 300, rounds: 15 },
];

/** Imports a workflow once. @returns what runs it */
export async function runOf(rig: Rig, workflow: Workflow) {
	const id = await rig.n8n.importWorkflow(workflow, rig.credential);
	return async () => {
		const { status, error } = await rig.n8n.run(id, 'Start');
		if (status !== 'success') throw new Error(error?.message);
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
	for (const { name, items, rounds } of SIZES) {
		const ways = {
			theirs: await runOf(rig, withHeaderAuth(items)),
			ours: await runOf(rig, request(items)),
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
