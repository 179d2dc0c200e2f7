import type { ExecuteContext } from 'n8n-core';
import type { IDataObject, INode, INodeExecutionData } from 'n8n-workflow';

import { AiClkToken } from '../../nodes/AiClkToken/AiClkToken.node';
import type { Row } from './fakes';
import { CredentialsHelper, newContext, newNode, newRow } from './context';

/** The AiClk Token node in a workflow of its own, run with n8n-core's own context and request code. */
export class TokenRig {
	readonly helper: CredentialsHelper;

	private readonly type = new AiClkToken();

	constructor(row: Row = newRow()) {
		this.helper = new CredentialsHelper(row);
	}

	/** @param node what differs from an AiClk Token node with its credential */
	context(
		parameters: IDataObject = {},
		items: INodeExecutionData[] = [{ json: {} }],
		node: Partial<INode> = {},
	): ExecuteContext {
		const complete = newNode('AiClk Token', 'n8n-nodes-aiclk.aiClkToken', {
			parameters: parameters as INode['parameters'],
			...node,
		});
		return newContext(this.helper, this.type, complete, items);
	}

	/** Runs the node and returns its items. */
	async run(...of: Parameters<TokenRig['context']>): Promise<INodeExecutionData[]> {
		const [items = []] = await this.type.execute.call(this.context(...of));
		return items;
	}
}
