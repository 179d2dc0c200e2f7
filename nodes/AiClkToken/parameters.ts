import type { IExecuteFunctions } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';

import { MOST_DAYS } from './description';

/** What the user asked the node to do, checked. */
export type Order = { includeAccessToken: boolean } & (
	{ operation: 'refresh'; withinDays: number | null } | { operation: 'status'; verify: boolean }
);

/** Refuses a value with the name of its field, before any request. */
function refuse(context: IExecuteFunctions, message: string, description: string): never {
	throw new NodeOperationError(context.getNode(), message, { description, itemIndex: 0 });
}

function readBoolean(context: IExecuteFunctions, name: string, value: unknown): boolean {
	if (typeof value === 'boolean') return value;
	return refuse(
		context,
		`'${name}' is neither true nor false`,
		'Correct the field or its expression.',
	);
}

function readWithinDays(context: IExecuteFunctions): number {
	const value = context.getNodeParameter('withinDays', 0);
	if (typeof value === 'number' && value >= 0 && value <= MOST_DAYS) return value;
	return refuse(
		context,
		`'Within Days' is not a number from 0 to ${MOST_DAYS}`,
		'The access token lives 90 days. 30 suits a daily schedule.',
	);
}

function readRefresh(context: IExecuteFunctions) {
	const when = context.getNodeParameter('when', 0);
	if (when === 'always') return { operation: 'refresh' as const, withinDays: null };
	if (when === 'whenExpiring') {
		return { operation: 'refresh' as const, withinDays: readWithinDays(context) };
	}
	return refuse(context, `'When' is not a known choice`, "Choose 'always' or 'whenExpiring'.");
}

/**
 * Reads the node's fields, once for the whole execution (expressions are resolved against the first item).
 *
 * @throws NodeOperationError for a value out of range or of the wrong type
 */
export function readOrder(context: IExecuteFunctions): Order {
	const operation = context.getNodeParameter('operation', 0);
	const options: unknown = context.getNodeParameter('options', 0, {});
	const { includeAccessToken = false } = (options ?? {}) as Record<string, unknown>;
	const common = {
		includeAccessToken: readBoolean(context, 'Include Access Token', includeAccessToken),
	};
	if (operation === 'refresh') return { ...common, ...readRefresh(context) };
	if (operation === 'status') {
		const verify = readBoolean(context, 'Verify', context.getNodeParameter('verify', 0));
		return { ...common, operation, verify };
	}
	return refuse(
		context,
		`The AiClk Token node has no operation '${String(operation)}'`,
		"Choose Refresh or Get Status. For another endpoint of AiClk use an HTTP Request node with the predefined credential type 'AiClk API'.",
	);
}
