import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

import { type Envelope, envelope, success } from '../answers';
import { dayInChina } from '../china';
import type { Context } from '../context';
import { CHARGEABLE, fundRecords, monitorLinks } from '../data';
import { parseJson, stringifyJson } from '../json';

type Row = Record<string, unknown>;
type Parameters = Record<string, string>;

/** One of AiClk's endpoints below /openapi/v1/. */
export interface Endpoint {
	method: 'GET' | 'POST';
	path: string;
	handler(request: FastifyRequest): Envelope | Promise<Envelope>;
}

const parametersOf = (request: FastifyRequest): Parameters => request.query as Parameters;

/** The account that a call is about, checked as on every page: `account_id` in the URL. */
function accountOf(context: Context, request: FastifyRequest): bigint | Envelope {
	const { account_id: id } = parametersOf(request);
	if (id === undefined || id === '') return envelope(400, '缺少参数 account_id');
	return context.settings().accountIds.map(String).includes(id)
		? BigInt(id)
		: envelope(400, '账户不存在或无权限');
}

function readJson(text: string): Row | null {
	try {
		const value: unknown = parseJson(text);
		return typeof value === 'object' && value !== null && !Array.isArray(value)
			? (value as Row)
			: null;
	} catch {
		return null;
	}
}

const isRefusal = (value: unknown): value is Envelope =>
	typeof value === 'object' && value !== null && 'trace_id' in value;

const pick = (row: Row, fields: unknown): Row =>
	Object.fromEntries(
		(fields as string[]).filter((key) => key in row).map((key) => [key, row[key]]),
	);

/** The rows of one page, and how many a page holds. */
function takePage(
	{ settings }: Context,
	rows: Row[],
	{ page, size }: { page: number; size: number },
): { size: number; rows: Row[] } {
	const real = Math.min(size, settings().maxPageSize ?? Infinity);
	return { size: real, rows: rows.slice((page - 1) * real, page * real) };
}

/** One page of rows as AiClk documents it for the fund list (P3). */
function pageOf(context: Context, rows: Row[], query: Row, more: Row = {}): Envelope {
	const page = Number(query.page ?? 1);
	const asked = Number(query.page_size ?? 10);
	if (page < 1 || asked < 1 || asked > 100) return envelope(400, 'page_size 不能大于 100');
	const { size, rows: list } = takePage(context, rows, { page, size: asked });
	return success({
		list: list.map((row) => pick({ ...more, ...row }, query.fields)),
		page_info: { page, page_size: size, total_number: rows.length },
	});
}

const holds = (list: unknown, value: unknown): boolean =>
	!Array.isArray(list) || list.map(String).includes(String(value));

const isWithin = (span: unknown, moment: unknown): boolean => {
	if (span === undefined) return true;
	const { start = '', end = '9999' } = (span ?? {}) as { start?: string; end?: string };
	const day = String(moment).slice(0, 10);
	return day >= start && day <= end;
};

/** The days of spending. They are days in China: AiClk's pages name no time zone. */
const fundList = ({ world, now, settings }: Context): Row[] => {
	const days = settings().fundDays;
	return world.once(`fund ${dayInChina(now())} ${days}`, () => fundRecords(now(), days));
};

/** The rows that a query asks for; made once for all of its pages. */
const select = (
	{ world, settings }: Context,
	kind: 'creative' | 'material',
	query: Row,
	account: bigint,
	isWanted: (row: Row) => boolean,
): Row[] => {
	const { creatives, materials } = settings();
	const asked = { ...query, page: 0, page_size: 0 };
	const key = stringifyJson([kind, account, creatives, materials, asked]);
	const [order] = (query.order_by ?? []) as string[][];
	return world.once(key, () => {
		const rows = world.list(String(account), kind).filter(isWanted);
		return order?.[1] === 'desc' ? rows.reverse() : rows;
	});
};

const creatives = (context: Context, query: Row, account: bigint): Envelope => {
	const rows = select(
		context,
		'creative',
		query,
		account,
		(row) =>
			holds(query.creative_id, row.creative_id) &&
			holds(query.configure_status, row.configure_status) &&
			(query.campaign_id === undefined || String(query.campaign_id) === String(row.campaign_id)) &&
			isWithin(query.created_at, row.created_at) &&
			isWithin(query.updated_at, row.updated_at),
	);
	return pageOf(context, rows, query, { account_id: account });
};

function materials(context: Context, query: Row, account: bigint): Envelope {
	const isShown = ({ material_status: status }: Row) =>
		query.material_status === undefined
			? status !== 'DELETED'
			: holds(query.material_status, status);
	const rows = select(
		context,
		'material',
		query,
		account,
		(row) => isShown(row) && holds(query.material_id, row.material_id),
	);
	return pageOf(context, rows, query, { account_id: account });
}

/** Plain URL parameters, and `data` is the array itself (P9). */
function linkList(
	context: Context,
	{ page = '1', page_size: size = '10', adgroup_id: group }: Parameters,
): Envelope {
	const rows = monitorLinks().filter(
		(row) => group === undefined || String(row.adgroup_id) === group,
	);
	return success(takePage(context, rows, { page: Number(page), size: Number(size) }).rows);
}

/** Endpoints whose parameters travel as `account_id` and one JSON object `query` (AiClk pages P2, P3, P6, P7). */
const withQuery =
	(context: Context, answer: (query: Row, account: bigint) => Envelope) =>
	(request: FastifyRequest): Envelope => {
		const account = accountOf(context, request);
		if (isRefusal(account)) return account;
		const query = readJson(parametersOf(request).query ?? '');
		if (query === null) return envelope(400, 'query 不是合法的 JSON');
		const { fields } = query;
		if (!Array.isArray(fields) || fields.length === 0) return envelope(400, '缺少参数 fields');
		return answer(query, account);
	};

/** Endpoints with a JSON object as body (AiClk pages P4, P5, P10-P13). */
const withBody =
	(context: Context, needed: string[], answer: (body: Row, account: bigint) => Envelope) =>
	(request: FastifyRequest): Envelope => {
		const account = accountOf(context, request);
		if (isRefusal(account)) return account;
		const isJson = request.entry.contentType?.startsWith('application/json') === true;
		const body = isJson ? readJson(String(request.body)) : null;
		if (body === null) return envelope(400, '请求体不是合法的 JSON');
		const missing = needed.find((name) => body[name] === undefined || body[name] === '');
		return missing === undefined ? answer(body, account) : envelope(400, `缺少参数 ${missing}`);
	};

/** Moves an amount; the failure is the one that AiClk's pages show. */
const charge =
	({ store }: Context, amount: 'money' | 'coupon') =>
	(body: Row, account: bigint): Envelope => {
		const isMoved = store.charge(`${account} ${amount}`, Number(body[amount]), CHARGEABLE);
		return isMoved ? success(null) : envelope(400, '账户余额不足');
	};

const REQUIRED_OF_ADVERTISERS = [
	'company',
	'display_name',
	'license_code',
	'company_region',
	'company_address',
	'license',
	'qualification',
	'category',
	'app_name',
	'username',
	'password',
	'link',
	'source_mark',
	'email',
	'contacter',
	'contacter_phone',
];

/** The endpoints that AiClk documents, but for the upload. */
export function marketingEndpoints(context: Context): Endpoint[] {
	const get = (path: string, handler: Endpoint['handler']): Endpoint => ({
		method: 'GET',
		path,
		handler,
	});
	const post = (path: string, handler: Endpoint['handler']): Endpoint => ({
		method: 'POST',
		path,
		handler,
	});
	const chargeOf = (amount: 'money' | 'coupon', needed: string[] = []) =>
		withBody(context, ['target_user', amount, ...needed], charge(context, amount));
	return [
		get(
			'account/info',
			withQuery(context, ({ fields }, account) =>
				success(pick({ account_id: account, ...context.world.account(`${account}`) }, fields)),
			),
		),
		get(
			'account_fund/list',
			withQuery(context, (query) => {
				const span = { start: query.start_date, end: query.end_date };
				return pageOf(
					context,
					fundList(context).filter(({ date }) => isWithin(span, date)),
					query,
				);
			}),
		),
		get(
			'creative/get',
			withQuery(context, (query, account) => creatives(context, query, account)),
		),
		get(
			'material/get',
			withQuery(context, (query, account) => materials(context, query, account)),
		),
		get('conv/targeturl_monitor/list', (request) => {
			const account = accountOf(context, request);
			return isRefusal(account) ? account : linkList(context, parametersOf(request));
		}),
		post(
			'adaccount/customer/create',
			withBody(context, REQUIRED_OF_ADVERTISERS, () => success({ account_id: 1_928_316 })),
		),
		post(
			'adaccount/customer/update',
			withBody(context, ['account_id'], () => success(null)),
		),
		post('charge/agent', chargeOf('money')),
		post('charge/agent-coupon', chargeOf('coupon')),
		post('charge/sub-agent-v2', chargeOf('money', ['sub_agent_user'])),
		post('charge/sub-agent-coupon', chargeOf('coupon')),
	];
}

/** The upload (P8); its scope parses multipart forms. Files are read, not kept. */
export const uploadEndpoint = (context: Context): Endpoint => ({
	method: 'POST',
	path: 'material/upload',
	handler: async (request) => {
		if (!request.isMultipart()) return envelope(400, '请使用 form-data 提交文件');
		const hash = createHash('sha256');
		const names: string[] = [];
		let size = 0;
		let fileName = '';
		for await (const part of request.parts()) {
			names.push(part.fieldname);
			if (part.type !== 'file') continue;
			fileName = part.filename;
			for await (const bytes of part.file as AsyncIterable<Buffer>) {
				hash.update(bytes);
				size += bytes.length;
			}
		}
		request.entry.bodyFields = names;
		request.entry.bodySha256 = hash.digest('hex');
		const account = accountOf(context, request);
		if (isRefusal(account)) return account;
		if (size === 0) return envelope(400, '缺少参数 file');
		return success({
			app_logo_url: '',
			id: 24_198_456,
			name: fileName,
			pid: 0,
			post_url: '',
			remote_url: `http://v2.aiclk.com/${account}/${request.entry.bodySha256}`,
		});
	},
});
