import type { IExecuteFunctions } from 'n8n-workflow';

import type { Envelope } from '../../aiclk/api/envelope';
import { type ApiFailure, noAnswer, readAnswer } from '../../aiclk/api/errors';
import { type ApiRequest, toHttpOptions } from '../../aiclk/api/request';
import { fail, type Result } from '../../aiclk/result';
import type { TokenFailure } from '../../aiclk/token/failure';
import { readInput } from '../../aiclk/token/input';
import { tokenManager } from '../../credentials/tokenManager';
import { CREDENTIAL, requestWith } from '../shared/request';

/** Why a call came to nothing: AiClk or the network, or the credential had no live token. */
export type CallFailure = { api: ApiFailure } | { token: TokenFailure };

/** Sends a request once, with the credential as it is in the database at this moment. */
async function sendOnce(
	context: IExecuteFunctions,
	request: ApiRequest,
	hint: string,
): Promise<Result<Envelope, CallFailure>> {
	const credentials = await context.getCredentials(CREDENTIAL);
	const input = readInput(credentials);
	if (!input.ok) return fail({ token: input.failure });
	const { baseUrl, refreshToken } = input.value;
	const { effect } = request;

	const answer = await requestWith(context, credentials, toHttpOptions(baseUrl, request));
	if (!answer.ok) {
		const { token, error } = answer.failure;
		return fail(token === null ? { api: noAnswer(error, effect) } : { token });
	}
	const secrets = [refreshToken, String(credentials.accessToken)];
	const read = readAnswer(answer.value, { effect, hint, secrets });
	if (read.ok) return read;
	if (read.failure.kind === 'token-rejected') tokenManager.noteVerdict(credentials, 'rejected');
	return fail({ api: read.failure });
}

/**
 * Sends a request and reads AiClk's answer. When AiClk refuses the token, the next request has it renewed: a read is that next
 * request itself, once; anything that changes something is never sent again.
 *
 * @returns the envelope of a success
 */
export async function send(
	context: IExecuteFunctions,
	request: ApiRequest,
	hint: string,
): Promise<Result<Envelope, CallFailure>> {
	const first = await sendOnce(context, request, hint);
	const isRejected =
		!first.ok && 'api' in first.failure && first.failure.api.kind === 'token-rejected';
	return isRejected && request.effect === 'read' ? await sendOnce(context, request, hint) : first;
}
