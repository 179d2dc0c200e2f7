/**
 * Where AiClk's pages contradict themselves or leave something open: what this package does, each in one place.
 * A change here changes the requests; nothing else has to be touched.
 *
 * AiClk's pages, as comments of this package name them, below https://openapi.aiclk.com/docs/:
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

/** P8: the table names the form field of an upload's type `material_type`, the page's curl sends `type`. The table counts. */
export const UPLOAD_TYPE_FIELD = 'material_type';

/** P4, P5, P10-P13: the text calls the JSON body a list, every example is one object. The examples count. */
export const toBody = <T>(fields: T): T => fields;

const isObject = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const NO_ROWS: readonly unknown[] = [undefined, null, '', false, 0];

/**
 * The rows in the `data` of a list. P3, P7: `data.list` is typed object (P3) and json (P7) but shown as rows, and P9 types
 * `data` itself as an array. All are taken; a single object with members, which the tables could mean, is one row.
 *
 * @returns null where no rows can be found: `data` is neither an array nor an object with `list`
 */
export function rowsOf(data: unknown): unknown[] | null {
	if (Array.isArray(data)) return data;
	if (!isObject(data) || !('list' in data)) return null;
	const { list } = data;
	if (Array.isArray(list)) return list;
	if (isObject(list)) return Object.keys(list).length === 0 ? [] : [list];
	return NO_ROWS.includes(list) ? [] : null;
}

/** The same `data` with other rows. */
export const withRows = (data: unknown, rows: unknown[]): unknown =>
	isObject(data) ? { ...data, list: rows } : rows;

/** P8: `id` and `pid` are typed string but shown as numbers: they come out as texts. */
export const TEXT_IDS_OF_MATERIAL = ['id', 'pid'];

/** Rows a page: the documented most of creatives and materials (P6, P7); nothing is said of the others (P3, P9). */
export const MAX_PAGE_SIZE = 100;
