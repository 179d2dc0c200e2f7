import type { ICredentialDataDecryptedObject, IPollFunctions, JsonObject } from 'n8n-workflow';
import { NodeApiError } from 'n8n-workflow';

import { readPages } from '../../aiclk/api/pagination';
import { type ApiRequest, nameOf, toHttpOptions } from '../../aiclk/api/request';
import { type ApiFailure, type Asked, noAnswer, readAnswer } from '../../aiclk/api/response';
import { readId } from '../../aiclk/api/values';
import { ACCOUNT_INFO_PATH } from '../../aiclk/protocol/accountInfo';
import type { Envelope } from '../../aiclk/protocol/envelope';
import type { TokenFailure } from '../../aiclk/token/errors';
import { readInput } from '../../aiclk/token/input';
import { reportToken } from '../../aiclk/token/status';
import { readToken, secretsOf } from '../../aiclk/token/storedToken';
import { fail, ok, type Result } from '../../aiclk/util/result';
import { tokenManager } from '../../credentials/tokenManager';
import { toNodeError } from '../shared/errors';
import { CREDENTIAL, requestWith } from '../shared/transport';
import type { Api, ReadRequest, Row } from './events/event';

/** Why a read came to nothing: AiClk or the network, or the credential had no live token. */
type ReadFailure = { api: ApiFailure } | { token: TokenFailure };

interface Attempt {
	credentials: ICredentialDataDecryptedObject;
	result: Result<Envelope, ReadFailure>;
	/** What the answer says of the time, ms since 1970; NaN when it says nothing. */
	at: number;
}

const HINT = 'Check the Account IDs and that your application may read them (ads_read).';

/** Failures of the token that a person has to look at; the others end with an outage, or with the next poll. */
const FOR_PERSON: ReadonlyArray<TokenFailure['kind']> = ['input', 'quota', 'refused', 'unusable'];

/** Whether a failure says something about the token: AiClk may also refuse the account, and an outage says nothing. */
const tellsOfToken = (failure: ReadFailure): boolean =>
	'token' in failure ? FOR_PERSON.includes(failure.token.kind) : failure.api.outcome === 'refused';

/** The time in an answer's header `Date`. */
const timeOf = (answer: unknown): number =>
	Date.parse(String((answer as { headers?: { date?: unknown } } | null)?.headers?.date));

/** Sends a read once, with the credential as it is in the database at this moment. */
async function attempt(context: IPollFunctions, request: ApiRequest): Promise<Attempt> {
	const credentials = await context.getCredentials(CREDENTIAL);
	const input = readInput(credentials);
	if (!input.ok) return { credentials, result: fail({ token: input.failure }), at: NaN };
	const options = toHttpOptions(input.value.baseUrl, request);
	const asked = (): Asked => ({
		effect: 'read',
		call: nameOf(request),
		hint: HINT,
		// Read after the request: the tokens are those that it ended with.
		secrets: [input.value.refreshToken, ...secretsOf(credentials)],
	});
	const answer = await requestWith(context, credentials, options);
	if (!answer.ok) {
		const { token, error } = answer.failure;
		const failure = token === null ? { api: noAnswer(error, asked()) } : { token };
		return { credentials, result: fail(failure), at: NaN };
	}
	const read = readAnswer(answer.value, asked());
	const result = read.ok ? read : fail({ api: read.failure });
	return { credentials, result, at: timeOf(answer.value) };
}

/** Whether sending it again would send another token. */
async function isWorthRepeating(
	context: IPollFunctions,
	{ credentials, result }: Attempt,
): Promise<boolean> {
	if (result.ok) return false;
	if ('token' in result.failure) return result.failure.token.kind === 'superseded';
	if (!result.failure.api.isTokenRejected) return false;
	return await tokenManager.isRejected(
		credentials,
		async (options): Promise<unknown> => await context.helpers.httpRequest(options),
	);
}

/** A rejected token, and a collision with another n8n process on the way to a new one. */
const MAX_REPEATS = 2;

/** Sends a read, and again with another token when AiClk rejected the first. */
async function send(context: IPollFunctions, request: ApiRequest): Promise<Attempt> {
	let last = await attempt(context, request);
	for (let repeats = 0; repeats < MAX_REPEATS; repeats++) {
		if (!(await isWorthRepeating(context, last))) break;
		last = await attempt(context, request);
	}
	return last;
}

function toError(context: IPollFunctions, failure: ReadFailure, account?: bigint) {
	if ('token' in failure) return toNodeError(context, failure.token);
	const { message, description, httpCode } = failure.api;
	const about = account === undefined ? '' : ` Account ${account}.`;
	return new NodeApiError(context.getNode(), { message } as JsonObject, {
		message,
		description: `${description}${about} No change is lost: the next poll compares with the same state.`,
		httpCode: httpCode ?? undefined,
	});
}

const toRequest = ({ path, account, query }: ReadRequest): ApiRequest => ({
	method: 'GET',
	path,
	effect: 'read',
	parameters: { account_id: account },
	query,
});

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null;

/**
 * The reads of one poll, in n8n's poll context.
 *
 * @param maxRows of a list; null for all
 */
export const createApi = (context: IPollFunctions, maxRows: number | null): Api => {
	let aheadMs = 0;
	const call = async (request: ReadRequest): Promise<Envelope> => {
		const { result, at } = await send(context, toRequest(request));
		if (!Number.isNaN(at)) aheadMs = at - Date.now();
		if (result.ok) return result.value;
		throw toError(context, result.failure, request.account);
	};
	const unusable = (what: string, request: ReadRequest) =>
		toNotRead(`AiClk's answer ${what}`, request);
	const toNotRead = (message: string, { account, path }: ReadRequest) => {
		const description = `Account ${account}, ${path}. Nothing was emitted, and no change is lost.`;
		return new NodeApiError(context.getNode(), { message } as JsonObject, { message, description });
	};
	return {
		now: () => Date.now() + aheadMs,

		readOne: async (request, amount) => {
			const { data } = await call(request);
			if (isRow(data) && Number.isInteger(data[amount])) return data;
			throw unusable(`holds no whole number '${amount}'`, request);
		},

		readRows: async (request, id, limit = maxRows) => {
			const read = await readPages<never>({ limit, idField: id }, async ({ page, pageSize }) =>
				ok(await call({ ...request, query: { ...request.query, page, page_size: pageSize } })),
			);
			if (!read.ok) throw toNotRead(read.failure, request);
			return read.value.rows.map((row) => {
				if (isRow(row) && readId(row[id]).ok) return row;
				throw unusable(`holds a row without '${id}'`, request);
			});
		},

		readToken: async () => {
			const input = readInput(await context.getCredentials(CREDENTIAL));
			const { accountId, fingerprint } = input.ok
				? input.value
				: { accountId: '', fingerprint: '' };
			const { credentials, result } = await send(context, {
				method: 'GET',
				path: ACCOUNT_INFO_PATH,
				effect: 'read',
				parameters: accountId === '' ? {} : { account_id: accountId },
				query: { fields: ['account_id'] },
			});
			if (!result.ok && !tellsOfToken(result.failure)) throw toError(context, result.failure);
			const failure = !result.ok && 'token' in result.failure ? result.failure.token : null;
			const isRejected =
				!result.ok && 'api' in result.failure && result.failure.api.isTokenRejected;
			const token = readToken(credentials);
			const attempts = input.ok ? tokenManager.refreshesToday(input.value, token) : 0;
			const report = reportToken(token, fingerprint, Date.now(), attempts, isRejected);
			return { report, failure };
		},
	};
};
