import type { INodeProperties } from 'n8n-workflow';

import { shownFor } from './properties';
import { RESOURCES } from './resources';

const resourceField: INodeProperties = {
	displayName: 'Resource',
	name: 'resource',
	type: 'options',
	noDataExpression: true,
	options: RESOURCES.map(({ option }) => option),
	default: 'account',
};

const operationFields = RESOURCES.map(
	({ option, operations, defaultOperation }): INodeProperties => ({
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: [option.value] } },
		options: operations.map((operation) => operation.option),
		default: defaultOperation,
	}),
);

/** The fields of the AiClk node. */
export const properties: INodeProperties[] = [
	resourceField,
	...operationFields,
	...RESOURCES.flatMap(({ option, operations }) =>
		operations.flatMap((operation) =>
			shownFor(String(option.value), String(operation.option.value), operation.properties),
		),
	),
];
