import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';

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

interface Attempt {
	credentials: ICredentialDataDecryptedObject;
	result: Result<Envelope, CallFailure>;
}

/** Sends a request once, with the credential as it is in the database at this moment. */
async function attempt(
	context: IExecuteFunctions,
	request: ApiRequest,
	hint: string,
): Promise<Attempt> {
	const credentials = await context.getCredentials(CREDENTIAL);
	const input = readInput(credentials);
	if (!input.ok) return { credentials, result: fail({ token: input.failure }) };
	const { baseUrl, refreshToken } = input.value;
	const { effect } = request;

	const answer = await requestWith(context, credentials, toHttpOptions(baseUrl, request));
	if (!answer.ok) {
		const { token, error } = answer.failure;
		const failure = token === null ? { api: noAnswer(error, effect) } : { token };
		return { credentials, result: fail(failure) };
	}
	const secrets = [refreshToken, String(credentials.accessToken)];
	const read = readAnswer(answer.value, { effect, hint, secrets });
	return { credentials, result: read.ok ? read : fail({ api: read.failure }) };
}

/**
 * Whether a request that came to nothing is to be sent again, with the credential as it is in the database then.
 *
 * Another process may have renewed the token at the same moment: nothing was sent, and its token is there by now. Where AiClk
 * does not accept the token, it is asked whether it is the token indeed, for it may refuse a call for lack of a permission in
 * the same way; a refused token is renewed before the next request. A read is that next request itself; anything that
 * changes something is never sent again.
 */
async function mayBeRepeated(
	context: IExecuteFunctions,
	{ credentials, result }: Attempt,
	{ effect }: ApiRequest,
): Promise<boolean> {
	if (result.ok) return false;
	const { failure } = result;
	if ('token' in failure) return failure.token.kind === 'superseded';
	if (failure.api.kind !== 'token-rejected') return false;
	const isRejected = await tokenManager.isRejected(
		credentials,
		async (options): Promise<unknown> => await context.helpers.httpRequest(options),
	);
	return isRejected && effect === 'read';
}

/** A refused token, and a collision with another process on the way to a new one. */
const MOST_REPEATS = 2;

/**
 * Sends a request and reads AiClk's answer; heals a refused token on the way.
 *
 * @returns the envelope of a success
 */
export async function send(
	context: IExecuteFunctions,
	request: ApiRequest,
	hint: string,
): Promise<Result<Envelope, CallFailure>> {
	let last = await attempt(context, request, hint);
	for (let repeats = 0; repeats < MOST_REPEATS; repeats++) {
		if (!(await mayBeRepeated(context, last, request))) break;
		last = await attempt(context, request, hint);
	}
	return last.result;
}
