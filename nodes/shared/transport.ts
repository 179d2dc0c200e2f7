import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	IPollFunctions,
} from 'n8n-workflow';

import { ACCOUNT_INFO_PATH, ACCOUNT_INFO_QUERY } from '../../aiclk/protocol/accountInfo';
import type { Envelope } from '../../aiclk/protocol/envelope';
import { type ApiRequest, filesOf, nameOf, toHttpOptions } from '../../aiclk/api/request';
import { type Asked, neverSent, noAnswer, readAnswer } from '../../aiclk/api/response';
import { StreamedFile } from '../../aiclk/api/streamedFile';
import type { AnyRequestOptions } from '../../aiclk/token/authenticate';
import type { TokenFailure } from '../../aiclk/token/errors';
import { readInput, type TokenInput } from '../../aiclk/token/input';
import { secretsOf } from '../../aiclk/token/storedToken';
import { fail, ok, type Result } from '../../aiclk/util/result';
import { tokenManager } from '../../credentials/tokenManager';
import { type Failure, newFailure, ofCall, ofError, ofToken } from './errors';

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
	context: IExecuteFunctions | IPollFunctions,
	credentials: ICredentialDataDecryptedObject,
	options: AnyRequestOptions,
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

/** Whose request it is: the item, and what its credential said when the item was planned. */
export interface Sender {
	context: IExecuteFunctions;
	itemIndex: number;
	client: TokenInput;
}

/** Whether the run was stopped, by a person or by n8n's own time limit. */
export const isStopped = (context: IExecuteFunctions): boolean =>
	context.getExecutionCancelSignal()?.aborted === true;

/**
 * The credential of one item: its fields may be expressions of the item (n8n-core `_getCredentials`).
 *
 * @throws what n8n throws when there is no credential or one of its expressions fails
 */
export async function readCredential(
	context: IExecuteFunctions,
	itemIndex: number,
): Promise<{
	credentials: ICredentialDataDecryptedObject;
	input: Result<TokenInput, TokenFailure>;
}> {
	const credentials = await context.getCredentials(CREDENTIAL, itemIndex);
	return { credentials, input: readInput(credentials) };
}

const isSameClient = (one: TokenInput, other: TokenInput): boolean =>
	one.fingerprint === other.fingerprint && one.accountId === other.accountId;

const OTHER_CLIENT = newFailure(
	'not-sent',
	'The credential has changed since this item was read, so it would have been sent for another client or account. Nothing was sent.',
	'Run this again. If the credential holds expressions: n8n before 2.34 replaces them by the values of one item. Restore them and use one credential for each client, or a newer n8n.',
);

/** The error of the credential's `authenticate`, should it have refused to put the token on the request. */
function refusedByCredential(error: unknown): { message: string; description: string } | null {
	const { name, cause, message, description } = (error ?? {}) as Record<string, unknown>;
	if (name === 'RequestRefusedError') {
		return { message: String(message), description: String(description) };
	}
	return cause === undefined ? null : refusedByCredential(cause);
}

/** What a request without an answer came to. */
function readNoAnswer(error: unknown, request: ApiRequest, asked: Asked): Failure {
	const refusal = refusedByCredential(error);
	if (refusal !== null) return ofCall(neverSent(refusal.message, refusal.description, asked));
	const file = filesOf(request).find(
		(one): one is StreamedFile => one instanceof StreamedFile && one.failure !== null,
	);
	if (file === undefined) return ofCall(noAnswer(error, asked));
	const message = `The file '${file.name}' ${file.failure}`;
	return ofCall(
		neverSent(message, 'Run again from the node that made or fetched the file.', asked),
	);
}

/** The cheapest read, as a call like any other. @param accountId digits, or '' when the credential holds none */
const accountInfoCall = (accountId: string): ApiRequest => ({
	method: 'GET',
	path: ACCOUNT_INFO_PATH,
	effect: 'read',
	parameters: { ...(accountId !== '' && { account_id: accountId }), query: ACCOUNT_INFO_QUERY },
});

interface Attempt {
	credentials: ICredentialDataDecryptedObject;
	result: Result<Envelope, Failure>;
	/** What the token had to do with it; `superseded`: another process renewed it, and nothing was sent. */
	token: 'none' | 'superseded' | 'suspect';
}

/** Sends a request once, with the item's credential as it is in the database at this moment. */
async function attempt(
	{ context, itemIndex, client }: Sender,
	request: ApiRequest,
	hint: string,
): Promise<Attempt> {
	let credential: Awaited<ReturnType<typeof readCredential>>;
	try {
		credential = await readCredential(context, itemIndex);
	} catch (error) {
		return { credentials: {}, result: fail(ofError(error, 'not-sent')), token: 'none' };
	}
	const { credentials, input } = credential;
	const failed = (failure: Failure, token: Attempt['token'] = 'none'): Attempt => ({
		credentials,
		result: fail(failure),
		token,
	});
	if (!input.ok) return failed(ofToken(input.failure));
	if (!isSameClient(client, input.value)) return failed(OTHER_CLIENT);

	const options = toHttpOptions(input.value.baseUrl, request);
	const answer = await requestWith(context, credentials, options);
	const asked: Asked = {
		effect: request.effect,
		call: nameOf(request),
		hint,
		secrets: [input.value.refreshToken, ...secretsOf(credentials)],
	};
	if (!answer.ok) {
		const { token, error } = answer.failure;
		if (token === null) return failed(readNoAnswer(error, request, asked));
		return failed(ofToken(token), token.kind === 'superseded' ? 'superseded' : 'none');
	}
	const read = readAnswer(answer.value, asked);
	if (read.ok) return { credentials, result: read, token: 'none' };
	return failed(ofCall(read.failure), read.failure.isTokenRejected ? 'suspect' : 'none');
}

/** Whether it is the token that AiClk rejects: it may refuse a call for lack of a permission in the same way. */
const isRejected = async (
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
): Promise<boolean> =>
	await tokenManager.isRejected(
		credentials,
		async (options): Promise<unknown> => await context.helpers.httpRequest(options),
	);

const STOPPED = newFailure(
	'not-sent',
	'The run was stopped before this item was sent.',
	'Run it again when you want it to be sent.',
);

/** A rejected token, and a collision with another process on the way to a new one. */
const MAX_REPEATS = 2;

/**
 * Sends a request and reads AiClk's answer. A rejected token is renewed on the way: n8n asks the credential's hook before the
 * next request, which is the same one again if it only reads. What changes something is never sent again, so a read takes its
 * place; were it left to the next run, that might come long after this process has forgotten the rejection.
 *
 * @param hint what to check when AiClk refuses it
 * @returns the envelope of a success
 */
export async function send(
	sender: Sender,
	request: ApiRequest,
	hint: string,
): Promise<Result<Envelope, Failure>> {
	const { context } = sender;
	if (isStopped(context)) return fail(STOPPED);
	let last = await attempt(sender, request, hint);
	for (let repeats = 0; repeats < MAX_REPEATS && last.token !== 'none'; repeats++) {
		if (last.token === 'suspect' && !(await isRejected(context, last.credentials))) break;
		if (isStopped(context)) break;
		if (last.token === 'suspect' && request.effect !== 'read') {
			await send(sender, accountInfoCall(sender.client.accountId), '');
			break;
		}
		last = await attempt(sender, request, hint);
	}
	return last.result;
}
