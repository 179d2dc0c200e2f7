import type { IExecuteFunctions, JsonObject } from 'n8n-workflow';
import { NodeApiError } from 'n8n-workflow';

import type { TokenFailure } from '../../aiclk/token/errors';

/** A failure as n8n shows it, with the machine-readable cause that n8n 2.41 knows (older versions ignore it). */
export function toNodeError(
	context: IExecuteFunctions,
	{ message, description, kind, resetsAtMs }: TokenFailure,
	itemIndex?: number,
): NodeApiError {
	return new NodeApiError(context.getNode(), { message } as JsonObject, {
		message,
		description,
		itemIndex,
		...(kind === 'quota' && {
			failure: { cause: 'quota-exhausted' as const, resetsAtEpochMs: resetsAtMs },
		}),
		...(kind === 'refused' && { failure: { cause: 'credential-invalid' as const } }),
		...(kind === 'input' && { failure: { cause: 'configuration-invalid' as const } }),
		...(kind === 'unavailable' && { failure: { cause: 'temporarily-unavailable' as const } }),
	});
}
