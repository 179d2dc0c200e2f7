import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	JsonObject,
} from 'n8n-workflow';
import { NodeApiError, NodeConnectionTypes, NodeOperationError } from 'n8n-workflow';

import { properties } from './description';
import { carryOut } from './operations';
import { readOrder } from './parameters';

export class AiClkToken implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'AiClk Token',
		name: 'aiClkToken',
		icon: { light: 'file:../../icons/aiclk.svg', dark: 'file:../../icons/aiclk.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation === "status" ? "Get Status" : "Refresh" }}',
		description: 'Refresh the access token of an AiClk API credential, or tell its status',
		defaults: { name: 'AiClk Token' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'aiClkApi', required: true }],
		properties,
	};

	/** One order an execution, however many items come in: a refresh is for the credential, not for an item. */
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const pairedItem = this.getInputData().map((_, item) => ({ item }));
		const output = (json: IDataObject): INodeExecutionData[][] => [[{ json, pairedItem }]];
		try {
			return output(await carryOut(this, readOrder(this)));
		} catch (error) {
			if (this.continueOnFail()) return output({ error: (error as Error).message });
			throw error instanceof NodeOperationError
				? new NodeOperationError(this.getNode(), error)
				: new NodeApiError(this.getNode(), error as JsonObject);
		}
	}
}
