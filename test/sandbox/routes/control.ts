import type { FastifyInstance } from 'fastify';

import type { Context } from '../context';
import type { SandboxSettings } from '../settings';

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
	app.get('/__sandbox/state', async () => context.store.state(context.now()));
}
