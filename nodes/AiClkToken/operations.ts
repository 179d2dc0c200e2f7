import type { ICredentialDataDecryptedObject, IDataObject, IExecuteFunctions } from 'n8n-workflow';

import type { TokenFailure } from '../../aiclk/token/errors';
import type { TokenInput } from '../../aiclk/token/input';
import { readInput } from '../../aiclk/token/input';
import { readToken } from '../../aiclk/token/storedToken';
import { reportToken } from '../../aiclk/token/status';
import { tokenManager } from '../../credentials/tokenManager';
import { toNodeError } from '../shared/errors';
import { CREDENTIAL } from '../shared/transport';
import type { Order } from './parameters';
import { askAiClk, type Answer } from './requests';

const DAY_S = 86_400;

/** The credential as it is in the database at this moment, with its input checked. */
interface Subject {
	credentials: ICredentialDataDecryptedObject;
	input: TokenInput;
}

async function readSubject(context: IExecuteFunctions): Promise<Subject> {
	const credentials = await context.getCredentials(CREDENTIAL);
	const input = readInput(credentials);
	if (!input.ok) throw toNodeError(context, input.failure);
	return { credentials, input: input.value };
}

function report({ credentials, input }: Subject, isRejected = false) {
	const token = readToken(credentials);
	const attempts = tokenManager.refreshesToday(input, token);
	return reportToken(token, input.fingerprint, Date.now(), attempts, isRejected);
}

/** The output item. The access token is in it only if it was asked for. */
function toOutput(
	subject: Subject,
	order: Order,
	outcome: { refreshed: boolean; reason: string; message?: string; isRejected?: boolean },
): IDataObject {
	const { status, valid, ...facts } = report(subject, outcome.isRejected);
	return {
		status,
		valid,
		refreshed: outcome.refreshed,
		reason: outcome.reason,
		...facts,
		...(outcome.message && { message: outcome.message }),
		...(order.includeAccessToken && { accessToken: subject.credentials.accessToken }),
	};
}

/** Asks AiClk and says whether the credential got another token on the way. */
async function ask(
	context: IExecuteFunctions,
	{ credentials, input }: Subject,
): Promise<Answer & { refreshed: boolean }> {
	const before = credentials.tokenState;
	const answer = await askAiClk(context, credentials, input);
	return { ...answer, refreshed: credentials.tokenState !== before };
}

/** AiClk has handed out a token that is in no credential: where a refresh kills older tokens, what is stored is dead. */
const notStored = (message: string): TokenFailure => ({
	kind: 'unavailable',
	message: 'AiClk refreshed the access token, but n8n did not store it',
	description: `n8n says: ${message || 'nothing'}. Look at n8n's database and disk, then run this again.`,
});

/**
 * Gets a new token, now or if the stored one expires soon. The request that n8n sends afterwards is the check of the
 * new token; what it says is reported, and does not make the refresh a failed one.
 */
async function refresh(
	context: IExecuteFunctions,
	order: Order & { operation: 'refresh' },
): Promise<IDataObject> {
	const subject = await readSubject(context);
	const { valid, expiresInSeconds } = report(subject);
	const isDue =
		order.withinDays === null || !valid || (expiresInSeconds ?? 0) <= order.withinDays * DAY_S;
	if (!isDue) return toOutput(subject, order, { refreshed: false, reason: 'not-due' });

	tokenManager.forceRefresh(subject.credentials);
	const { failure, probe, message, refreshed } = await ask(context, subject);
	if (failure !== null) throw toNodeError(context, failure);
	if (!refreshed) throw toNodeError(context, notStored(message));
	const reason = order.withinDays === null ? 'forced' : valid ? 'expiring' : 'not-valid';
	return toOutput(subject, order, {
		refreshed,
		reason,
		message,
		isRejected: probe === 'rejected',
	});
}

/** Asks AiClk once; if it refuses the token, has it renewed as after any failed request, and asks again. */
async function verify(context: IExecuteFunctions, order: Order): Promise<IDataObject> {
	const subject = await readSubject(context);
	const first = await ask(context, subject);
	if (first.probe !== 'rejected') {
		const reason = first.failure?.kind ?? first.probe;
		return toOutput(subject, order, { ...first, reason });
	}
	tokenManager.noteProbe(subject.credentials, 'rejected');
	// Read afresh: another process may have stored a new token, and this is a new request.
	const again = await readSubject(context);
	const second = await ask(context, again);
	return toOutput(again, order, {
		refreshed: first.refreshed || second.refreshed,
		reason: 'rejected',
		message: second.message,
		// No answer after a rejection leaves the rejection standing.
		isRejected: second.probe === 'rejected' || !second.refreshed,
	});
}

/** What is stored, and nothing else: no request is made. */
async function readStatus(context: IExecuteFunctions, order: Order): Promise<IDataObject> {
	const subject = await readSubject(context);
	return toOutput(subject, order, { refreshed: false, reason: 'stored' });
}

/**
 * Does what was asked, once.
 *
 * @throws NodeApiError when the credential is incomplete or a refresh failed
 */
export async function carryOut(context: IExecuteFunctions, order: Order): Promise<IDataObject> {
	if (order.operation === 'refresh') return await refresh(context, order);
	return order.verify ? await verify(context, order) : await readStatus(context, order);
}
