import type { IDataObject, IExecuteFunctions, IPollFunctions, JsonObject } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';

import { type Failure, FailureError, newFailure, type Outcome } from '../../aiclk/util/failure';
import { sanitize } from '../../aiclk/util/sanitize';

/** Of a run over items, or of a poll. */
export type Context = IExecuteFunctions | IPollFunctions;

/**
 * Whether an AI agent runs this node as its tool. n8n makes the tool variant of a node by adding `Tool` to its type; n8n 1
 * has no `isToolExecution`, and in n8n 2 it is false where agents run tools (n8n tool-generation/ai-tools.js).
 */
export const runsAsTool = (context: Context): boolean =>
	context.getNode().type.endsWith('Tool') ||
	('isToolExecution' in context && context.isToolExecution?.() === true);

/** The machine-readable cause that n8n 2.41 knows; older versions ignore it (n8n-workflow failure.d.ts). */
function causeOf(failure: Failure): NodeApiError['failure'] {
	const { kind, outcome, retryAfterMs, resetsAtMs } = failure;
	if (kind === 'input') return { cause: 'configuration-invalid' };
	if (kind === 'quota')
		return { cause: 'quota-exhausted', resetsAtEpochMs: resetsAtMs ?? undefined };
	if (kind === 'busy')
		return { cause: 'rate-limited', ...(retryAfterMs !== null && { retryAfterMs }) };
	if (kind === 'unavailable' && outcome !== 'unknown') return { cause: 'temporarily-unavailable' };
	// Not of the call, but of the refresh before it.
	const isOfCredential = kind === 'refused' && outcome === 'not-sent';
	return isOfCredential ? { cause: 'credential-invalid' } : undefined;
}

/**
 * A failure from anything that was thrown: by our reading of fields, by n8n's reading of expressions and credentials, or
 * unexpectedly.
 *
 * @param outcome what is known of the request
 */
export function ofThrown(error: unknown, outcome: Outcome): Failure {
	if (error instanceof FailureError) return error.failure;
	const { message, description } = error as { message?: unknown; description?: unknown };
	return newFailure({
		kind: outcome === 'not-sent' ? 'input' : 'aborted',
		outcome,
		message: sanitize(message) || 'Something unexpected happened in the AiClk node',
		description: sanitize(description) || 'Correct the field, its expression or the credential.',
	});
}

/** Refuses the user's input. @throws FailureError always */
export function refuse(message: string, description: string): never {
	throw new FailureError(newFailure({ kind: 'input', message, description }));
}

/**
 * An AI agent sees nothing but the message, and people look for the account in it. The outcome of a read is left out: nothing
 * can have been carried out, and `unknown` would say that something might.
 */
export function messageOf(context: Context, failure: Failure): string {
	const { message, outcome, isRead, traceId, accountId } = failure;
	const saysOutcome = !isRead && (outcome !== 'not-sent' || runsAsTool(context));
	const facts = [
		...(saysOutcome ? [`outcome: ${outcome}`] : []),
		...(traceId === null ? [] : [`trace_id: ${traceId}`]),
		...(accountId === null || message.includes(accountId) ? [] : [`account ${accountId}`]),
	];
	return facts.length === 0 ? message : `${message} (${facts.join(', ')})`;
}

const dataOf = (failure: Failure): IDataObject => {
	const { kind, code, httpCode, traceId, outcome, accountId, details } = failure;
	const busy = kind === 'busy' && causeOf(failure);
	return { code, httpCode, traceId, outcome, accountId, ...details, ...busy };
};

/**
 * The output of an item that failed. Both n8n 1 and 2 send an item whose only member is `error` to the error branch
 * (n8n-core workflow-execute.js, `handleNodeErrorOutput`).
 */
export const toErrorItem = (context: Context, failure: Failure): IDataObject => ({
	error: {
		message: messageOf(context, failure),
		description: failure.description,
		...dataOf(failure),
	},
});

/**
 * Makes every error of this package's nodes. `context.data` holds what an error workflow can act on.
 *
 * - The message is set after construction, because n8n's constructors replace one that holds a code of Node's: `CreativeNotFound`
 *   holds ENOTFOUND (n8n-workflow node.error.js, `setDescriptiveErrorMessage`).
 * - As a tool it is a NodeOperationError, because n8n would wrap a NodeApiError in one and replace its message again (n8n-core
 *   get-input-connection-data.js).
 */
export function toError(
	context: Context,
	failure: Failure,
	itemIndex?: number,
): NodeApiError | NodeOperationError {
	const { kind, description, httpCode } = failure;
	const message = messageOf(context, failure);
	const options = { message, description, itemIndex, failure: causeOf(failure) };
	const error =
		kind === 'input' || runsAsTool(context)
			? new NodeOperationError(context.getNode(), message, options)
			: new NodeApiError(context.getNode(), { message } as JsonObject, {
					...options,
					// n8n shows it as the error's code, which a success has not.
					httpCode: httpCode?.startsWith('2') === false ? httpCode : undefined,
				});
	error.message = message;
	error.context.data = dataOf(failure);
	return error;
}
