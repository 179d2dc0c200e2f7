import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sleep } from 'n8n-workflow';

import { type Envelope, envelope, sendFault } from '../answers';
import { type Context, takeFault } from '../context';

/** The fields of a multipart form that hold text, or null for any other content type. */
async function readForm(request: FastifyRequest): Promise<Record<string, string> | null> {
	if (!request.isMultipart()) return null;
	const fields: Record<string, string> = {};
	for await (const part of request.parts()) {
		if (part.type === 'field') fields[part.fieldname] = String(part.value);
	}
	return fields;
}

/** Answers a refresh as AiClk's page documents it; what it says to failures is not documented. */
function answerRefresh(
	context: Context,
	form: Record<string, string> | null,
	count: number,
): Envelope {
	const { store, settings, now } = context;
	if (form === null) return envelope(400, '请使用 form-data 提交参数');
	if (Object.keys(form).sort().join() !== 'client_id,refresh_token') {
		return envelope(400, '参数错误: 只接受 client_id 和 refresh_token');
	}
	if (count > settings().refreshCap) return envelope(429, '今日刷新次数已达上限');
	const client = settings().clients.find(({ clientId }) => clientId === form.client_id);
	if (client === undefined) return envelope(400, 'client_id 不存在');
	if (store.refreshToken(client) !== form.refresh_token) return envelope(400, 'refresh_token 无效');
	const { accessToken, refreshToken } = store.issue(client, settings(), now());
	const { expiresInSeconds, tokenType } = settings();
	return envelope(200, 'Success', {
		access_token: accessToken,
		...(expiresInSeconds !== null && { expires_in: expiresInSeconds }),
		...(refreshToken !== null && { refresh_token: refreshToken }),
		token_type: tokenType,
	});
}

/** POST /oauth2/token */
export function oauthRoutes(app: FastifyInstance, context: Context): void {
	app.post('/oauth2/token', async (request, reply) => {
		const form = await readForm(request);
		const count = context.store.countRefresh(context.now(), form?.client_id ?? '');
		const fault = takeFault(context, 'tokenFault');
		if (form !== null) request.entry.bodyFields = Object.keys(form);
		// The effect comes first, the answer late: what makes races possible.
		const body = fault === null ? answerRefresh(context, form, count) : null;
		await sleep(context.settings().tokenDelayMs);
		if (fault !== null) return await sendFault(reply, fault);
		return await reply.send(body);
	});
}
