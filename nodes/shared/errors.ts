import type { IDataObject, IExecuteFunctions, IPollFunctions, JsonObject } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';

import type { ApiFailure, Outcome } from '../../aiclk/api/response';
import type { FailureKind, TokenFailure } from '../../aiclk/token/errors';
import { sanitize } from '../../aiclk/util/sanitize';

/** The machine-readable cause that n8n 2.41 knows; older versions ignore it. */
type Cause = NonNullable<NodeApiError['failure']>;

const CAUSES: Partial<Record<FailureKind, Cause>> = {
	refused: { cause: 'credential-invalid' },
	input: { cause: 'configuration-invalid' },
	unavailable: { cause: 'temporarily-unavailable' },
};

const causeOf = ({ kind, resetsAtMs }: TokenFailure): Cause | undefined =>
	kind === 'quota' ? { cause: 'quota-exhausted', resetsAtEpochMs: resetsAtMs } : CAUSES[kind];

/** A token failure as n8n shows it. */
export function toNodeError(
	context: IExecuteFunctions | IPollFunctions,
	failure: TokenFailure,
	itemIndex?: number,
): NodeApiError {
	const { message, description } = failure;
	return new NodeApiError(context.getNode(), { message } as JsonObject, {
		message,
		description,
		itemIndex,
		failure: causeOf(failure),
	});
}

/** Why an item came to nothing, as data. Holds no secret. */
export interface Failure {
	/** What happened; without what `outcome` and `traceId` say. */
	message: string;
	/** What to do next. */
	description: string;
	outcome: Outcome;
	/** AiClk's code; null when it named none. */
	code: number | null;
	/** HTTP status as text; null when no answer came. */
	httpCode: string | null;
	/** AiClk's name for the request; null when it named none. */
	traceId: string | null;
	/** The account that the item is about, digits; null when that was not read. */
	accountId: string | null;
	/** Whether it is the user's input that must be corrected. */
	isInput: boolean;
	/** Whether AiClk said that it does not accept the access token. */
	isTokenRejected: boolean;
	/** Set when the credential had no valid token to send. */
	token: TokenFailure | null;
	cause?: Cause;
}

const EMPTY = {
	code: null,
	httpCode: null,
	traceId: null,
	accountId: null,
	isInput: false,
	isTokenRejected: false,
	token: null,
};

/** A failure without an answer from AiClk, unless `more` has one. */
export const newFailure = (
	outcome: Outcome,
	message: string,
	description: string,
	more: Partial<Failure> = {},
): Failure => ({ ...EMPTY, outcome, message, description, ...more });

/** @param retryAfterMs null where AiClk does not say */
export const rateLimited = (retryAfterMs: number | null): Cause => ({
	cause: 'rate-limited',
	...(retryAfterMs !== null && { retryAfterMs }),
});

/** A failure of a call. */
export const ofCall = (failure: ApiFailure): Failure => {
	const { outcome, message, description, busy, ...rest } = failure;
	const cause = busy === null ? {} : { cause: rateLimited(busy.retryAfterMs) };
	return newFailure(outcome, message, description, { ...rest, ...cause });
};

/** A failure to get a valid token: nothing was sent. */
export const ofToken = (failure: TokenFailure): Failure =>
	newFailure('not-sent', failure.message, failure.description, {
		isInput: failure.kind === 'input',
		token: failure,
		cause: causeOf(failure),
	});

/**
 * A failure from anything that was thrown: by our reading of fields, by n8n's reading of expressions and credentials, or
 * unexpectedly.
 *
 * @param outcome what is known of the request
 */
export function ofError(error: unknown, outcome: Outcome): Failure {
	const { message, description } = error as { message?: unknown; description?: unknown };
	return newFailure(
		outcome,
		sanitize(message) || 'Something unexpected happened in the AiClk node',
		sanitize(description) || 'Correct the field, its expression or the credential.',
		{ isInput: outcome === 'not-sent' },
	);
}

/** The message with outcome and trace_id, because an AI agent sees nothing but the message. */
const fullMessage = ({ message, outcome, traceId }: Failure): string =>
	`${message} (outcome: ${outcome}${traceId === null ? '' : `, trace_id: ${traceId}`})`;

const dataOf = ({ code, httpCode, traceId, outcome, accountId, cause }: Failure): IDataObject => ({
	code,
	httpCode,
	traceId,
	outcome,
	accountId,
	...(cause?.cause === 'rate-limited' && { ...cause }),
});

/**
 * The output of an item that failed. Both n8n 1 and 2 send an item whose only member is `error` to the error branch
 * (n8n-core workflow-execute.js, `handleNodeErrorOutput`).
 */
export const toErrorItem = (failure: Failure): IDataObject => ({
	error: {
		message: fullMessage(failure),
		description: failure.description,
		...dataOf(failure),
	},
});

/** A failure as n8n shows it; `context.data` holds what an error workflow can act on. */
export function toError(
	context: IExecuteFunctions,
	failure: Failure,
	itemIndex: number,
): NodeApiError | NodeOperationError {
	const message = fullMessage(failure);
	const { description, httpCode, isInput, cause } = failure;
	const options = { message, description, itemIndex, failure: cause };
	const error = isInput
		? new NodeOperationError(context.getNode(), message, options)
		: new NodeApiError(context.getNode(), { message } as JsonObject, {
				...options,
				httpCode: httpCode ?? undefined,
			});
	error.context.data = dataOf(failure);
	return error;
}
