import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sleep } from 'n8n-workflow';

import { envelope, sendFault, success } from '../answers';
import { type Context, takeFault } from '../context';
import { stringifyJson } from '../json';
import { sendThrottled } from '../throttle';
import { type Endpoint, marketingEndpoints, uploadEndpoint } from './marketing';

/** A video of 200 MB fits. */
const MAX_UPLOAD_BYTES = 1024 ** 3;

/** What a request looked like, for tests. */
const echo = (request: FastifyRequest) =>
	success({
		method: request.method,
		query: request.query,
		bodyFields: request.entry.bodyFields ?? [],
	});

const DEAD_TOKEN = 'access_token 无效或已过期';

/** Everything below /openapi/: throttling, then the token check, then a fault or the documented answer. */
export function apiRoutes(app: FastifyInstance, context: Context): void {
	const serve = (
		scope: FastifyInstance,
		method: string | string[],
		{ path, handler }: Omit<Endpoint, 'method'>,
	) =>
		scope.route({
			method,
			url: `/openapi/v1/${path}`,
			handler: async (request, reply) => {
				const fault = takeFault(context, 'apiFault');
				if (fault !== null) return await sendFault(reply, fault);
				const answer = stringifyJson(await handler(request));
				return await reply.header('content-type', 'application/json').send(answer);
			},
		});

	app.addHook('preHandler', async (request, reply) => {
		if (request.entry.kind !== 'api') return;
		const settings = context.settings();
		if (context.throttle.isExcess(context.now(), settings.requestsPerSecond)) {
			return await sendThrottled(reply, settings);
		}
		context.store.countCall(request.entry.token);
		await sleep(settings.apiDelayMs);
		if (request.entry.token === 'live') return;
		const status = settings.deadTokenAnswer === 'http-401' ? 401 : 200;
		return await reply.code(status).send(envelope(401, DEAD_TOKEN));
	});

	for (const endpoint of marketingEndpoints(context)) serve(app, endpoint.method, endpoint);
	void app.register(async (scope) => {
		await scope.register(multipart, { limits: { fileSize: MAX_UPLOAD_BYTES } });
		const upload = uploadEndpoint(context);
		serve(scope, upload.method, upload);
	});

	// Not AiClk's: for tests of what happens around a request.
	serve(app, ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], { path: 'sandbox/echo', handler: echo });
	app.all('/openapi/v1/sandbox/status/:status', async (request, reply) => {
		const status = Number((request.params as { status: string }).status);
		const fault = takeFault(context, 'apiFault') ?? { kind: 'status' as const, status };
		return await sendFault(reply, fault);
	});
	app.all('/openapi/v1/sandbox/redirect', async (request, reply) => {
		const { to } = request.query as { to?: string };
		return await reply.redirect(to ?? '/', 302);
	});
	// For whoever asks without a token of AiClk's.
	app.get('/sandbox/static', async (_request, reply) => await reply.send(success(null)));
	app.setNotFoundHandler(async (_request, reply) => {
		return await reply.code(404).send(envelope(404, '接口不存在'));
	});
}
