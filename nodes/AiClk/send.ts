import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';

import { ACCOUNT_INFO_PATH, ACCOUNT_INFO_QUERY } from '../../aiclk/protocol/accountInfo';
import type { Envelope } from '../../aiclk/protocol/envelope';
import { type ApiFailure, noAnswer, readAnswer } from '../../aiclk/api/response';
import { type ApiRequest, toHttpOptions } from '../../aiclk/api/request';
import { fail, type Result } from '../../aiclk/util/result';
import type { TokenFailure } from '../../aiclk/token/errors';
import { readInput } from '../../aiclk/token/input';
import { secretsOf } from '../../aiclk/token/storedToken';
import { tokenManager } from '../../credentials/tokenManager';
import { CREDENTIAL, requestWith } from '../shared/transport';

/** The cheapest read, as a call like any other. @param accountId digits, or '' when the credential holds none */
const accountInfoCall = (accountId: string): ApiRequest => ({
	method: 'GET',
	path: ACCOUNT_INFO_PATH,
	effect: 'read',
	parameters: { ...(accountId !== '' && { account_id: accountId }), query: ACCOUNT_INFO_QUERY },
});

/** Why a call came to nothing: AiClk or the network, or the credential had no live token. */
export type CallFailure = { api: ApiFailure } | { token: TokenFailure };

interface Attempt {
	credentials: ICredentialDataDecryptedObject;
	result: Result<Envelope, CallFailure>;
}

/** The credential's account, '' for none. */
function readAccountId({ credentials }: Attempt): string {
	const input = readInput(credentials);
	return input.ok ? input.value.accountId : '';
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
	const secrets = [refreshToken, ...secretsOf(credentials)];
	const read = readAnswer(answer.value, { effect, hint, secrets });
	return { credentials, result: read.ok ? read : fail({ api: read.failure }) };
}

/** What the token had to do with a request that came to nothing. */
type TokenTrouble =
	| 'none'
	/** Another process renewed it at the same moment: nothing was sent, and its token is there by now. */
	| 'superseded'
	/** AiClk refused the request for it, and carried nothing out. */
	| 'rejected';

/** AiClk may refuse a call for lack of a permission in the same way, so it is asked whether it is the token indeed. */
async function tokenTrouble(
	context: IExecuteFunctions,
	{ credentials, result }: Attempt,
): Promise<TokenTrouble> {
	if (result.ok) return 'none';
	const { failure } = result;
	if ('token' in failure) return failure.token.kind === 'superseded' ? 'superseded' : 'none';
	if (failure.api.kind !== 'token-rejected') return 'none';
	const isRejected = await tokenManager.isRejected(
		credentials,
		async (options): Promise<unknown> => await context.helpers.httpRequest(options),
	);
	return isRejected ? 'rejected' : 'none';
}

/** A refused token, and a collision with another process on the way to a new one. */
const MOST_REPEATS = 2;

/**
 * Sends a request and reads AiClk's answer; heals a refused token on the way: the next request before which n8n asks the hook
 * has it renewed. That is the same one again if it only reads. What changes something is never sent again, so a read takes its
 * place; were it left to the next run, that might come long after this process has forgotten the refusal.
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
		const trouble = await tokenTrouble(context, last);
		if (trouble === 'none') break;
		if (trouble === 'rejected' && request.effect !== 'read') {
			await send(context, accountInfoCall(readAccountId(last)), '');
			break;
		}
		last = await attempt(context, request, hint);
	}
	return last.result;
}
