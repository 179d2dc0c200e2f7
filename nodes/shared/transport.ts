import type { ICredentialDataDecryptedObject, IWorkflowExecuteAdditionalData } from 'n8n-workflow';
import { isExpression } from 'n8n-workflow';

import { ACCOUNT_INFO_PATH, ACCOUNT_INFO_QUERY } from '../../aiclk/protocol/accountInfo';
import type { Envelope } from '../../aiclk/protocol/envelope';
import { isPlainObject } from '../../aiclk/protocol/json';
import { type ApiRequest, nameOf, ownWordsOf, toHttpOptions } from '../../aiclk/api/request';
import { type Call, neverSent, noAnswer, readAnswer } from '../../aiclk/api/response';
import { StreamedFile } from '../../aiclk/api/streamedFile';
import type { AnyRequestOptions } from '../../aiclk/token/authenticate';
import { readInput, type TokenInput } from '../../aiclk/token/input';
import { secretsOf } from '../../aiclk/token/storedToken';
import { fail, type Failure, newFailure, ok, type Result } from '../../aiclk/util/failure';
import { sanitize } from '../../aiclk/util/sanitize';
import { tokenManager } from '../../credentials/tokenManager';
import { type Context, ofThrown } from './errors';
import type { Lane } from './lane';
import { FETCH_AGAIN } from './parameters';

/** The credential type of all nodes of this package. */
export const CREDENTIAL = 'aiClkApi';

const NOT_PREPARED =
	"n8n could not prepare the request. Run this again. If it fails again, n8n's log may say more.";

/** What n8n's helper threw before the request left. */
function notPrepared(error: unknown, call: Call): Failure {
	const { message, description } = error as { message?: unknown; description?: unknown };
	const words = sanitize(message, call.secrets()).replace(/\.$/, '') || 'The request failed';
	return neverSent(words, sanitize(description, call.secrets()) || NOT_PREPARED, call);
}

/**
 * Sends one request with these very credentials. n8n runs the credential's hook on the way and stores what it returns; the
 * object handed in then holds it, too (n8n-core authentication.js).
 *
 * @param isStopped whether the run was stopped meanwhile
 * @returns the answer in the form that the options ask for; or why there is none
 */
export async function callN8n(
	context: Context,
	credentials: ICredentialDataDecryptedObject,
	options: AnyRequestOptions,
	call: Call,
	isStopped = () => false,
): Promise<Result<unknown, Failure>> {
	let isSent = false;
	const onSend = () => {
		isSent = true;
	};
	const credentialsDecrypted = { id: '', name: CREDENTIAL, type: CREDENTIAL, data: credentials };
	try {
		const answer: unknown = await context.helpers.httpRequestWithAuthentication.call(
			context,
			CREDENTIAL,
			{ ...options, onSend } as AnyRequestOptions,
			{ credentialsDecrypted },
		);
		return ok(answer);
	} catch (error) {
		const tokenFailure = tokenManager.failureOf(credentials);
		if (tokenFailure !== null) return fail(tokenFailure);
		return fail(isSent ? noAnswer(error, call, isStopped()) : notPrepared(error, call));
	}
}

/** For whom a request is sent, and through which lane. */
interface Sender {
	context: Context;
	/** For expressions in the credential; a poll has no item. */
	itemIndex?: number;
	/** What the credential said when the request was planned. */
	input: TokenInput;
	/** What to check when AiClk refuses the request. */
	hint: string;
	lane: Lane;
	/** Whether the request is no longer needed. It is called when its turn has come; if so, nothing is sent. */
	isOver?(): boolean;
	/** Ends its requests: a poll has no cancel signal of n8n's. */
	signal?: AbortSignal;
}

const OVERWRITTEN = newFailure({
	kind: 'input',
	message:
		'The credential holds expressions, and n8n before 2.34 overwrites them with the values of one item. Nothing was sent.',
	description:
		'Use one credential for each client, without expressions, or n8n 2.34 or newer. If a node has already run with them, check whose values the credential holds now.',
});

/**
 * Whether n8n would overwrite expressions in the credential when it stores a token: from then on, every item would be sent for
 * the client of one. n8n 2.34 and newer leaves them alone (n8n credentials-helper.js). Older versions will not change any more,
 * so it is safe to look behind their context, which is the only way to see a credential as it is stored.
 */
async function wouldOverwrite(context: Context): Promise<boolean> {
	const { additionalData } = context as unknown as {
		additionalData: IWorkflowExecuteAdditionalData;
	};
	const { credentialsHelper } = additionalData;
	const credential = context.getNode().credentials?.[CREDENTIAL];
	// A method that n8n has had since 2.34.
	if (credential === undefined || 'parseJsonLeafExpressionFields' in credentialsHelper)
		return false;
	const mode = context.getMode();
	const stored = await credentialsHelper.getDecrypted(
		additionalData,
		credential,
		CREDENTIAL,
		mode,
		undefined,
		true,
	);
	return Object.values(stored).some(isExpression);
}

/**
 * The credential of one item: its fields may be expressions of the item (n8n-core `_getCredentials`).
 *
 * @throws what n8n throws when there is no credential or one of its expressions fails
 */
export async function readCredential(
	context: Context,
	itemIndex?: number,
): Promise<{ credentials: ICredentialDataDecryptedObject; input: Result<TokenInput, Failure> }> {
	const credentials = await context.getCredentials(CREDENTIAL, itemIndex);
	const input = (await wouldOverwrite(context)) ? fail(OVERWRITTEN) : readInput(credentials);
	return { credentials, input };
}

const OTHER_CLIENT = newFailure({
	kind: 'input',
	message:
		'The credential has changed since this item was read, so it would have been sent for another client or account. Nothing was sent.',
	description:
		'Run this again. If the credential held expressions, n8n before 2.34 has replaced them with the values of one item. Restore them, and use one credential for each client or a newer n8n.',
});

/** The cheapest read, as a call like any other. @param accountId digits, or '' when the credential holds none */
export const accountInfoCall = (accountId: string): ApiRequest => ({
	method: 'GET',
	path: ACCOUNT_INFO_PATH,
	effect: 'read',
	parameters: { ...(accountId !== '' && { account_id: accountId }), query: ACCOUNT_INFO_QUERY },
});

/** A request as its error shows it. @param hint what to check when AiClk refuses it */
export function callOf(
	request: ApiRequest,
	hint: string,
	credentials: ICredentialDataDecryptedObject,
	{ refreshToken }: TokenInput,
): Call {
	const { effect, subject, body } = request;
	const { password } = isPlainObject(body) ? body : {};
	return {
		effect,
		subject,
		name: nameOf(request),
		hint,
		secrets: () => [...secretsOf(credentials), refreshToken, String(password ?? '')],
		ownWords: ownWordsOf(request),
	};
}

/**
 * Sends a request once, with the item's credential as it is in the database at this moment.
 *
 * @returns `rejected` only if AiClk does not accept the token, and not only refuses this call
 */
async function sendOnce(
	{ context, itemIndex, input, hint, lane, signal }: Sender,
	request: ApiRequest,
): Promise<Result<Envelope, Failure>> {
	const { credentials, input: current } = await readCredential(context, itemIndex).catch(
		(error: unknown) => ({ credentials: {}, input: fail(ofThrown(error, 'not-sent')) }),
	);
	if (!current.ok) return current;
	const { fingerprint, accountId } = current.value;
	const isSame = fingerprint === input.fingerprint && accountId === input.accountId;
	if (!isSame) return fail(OTHER_CLIENT);
	const call = callOf(request, hint, credentials, input);
	const sent = await callN8n(
		context,
		credentials,
		{ ...toHttpOptions(input.baseUrl, request), abortSignal: signal },
		call,
		() => lane.isClosed,
	);
	if (!sent.ok) {
		const isBroken = (one: unknown) => one instanceof StreamedFile && one.failure !== null;
		const file = Object.values(request.form ?? {}).find(isBroken) as StreamedFile | undefined;
		if (file === undefined) return sent;
		const what = `The file '${file.name}' ${file.failure}`;
		return fail(neverSent(what, FETCH_AGAIN, call));
	}
	const answer = sent.value;
	const read = readAnswer(answer, call);
	if (read.ok || read.failure.kind !== 'rejected') return read;
	// AiClk may answer a missing permission in the same way.
	const probe = await tokenManager.probe(
		credentials,
		async (options): Promise<unknown> => await context.helpers.httpRequest(options),
	);
	return readAnswer(answer, call, probe);
}

/**
 * How often a request is sent again because of its token: once with a new one, three times while a refresh is left to another
 * process (the hook waits 3 s each time), and once if both have refreshed after all.
 */
export const MAX_REPEATS = 5;

/**
 * Sends a request and reads AiClk's answer. It is sent again when AiClk is busy, and when its token was not the valid one: the next
 * request has a new token, because n8n asks the credential's hook before each one. A change whose token was rejected must not be sent
 * again. A read takes its place, so that the token is refreshed now: a later run might find that this process has forgotten the
 * rejection.
 *
 * @returns the envelope of a success
 */
export async function send(
	sender: Sender,
	request: ApiRequest,
): Promise<Result<Envelope, Failure>> {
	const { input, lane, isOver } = sender;
	const { effect } = request;
	let last: Failure | null = null;
	for (let repeats = 0; ;) {
		const sent: Result<Envelope, Failure> = await lane.run(
			input.clientKey,
			async () => await sendOnce(sender, request),
			last !== null,
			isOver,
		);
		if (sent.ok) return sent;
		const { kind, outcome, retryAfterMs } = sent.failure;
		// Its turn did not come again, so what AiClk said before counts.
		if (outcome === 'not-sent' && (kind === 'busy' || kind === 'aborted') && last !== null) {
			return fail(kind === 'busy' ? { ...last, kind, retryAfterMs } : last);
		}
		last = sent.failure;
		// A change that was refused for certain is sent again, too. Money is not.
		const isRepeatable = effect === 'read' || (effect === 'change' && outcome === 'refused');
		if (kind === 'busy' && isRepeatable) continue;
		// All else ends here, above all a change or a charge whose answer was lost. Only the token's failures go on.
		const isOfToken = kind === 'rejected' || kind === 'superseded';
		if (!isOfToken || repeats++ === MAX_REPEATS) return sent;
		if (kind === 'rejected' && effect !== 'read') {
			await send({ ...sender, hint: '' }, accountInfoCall(input.accountId));
			return sent;
		}
	}
}
