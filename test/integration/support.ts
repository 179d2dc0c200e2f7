import { ExecuteContext } from 'n8n-core';
import type {
	ICredentialDataDecryptedObject,
	ICredentialsHelper,
	IDataObject,
	IExecuteData,
	IHttpRequestHelper,
	IHttpRequestOptions,
	INode,
	INodeExecutionData,
	INodeType,
	INodeTypes,
	IRunExecutionData,
	IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';
import { createEmptyRunExecutionData, isExpression, Workflow } from 'n8n-workflow';
import nock from 'nock';

import { AiClkApi } from '../../credentials/AiClkApi.credentials';
import { AiClk } from '../../nodes/AiClk/AiClk.node';
import { AiClkToken } from '../../nodes/AiClkToken/AiClkToken.node';
import { emptyRow, type Row } from '../unit/support';

export const API = 'https://openapi.aiclk.com';

const credentialType = new AiClkApi();

/** Each test has a client of its own: the credential's memory is that of the whole process. */
let clients = 0;
export const newRow = (typed: Row = {}): Row =>
	emptyRow({ clientId: String(10_000 + ++clients), ...typed });

/**
 * n8n's credentials helper over one row, as far as it concerns a credential with a hook: the same steps in the same
 * order (n8n 2.41.1, credentials-helper.js), with a variable for the database.
 */
export class CredentialsHelper {
	writes = 0;

	constructor(public row: Row) {}

	getParentTypes = () => [];

	isCredentialUsableByNode = () => true;

	getCredentialsProperties = () => credentialType.properties;

	getDecrypted = async () => ({ ...this.row });

	async preAuthentication(
		helpers: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
		_type: string,
		node: INode,
		credentialsExpired: boolean,
	) {
		const expirable = credentialType.properties.find(
			({ type, typeOptions }) => type === 'hidden' && typeOptions?.expirable === true,
		)?.name as string;
		if (credentials[expirable] !== '' && !credentialsExpired) return undefined;
		const output = await credentialType.preAuthentication.call(helpers, credentials);
		if (output[expirable] === undefined || !node.credentials) return undefined;
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
		return await (credentialType.authenticate as (c: object, o: object) => Promise<unknown>)(
			credentials,
			options,
		);
	}
}

const NODES: Record<string, INodeType> = {
	'n8n-nodes-aiclk.aiClk': new AiClk(),
	'n8n-nodes-aiclk.aiClkToken': new AiClkToken(),
};

const nodeTypes: INodeTypes = {
	getByName: (type) => NODES[type] as INodeType,
	getByNameAndVersion: (type) => NODES[type] as INodeType,
	getKnownTypes: () => ({}),
};

/** A node in a workflow of its own, run with n8n-core's own context and request code. */
export class Bench {
	readonly helper: CredentialsHelper;

	constructor(row: Row = newRow()) {
		this.helper = new CredentialsHelper(row);
	}

	/** @param node what differs from an AiClk Token node with its credential */
	context(
		parameters: IDataObject = {},
		items: INodeExecutionData[] = [{ json: {} }],
		node: Partial<INode> = {},
	): ExecuteContext {
		const complete: INode = {
			id: '1',
			name: 'AiClk Token',
			type: 'n8n-nodes-aiclk.aiClkToken',
			typeVersion: 1,
			position: [0, 0],
			parameters: parameters as INode['parameters'],
			credentials: { aiClkApi: { id: '1', name: 'AiClk API' } },
			...node,
		};
		const workflow = new Workflow({ nodes: [complete], connections: {}, active: false, nodeTypes });
		const additionalData = {
			credentialsHelper: this.helper as unknown as ICredentialsHelper,
		} as IWorkflowExecuteAdditionalData;
		const runData: IRunExecutionData = createEmptyRunExecutionData();
		const executeData: IExecuteData = { data: { main: [items] }, node: complete, source: null };
		return new ExecuteContext(
			workflow,
			workflow.getNode(complete.name) as INode,
			additionalData,
			'manual',
			runData,
			0,
			items,
			{ main: [items] },
			executeData,
			[],
		);
	}

	/** Runs the AiClk Token node and returns its items. */
	async runTokenNode(
		parameters: IDataObject,
		items?: INodeExecutionData[],
		node?: Partial<INode>,
	): Promise<INodeExecutionData[]> {
		return await this.run(this.context(parameters, items, node));
	}

	/** Runs the AiClk node and returns its items. */
	async runAiClk(
		parameters: IDataObject,
		items?: INodeExecutionData[],
		node?: Partial<INode>,
	): Promise<INodeExecutionData[]> {
		const type = 'n8n-nodes-aiclk.aiClk';
		return await this.run(this.context(parameters, items, { name: 'AiClk', type, ...node }));
	}

	private async run(context: ExecuteContext): Promise<INodeExecutionData[]> {
		const output = (await NODES[context.getNode().type]?.execute?.call(
			context,
		)) as INodeExecutionData[][];
		return output[0] as INodeExecutionData[];
	}
}

/** What the token endpoint answers next; every call is noted in `calls`. */
export function onRefresh(
	reply: (body: string) => [number, nock.Body?] = () => [200, issued('access-1')],
) {
	const calls: string[] = [];
	nock(API)
		.post('/oauth2/token')
		.reply((_uri, body) => {
			calls.push(String(body));
			return reply(String(body));
		})
		.persist();
	return calls;
}

/** The documented answer with a token. */
export const issued = (accessToken: string, data: object = {}) => ({
	code: 200,
	data: {
		access_token: accessToken,
		expires_in: 7_776_000,
		token_type: 'OGW_ACCESS_TOKEN',
		...data,
	},
	message: 'Success',
	trace_id: '776ac7ef9ccd2cb3',
});

export const ACCEPTED = { code: 200, data: { list: [] }, message: 'success', trace_id: 'aa11' };
export const REJECTED = { code: 401, data: null, message: 'access_token 无效', trace_id: 'bb22' };

/** What account/info answers to a token; every token that it was asked with is noted. */
export function onAccountInfo(
	reply: (accessToken: string) => [number, nock.Body?] = () => [200, ACCEPTED],
) {
	const tokens: string[] = [];
	nock(API)
		.get('/openapi/v1/account/info')
		.query(true)
		.reply(function () {
			const accessToken = String(this.req.headers.ogw_access_token);
			tokens.push(accessToken);
			return reply(accessToken);
		})
		.persist();
	return tokens;
}

/** What Node's sockets throw. */
export const networkError = (code: string) => Object.assign(new Error(code), { code });
