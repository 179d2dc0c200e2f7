import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	IHttpRequestOptions,
} from 'n8n-workflow';

import type { TokenFailure } from '../../aiclk/token/errors';
import { fail, ok, type Result } from '../../aiclk/util/result';
import { tokenManager } from '../../credentials/tokenManager';

/** The credential type of all nodes of this package. */
export const CREDENTIAL = 'aiClkApi';

/** Why no answer came. */
export interface NoAnswer {
	/** Set when the credential had no live token to send: nothing went out. */
	token: TokenFailure | null;
	/** What n8n's helper threw. */
	error: unknown;
}

/**
 * Sends one request with these very credentials. n8n runs the credential's hook on the way and stores what it returns; the
 * object handed in then holds it, too (n8n-core authentication.js).
 *
 * @returns the answer in the form that the options ask for
 */
export async function requestWith(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	options: IHttpRequestOptions,
): Promise<Result<unknown, NoAnswer>> {
	try {
		const answer: unknown = await context.helpers.httpRequestWithAuthentication.call(
			context,
			CREDENTIAL,
			options,
			{
				credentialsDecrypted: { id: '', name: CREDENTIAL, type: CREDENTIAL, data: credentials },
			},
		);
		return ok(answer);
	} catch (error) {
		return fail({ token: tokenManager.failureOf(credentials), error });
	}
}
