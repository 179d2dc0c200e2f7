import type { Rig } from '../../test/e2e/rig.mts';
import { httpRequest } from '../../test/e2e/workflows.mts';
import type { Workflow } from '../../test/harness/n8n/rest.mts';
import { type Figure, figure, type Section, show } from './figures.mts';
import { PLAIN_TYPE } from './plain.mts';

const ROUNDS = 5;

/** Ways to the same answer, by name. */
type Ways = Record<string, () => Promise<unknown>>;

/** Lets each way go in turn, first once for nothing. @returns ms of each way by name, round by round */
export async function inTurn(ways: Ways): Promise<Record<string, number[]>> {
	const times: Record<string, number[]> = {};
	for (const [name, go] of Object.entries(ways)) {
		await go();
		times[name] = [];
	}
	for (let round = 0; round < ROUNDS; round++) {
		for (const [name, go] of Object.entries(ways)) {
			const began = performance.now();
			await go();
			times[name]?.push(performance.now() - began);
		}
	}
	return times;
}

/** Times of a way, as shares of those of another one in the same round. */
export const ratio = (times: number[], others: number[]): Figure =>
	figure(times.map((time, round) => time / (others[round] as number)));

/** Imports a workflow once, and runs it so many times at once. */
export async function runsOf(rig: Rig, workflow: Workflow, times = 1) {
	const id = await rig.n8n.importWorkflow(workflow, rig.credential);
	return async () => {
		const all = Array.from({ length: times }, async () => await rig.n8n.run(id, 'Start'));
		const failed = (await Promise.all(all)).find(({ status }) => status !== 'success');
		if (failed !== undefined) throw new Error(failed.error?.message);
	};
}

/** Whole runs on a real n8n: our credential and node against what n8n has of its own. */
export async function measureWorkflows(rig: Rig): Promise<Section[]> {
	/** An HTTP Request node to a path that asks for no token. */
	const request = (items: number): Workflow =>
		httpRequest('GET', `${rig.sandbox.url}/sandbox/static`, items);
	/** The same with another credential. */
	const requestWith =
		(type: string, id: string, parameters: Record<string, unknown>) => (items: number) => {
			const { nodes, ...workflow } = request(items);
			const node = nodes.at(-1);
			if (node === undefined) throw new Error('the workflow has no node');
			const changed = {
				...node,
				credentials: { [type]: { id, name: type } },
				parameters: { ...node.parameters, ...parameters },
			};
			return { ...workflow, nodes: [...nodes.slice(0, -1), changed] };
		};
	const withHeaderAuth = requestWith(
		'httpHeaderAuth',
		await rig.n8n.createCredential(
			{ name: 'X-Static', value: 'nothing' },
			'httpHeaderAuth',
			'httpHeaderAuth',
		),
		{ authentication: 'genericCredentialType', genericAuthType: 'httpHeaderAuth' },
	);
	const withPlain = requestWith(
		PLAIN_TYPE,
		// A token is stored, so n8n does not call the hook.
		await rig.n8n.createCredential(
			{ ...rig.client, baseUrl: rig.sandbox.url, accessToken: 'access'.repeat(10) },
			PLAIN_TYPE,
			PLAIN_TYPE,
		),
		{ nodeCredentialType: PLAIN_TYPE },
	);

	const rows: string[][] = [];
	for (const [name, items, times] of [
		['a run of one item', 1, 1],
		['a run of 1,000 items', 1_000, 1],
		['50 runs at once', 1, 50],
	] as const) {
		const measured = await inTurn({
			header: await runsOf(rig, withHeaderAuth(items), times),
			plain: await runsOf(rig, withPlain(items), times),
			ours: await runsOf(rig, request(items), times),
		});
		const { header = [], plain = [], ours = [] } = measured;
		rows.push([
			name,
			show(figure(header), ' ms'),
			show(ratio(plain, header)),
			show(ratio(ours, header)),
			show(ratio(ours, plain)),
		]);
	}

	const how = `${ROUNDS} rounds in turn; median (10 % to 90 %), over n8n's own API, as the editor runs them.`;
	return [
		{
			title: 'HTTP Request with AiClk API, Header Auth and a plain credential',
			how: `${how} n8n reads and decrypts a predefined credential twice for each request, Header Auth once.`,
			head: [
				'',
				'Header Auth',
				'plain, times Header Auth',
				'AiClk API, times Header Auth',
				'AiClk API, times plain',
			],
			rows,
		},
	];
}
