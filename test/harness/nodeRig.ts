import type { ExecuteContext } from 'n8n-core';
import type { IDataObject, INode, INodeExecutionData, INodeType } from 'n8n-workflow';

import { AiClk } from '../../nodes/AiClk/AiClk.node';
import { AiClkToken } from '../../nodes/AiClkToken/AiClkToken.node';
import { readToken } from '../../aiclk/token/storedToken';
import { DAY_MS, type Row } from './fakes';
import { CredentialsHelper, newContext, newRow } from './context';

const NODES: Record<string, INodeType> = {
	'n8n-nodes-aiclk.aiClk': new AiClk(),
	'n8n-nodes-aiclk.aiClkToken': new AiClkToken(),
	'n8n-nodes-aiclk.aiClkTokenTool': new AiClkToken(),
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
		return newContext(this.helper, NODES[complete.type] as INodeType, complete, items);
	}

	/** Makes the stored token one that was issued long ago: rejected at once it would be left to another process. */
	age(): void {
		const { row } = this.helper;
		const state = readToken(row)?.state;
		row.tokenState = JSON.stringify({ ...state, issuedAtMs: Number(state?.issuedAtMs) - DAY_MS });
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
