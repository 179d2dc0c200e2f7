import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { parse } from 'flatted';

/**
 * The owner of every n8n that is started here, which listens on loopback only. The environment names another one for an n8n
 * that somebody else started, or whose password was changed.
 */
export const OWNER = {
	email: process.env.AICLK_N8N_EMAIL ?? 'owner@example.com',
	password: process.env.AICLK_N8N_PASSWORD ?? 'Sandbox-1-only',
};

type Json = Record<string, unknown>;

/** A workflow as n8n exports it. */
export interface Workflow {
	name: string;
	nodes: Array<{ name: string; type: string; parameters: Json; credentials?: Json } & Json>;
	connections: Json;
	settings?: Json;
	pinData?: Json;
}

interface NodeType {
	name: string;
	displayName: string;
}

/** What is listed of an execution. */
interface Row {
	id: string;
	status: string;
}

/** What became of a run. */
export interface Execution extends Row {
	/** n8n's text for the person at the screen; null when nothing failed. */
	error: { message: string; description: string } | null;
	/** Everything as stored, unpacked. */
	stored: unknown;
	/** The items that a node put out through its first output, last run. */
	itemsOf(node: string): Json[];
}

interface StoredRun {
	resultData: {
		error?: { message?: string; description?: string };
		runData: Record<
			string,
			Array<{ data?: { main: Array<Array<{ json: Json }> | null> }; error?: unknown }>
		>;
	};
}

/** Whether a node wants a credential of ours and does not name the one. */
const lacksCredential = ({ credentials }: Workflow['nodes'][number]): boolean => {
	const ours = credentials?.aiClkApi as { id?: string } | undefined;
	return ours !== undefined && (ours.id ?? '') === '';
};

/** While n8n stores a very large run it answers that its database is not ready. */
function nothingWhileBusy(error: unknown): null {
	if (axios.isAxiosError(error) && error.response?.status === 503) return null;
	throw error;
}

const UNFINISHED = new Set(['new', 'running', 'waiting']);
const RUN_LIMIT_MS = 300_000;

const PATIENCE_MS = 60_000;

/** What the fastest run takes. To ask whether it has ended costs n8n a tenth of a run. */
const RUN_MS = 100;

const LONGEST_PAUSE_MS = 1_000;

/** The most executions that n8n lists at once. */
const PAGE = 100;

/**
 * Asks until the answer will do, or for so many ms: less often the longer it takes, as each question costs a busy n8n time.
 *
 * @returns the last answer
 */
export async function until<T>(
	ask: () => Promise<T>,
	isEnough: (answer: T) => boolean,
	limitMs = PATIENCE_MS,
	pauseMs = 50,
): Promise<T> {
	const began = Date.now();
	for (;;) {
		const answer = await ask();
		const waitedMs = Date.now() - began;
		if (isEnough(answer) || waitedMs > limitMs) return answer;
		await sleep(Math.max(pauseMs, Math.min(waitedMs / 4, LONGEST_PAUSE_MS)));
	}
}

/** n8n's own REST API, as its editor uses it. */
export class N8nClient {
	private readonly http: AxiosInstance;

	/** As n8n made them; a run by hand hands the whole workflow back, as n8n 1 expects. */
	private readonly workflows = new Map<string, Json>();

	constructor(private readonly url: string) {
		this.http = axios.create({
			baseURL: `${url}/rest`,
			headers: { 'browser-id': 'n8n-nodes-aiclk' },
			// A busy n8n may close a connection that is kept just as it is used again.
			httpAgent: new Agent({ keepAlive: false }),
		});
	}

	private async get<T>(path: string, params: object = {}): Promise<T> {
		const { data } = await this.http.get<{ data: T }>(path, { params });
		return data.data;
	}

	private async post<T = Json>(path: string, body: unknown): Promise<T> {
		const { data } = await this.http.post<{ data: T }>(path, body);
		return data.data;
	}

	/**
	 * Makes the owner of a new n8n, or signs in as the one that is there.
	 *
	 * @throws Error with a text for a person when n8n refuses the login
	 */
	async signIn(): Promise<void> {
		const { email, password } = OWNER;
		// Refused where there is an owner. `/settings` would tell, but an n8n without the editor has none.
		const response = await this.http
			.post('/owner/setup', { ...OWNER, firstName: 'Own', lastName: 'Er' })
			.catch(
				async () => await this.http.post('/login', { emailOrLdapLoginId: email, email, password }),
			)
			.catch((error: Error) => {
				throw new Error(
					`n8n at ${this.url} refuses the login ${email} (${error.message}). Set AICLK_N8N_EMAIL and AICLK_N8N_PASSWORD to its owner's.`,
				);
			});
		this.keepCookies(response);
	}

	private keepCookies({ headers }: AxiosResponse): void {
		this.http.defaults.headers.common.Cookie = (headers['set-cookie'] ?? [])
			.map((cookie) => cookie.split(';')[0])
			.join('; ');
	}

	/** e.g. `2.41.1`; n8n says so only to those who are signed in. */
	async readVersion(): Promise<string> {
		return (await this.get<{ versionCli: string }>('/settings')).versionCli;
	}

	/** The types of all nodes that the editor offers, e.g. `n8n-nodes-base.set`. */
	async nodeTypes(): Promise<string[]> {
		return (await this.readTypes()).map(({ name }) => name);
	}

	private async readTypes(): Promise<NodeType[]> {
		const { data } = await this.http.get<NodeType[]>('/types/nodes.json', { baseURL: this.url });
		return data;
	}

	/** The entries of the node panel: a node and its trigger are one, with the node's codex file. */
	async nodePanel(): Promise<Array<{ properties: NodeType }>> {
		const entries = new Map<string, NodeType>();
		for (const type of await this.readTypes()) {
			const name = type.name.replace(/Trigger$/, '');
			if (type.name === name || !entries.has(name)) entries.set(name, type);
		}
		return [...entries.values()].map((properties) => ({ properties }));
	}

	/** Makes a member of this n8n. @returns their own client, signed in */
	async inviteMember(email: string): Promise<N8nClient> {
		const [{ user }] = await this.post<[{ user: { inviteAcceptUrl: string } }]>('/invitations', [
			{ email, role: 'global:member' },
		]);
		const { searchParams } = new URL(user.inviteAcceptUrl, this.url);
		const person = { firstName: 'Mem', lastName: 'Ber', password: OWNER.password };
		const member = new N8nClient(this.url);
		// n8n 2 puts a token into the link, n8n 1 two ids.
		const token = searchParams.get('token');
		member.keepCookies(
			token === null
				? await member.http.post(`/invitations/${searchParams.get('inviteeId')}/accept`, {
						inviterId: searchParams.get('inviterId'),
						...person,
					})
				: await member.http.post('/invitations/accept', { token, ...person }),
		);
		return member;
	}

	/** Lets a member use a credential, without letting them edit it. */
	async shareCredential(id: string, member: N8nClient): Promise<void> {
		const project = await member.get<{ id: string }>('/projects/personal');
		await this.http.put(`/credentials/${id}/share`, { shareWithIds: [project.id] });
	}

	/** Switches a licensed feature on; only an n8n started with `E2E_TESTS=true` has this route. */
	async enableFeature(feature: string): Promise<void> {
		await this.http.patch('/e2e/feature', { feature, enabled: true });
	}

	/** @returns the id of the credential */
	async createCredential(data: Json, name = 'AiClk API', type = 'aiClkApi'): Promise<string> {
		const { id } = await this.post('/credentials', { name, type, data });
		return id as string;
	}

	/** All credentials of a type, in no order. */
	async listCredentials(type: string): Promise<Array<{ id: string; name: string }>> {
		const all = await this.get<Array<{ id: string; name: string; type: string }>>('/credentials');
		return all.filter((credential) => credential.type === type);
	}

	/** The newest 100 workflows. */
	async listWorkflows(): Promise<Array<{ id: string; name: string }>> {
		return await this.get('/workflows', { take: PAGE });
	}

	/** What the dialog of a credential shows: secrets are masked. */
	async readCredential(id: string): Promise<Json> {
		return (await this.get<{ data: Json }>(`/credentials/${id}?includeData=true`)).data;
	}

	/** Saves a credential as its dialog does: everything that was shown, with some of it changed. */
	async editCredential(id: string, changes: Json, name = 'AiClk API'): Promise<void> {
		const shown = await this.readCredential(id);
		await this.http.patch(`/credentials/${id}`, {
			name,
			type: 'aiClkApi',
			data: { ...shown, ...changes },
		});
	}

	/** Presses Test in the dialog of a credential that is stored. */
	async testCredential(
		id: string,
		name = 'AiClk API',
	): Promise<{ status: string; message: string }> {
		const data = await this.readCredential(id);
		const credentials = { id, name, type: 'aiClkApi', data };
		return await this.post('/credentials/test', { credentials });
	}

	/**
	 * Imports a workflow.
	 *
	 * @param credentialId given to every node that has a credential of ours and names none
	 * @returns the id of the workflow
	 */
	async importWorkflow(workflow: Workflow, credentialId: string): Promise<string> {
		const nodes = workflow.nodes.map((node) =>
			lacksCredential(node)
				? { ...node, credentials: { aiClkApi: { id: credentialId, name: 'AiClk API' } } }
				: node,
		);
		const created = await this.post('/workflows', {
			name: workflow.name,
			nodes,
			connections: workflow.connections,
			settings: workflow.settings ?? {},
			pinData: workflow.pinData ?? {},
			active: false,
		});
		const id = created.id as string;
		this.workflows.set(id, created);
		return id;
	}

	/** Switches a workflow on: its webhook answers, its error workflow is used. */
	async activate(workflowId: string): Promise<void> {
		const { versionId } = await this.get<{ versionId: string }>(`/workflows/${workflowId}`);
		await this.post(`/workflows/${workflowId}/activate`, { versionId });
	}

	/** Waits until n8n 2 has carried out what `activate` asked for. */
	async untilPublished(workflowId: string): Promise<void> {
		const path = `/workflows/${workflowId}/publication-status`;
		const read = async () => await this.get<{ status: string }>(path);
		await until(read, ({ status }) => status === 'published');
	}

	/** Switches a workflow off. */
	async deactivate(workflowId: string): Promise<void> {
		await this.post(`/workflows/${workflowId}/deactivate`, {});
	}

	/**
	 * Calls the webhook of an active workflow. n8n 2 registers it some time after it was switched on.
	 *
	 * @returns HTTP status and body of its answer, whatever it is
	 */
	async callWebhook(path: string, body: Json = {}): Promise<{ status: number; data: unknown }> {
		const call = async () =>
			await axios.post<unknown>(`${this.url}/webhook/${path}`, body, {
				validateStatus: () => true,
			});
		const { status, data } = await until(call, ({ status }) => status !== 404);
		return { status, data };
	}

	/** All executions of a workflow, newest first; waits for the first one, and for the end of those that go on. */
	async executionsOf(workflowId: string): Promise<Execution[]> {
		const list = async () => await this.listExecutions(workflowId);
		const rows = await until(list, ({ length }) => length > 0);
		return await Promise.all(rows.map(async ({ id }) => await this.untilEnd(id)));
	}

	/**
	 * How so many executions of a workflow ended, by status; waits for all of them to be there and to end.
	 *
	 * @param limitMs how long to wait; what still goes on then is counted as it is
	 */
	async statusesOf(
		workflowId: string,
		executions: number,
		limitMs = RUN_LIMIT_MS,
	): Promise<Record<string, number>> {
		const list = async () => await this.listExecutions(workflowId);
		const haveEnded = (rows: Row[]) =>
			rows.length >= executions && !rows.some(({ status }) => UNFINISHED.has(status));
		const rows = await until(list, haveEnded, limitMs, 500);
		const counts: Record<string, number> = {};
		for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
		return counts;
	}

	/** All executions of a workflow at this moment, newest first, without their data. */
	async listExecutions(workflowId: string): Promise<Row[]> {
		interface Page {
			results: Row[];
			/** From n8n 2 on. */
			nextCursor?: string | null;
		}
		const filter = JSON.stringify({ workflowId });
		const all = new Map<string, Row>();
		let cursor: string | null | undefined;
		do {
			const page: Page = await this.get('/executions', { filter, limit: PAGE, cursor });
			for (const row of page.results) all.set(row.id, row);
			cursor = page.nextCursor;
		} while (cursor);
		return [...all.values()];
	}

	/** Presses Execute and waits for the end. */
	async run(workflowId: string, trigger: string): Promise<Execution> {
		const { executionId } = await this.post(`/workflows/${workflowId}/run`, {
			workflowData: this.workflows.get(workflowId),
			triggerToStartFrom: { name: trigger },
		});
		await sleep(RUN_MS);
		return await this.untilEnd(executionId as string);
	}

	/**
	 * Presses Retry on a failed execution and waits for the end.
	 *
	 * @param loadWorkflow whether with the saved workflow; otherwise with the original one
	 */
	async retry(executionId: string, loadWorkflow: boolean): Promise<Execution> {
		await this.post(`/executions/${executionId}/retry`, { loadWorkflow }).catch(() => undefined);
		const { workflowId } = await this.get<{ workflowId: string }>(`/executions/${executionId}`);
		const [newest] = await this.listExecutions(workflowId);
		return await this.untilEnd(newest?.id ?? '');
	}

	/** Saves another version of the workflow of a failed execution, then presses Retry with it. */
	async retryAs(executionId: string, { nodes, connections }: Workflow): Promise<Execution> {
		const { workflowId } = await this.get<{ workflowId: string }>(`/executions/${executionId}`);
		const saved = await this.get<{ versionId: string; nodes: Workflow['nodes'] }>(
			`/workflows/${workflowId}`,
		);
		const withIds = nodes.map((node) => {
			const known = saved.nodes.find(({ name }) => name === node.name);
			return { ...node, credentials: known?.credentials };
		});
		await this.http.patch(`/workflows/${workflowId}`, {
			nodes: withIds,
			connections,
			versionId: saved.versionId,
		});
		return await this.retry(executionId, true);
	}

	private async untilEnd(executionId: string): Promise<Execution> {
		const hasEnded = (execution: Execution | null): execution is Execution =>
			execution !== null && !UNFINISHED.has(execution.status);
		const read = async () => await this.readExecution(executionId).catch(nothingWhileBusy);
		const execution = await until(read, hasEnded, RUN_LIMIT_MS);
		if (!hasEnded(execution)) throw new Error(`Run ${executionId} does not end`);
		return execution;
	}

	async readExecution(id: string): Promise<Execution> {
		const { status, data } = await this.get<{ status: string; data: string }>(`/executions/${id}`);
		// Nothing is stored of a run that goes on.
		const stored = parse(data) as StoredRun | undefined;
		const { error, runData } = stored?.resultData ?? { runData: {} };
		return {
			id,
			status,
			stored,
			error: error ? { message: error.message ?? '', description: error.description ?? '' } : null,
			itemsOf: (node) => (runData[node]?.at(-1)?.data?.main[0] ?? []).map(({ json }) => json),
		};
	}
}
