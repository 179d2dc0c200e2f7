import type { FastifyInstance } from 'fastify';

import type { Context } from '../context';
import type { SandboxSettings } from '../settings';
import type { Kind, Row } from '../world';

/** /__sandbox/: how another process watches the sandbox and changes what it does. */
export function controlRoutes(app: FastifyInstance, context: Context): void {
	app.get('/__sandbox/journal', async () => context.journal.all());
	app.delete('/__sandbox/journal', async () => {
		context.journal.clear();
		return {};
	});
	app.get('/__sandbox/settings', async () => context.settings());
	app.patch('/__sandbox/settings', async (request, reply) => {
		try {
			context.configure((request.body ?? {}) as Partial<SandboxSettings>);
			return context.settings();
		} catch (error) {
			return await reply.code(400).send({ error: (error as Error).message });
		}
	});
	app.post('/__sandbox/clock', async (request, reply) => {
		const { advanceMs } = (request.body ?? {}) as { advanceMs?: unknown };
		if (typeof advanceMs !== 'number' || !Number.isFinite(advanceMs)) {
			return await reply.code(400).send({ error: "'advanceMs' must be a number of milliseconds" });
		}
		context.advance(advanceMs);
		return { now: context.now() };
	});
	app.post('/__sandbox/revoke', async (request) => {
		const { accessToken } = (request.body ?? {}) as { accessToken?: string };
		context.store.revoke(accessToken);
		return {};
	});
	app.post('/__sandbox/change', async (request, reply) => {
		const { kind, id, fields, account } = (request.body ?? {}) as Record<string, unknown>;
		const isKnown = ['account', 'creative', 'material'].includes(String(kind));
		if (!isKnown || !/^\d+$/.test(String(id)) || typeof fields !== 'object' || fields === null) {
			return await reply
				.code(400)
				.send({ error: "'kind', 'id' and 'fields' must name an account, creative or material" });
		}
		const whose = String(account ?? context.settings().accountIds[0]);
		context.world.change(whose, kind as Kind, String(id), fields as Row, context.now());
		return {};
	});
	app.get('/__sandbox/state', async () => context.store.state(context.now()));
}
