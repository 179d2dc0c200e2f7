import { isPlainObject, parseJson } from './json';

/**
 * What this package assumes where AiClk's pages contradict themselves or say nothing, each thing in one place. To change an
 * assumption, change it here and nowhere else.
 *
 * How this package's comments name AiClk's pages, all of them below https://openapi.aiclk.com/docs/:
 * - P1 quick_start/refresh_access_token/
 * - P2 account/ad_account/
 * - P3 account/ad_fund/
 * - P4 account/ad_account_customer_create/
 * - P5 account/ad_account_customer_update/
 * - P6 ad_manage/creative/list/
 * - P7 ad_manage/material/list/
 * - P8 ad_manage/material/upload/
 * - P9 ad_manage/tool/target_monitor_list/
 * - P10 agent/agent_charge/
 * - P11 agent/agent_charge_coupon/
 * - P12 sub_agent/sub_agent_charge_v2/
 * - P13 sub_agent/sub_agent_charge_coupon/
 */

/** P8: the table calls the form field for the type of an upload `material_type`, the curl example `type`. The table counts. */
export const UPLOAD_TYPE_FIELD = 'material_type';

/** No page shows `data` or `data.list` as JSON in a text. Where a text is the JSON of an object or a list, that is what counts. */
export function openText(value: unknown): unknown {
	if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
	try {
		return parseJson(value);
	} catch {
		return value;
	}
}

const NO_ROWS: readonly unknown[] = [undefined, null, '', false, 0];

/**
 * The rows in the `data` of a list. The tables call `data.list` an object (P3) and json (P7), but the examples show rows, and on P9
 * `data` itself is the array. All of these are accepted. An object in `list` is one row if it has a member that rows have; others
 * may hold rows in some way that no page documents.
 *
 * @param rowField a member that AiClk documents for each row, if any
 * @returns null if there are no rows to be found
 */
export function rowsOf(data: unknown, rowField?: string): unknown[] | null {
	const opened = openText(data);
	if (Array.isArray(opened)) return opened;
	if (!isPlainObject(opened) || !('list' in opened)) return null;
	const list = openText(opened.list);
	if (Array.isArray(list)) return list;
	if (NO_ROWS.includes(list) || (isPlainObject(list) && Object.keys(list).length === 0)) return [];
	return isPlainObject(list) && rowField !== undefined && rowField in list ? [list] : null;
}

/** `data` with other rows in it. */
export function withRows(data: unknown, rows: unknown[]): unknown {
	const opened = openText(data);
	return isPlainObject(opened) ? { ...opened, list: rows } : rows;
}

/** P8: the table calls `id` and `pid` strings, the example shows numbers. The output has strings. */
export const TEXT_IDS_OF_MATERIAL = ['id', 'pid'];

/** The documented maximum page size of creatives and materials (P6, P7). Other pages name none (P3, P9). */
export const MAX_PAGE_SIZE = 100;
