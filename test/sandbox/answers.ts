import { randomBytes } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { sleep } from 'n8n-workflow';

import type { Fault } from './settings';

/** AiClk's envelope. */
export interface Envelope {
	code: number;
	message: string;
	data: unknown;
	trace_id: string;
}

/** An envelope with a new trace id. */
export const envelope = (code: number, message: string, data: unknown = null): Envelope => ({
	code,
	message,
	data,
	trace_id: randomBytes(8).toString('hex'),
});

/** What AiClk says to success on all pages but the one of the token endpoint. */
export const success = (data: unknown): Envelope => envelope(200, 'success', data);

const HALF_JSON = '{"code":200,"data":{"access_token":"0123456789abcd';

/** White space before JSON that never comes: no idle limit ends it. */
async function* drip(everyMs: number): AsyncGenerator<Uint8Array> {
	for (let bytes = 0; bytes < 600; bytes++) {
		yield Buffer.from(' ');
		await sleep(everyMs);
	}
}

/** Answers with a fault. */
export async function sendFault(reply: FastifyReply, fault: Fault): Promise<FastifyReply> {
	const send = async (status: number, contentType: string, body: string) =>
		await reply.code(status).header('content-type', contentType).send(body);
	switch (fault.kind) {
		case 'status':
			return await reply.code(fault.status).send(envelope(fault.status, '服务异常'));
		case 'drop':
			reply.hijack();
			reply.raw.destroy();
			return reply;
		case 'html':
			return await send(200, 'text/html', '<!doctype html><title>登录</title><form></form>');
		case 'broken-json':
			return await send(200, 'application/json', HALF_JSON);
		case 'empty':
			return await send(200, 'application/json', '');
		case 'raw':
			return await send(fault.status ?? 200, 'application/json', fault.body);
		case 'drip':
			return await reply
				.header('content-type', 'application/json')
				.send(ReadableStream.from(drip(fault.everyMs)));
		case 'data':
			return await reply.send(envelope(200, 'Success', fault.data));
	}
}
