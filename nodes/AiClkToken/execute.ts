import type { ICredentialDataDecryptedObject, IDataObject, IExecuteFunctions } from 'n8n-workflow';

import { toHttpOptions } from '../../aiclk/api/request';
import { readAnswer } from '../../aiclk/api/response';
import { TOKEN_TIMEOUT_MS } from '../../aiclk/protocol/accountInfo';
import type { ProbeResult } from '../../aiclk/protocol/envelope';
import type { TokenInput } from '../../aiclk/token/input';
import { expiresWithin, reportToken, type TokenReport } from '../../aiclk/token/status';
import { readToken } from '../../aiclk/token/storedToken';
import { type Failure, FailureError, newFailure } from '../../aiclk/util/failure';
import { tokenManager } from '../../credentials/tokenManager';
import { messageOf, refuse, runsAsTool } from '../shared/errors';
import { Parameters } from '../shared/parameters';
import { accountInfoCall, callN8n, callOf, MAX_REPEATS, readCredential } from '../shared/transport';
import { INCLUDE_ACCESS_TOKEN, OPTIONS, VERIFY, WITHIN_DAYS } from './description';

/** What the node is set to do, checked. `withinDays` is null for a refresh regardless of age. */
type Settings = { includeAccessToken: boolean } & (
	{ operation: 'refresh'; withinDays: number | null } | { operation: 'status'; verify: boolean }
);

/** The credential as it is in the database now. */
interface StoredCredential {
	credentials: ICredentialDataDecryptedObject;
	input: TokenInput;
}

/**
 * Reads the node's fields, once for the whole execution. Expressions are resolved for the first item.
 *
 * @throws FailureError for a bad value, naming the field
 */
function readSettings(context: IExecuteFunctions, input: TokenInput): Settings {
	const isTool = runsAsTool(context);
	const fields = new Parameters(context, 0, input);
	const includeAccessToken = fields.readAdded(OPTIONS)[INCLUDE_ACCESS_TOKEN.name] === true;
	if (includeAccessToken && isTool) {
		refuse('An AI agent is never shown the access token', "Switch off 'Include Access Token'.");
	}
	const operation: unknown = context.getNodeParameter('operation', 0);
	if (operation === 'status') return { operation, verify: fields.read(VERIFY), includeAccessToken };
	if (operation !== 'refresh') {
		return refuse(
			`The AiClk Token node has no operation '${String(operation)}'`,
			"Choose 'Refresh' or 'Get Status'. For another endpoint of AiClk use the AiClk node, or HTTP Request with the predefined credential type 'AiClk API'.",
		);
	}
	const when: unknown = context.getNodeParameter('when', 0);
	if (when === 'whenExpiring') {
		return { operation, withinDays: fields.read(WITHIN_DAYS), includeAccessToken };
	}
	if (when !== 'always') {
		return refuse("'When' is not a known choice", "Choose 'always' or 'whenExpiring'.");
	}
	if (isTool) {
		refuse(
			'An AI agent refreshes the access token only when it expires soon',
			"Set 'When' to 'Only When Expiring Soon': AiClk allows 300 refreshes a day.",
		);
	}
	return { operation, withinDays: null, includeAccessToken };
}

async function readStored(context: IExecuteFunctions): Promise<StoredCredential> {
	const { credentials, input } = await readCredential(context, 0);
	if (!input.ok) throw new FailureError(input.failure);
	return { credentials, input: input.value };
}

/**
 * The node acts on one credential. If its fields are expressions, they must resolve to the same for all items.
 *
 * @throws FailureError if an item has another client
 */
async function refuseOtherClients(
	context: IExecuteFunctions,
	{ input }: StoredCredential,
): Promise<void> {
	for (let item = 1; item < context.getInputData().length; item++) {
		const other = await readCredential(context, item);
		if (other.input.ok && other.input.value.fingerprint === input.fingerprint) continue;
		refuse(
			`The credential of item ${item} differs from that of item 0`,
			'The AiClk Token node acts on one credential. Use Loop Over Items with a batch size of 1 before it, or one credential for each client.',
		);
	}
}

/** What a credential says of its token. @param input null where the credential is incomplete */
export function reportOf(
	credentials: ICredentialDataDecryptedObject,
	input: TokenInput | null,
	isRejected = false,
): TokenReport {
	const token = readToken(credentials);
	const refreshesToday = input === null ? 0 : tokenManager.refreshesToday(input, token);
	return reportToken(token, input?.fingerprint ?? '', Date.now(), refreshesToday, isRejected);
}

/** The output, with the access token only if it was asked for. */
function toOutput(
	stored: StoredCredential,
	{ includeAccessToken }: Settings,
	result: { refreshed: boolean; reason: string; message?: string; isRejected?: boolean },
): IDataObject {
	const { refreshed, reason, message, isRejected } = result;
	const { status, valid, ...facts } = reportOf(stored.credentials, stored.input, isRejected);
	return {
		status,
		valid,
		refreshed,
		reason,
		...facts,
		...(message && { message }),
		...(includeAccessToken && { accessToken: stored.credentials.accessToken }),
	};
}

/** The result of asking AiClk about the token of a credential. */
interface Answer {
	probe: ProbeResult;
	/** What AiClk or the network said, unless AiClk accepted the token; otherwise ''. */
	message: string;
	/** Set if the credential could not provide a valid token. AiClk was not asked then. */
	failure: Failure | null;
	/** Whether the credential has had a new token since. */
	refreshed: boolean;
}

/** Sends one account/info request with the credential. n8n asks the hook first and stores what it returns. */
async function ask(
	context: IExecuteFunctions,
	{ credentials, input }: StoredCredential,
): Promise<Answer> {
	const before = credentials.tokenState;
	const request = accountInfoCall(input.accountId);
	const call = callOf(request, '', credentials, input);
	const options = { ...toHttpOptions(input.baseUrl, request), totalTimeoutMs: TOKEN_TIMEOUT_MS };
	const sent = await callN8n(context, credentials, options, call);
	const read = sent.ok ? readAnswer(sent.value, call) : sent;
	const isRejected = !read.ok && read.failure.kind === 'rejected';
	const probe = read.ok ? 'accepted' : isRejected ? 'rejected' : 'unknown';
	if (probe !== 'unknown') tokenManager.observeProbe(credentials, probe);
	return {
		probe,
		message: read.ok ? '' : messageOf(context, read.failure),
		failure: tokenManager.failureOf(credentials),
		// n8n has written what the hook returned into this very object (n8n-core authentication.js).
		refreshed: credentials.tokenState !== before,
	};
}

/**
 * Asks AiClk again if it rejected the token: the hook replaces a rejected token before the request, and waits if AiClk's servers may
 * not know a new one yet. A token that is left to another process for a while is asked about until that is over.
 *
 * @returns the last answer, the credential of it, and whether any answer came with a new token
 */
async function askAgain(context: IExecuteFunctions, stored: StoredCredential, first: Answer) {
	let last = first;
	let latest = stored;
	let { refreshed } = first;
	const isOpen = () =>
		last.failure?.kind === 'superseded' || (last === first && last.probe === 'rejected');
	for (let repeats = 0; isOpen() && repeats < MAX_REPEATS; repeats++) {
		// Read again: another process may have stored a new token.
		latest = await readStored(context);
		last = await ask(context, latest);
		refreshed ||= last.refreshed;
	}
	return { last, latest, refreshed };
}

/**
 * Gets a new token, now or if the stored one expires soon. The request that n8n sends afterwards probes it. AiClk's answer about
 * the new token is reported; it does not make the refresh fail.
 */
async function refresh(
	context: IExecuteFunctions,
	stored: StoredCredential,
	settings: Settings & { operation: 'refresh' },
): Promise<IDataObject> {
	const { withinDays } = settings;
	const before = reportOf(stored.credentials, stored.input);
	const isDue = withinDays === null || !before.valid || expiresWithin(before, withinDays);
	if (!isDue) return toOutput(stored, settings, { refreshed: false, reason: 'not-due' });

	// An unsaved workflow has no id.
	const { id, name = '' } = context.getWorkflow();
	tokenManager.forceRefresh(stored.credentials, id ? { id: String(id), name } : null);
	const first = await ask(context, stored);
	if (first.failure !== null) throw new FailureError(first.failure);
	if (!first.refreshed) {
		// AiClk has issued a token that no credential holds. If a refresh invalidates older tokens, the stored one is invalid.
		const failure = newFailure({
			kind: 'unavailable',
			message: 'AiClk refreshed the access token, but n8n did not store it',
			description: `n8n says: ${first.message || 'nothing'}. Look at n8n's database and disk, then run this again.`,
		});
		throw new FailureError(failure);
	}
	const { last, latest } = await askAgain(context, stored, first);
	return toOutput(latest, settings, {
		refreshed: true,
		reason: withinDays === null ? 'forced' : before.valid ? 'expiring' : 'not-valid',
		message: last.message,
		isRejected: last.probe === 'rejected',
	});
}

/** Asks AiClk whether it accepts the token, and replaces a rejected one. */
async function verify(context: IExecuteFunctions, stored: StoredCredential, settings: Settings) {
	const first = await ask(context, stored);
	const { last, latest, refreshed } = await askAgain(context, stored, first);
	const wasRejected = first.probe === 'rejected';
	return toOutput(latest, settings, {
		refreshed,
		reason: first.failure?.kind ?? first.probe,
		message: last.message,
		// Without a second answer, the rejection still counts.
		isRejected: wasRejected && last.probe !== 'accepted' && !last.refreshed,
	});
}

/**
 * Does what the node is set to do, once for all items.
 *
 * @returns the data of the output item
 * @throws FailureError for bad input, and if the credential is incomplete or a refresh failed
 */
export async function execute(context: IExecuteFunctions): Promise<IDataObject> {
	const stored = await readStored(context);
	const settings = readSettings(context, stored.input);
	await refuseOtherClients(context, stored);
	if (settings.operation === 'refresh') return await refresh(context, stored, settings);
	if (settings.verify) return await verify(context, stored, settings);
	return toOutput(stored, settings, { refreshed: false, reason: 'stored' });
}
