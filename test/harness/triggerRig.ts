import { PollContext } from 'n8n-core';
import type {
	ICredentialsHelper,
	IDataObject,
	INode,
	IWorkflowExecuteAdditionalData,
	NodeApiError,
	WorkflowExecuteMode,
} from 'n8n-workflow';
import { Workflow } from 'n8n-workflow';

import { AiClkTrigger } from '../../nodes/AiClkTrigger/AiClkTrigger.node';
import { createSandbox, DEFAULT_CLIENT, type Sandbox } from '../sandbox/server';
import type { Row } from './fakes';
import { CredentialsHelper, newNode, newRow, nodeTypesOf } from './context';

const NAME = 'AiClk Trigger';

/** What n8n gives a poll without the durable scheduler, in ms (n8n-core poll-context.js). */
const CLASSIC_BUDGET_MS = 300_000;

let rigs = 0;

/** The trigger in n8n-core's own poll context, on a sandbox: n8n's schedule and database are the test's. */
export class TriggerRig {
	/** As it was activated: n8n keeps its static data in memory from then on. */
	private workflow!: Workflow;

	private staticData: IDataObject = {};

	/** A trigger of its own: the node's memory is that of the whole process. */
	private readonly id = `w${++rigs}`;

	/** What n8n gives a poll, in ms; the durable scheduler 36,000. */
	budgetMs = CLASSIC_BUDGET_MS;

	/** What was reported as an error execution. */
	readonly errors: NodeApiError[] = [];

	private constructor(
		readonly sandbox: Sandbox,
		readonly helper: CredentialsHelper,
		public parameters: IDataObject,
	) {
		this.activate();
	}

	static async create(parameters: IDataObject, typed: Row = {}): Promise<TriggerRig> {
		const sandbox = await createSandbox();
		const row = newRow({ baseUrl: sandbox.url, ...typed });
		const client = {
			clientId: String(row.clientId),
			refreshToken: DEFAULT_CLIENT.refreshToken + String(row.clientId),
		};
		row.refreshToken = client.refreshToken;
		sandbox.configure({ clients: [client] });
		return new TriggerRig(sandbox, new CredentialsHelper(row), parameters);
	}

	/** Reads the workflow from the database. */
	activate(): void {
		const parameters = this.parameters as INode['parameters'];
		const node = newNode(NAME, 'n8n-nodes-aiclk.aiClkTrigger', { parameters });
		this.workflow = new Workflow({
			id: this.id,
			nodes: [node],
			connections: {},
			active: true,
			nodeTypes: nodeTypesOf(new AiClkTrigger()),
			staticData: JSON.parse(JSON.stringify(this.staticData)) as IDataObject,
		});
	}

	/** One poll. @returns its items; null when there is nothing to start a workflow with */
	async poll(mode: WorkflowExecuteMode = 'trigger'): Promise<IDataObject[] | null> {
		const additionalData = {
			credentialsHelper: this.helper as unknown as ICredentialsHelper,
		} as IWorkflowExecuteAdditionalData;
		const node = this.workflow.getNode(NAME) as INode;
		const context = new PollContext(
			this.workflow,
			node,
			additionalData,
			mode,
			'activate',
			undefined,
			(error) => this.errors.push(error as NodeApiError),
			undefined,
			undefined,
			undefined,
			() => this.budgetMs,
		);
		const output = await new AiClkTrigger().poll.call(context);
		return output === null ? null : (output[0] ?? []).map(({ json }) => json);
	}

	/** n8n saves static data: after activation, and when something is emitted. */
	save(): void {
		this.staticData = JSON.parse(JSON.stringify(this.workflow.staticData)) as IDataObject;
	}

	/** The trigger's own static data. */
	get data(): IDataObject {
		return this.workflow.getStaticData('node', this.workflow.getNode(NAME) as INode);
	}

	/** Bytes of the static data, as n8n stores them. */
	get bytes(): number {
		return Buffer.byteLength(JSON.stringify(this.workflow.staticData));
	}

	/** Requests to the API since the journal was cleared. */
	get requests() {
		return this.sandbox.journal().filter(({ kind }) => kind === 'api');
	}
}
