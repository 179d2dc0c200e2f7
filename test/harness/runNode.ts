import type {
	IBinaryData,
	IDataObject,
	INode,
	INodeExecutionData,
	IRunExecutionData,
	NodeApiError,
	WorkflowExecuteMode,
} from 'n8n-workflow';

import { AiClk } from '../../nodes/AiClk/AiClk.node';
import { CredentialsHelper, newContext, newNode, newRow } from './context';
import type { Row } from './fakes';
import { onRefresh } from './nocks';

/** Every run finds a token endpoint that answers. */
beforeEach(() => {
	onRefresh();
});

/** The largest uint64. */
export const MAX_UINT64 = '18446744073709551615';

/** A credential for account 1000002. @param typed what else a person typed */
export const newHelper = (typed: Row = {}): CredentialsHelper =>
	new CredentialsHelper(newRow({ accountId: '1000002', ...typed }));

export const jsonOf = (items: INodeExecutionData[]): IDataObject[] => items.map(({ json }) => json);

export const set = (
	resource: string,
	operation: string,
	parameters: IDataObject = {},
): IDataObject => ({
	resource,
	operation,
	...parameters,
});

/** A charge names its payer: the credential's account is never that. */
export const CHARGE = set('charge', 'agent', {
	accountId: '1000002',
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

/** Settings of a node, for `RunOptions`. */
export const CONTINUE = { node: { onError: 'continueRegularOutput' as const } };
export const TOOL = { node: { type: 'n8n-nodes-aiclk.aiClkTool' } };

/** A file in a store of n8n's: what is written down of its size, and what is found; null for nothing. */
export const inStore = (fileSize: unknown, bytes: Buffer | null): Pick<RunOptions, 'change'> => ({
	change: ({ helpers }) => {
		const gone = async () => await Promise.reject(new Error('ENOENT'));
		Object.assign(helpers, {
			getBinaryMetadata: fileSize === null ? gone : async () => ({ fileSize }),
			getBinaryStream: bytes === null ? gone : async () => [bytes],
		});
	},
});

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

/** Runs the AiClk node in n8n-core's own context. @param input JSON of items, or whole items; one empty item if left out */
export async function runNode(
	parameters: IDataObject,
	input: IDataObject[] | INodeExecutionData[] = [{}],
	{
		node = {},
		helper = newHelper(),
		mode = 'manual',
		hasRun = false,
		signal,
		change,
	}: RunOptions = {},
): Promise<Ran> {
	const type = new AiClk();
	const complete = newNode('AiClk', 'n8n-nodes-aiclk.aiClk', {
		parameters: parameters as INode['parameters'],
		...node,
	});
	// As n8n makes the tool variant of a node (tool-generation/ai-tools.js).
	if (complete.type.endsWith('Tool')) type.description.name += 'Tool';
	const items = input.map((item) =>
		'json' in item ? item : { json: item },
	) as INodeExecutionData[];
	const context = newContext(helper, type, complete, items);
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
