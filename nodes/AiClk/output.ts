import type { IDataObject } from 'n8n-workflow';

import { describeAnswer, membersOf } from '../../aiclk/api/pagination';
import { isNothing } from '../shared/values';
import { TEXT_IDS_OF_MATERIAL } from '../../aiclk/protocol/assumptions';
import type { Envelope } from '../../aiclk/protocol/envelope';
import { fail, ok, type Result } from '../../aiclk/util/result';

/** Output objects, or what is wrong with AiClk's answer. */
export type Output = Result<IDataObject[], string>;

const isObject = (value: unknown): value is IDataObject =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * n8n treats an item with a top-level `error` as failed: it retries the node or sends the item to the error branch
 * (n8n-core workflow-execute.js). So it is renamed, to a name that the item does not use.
 */
const withoutError = (item: IDataObject): IDataObject => {
	if (!('error' in item)) return item;
	const { error, ...rest } = item;
	let name = 'error_';
	while (name in rest) name += '_';
	return { ...rest, [name]: error };
};

const toItem = (row: unknown): IDataObject =>
	isObject(row) ? withoutError(row) : { value: row as IDataObject[string] };

/** An ID as the output has them: a number where that is exact, otherwise text. */
const idOf = (id: bigint): number | string =>
	id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : String(id);

const withAccount = (item: IDataObject, account: bigint | null): IDataObject =>
	account === null || !isNothing(item.account_id)
		? item
		: Object.assign({ account_id: null }, item, { account_id: idOf(account) });

/** One item per row. @param account added to rows that AiClk sent without one; null for none */
export const toRowItems = (rows: unknown[], account: bigint | null): IDataObject[] =>
	rows.map((row) => withAccount(toItem(row), account));

/** The one object that a read returns. A read without data is an error. */
export function toReadItem({ data, body }: Envelope, account: bigint): Output {
	return isObject(data) && Object.keys(data).length > 0
		? ok(toRowItems([data], account))
		: fail(`AiClk's answer holds no data (it has: ${membersOf(body)})`);
}

const FRAME = ['code', 'message', 'data', 'trace_id'];

/** What a change returns: AiClk's `data`, or `success: true` where it holds nothing, as for most changes. */
export function toWriteItem({ data, body }: Envelope): Output {
	if (!isNothing(data)) return ok((Array.isArray(data) ? data : [data]).map(toItem));
	const others = Object.entries(body).filter(([name]) => !FRAME.includes(name));
	return ok([{ success: true, ...withoutError(Object.fromEntries(others) as IDataObject) }]);
}

/** What a custom call returns: rows where `data` is an array. */
export function toCallItems(envelope: Envelope, isRead: boolean): Output {
	const { data } = envelope;
	if (!isRead || !isNothing(data)) return toWriteItem(envelope);
	return Array.isArray(data) ? ok([]) : fail(describeAnswer(envelope));
}

/** What a transfer moved, and the `data` that AiClk returned. */
export function toTransferItem({ data, traceId }: Envelope, moved: IDataObject): Output {
	const said = data === null || data === undefined ? {} : { data: data as IDataObject[string] };
	return ok([{ success: true, ...moved, ...said, traceId }]);
}

/** A material with its IDs as text, also in the cover of a video. */
const withTextIds = (material: IDataObject): IDataObject => {
	const ids = TEXT_IDS_OF_MATERIAL.filter((name) => typeof material[name] === 'number');
	const { cover } = material;
	return {
		...material,
		...Object.fromEntries(ids.map((name) => [name, String(material[name])])),
		...(isObject(cover) && { cover: withTextIds(cover) }),
	};
};

/** An uploaded material. */
export function toMaterialItem(envelope: Envelope, account: bigint): Output {
	const written = toWriteItem(envelope);
	if (!written.ok) return written;
	return ok(written.value.map((item) => withAccount(withTextIds(item), account)));
}

/** AiClk's whole answer. */
export const toWholeItem = ({ body }: Envelope): IDataObject => withoutError(body as IDataObject);
