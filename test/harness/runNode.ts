import type {
	IBinaryData,
	IDataObject,
	INode,
	INodeExecutionData,
	IRunExecutionData,
	NodeApiError,
	WorkflowExecuteMode,
} from 'n8n-workflow';
import nock from 'nock';

import { AiClk } from '../../nodes/AiClk/AiClk.node';
import { Bench } from './nodeRig';
import type { Row } from './fakes';
import { CredentialsHelper, newContext, newRow } from './context';
import { API, issued, networkError, onRefresh } from './nocks';

/** The largest uint64. */
export const MAX_UINT64 = '18446744073709551615';

export interface Call {
	method: string;
	/** The path with its query, percent-decoded. */
	url: string;
	body: string;
	token: string;
	contentType: string;
}

export type Answer = [status: number, body: unknown, headers?: Record<string, string>];

export type Reply = (call: Call, n: number) => Answer | Promise<Answer>;

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** What AiClk's pages document: an object for an account, rows for a list, nothing for a change. */
const answerWell: Reply = ({ method, url }) => {
	const list = url.includes('monitor') ? [] : { list: [] };
	const data = url.includes('account/info') ? { balance: 1 } : list;
	return [200, { code: 200, data: method === 'GET' ? data : null, message: 'success' }];
};

/** Answers everything below /openapi/. */
export function onApi(reply: Reply = answerWell): Call[] {
	const calls: Call[] = [];
	async function answer(this: nock.ReplyFnContext, uri: string) {
		const { method, headers } = this.req;
		// As it came: nock would hand out a parsed body, with rounded ids.
		const { requestBodyBuffers } = this.req as unknown as { requestBodyBuffers: Buffer[] };
		const call = {
			method,
			url: decodeURIComponent(uri),
			body: Buffer.concat(requestBodyBuffers).toString(),
			token: String(headers.ogw_access_token),
			contentType: String(headers['content-type']),
		};
		calls.push(call);
		const [status, content, more] = await reply(call, calls.length);
		const text = typeof content === 'string' ? content : JSON.stringify(content);
		return [status, text, { 'content-type': 'application/json', ...more }] as const;
	}
	for (const method of METHODS) {
		nock(API)
			.persist()
			.intercept(/^\/openapi\//, method)
			.reply(answer as never);
	}
	return calls;
}

/** Every request to the API ends with this error of Node's. @returns how many there were */
export function onLostAnswers(code: string): () => number {
	let count = 0;
	const scope = nock(API).post(/^\/openapi\//);
	scope.replyWithError(networkError(code)).persist();
	(scope as unknown as { scope: nock.Scope }).scope.on('request', () => count++);
	return () => count;
}

export const success = (data: unknown) => ({
	code: 200,
	message: 'success',
	data,
	trace_id: 'cc44',
});

/** A bench with a credential for account 1000002 and an answering token endpoint. */
export function newBench(): { bench: Bench; refreshes: string[] } {
	let tokens = 0;
	const refreshes = onRefresh(() => [200, issued(`access-${++tokens}`)]);
	return { bench: new Bench(newRow({ accountId: '1000002' })), refreshes };
}

export const jsonOf = (items: INodeExecutionData[]): IDataObject[] => items.map(({ json }) => json);

export async function failureOf(run: Promise<unknown>): Promise<NodeApiError> {
	try {
		await run;
	} catch (error) {
		return error as NodeApiError;
	}
	throw new Error('the node did not fail');
}

export const set = (
	resource: string,
	operation: string,
	parameters: IDataObject = {},
): IDataObject => ({
	resource,
	operation,
	...parameters,
});

/** The credential's account is never the payer of a charge, so the field is filled in. */
export const PAYER = { accountId: '1000002' };

export const PERSON = {
	company: '测试公司',
	displayName: '测试公司简称',
	licenseCode: 'DSSSAAASSSSWSSSSDA',
	companyRegion: '310000,310100,310115',
	companyAddress: '上海上海市浦东新区三林软件园1号楼',
	license: '14705564',
	qualification: '14705564',
	category: '100101101',
	appName: '测试产品名称',
	username: 'ceshizhanghumingcheng6',
	password: 'Abcdef1',
	link: 'https://www.example.com',
	sourceMark: 'n8n',
	email: 'a@example.com',
	contacter: '联系人',
	contacterPhone: '13800000000',
};

export const CHARGE = set('charge', 'agent', {
	...PAYER,
	targetUser: '1000004',
	money: 10000,
	confirm: true,
});
export const INFO = set('account', 'getInfo');
export const FUND = set('account', 'getFundRecords', {
	period: 'custom',
	startDate: '2026-01-01',
	endDate: '2026-12-31',
});
export const CALL = set('api', 'call', { path: 'v1/report' });

export const file = (text: string): INodeExecutionData[] => {
	const data: IBinaryData = {
		data: Buffer.from(text).toString('base64'),
		mimeType: 'image/png',
		fileName: '图 1.png',
	};
	return [{ json: {}, binary: { data } }];
};

/** How a node is run, beside its parameters. */
export interface RunOptions {
	node?: Partial<INode>;
	helper?: CredentialsHelper;
	/** `retry` is n8n's Retry button on a failed execution. */
	mode?: WorkflowExecuteMode;
	/** Whether the node has run in this execution before. n8n takes the failed run out and leaves its entry. */
	hasRun?: boolean;
	signal?: AbortSignal;
	/** Changes n8n's context before the node sees it. */
	change?(context: ReturnType<typeof newContext>): void;
}

/** What a run left behind. */
export interface Ran {
	items: INodeExecutionData[];
	error: NodeApiError | null;
	/** What the panel shows beside the output. */
	hints: string[];
	log: string[];
}

/** Runs the AiClk node in n8n-core's own context. */
export async function runNode(
	parameters: IDataObject,
	input: IDataObject[] | INodeExecutionData[],
	{ node = {}, helper, mode = 'manual', hasRun = false, signal, change }: RunOptions = {},
): Promise<Ran> {
	const type = new AiClk();
	const complete = {
		id: '1',
		name: 'AiClk',
		type: 'n8n-nodes-aiclk.aiClk',
		typeVersion: 1,
		position: [0, 0],
		parameters,
		credentials: { aiClkApi: { id: '1', name: 'AiClk API' } },
		...node,
	} as INode;
	// As n8n makes the tool variant of a node (tool-generation/ai-tools.js).
	if (complete.type.endsWith('Tool')) type.description.name += 'Tool';
	const items = input.map((item) =>
		'json' in item ? item : { json: item },
	) as INodeExecutionData[];
	const row = newRow({ accountId: '1000002' });
	const context = newContext(helper ?? new CredentialsHelper(row), type, complete, items);
	const inner = context as unknown as { runExecutionData: IRunExecutionData };
	if (hasRun) inner.runExecutionData.resultData.runData[complete.name] = [];
	const log: string[] = [];
	const note = (text: string) => log.push(text);
	Object.assign(context, { mode, abortSignal: signal });
	Object.defineProperty(context, 'logger', {
		value: { info: note, warn: note, debug: note, error: note },
	});
	change?.(context);
	const ended = await type.execute.call(context).then(
		([output = []]) => ({ items: output, error: null }),
		(error: NodeApiError) => ({ items: [], error }),
	);
	return { ...ended, hints: context.hints.map(({ message }) => message), log };
}

/** What an error item or an error says of the item, as data. */
export const dataOf = ({ json }: INodeExecutionData): IDataObject => json.error as IDataObject;

/** A credential whose fields are expressions of the item, resolved as n8n does (credentials-helper.js). */
export class ExpressionHelper extends CredentialsHelper {
	protected override resolve = async (args: unknown[]): Promise<Row> => {
		const [, , , mode, executeData, , values] = args as [
			unknown,
			unknown,
			unknown,
			string,
			unknown,
			unknown,
			{
				workflow: { expression: { getParameterValue: (...args: unknown[]) => unknown } };
				runExecutionData: unknown;
				runIndex: number;
				itemIndex: number;
				node: INode;
				connectionInputData: unknown;
			},
		];
		const { workflow, runExecutionData, runIndex, itemIndex, node, connectionInputData } = values;
		return workflow.expression.getParameterValue(
			{ ...this.row },
			runExecutionData,
			runIndex,
			itemIndex,
			node.name,
			connectionInputData,
			mode,
			{},
			executeData,
			false,
			{ ...this.row },
		) as Row;
	};
}
