import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sleep } from 'n8n-workflow';

import { type Envelope, envelope, sendFault, success } from '../answers';
import { type Context, takeFault } from '../context';

type Query = Record<string, string>;
type Handler = (query: Query, request: FastifyRequest) => Envelope;

/** Endpoints whose parameters travel as `account_id` and one JSON object `query` (AiClk pages P2, P3). */
const withQuery =
	(context: Context, answer: (query: Record<string, unknown>) => Envelope): Handler =>
	({ account_id: accountId, query = '' }) => {
		if (accountId === undefined || accountId === '') return envelope(400, '缺少参数 account_id');
		if (!context.settings().accountIds.map(String).includes(accountId)) {
			return envelope(400, '账户不存在或无权限');
		}
		try {
			const parsed = JSON.parse(query) as Record<string, unknown>;
			const { fields } = parsed;
			if (!Array.isArray(fields) || fields.length === 0) return envelope(400, '缺少参数 fields');
			return answer({ ...parsed, account_id: Number(accountId) });
		} catch {
			return envelope(400, 'query 不是合法的 JSON');
		}
	};

const pick = (record: Record<string, unknown>, fields: unknown): Record<string, unknown> =>
	Object.fromEntries(Object.entries(record).filter(([key]) => (fields as string[]).includes(key)));

const accountInfo = (query: Record<string, unknown>): Envelope => {
	const account = {
		account_id: query.account_id,
		username: '登录名称',
		display_name: '广告主名称',
		balance: 10_000_032,
		coupon: 1_000_022,
		compensation: 1_000_000,
		configure_status: 'PASSED',
		refuse_reason: '',
	};
	return success(pick(account, query.fields));
};

const DAY_MS = 86_400_000;

/** 250 days of spending, from 2026-01-01 on; amounts in fen. */
const FUND_RECORDS = Array.from({ length: 250 }, (_, day) => ({
	date: new Date(Date.UTC(2026, 0, 1) + day * DAY_MS).toISOString().slice(0, 10),
	cash_cost: 10_000 + day,
	coupon_cost: 1_000 + day,
	compensation: day,
}));

const fundList = (query: Record<string, unknown>): Envelope => {
	const { start_date: start = '', end_date: end = '9999', page = 1, page_size: size = 10 } = query;
	const rows = FUND_RECORDS.filter(({ date }) => date >= String(start) && date <= String(end));
	const first = (Number(page) - 1) * Number(size);
	return success({
		list: rows.slice(first, first + Number(size)).map((row) => pick(row, query.fields)),
		page_info: { page, page_size: size, total_number: rows.length },
	});
};

/** What a request looked like, for tests. */
const echo: Handler = (query, request) =>
	success({ method: request.method, query, bodyFields: request.entry.bodyFields ?? [] });

const DEAD_TOKEN = 'access_token 无效或已过期';

/** Everything below /openapi/: the token is judged first, then a fault or the documented answer is sent. */
export function apiRoutes(app: FastifyInstance, context: Context): void {
	const endpoint = (method: 'GET' | 'POST' | 'ALL', path: string, handler: Handler) =>
		app.route({
			method: method === 'ALL' ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] : method,
			url: `/openapi/${path}`,
			handler: async (request, reply) => {
				const fault = takeFault(context, 'apiFault');
				if (fault !== null) return await sendFault(reply, fault);
				return await reply.send(handler(request.query as Query, request));
			},
		});

	app.addHook('preHandler', async (request, reply) => {
		if (request.entry.kind !== 'api') return;
		context.store.countCall(request.entry.token);
		await sleep(context.settings().apiDelayMs);
		if (request.entry.token === 'live') return;
		const status = context.settings().deadTokenAnswer === 'http-401' ? 401 : 200;
		await reply.code(status).send(envelope(401, DEAD_TOKEN));
	});

	endpoint('GET', 'v1/account/info', withQuery(context, accountInfo));
	endpoint('GET', 'v1/account_fund/list', withQuery(context, fundList));

	// Not AiClk's: for tests of what happens around a request.
	endpoint('ALL', 'v1/sandbox/echo', echo);
	app.all('/openapi/v1/sandbox/status/:status', async (request, reply) => {
		const status = Number((request.params as { status: string }).status);
		const fault = takeFault(context, 'apiFault') ?? { kind: 'status' as const, status };
		return await sendFault(reply, fault);
	});
	app.all('/openapi/v1/sandbox/redirect', async (request, reply) => {
		const { to } = request.query as Query;
		return await reply.redirect(to ?? '/', 302);
	});
	app.setNotFoundHandler(async (_request, reply) => {
		return await reply.code(404).send(envelope(404, '接口不存在'));
	});
}
