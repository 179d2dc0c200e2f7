import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { NodeConnectionTypes, updateDisplayOptions } from 'n8n-workflow';

import { execute } from './execute';
import { RESOURCES } from './resources';

export class AiClk implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'AiClk',
		name: 'aiClk',
		icon: { light: 'file:../../icons/aiclk.svg', dark: 'file:../../icons/aiclk.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter["operation"] + ": " + $parameter["resource"] }}',
		description:
			'Work with AiClk (Qutoutiao) advertiser accounts: balances, spending, creatives, materials, charges',
		defaults: { name: 'AiClk' },
		documentationUrl: 'https://github.com/n8n-nodes-aiclk/n8n-nodes-aiclk/blob/main/README.md',
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'aiClkApi', required: true }],
		properties: [
			{
				displayName: 'Resource',
				name: 'resource',
				type: 'options',
				noDataExpression: true,
				options: RESOURCES.map(({ option }) => option),
				default: 'account',
			},
			...RESOURCES.map(({ option, operations, defaultOperation }): INodeProperties => ({
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				displayOptions: { show: { resource: [option.value] } },
				options: operations.map((operation) => operation.option),
				default: defaultOperation,
			})),
			...RESOURCES.flatMap(({ option: resource, operations }) =>
				operations.flatMap(({ option, properties }) =>
					updateDisplayOptions(
						{ show: { resource: [resource.value], operation: [option.value] } },
						properties,
					),
				),
			),
		],
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await execute(this)];
	}
}
