import { setTimeout as sleep } from 'node:timers/promises';
import axios, { type AxiosInstance } from 'axios';
import { parse } from 'flatted';

/** The owner of every n8n that is started here; it listens on loopback only. */
export const OWNER = { email: 'owner@example.com', password: 'Sandbox-1-only' };

type Json = Record<string, unknown>;

/** A workflow as n8n exports it. */
export interface Workflow {
	name: string;
	nodes: Array<{ name: string; type: string; parameters: Json; credentials?: Json } & Json>;
	connections: Json;
	settings?: Json;
}

/** What became of a run. */
export interface Execution {
	id: string;
	status: string;
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

const UNFINISHED = new Set(['new', 'running', 'waiting']);
const RUN_LIMIT_MS = 300_000;

/** n8n's own REST API, as its editor uses it. */
export class N8nClient {
	private readonly http: AxiosInstance;

	constructor(url: string) {
		this.http = axios.create({
			baseURL: `${url}/rest`,
			headers: { 'browser-id': 'n8n-nodes-aiclk' },
		});
	}

	private async post(path: string, body: unknown): Promise<Json> {
		const { data } = await this.http.post<{ data: Json }>(path, body);
		return data.data;
	}

	/** Makes the owner of a new n8n, or signs in as the one that is there. */
	async signIn(): Promise<void> {
		const settings = await this.http.get<{
			data: { userManagement: { showSetupOnFirstLoad: boolean } };
		}>('/settings');
		const isNew = settings.data.data.userManagement.showSetupOnFirstLoad;
		const { email, password } = OWNER;
		const response = isNew
			? await this.http.post('/owner/setup', { ...OWNER, firstName: 'Own', lastName: 'Er' })
			: await this.http.post('/login', { emailOrLdapLoginId: email, email, password });
		const cookies = response.headers['set-cookie'] ?? [];
		this.http.defaults.headers.common.Cookie = cookies
			.map((cookie) => cookie.split(';')[0])
			.join('; ');
	}

	/** @returns the id of the credential */
	async createCredential(data: Json, name = 'AiClk API'): Promise<string> {
		const { id } = await this.post('/credentials', { name, type: 'aiClkApi', data });
		return id as string;
	}

	/** What the dialog of a credential shows: secrets are blanked. */
	async readCredential(id: string): Promise<Json> {
		const { data } = await this.http.get<{ data: Json }>(`/credentials/${id}?includeData=true`);
		return data.data.data as Json;
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
		const result = await this.post('/credentials/test', {
			credentials: { id, name, type: 'aiClkApi', data },
		});
		return result as { status: string; message: string };
	}

	/**
	 * Imports a workflow.
	 *
	 * @param credentialId given to every node that has a credential of ours
	 * @returns the id of the workflow
	 */
	async importWorkflow(workflow: Workflow, credentialId: string): Promise<string> {
		const nodes = workflow.nodes.map((node) =>
			node.credentials?.aiClkApi === undefined
				? node
				: { ...node, credentials: { aiClkApi: { id: credentialId, name: 'AiClk API' } } },
		);
		const { id } = await this.post('/workflows', {
			name: workflow.name,
			nodes,
			connections: workflow.connections,
			settings: workflow.settings ?? {},
			active: false,
		});
		return id as string;
	}

	/** Presses Execute and waits for the end. */
	async run(workflowId: string, trigger: string): Promise<Execution> {
		const { executionId } = await this.post(`/workflows/${workflowId}/run`, {
			triggerToStartFrom: { name: trigger },
		});
		const deadline = Date.now() + RUN_LIMIT_MS;
		for (;;) {
			const execution = await this.readExecution(executionId as string);
			if (!UNFINISHED.has(execution.status)) return execution;
			if (Date.now() > deadline) throw new Error(`Run ${String(executionId)} does not end`);
			await sleep(200);
		}
	}

	async readExecution(id: string): Promise<Execution> {
		const response = await this.http.get<{ data: { status: string; data: string } }>(
			`/executions/${id}`,
		);
		const { status, data } = response.data.data;
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
