import type { IDataObject } from 'n8n-workflow';

import { describeAnswer, pageInfo, type Remark } from '../../aiclk/api/pagination';
import type { ApiRequest } from '../../aiclk/api/request';
import { isNothing, readWholeNumber, toItemId } from '../shared/values';
import { openText, rowsOf, TEXT_IDS_OF_MATERIAL } from '../../aiclk/protocol/assumptions';
import { CODE_SUCCESS, type Envelope } from '../../aiclk/protocol/envelope';
import { isPlainObject } from '../../aiclk/protocol/json';
import { fail, ok, type Result } from '../../aiclk/util/failure';

/** Output objects, or what is wrong with AiClk's answer. */
export type Output = Result<IDataObject[], string>;

const isObject = isPlainObject as (value: unknown) => value is IDataObject;

const isEmptyObject = (value: unknown): boolean =>
	isObject(value) && Object.keys(value).length === 0;

/** The `data` of an answer; null where it holds nothing, as after most changes. */
function contentOf(envelope: Envelope): unknown {
	const data = openText(envelope.data);
	return isNothing(data) || isEmptyObject(data) ? null : data;
}

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

/** Adds an account to a row that names none. AiClk may write a field that was not asked for as 0 or ''. */
function withAccount(row: IDataObject, account: bigint | null): IDataObject {
	const { account_id: own } = row;
	const isNone = isNothing(own) || isEmptyObject(own) || /^\s*(0+|false)\s*$/.test(String(own));
	if (account === null || !isNone) return row;
	return Object.assign({ account_id: null }, row, { account_id: toItemId(account) });
}

/** One item per row. @param account added to rows that AiClk sent without one; null for none */
export const toRowItems = (rows: unknown[], account: bigint | null): IDataObject[] =>
	rows.map((row) => withAccount(toItem(row), account));

/** The one object that a read returns, which may be the only row of a list. A read without data is an error. */
export function toReadItem(envelope: Envelope, account: bigint): Output {
	const data = openText(envelope.data);
	const rows = isObject(data) && !Array.isArray(openText(data.list)) ? [data] : rowsOf(data);
	const [row] = rows ?? [];
	return rows?.length === 1 && isObject(row) && !isEmptyObject(row)
		? ok(toRowItems([row], account))
		: fail(describeAnswer(envelope, 'data in the form of one object'));
}

/** Amounts of at most 15 digits in fen are exact in yuan: a number keeps 15 significant digits (IEEE 754). */
const MAX_FEN = 999_999_999_999_999;

/**
 * Amounts in yuan, as numbers with two decimals: reports sum them and show them. An amount that AiClk left out stays out.
 *
 * @param amounts AiClk's names of the amounts, which are in fen
 */
export function toYuan(items: IDataObject[], amounts: readonly string[]): Output {
	const converted: IDataObject[] = [];
	for (const item of items) {
		const inYuan = { ...item };
		for (const name of amounts) {
			if (isNothing(item[name])) continue;
			const fen = readWholeNumber(item[name], { min: -MAX_FEN, max: MAX_FEN });
			if (!fen.ok) return fail(`AiClk's '${name}' is no whole number of fen`);
			inYuan[name] = fen.value / 100;
		}
		converted.push(inYuan);
	}
	return ok(converted);
}

/** Also the Chinese words for failed and mistake; n8n's scan takes English source only. */
const NAME_OF_FAILURES =
	/(?:^|[^a-z])(?:err(?:or[a-z]*|s|msg|no|code|list)?|(?:fail|invalid|reject|illegal)[a-z]*)(?:[^a-z]|$)|\u5931\u8d25|\u9519\u8bef/;
const NAME_OF_SUCCESS = /^(?:is_)?(?:success|succeeded|ok)$/;

/** `failList` and `FailList` as `fail_list`. */
const toSnakeCase = (name: string): string =>
	name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

/** Whether a member says that nothing failed: empty, 0, a word such as "ok", or AiClk's own code for success. */
const isFine = (name: string, value: unknown): boolean =>
	typeof value === 'object' && value !== null
		? Object.keys(value).length === 0
		: isNothing(value) ||
			/^(0|false|no|none|null|ok|success|\u6210\u529f)$/i.test(String(value).trim()) ||
			(/code|no$/.test(name) && Number(value) === CODE_SUCCESS);

/** The members of an answer that name failures, e.g. `data.fail_list`. AiClk's pages know of none. */
function failuresIn(value: unknown, path: string[] = []): string[] {
	const opened = openText(value);
	if (typeof opened !== 'object' || opened === null || path.length > 4) return [];
	return Object.entries(opened).flatMap(([name, member]) => {
		// The entries of a list are one place.
		const at = Array.isArray(opened) ? path : [...path, name];
		const snake = toSnakeCase(name);
		const isFailure = NAME_OF_FAILURES.test(snake) && !isFine(snake, openText(member));
		const isNoSuccess = NAME_OF_SUCCESS.test(snake) && /^(false|0)$/i.test(String(member));
		return isFailure || isNoSuccess ? [at.join('.')] : failuresIn(member, at);
	});
}

const namesFailures = ({ body }: Envelope): boolean => failuresIn(body).length > 0;

const FRAME = ['code', 'message', 'data', 'trace_id'];

/** What AiClk's answer holds beside its documented members. */
const othersIn = ({ body }: Envelope): IDataObject => {
	const others = Object.entries(body).filter(([name]) => !FRAME.includes(name));
	return withoutError(Object.fromEntries(others) as IDataObject);
};

/**
 * What a change returns: AiClk's `data`, or `success: true` where it holds nothing, as for most changes.
 *
 * @param about what was changed, where the node knows it
 */
export function toWriteItem(envelope: Envelope, about: IDataObject = {}): Output {
	const data = contentOf(envelope);
	if (data !== null) {
		const rows = Array.isArray(data) ? data : [data];
		return ok(rows.map((row) => ({ ...about, ...toItem(row) })));
	}
	const success = namesFailures(envelope) ? {} : { success: true };
	return ok([{ ...success, ...about, ...othersIn(envelope) }]);
}

/**
 * What a custom call returns: rows where `data` is an array.
 *
 * @param account added to rows that AiClk sent without one; null for none
 */
export function toCallItems(envelope: Envelope, isRead: boolean, account: bigint | null): Output {
	if (!isRead) return toWriteItem(envelope);
	const data = openText(envelope.data);
	if (Array.isArray(data)) return ok(toRowItems(data, account));
	if (contentOf(envelope) === null) return fail(describeAnswer(envelope));
	// Rows in a list are not divided without Paginate, so what comes out is no row.
	return ok(toRowItems([data], isObject(data) && 'list' in data ? null : account));
}

/** What a transfer moved, and the `data` that AiClk returned. */
export function toTransferItem(envelope: Envelope, moved: IDataObject): Output {
	const { data, traceId } = envelope;
	const said = data === null || data === undefined ? {} : { data: data as IDataObject[string] };
	const success = namesFailures(envelope) ? othersIn(envelope) : { success: true };
	return ok([{ ...success, ...moved, ...said, traceId }]);
}

/** Remarks on an answer that says success but names failures. What rows hold is no matter of the call. */
export function remarksOnFailures({ body }: Envelope, isRead: boolean): Remark[] {
	const failures = [...new Set(failuresIn(isRead ? { ...body, data: null } : body))];
	if (failures.length === 0) return [];
	const text =
		"AiClk's answer says success but names failures. Look at it before you go on; with 'Simplify' off it comes whole.";
	return [{ text, detail: failures.join(', ') }];
}

/** Remarks on a first page of rows that was asked for without Paginate. Who names a page reads pages on purpose. */
export function remarksOnPage({ data }: Envelope, request: ApiRequest): Remark[] {
	const total = pageInfo(data, 'total_number') ?? 0;
	const count = rowsOf(data)?.length ?? total;
	const asked = {
		...request.parameters,
		...request.query,
		...(request.body as object | undefined),
	};
	const { page = 1 } = asked as { page?: unknown };
	if (total <= count || Number(pageInfo(data, 'page') ?? page) > 1) return [];
	const text = "AiClk names more rows than came, because this is page 1: switch 'Paginate' on.";
	return [{ text, detail: `${count} of ${total} rows` }];
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
