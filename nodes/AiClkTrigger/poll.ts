import type { IPollFunctions } from 'n8n-workflow';

import { describeRemark, type PageOptions, readPages } from '../../aiclk/api/pagination';
import type { ApiRequest } from '../../aiclk/api/request';
import { MAX_TOGETHER } from '../../aiclk/api/throttle';
import { readId } from '../shared/values';
import { MAX_PAGE_SIZE } from '../../aiclk/protocol/assumptions';
import type { Envelope } from '../../aiclk/protocol/envelope';
import { reportToken } from '../../aiclk/token/status';
import { readToken } from '../../aiclk/token/storedToken';
import { type Failure, FailureError, newFailure } from '../../aiclk/util/failure';
import { ok, type Result } from '../../aiclk/util/result';
import { tokenManager } from '../../credentials/tokenManager';
import type { Lane } from '../shared/lane';
import { accountInfoCall, readCredential, send } from '../shared/transport';
import type { Api, ReadRequest, Row } from './events/event';

const HINT = 'Check the Account IDs and that your application may read them (ads_read).';

/**
 * How often a poll reads a list that may have gaps. It has none if it was read without a remark, or if two readings in a row found
 * the same rows: those that move between the pages make readings differ. All but the first reading ask for pages that hold half of
 * the rows. So a server that repeats its last page for ever, which is a certain end, answers with the same rows, and one that
 * ignores `page` does not. If it ignores `page_size` as well, its only page may be all or not: that is uncertain, so the poll fails.
 */
const MAX_READINGS = 3;

const GAPS = `AiClk answered with a list that may have gaps, ${MAX_READINGS} times in a row`;

/** Token failures that need a person. The others pass with an outage or with the next poll. */
const FOR_PERSON: ReadonlyArray<Failure['kind']> = ['input', 'quota', 'refused', 'unusable'];

/** Whether a failure says anything about the token. An outage does not; AiClk may also have refused the account. */
const tellsOfToken = ({ kind, outcome }: Failure): boolean =>
	outcome === 'not-sent' ? FOR_PERSON.includes(kind) : outcome === 'refused' && kind !== 'busy';

/** The time in the `Date` header of an answer. */
const timeOf = (answer: unknown): number =>
	Date.parse(String((answer as { headers?: { date?: unknown } } | null)?.headers?.date));

function toError(failure: Failure, account?: bigint): FailureError {
	if (failure.outcome === 'not-sent') return new FailureError(failure);
	const about = account === undefined ? '' : ` Account ${account}.`;
	const description = `${failure.description}${about} No change is lost: the next poll compares with the same state.`;
	return new FailureError({ ...failure, description });
}

const toRequest = ({ path, account, query }: ReadRequest): ApiRequest => ({
	method: 'GET',
	path,
	effect: 'read',
	parameters: { account_id: account },
	query,
});

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null;

const idsOf = (rows: Row[], id: string): string =>
	rows
		.map((row) => String(row[id]))
		.sort()
		.join();

/**
 * The reads of one poll, in n8n's poll context.
 *
 * @param lane the way of all of them
 * @param maxRows of a list; null for all
 */
export const createApi = (context: IPollFunctions, lane: Lane, maxRows: number | null): Api => {
	let aheadMs = 0;
	const onAnswer = (answer: unknown): void => {
		const at = timeOf(answer);
		if (!Number.isNaN(at)) aheadMs = at - Date.now();
	};
	const sendWith = async (request: ApiRequest): Promise<Result<Envelope, Failure>> => {
		const { input } = await readCredential(context);
		if (!input.ok) return input;
		return await send({ context, client: input.value, lane, onAnswer }, request, HINT);
	};
	const call = async (request: ReadRequest): Promise<Envelope> => {
		const result = await sendWith(toRequest(request));
		if (result.ok) return result.value;
		throw toError(result.failure, request.account);
	};
	const toNotRead = (message: string, { account, path }: ReadRequest, remarks: string[] = []) => {
		const about = `Account ${account}, ${path}. Nothing was emitted, and no change is lost.`;
		const description = [...remarks, about].join(' ');
		return new FailureError(
			newFailure({ kind: 'unusable', outcome: 'unknown', message, description }),
		);
	};
	const unusable = (what: string, request: ReadRequest) =>
		toNotRead(`AiClk's answer ${what}`, request);
	const ofAccount = (row: Row, request: ReadRequest): Row => {
		const owner = readId(row.account_id);
		if (!owner.ok || owner.value === request.account) return row;
		throw toNotRead(`AiClk answered about account ${owner.value}`, request);
	};
	const readOnce = async (request: ReadRequest, id: string, pages: PageOptions) => {
		const read = await readPages<never>(pages, async ({ page, pageSize }) =>
			ok(await call({ ...request, query: { ...request.query, page, page_size: pageSize } })),
		);
		if (!read.ok) throw toNotRead(read.failure.reason, request);
		const rows = read.value.rows.map((row) => {
			if (isRow(row) && readId(row[id]).ok) return ofAccount(row, request);
			throw unusable(`holds a row without '${id}'`, request);
		});
		return { ...read.value, rows, remarks: read.value.remarks.map(describeRemark) };
	};
	return {
		now: () => Date.now() + aheadMs,

		readOne: async (request, amount) => {
			const { data } = await call(request);
			if (isRow(data) && Number.isInteger(data[amount])) return ofAccount(data, request);
			throw unusable(`holds no whole number '${amount}'`, request);
		},

		readRows: async (request, id, limit = maxRows) => {
			const pages = { limit, idField: id, together: MAX_TOGETHER };
			let read = await readOnce(request, id, pages);
			for (let readings = 1; read.remarks.length > 0; readings++) {
				if (readings === MAX_READINGS) throw toNotRead(GAPS, request, read.remarks);
				const pageSize = Math.min(MAX_PAGE_SIZE, Math.ceil(read.rows.length / 2));
				const again = await readOnce(request, id, { ...pages, pageSize });
				const isDivided = again.envelopes.length > 1 || again.rows.length === 1;
				if (isDivided && idsOf(again.rows, id) === idsOf(read.rows, id)) return again.rows;
				read = again;
			}
			return read.rows;
		},

		readToken: async () => {
			const before = (await readCredential(context)).input;
			const accountId = before.ok ? before.value.accountId : '';
			const result = await sendWith(accountInfoCall(accountId));
			if (!result.ok && !tellsOfToken(result.failure)) throw toError(result.failure);
			const failure = result.ok || result.failure.outcome !== 'not-sent' ? null : result.failure;
			const isRejected = !result.ok && result.failure.kind === 'rejected';
			// Read again: the request may have changed what is stored.
			const { credentials, input } = await readCredential(context);
			const fingerprint = input.ok ? input.value.fingerprint : '';
			const token = readToken(credentials);
			const attempts = input.ok ? tokenManager.refreshesToday(input.value, token) : 0;
			const report = reportToken(token, fingerprint, Date.now(), attempts, isRejected);
			return { report, failure };
		},
	};
};
