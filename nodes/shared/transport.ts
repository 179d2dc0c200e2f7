import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	IPollFunctions,
	IWorkflowExecuteAdditionalData,
	NodeApiError,
} from 'n8n-workflow';
import { isExpression } from 'n8n-workflow';

import { ACCOUNT_INFO_PATH, ACCOUNT_INFO_QUERY } from '../../aiclk/protocol/accountInfo';
import type { Envelope } from '../../aiclk/protocol/envelope';
import { type ApiRequest, filesOf, nameOf, toHttpOptions } from '../../aiclk/api/request';
import { type Asked, neverSent, noAnswer, readAnswer } from '../../aiclk/api/response';
import { StreamedFile } from '../../aiclk/api/streamedFile';
import type { Busy } from '../../aiclk/api/throttle';
import type { AnyRequestOptions } from '../../aiclk/token/authenticate';
import { readInput, type TokenInput } from '../../aiclk/token/input';
import { secretsOf } from '../../aiclk/token/storedToken';
import { type Failure, newFailure } from '../../aiclk/util/failure';
import { fail, ok, type Result } from '../../aiclk/util/result';
import { sanitize } from '../../aiclk/util/sanitize';
import { tokenManager } from '../../credentials/tokenManager';
import { ofThrown } from './errors';
import type { Closed, Lane, Turn } from './lane';

/** The credential type of all nodes of this package. */
export const CREDENTIAL = 'aiClkApi';

/** Why no answer came. */
interface NoAnswer {
	/** Set when the credential had no valid token: nothing was sent. */
	token: Failure | null;
	/** What n8n's helper threw. */
	error: unknown;
	/** False if the error came before the request left. */
	isSent: boolean;
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
	let isSent = false;
	const onSend = () => {
		isSent = true;
	};
	const marked: AnyRequestOptions = { ...options, onSend };
	try {
		const answer: unknown = await context.helpers.httpRequestWithAuthentication.call(
			context,
			CREDENTIAL,
			marked,
			{
				credentialsDecrypted: { id: '', name: CREDENTIAL, type: CREDENTIAL, data: credentials },
			},
		);
		return ok(answer);
	} catch (error) {
		return fail({ token: tokenManager.failureOf(credentials), error, isSent });
	}
}

/** For whom a request is sent, and through which lane. */
interface Sender {
	context: IExecuteFunctions | IPollFunctions;
	/** For expressions in the credential; a poll has no item. */
	itemIndex?: number;
	/** What the credential said when the request was planned. */
	client: TokenInput;
	lane: Lane;
	/** Whether the request is no longer needed. It is asked when its turn has come, and then nothing is sent. */
	isOver?(): boolean;
	/** Sees each answer as n8n's helper returns it. */
	onAnswer?(answer: unknown): void;
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
async function wouldOverwrite(context: IExecuteFunctions | IPollFunctions): Promise<boolean> {
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
	context: IExecuteFunctions | IPollFunctions,
	itemIndex?: number,
): Promise<{
	credentials: ICredentialDataDecryptedObject;
	input: Result<TokenInput, Failure>;
}> {
	const credentials = await context.getCredentials(CREDENTIAL, itemIndex);
	const input = (await wouldOverwrite(context)) ? fail(OVERWRITTEN) : readInput(credentials);
	return { credentials, input };
}

const isSameClient = (one: TokenInput, other: TokenInput): boolean =>
	one.fingerprint === other.fingerprint && one.accountId === other.accountId;

const OTHER_CLIENT = newFailure({
	kind: 'input',
	message:
		'The credential has changed since this item was read, so it would have been sent for another client or account. Nothing was sent.',
	description:
		'Run this again. If the credential held expressions, n8n before 2.34 has replaced them with the values of one item. Restore them, and use one credential for each client or a newer n8n.',
});

const NOT_PREPARED =
	"n8n could not prepare the request. Run this again. If it fails again, n8n's log may say more.";

/** The failure of a request without an answer. @param isStopped whether the run was stopped meanwhile */
function readNoAnswer(
	{ error, isSent }: NoAnswer,
	request: ApiRequest,
	asked: Asked,
	isStopped: boolean,
): Failure {
	if (!isSent) {
		const { message, description } = error as NodeApiError;
		const words = sanitize(message, asked.secrets).replace(/\.$/, '') || 'The request failed';
		return neverSent(words, sanitize(description, asked.secrets) || NOT_PREPARED, asked);
	}
	const file = filesOf(request).find(
		(one): one is StreamedFile => one instanceof StreamedFile && one.failure !== null,
	);
	if (file === undefined) return noAnswer(error, asked, isStopped);
	const message = `The file '${file.name}' ${file.failure}`;
	return neverSent(message, 'Run again from the node that made or fetched the file.', asked);
}

/** The cheapest read, as a call like any other. @param accountId digits, or '' when the credential holds none */
export const accountInfoCall = (accountId: string): ApiRequest => ({
	method: 'GET',
	path: ACCOUNT_INFO_PATH,
	effect: 'read',
	parameters: { ...(accountId !== '' && { account_id: accountId }), query: ACCOUNT_INFO_QUERY },
});

const NOT_NEEDED = newFailure({
	kind: 'aborted',
	message: 'The list ended before this page was sent.',
	description: 'Nothing is to do.',
});

interface Attempt {
	result: Result<Envelope, Failure>;
	/**
	 * Whether the token was the cause. `superseded`: another process refreshed it, and nothing was sent. `rejected`: AiClk does not
	 * accept the token, and not only this call.
	 */
	token: 'none' | 'superseded' | 'rejected';
	busy: Busy | null;
}

/** Sends a request once, with the item's credential as it is in the database at this moment. */
async function attempt(sender: Sender, request: ApiRequest, hint: string): Promise<Attempt> {
	const { context, itemIndex, client, lane } = sender;
	let credentials: ICredentialDataDecryptedObject = {};
	const ended = (result: Attempt['result'], more: Partial<Attempt> = {}): Attempt => ({
		result,
		token: 'none',
		busy: null,
		...more,
	});
	if (sender.isOver?.() === true) return ended(fail(NOT_NEEDED));
	try {
		const credential = await readCredential(context, itemIndex);
		const { input } = credential;
		({ credentials } = credential);
		if (!input.ok) return ended(input);
		if (!isSameClient(client, input.value)) return ended(fail(OTHER_CLIENT));
	} catch (error) {
		return ended(fail(ofThrown(error, 'not-sent')));
	}
	const answer = await requestWith(context, credentials, toHttpOptions(client.baseUrl, request));
	const asked: Asked = {
		effect: request.effect,
		call: nameOf(request),
		hint,
		// Read after the request, which may have replaced the tokens.
		secrets: [client.refreshToken, ...secretsOf(credentials)],
	};
	if (!answer.ok) {
		const { token } = answer.failure;
		if (token === null)
			return ended(fail(readNoAnswer(answer.failure, request, asked, lane.isClosed)));
		return ended(fail(token), token.kind === 'superseded' ? { token: token.kind } : {});
	}
	sender.onAnswer?.(answer.value);
	const read = readAnswer(answer.value, asked);
	if (read.ok) return ended(read);
	const { kind, retryAfterMs } = read.failure;
	// AiClk may answer a missing permission in the same way.
	const isRejected =
		kind === 'rejected' &&
		(await tokenManager.isRejected(
			credentials,
			async (options): Promise<unknown> => await context.helpers.httpRequest(options),
		));
	return ended(read, {
		busy: kind === 'busy' ? { retryAfterMs } : null,
		token: isRejected ? 'rejected' : 'none',
	});
}

/** The failure of a request whose turn did not come. @param last its earlier failure, if this is a repetition */
function ofClosed(closed: Closed, last: Failure | null): Failure {
	if (closed.reason === 'closed') {
		return (
			last ??
			newFailure({
				kind: 'aborted',
				message: 'The run was stopped before this item was sent.',
				description: 'Run it again when you want it to be sent.',
			})
		);
	}
	const { retryAfterMs } = closed;
	if (last !== null) return { ...last, kind: 'busy', retryAfterMs };
	return newFailure({
		kind: 'busy',
		message: `AiClk takes no more requests for another ${Math.ceil(retryAfterMs / 1000)} s. Nothing was sent.`,
		description: 'Run this again later, with fewer requests at a time.',
		retryAfterMs,
	});
}

/** One for a rejected token, and one for a collision with another process that refreshes it. */
const MAX_REPEATS = 2;

/**
 * Sends a request and reads AiClk's answer. Only reads are sent again: when AiClk is busy, and when it rejects the token.
 * A rejected token is refreshed by the next request, because n8n asks the credential's hook before each one. A change must not
 * be sent again, so a read takes its place: the next run might come long after this process has forgotten the rejection.
 *
 * @param hint what to check when AiClk refuses it
 * @returns the envelope of a success
 */
export async function send(
	sender: Sender,
	request: ApiRequest,
	hint: string,
): Promise<Result<Envelope, Failure>> {
	const { client, lane } = sender;
	const isRead = request.effect === 'read';
	let last: Failure | null = null;
	let firstSentAtMs: number | null = null;
	let repeats = 0;
	for (;;) {
		const turn: Turn<Attempt> = await lane.send(
			async () => await attempt(sender, request, hint),
			firstSentAtMs,
		);
		if (!turn.isSent) return fail(ofClosed(turn.closed, last));
		const { result, token, busy } = turn.result;
		if (result.ok) return result;
		last = result.failure;
		firstSentAtMs ??= turn.sentAtMs;
		if (busy !== null && isRead) continue;
		if (token === 'none' || repeats++ === MAX_REPEATS) return result;
		if (token === 'rejected' && !isRead) {
			await send(sender, accountInfoCall(client.accountId), '');
			return result;
		}
	}
}
