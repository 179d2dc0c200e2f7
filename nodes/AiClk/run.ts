import type { IDataObject, IExecuteFunctions, JsonObject } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';

import type { Envelope } from '../../aiclk/protocol/envelope';
import { type PageRequest, readPages } from '../../aiclk/api/pagination';
import type { ApiRequest } from '../../aiclk/api/request';
import { toNodeError } from '../shared/errors';
import type { Fields } from './fields';
import { envelopeItem } from './items';
import type { Operation, Plan } from './operation';
import { RESOURCES } from './resources';
import { type CallFailure, send } from './send';

/** Finds what the node is set to do. n8n itself adds "Custom API Call" to both lists, which leads nowhere in a node. */
function findOperation(context: IExecuteFunctions, itemIndex: number): Operation {
	const resource = context.getNodeParameter('resource', itemIndex, '');
	const operation = context.getNodeParameter('operation', itemIndex, '');
	const found = RESOURCES.find(({ option }) => option.value === resource)?.operations.find(
		({ option }) => option.value === operation,
	);
	if (found !== undefined) return found;
	throw new NodeOperationError(
		context.getNode(),
		'This resource and operation are not among what the AiClk node can do',
		{
			description:
				"For another endpoint choose the resource API, or an HTTP Request node with the predefined credential type 'AiClk API'.",
			itemIndex,
		},
	);
}

/**
 * Reads and checks what one item asks for, before anything is sent for any item.
 *
 * @throws NodeOperationError for bad input, naming the field
 */
export const planItem = async (
	context: IExecuteFunctions,
	itemIndex: number,
	fields: Fields,
): Promise<Plan> => await findOperation(context, itemIndex).plan(fields);

const onPage = (
	request: ApiRequest,
	travelIn: 'query' | 'parameters',
	{ page, pageSize }: PageRequest,
): ApiRequest => ({
	...request,
	[travelIn]: { ...request[travelIn], page, page_size: pageSize },
});

function toError(
	context: IExecuteFunctions,
	failure: CallFailure,
	itemIndex: number,
): NodeApiError {
	if ('token' in failure) return toNodeError(context, failure.token, itemIndex);
	const { message, description, httpCode } = failure.api;
	return new NodeApiError(context.getNode(), { message } as JsonObject, {
		message,
		description,
		httpCode: httpCode ?? undefined,
		itemIndex,
	});
}

/**
 * Does what one item asks for.
 *
 * @returns one object an output item
 * @throws NodeApiError with AiClk's message, code and trace_id, or why no live token could be had
 */
export async function carryOut(
	context: IExecuteFunctions,
	itemIndex: number,
	{ request, hint, pages, simplify, toItems }: Plan,
): Promise<IDataObject[]> {
	const call = async (one: ApiRequest): Promise<Envelope> => {
		const result = await send(context, one, hint);
		if (result.ok) return result.value;
		throw toError(context, result.failure, itemIndex);
	};
	if (pages === undefined) {
		const envelope = await call(request);
		return simplify ? toItems(envelope.data) : [envelopeItem(envelope)];
	}
	const { rows, envelopes } = await readPages(
		pages.limit,
		async (page) => await call(onPage(request, pages.travelIn, page)),
	);
	return simplify ? toItems(rows) : envelopes.map(envelopeItem);
}
