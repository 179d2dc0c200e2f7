import type { IPollFunctions } from 'n8n-workflow';

import { describeRemark, getPages } from '../../aiclk/api/pagination';
import type { ApiRequest } from '../../aiclk/api/request';
import { ACCOUNT_INFO_PATH } from '../../aiclk/protocol/accountInfo';
import type { Envelope } from '../../aiclk/protocol/envelope';
import { isPlainObject } from '../../aiclk/protocol/json';
import type { TokenInput } from '../../aiclk/token/input';
import { BoundedMap } from '../../aiclk/util/boundedMap';
import {
	fail,
	type Failure,
	FailureError,
	newFailure,
	type Result,
} from '../../aiclk/util/failure';
import { reportOf } from '../AiClkToken/execute';
import type { Lane } from '../shared/lane';
import { accountInfoCall, readCredential, send } from '../shared/transport';
import { readId, readWholeNumber } from '../shared/values';
import type { Api, ReadRequest, Row } from './events/event';

const HINT = "Check the 'Account IDs' and that your application may read them (ads_read).";

const BALANCE_FIELDS = ['account_id', 'display_name', 'balance'];

/**
 * Whether a failed request tells how the token is. If nothing was sent, because there is no token, these kinds need a person; the
 * others pass with an outage or with the next poll. If AiClk refused the request, it has seen the token, and may only mind the
 * account. A busy AiClk and an outage tell nothing.
 */
const tellsOfToken = ({ kind, outcome }: Failure): boolean =>
	outcome === 'not-sent'
		? ['input', 'quota', 'refused', 'unusable'].includes(kind)
		: outcome === 'refused' && kind !== 'busy' && kind !== 'unavailable';

const toRequest = ({ path, account, query }: ReadRequest): ApiRequest => ({
	method: 'GET',
	path,
	effect: 'read',
	parameters: { account_id: BigInt(account) },
	query,
});

const unusable = (message: string, { path }: ReadRequest): FailureError =>
	new FailureError(
		newFailure({
			kind: 'unusable',
			outcome: 'unknown',
			isRead: true,
			message,
			description: `GET ${path}.`,
		}),
	);

/** @throws FailureError for an answer about another account */
function checkOwner(row: Row, request: ReadRequest): Row {
	const owner = readId(row.account_id);
	if (!owner.ok || owner.value === BigInt(request.account)) return row;
	throw unusable(`AiClk answered about account ${owner.value}`, request);
}

/** By client: until when AiClk takes no requests, ms since 1970, and what it said. No poll of this process sends one before. */
const busyUntil = new BoundedMap<string, { failure: Failure; untilMs: number }>(1_000);

/** For whom and how long the requests of a poll are sent. */
export interface Connection {
	context: IPollFunctions;
	/** The client that the credential named at the start: a request for another one is not sent. Or why there is none. */
	input: Result<TokenInput, Failure>;
	lane: Lane;
	/** Ends the poll, with all requests that are under way. */
	signal: AbortSignal;
}

/** The reads of one poll. */
export const createApi = ({ context, input, lane, signal }: Connection): Api => {
	const sendWith = async (
		request: ApiRequest,
		isOver?: () => boolean,
	): Promise<Result<Envelope, Failure>> => {
		if (!input.ok) return input;
		const { clientKey } = input.value;
		const { failure, untilMs } = busyUntil.get(clientKey) ?? {};
		const leftMs = (untilMs ?? 0) - Date.now();
		if (failure !== undefined && leftMs > 0) return fail({ ...failure, retryAfterMs: leftMs });
		const sender = { context, input: input.value, hint: HINT, lane, signal, isOver };
		const result = await send(sender, request);
		if (!result.ok && result.failure.retryAfterMs !== null) {
			const endMs = Date.now() + result.failure.retryAfterMs;
			busyUntil.set(clientKey, { failure: result.failure, untilMs: endMs });
		}
		return result;
	};
	return {
		getBalance: async (account) => {
			const request = { path: ACCOUNT_INFO_PATH, account, query: { fields: BALANCE_FIELDS } };
			const result = await sendWith(toRequest(request));
			if (!result.ok) throw new FailureError(result.failure);
			const { data } = result.value;
			const info = isPlainObject(data) ? data : {};
			const limits = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
			const balance = readWholeNumber(info.balance, limits);
			if (!balance.ok) throw unusable("AiClk's answer holds no whole number 'balance'", request);
			return { ...checkOwner(info, request), balance: balance.value };
		},

		getRows: async (request, id, limit) => {
			const read = await getPages(
				{ limit: limit ?? null, idField: id, isRead: true },
				async ({ page, pageSize }, isOver) => {
					const query = { ...request.query, page, page_size: pageSize };
					return await sendWith(toRequest({ ...request, query }), isOver);
				},
				(message) => unusable(message, request).failure,
			);
			if (!read.ok) throw new FailureError(read.failure.why);
			for (const remark of read.value.remarks) {
				context.logger.warn(`AiClk Trigger, account ${request.account}: ${describeRemark(remark)}`);
			}
			return read.value.rows.map((row) => {
				if (isPlainObject(row) && readId(row[id]).ok) return checkOwner(row, request);
				throw unusable(`AiClk's answer holds a row without '${id}'`, request);
			});
		},

		getToken: async () => {
			const result = await sendWith(accountInfoCall(input.ok ? input.value.accountId : ''));
			if (!result.ok && !tellsOfToken(result.failure)) throw new FailureError(result.failure);
			const failure = result.ok || result.failure.outcome !== 'not-sent' ? null : result.failure;
			const isRejected = !result.ok && result.failure.kind === 'rejected';
			// Read again: the request may have changed what is stored.
			const { credentials } = await readCredential(context);
			return { report: reportOf(credentials, input.ok ? input.value : null, isRejected), failure };
		},
	};
};
