import { ExecuteContext } from 'n8n-core';
import type {
	ICredentialDataDecryptedObject,
	ICredentialsHelper,
	ICredentialType,
	IExecuteData,
	IHttpRequestHelper,
	IHttpRequestOptions,
	INode,
	INodeExecutionData,
	INodeType,
	INodeTypes,
	IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';
import { createEmptyRunExecutionData, isExpression, Workflow } from 'n8n-workflow';

import { toStoredFields, type TokenState } from '../../aiclk/token/storedToken';
import { AiClkApi } from '../../credentials/AiClkApi.credentials';
import { DAY_MS, emptyRow, inputOf, type Row, token } from './fakes';

/** Each test has a client of its own: the credential's memory is that of the whole process. */
let clients = 0;
export const newRow = (typed: Row = {}): Row =>
	emptyRow({ clientId: String(10_000 + ++clients), ...typed });

/** A row with the live token `access-1`, which lives for 90 days and was issued so long ago. @param changes of its state */
export function rowWithToken(ageMs = 0, changes: Partial<TokenState> = {}): Row {
	const row = newRow();
	const issuedAtMs = Date.now() - ageMs;
	const expiresAtMs = issuedAtMs + 90 * DAY_MS;
	const { fingerprint } = inputOf(row);
	const state = { fingerprint, issuedAtMs, expiresAtMs, quota: null, ...changes };
	return { ...row, ...toStoredFields(token('access-1', state)) };
}

/** A node of n8n's with the credential. @param more what differs */
export const newNode = (name: string, type: string, more: Partial<INode> = {}): INode => ({
	id: '1',
	name,
	type,
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
	credentials: { aiClkApi: { id: '1', name: 'AiClk API' } },
	...more,
});

/** The node types of an n8n that knows one. */
export const nodeTypesOf = (type: INodeType): INodeTypes => ({
	getByName: () => type,
	getByNameAndVersion: () => type,
	getKnownTypes: () => ({}),
});

/**
 * n8n's credentials helper over one row, as far as it concerns a credential with a hook: the same steps in the same
 * order (n8n 2.41.1, credentials-helper.js), with a variable for the database.
 */
export class CredentialsHelper {
	writes = 0;

	private failure: string | null = null;

	constructor(
		public row: Row,
		private readonly type: ICredentialType = new AiClkApi(),
	) {}

	/** From now on the database takes nothing, or everything again. @param message null: everything */
	failWrites(message: string | null): void {
		this.failure = message;
	}

	getParentTypes = () => [];

	isCredentialUsableByNode = () => true;

	getCredentialsProperties = () => this.type.properties;

	/** By which the nodes know n8n 2.34 and newer. */
	parseJsonLeafExpressionFields? = () => new Map();

	/** @param args the sixth one asks for the row as it is stored */
	getDecrypted = async (...args: unknown[]): Promise<Row> =>
		args[5] === true ? { ...this.row } : await this.resolve(args);

	/** The row as a node sees it. @param args of `getDecrypted` */
	protected resolve: (args: unknown[]) => Promise<Row> = async () => ({ ...this.row });

	async preAuthentication(
		helpers: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
		_type: string,
		node: INode,
		credentialsExpired: boolean,
	) {
		const expirable = this.type.properties.find(
			({ type, typeOptions }) => type === 'hidden' && typeOptions?.expirable === true,
		)?.name as string;
		if (credentials[expirable] !== '' && !credentialsExpired) return undefined;
		const output = await this.type.preAuthentication?.call(helpers, credentials);
		if (output?.[expirable] === undefined || !node.credentials) return undefined;
		if (this.failure !== null) throw new Error(this.failure);
		this.writes++;
		for (const [key, value] of Object.entries(output)) {
			if (key === expirable || !isExpression(this.row[key])) this.row[key] = value;
		}
		return Object.assign(credentials, output);
	}

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		_type: string,
		options: IHttpRequestOptions,
	) {
		return await (this.type.authenticate as (c: object, o: object) => Promise<unknown>)(
			credentials,
			options,
		);
	}
}

/** The context in which n8n-core executes a node: its own request code, with this helper instead of n8n's database. */
export function newContext(
	helper: CredentialsHelper,
	type: INodeType,
	node: INode,
	items: INodeExecutionData[],
): ExecuteContext {
	const workflow = new Workflow({
		id: 'w1',
		name: 'Rotation',
		nodes: [node],
		connections: {},
		active: false,
		nodeTypes: nodeTypesOf(type),
	});
	const additionalData = {
		credentialsHelper: helper as unknown as ICredentialsHelper,
	} as IWorkflowExecuteAdditionalData;
	const executeData: IExecuteData = { data: { main: [items] }, node, source: null };
	return new ExecuteContext(
		workflow,
		workflow.getNode(node.name) as INode,
		additionalData,
		'manual',
		createEmptyRunExecutionData(),
		0,
		items,
		{ main: [items] },
		executeData,
		[],
	);
}

/** A node with the credential, for tests in which n8n's request code counts and no node of ours. */
export const ANY_NODE = newNode('HTTP Request', 'n8n-nodes-base.httpRequest', { typeVersion: 4 });

/** Its type, as far as n8n-core looks at it. */
export const ANY_NODE_TYPE = { description: { properties: [] } } as unknown as INodeType;

/** What a run failed with. @throws Error if it did not fail */
export async function failureOf<Failure extends Error>(run: Promise<unknown>): Promise<Failure> {
	return await run.then(
		() => {
			throw new Error('it did not fail');
		},
		(error: unknown) => error as Failure,
	);
}

/** The item of an input that failed before anything was sent. @param error what differs */
export const errorItem = (item: number, error: object): INodeExecutionData => ({
	json: {
		error: {
			code: null,
			httpCode: null,
			traceId: null,
			outcome: 'not-sent',
			accountId: null,
			...error,
		},
	},
	pairedItem: { item },
});
