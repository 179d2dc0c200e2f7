import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';

import { ofThrown, toError, toErrorItem } from '../shared/errors';
import { properties } from './description';
import { execute } from './execute';

export class AiClkToken implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'AiClk Token',
		name: 'aiClkToken',
		icon: {
			light: 'file:../../icons/aiclkToken.svg',
			dark: 'file:../../icons/aiclkToken.dark.svg',
		},
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation === "status" ? "Get Status" : "Refresh" }}',
		description: 'Refresh the access token of an AiClk API credential, or get its status',
		defaults: { name: 'AiClk Token' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'aiClkApi', required: true }],
		properties,
	};

	/**
	 * Runs once per execution, however many items come in: a refresh is for the credential, not for an item. The output is paired with
	 * the first item, so that expressions that refer to the items find one.
	 */
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const output = (json: IDataObject): INodeExecutionData[][] => [
			[{ json, pairedItem: { item: 0 } }],
		];
		try {
			return output(await execute(this));
		} catch (error) {
			const failure = ofThrown(error, 'not-sent');
			if (this.continueOnFail()) return output(toErrorItem(this, failure));
			throw toError(this, failure, 0);
		}
	}
}
