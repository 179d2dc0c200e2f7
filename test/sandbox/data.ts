/** What the sandbox's accounts hold: enough rows for three pages, the same at every start. Amounts in fen. */

import { dayInChina } from './china';

type Row = Record<string, unknown>;

const DAY_MS = 86_400_000;

const many = (count: number, row: (n: number) => Row): Row[] =>
	Array.from({ length: count }, (_, n) => row(n));

const dayAt = (n: number): string =>
	new Date(Date.UTC(2026, 0, 1) + n * DAY_MS).toISOString().slice(0, 10);

/** uint64 goes beyond what a JavaScript number can hold: the newest ids are the largest there can be. */
const idBelowMost = (n: number): bigint => 18_446_744_073_709_551_615n - BigInt(n);

export const ACCOUNT: Row = {
	username: '登录名称',
	display_name: '广告主名称',
	balance: 10_000_032,
	coupon: 1_000_022,
	compensation: 1_000_000,
	configure_status: 'PASSED',
	refuse_reason: '',
};

/** The spending of the last days up to yesterday in China. @param now ms since 1970 */
export const fundRecords = (now: number, days: number) =>
	many(days, (n) => ({
		date: dayInChina(now - (days - n) * DAY_MS),
		cash_cost: 10_000 + n,
		coupon_cost: 1_000 + n,
		compensation: n,
	}));

const CONFIGURED = ['ENABLE', 'ENABLE', 'PAUSED', 'DELETED', 'RELATE_DELETED'];
const EFFECTIVE = ['审核中', '投放中', '审核拒绝'];

/** Days that rows without a change of their own are spread over. */
const SPREAD_DAYS = 250;

/** A creative; every third one is under review. */
export const creativeAt = (n: number) => ({
	campaign_id: 300_000 + (n % 5),
	adgroup_id: 20_195_330 + (n % 10),
	creative_id: idBelowMost(n),
	creative_name: `创意 ${n}`,
	configure_status: CONFIGURED[n % CONFIGURED.length],
	effective_status: EFFECTIVE[n % EFFECTIVE.length],
	audit_reason: n % EFFECTIVE.length === 2 ? '图片不清晰' : '',
	title: `标题 ${n}`,
	created_at: `${dayAt(n % SPREAD_DAYS)} 12:00:00`,
	updated_at: `${dayAt(n % SPREAD_DAYS)} 18:00:00`,
});

const REVIEWED = ['PASSED', 'UNDER_PASSING', 'UN_PASSED', 'DELETED'];

/** A material; every fourth one is deleted. */
export const materialAt = (n: number) => ({
	material_id: 50_000 + n,
	material_name: `素材 ${n}`,
	material_status: REVIEWED[n % REVIEWED.length],
	material_type: 'IMAGE',
	remote_url: `http://v2.aiclk.com/image/${n}.jpg`,
	material_md5: String(n).padStart(32, '0'),
	audit_reason: '',
	width: 640,
	height: 360,
	duration: 0,
	size: 1_000 + n,
	created_at: `${dayAt(n % SPREAD_DAYS)} 12:00:00`,
});

/** Monitor links of each account; AiClk's page shows the ids as texts. */
export const monitorLinks = () =>
	many(120, (n) => ({
		id: String(7_000 + n),
		create_time: `${dayAt(n % SPREAD_DAYS)} 12:00:00`,
		monitor_url: `https://monitor.example.com/${n}`,
		adgroup_id: 20_195_330 + (n % 10),
	}));

/** What each account can hand on at the start of a sandbox, in fen. */
export const CHARGEABLE = 50_000_000;
