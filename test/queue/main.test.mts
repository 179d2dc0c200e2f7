import { onQueue } from './rig.mts';
import { crash } from './scenarios/crash.mts';
import { load } from './scenarios/load.mts';
import { outage } from './scenarios/outage.mts';
import { strict } from './scenarios/strict.mts';
import { triggered } from './scenarios/trigger.mts';
import { OwnServer, SHARED } from './services.mts';

/** A real n8n in queue mode, with three workers: `npm run test:queue`. */
onQueue('Queue mode', async () => ({ at: SHARED, close: async () => undefined }), [
	load,
	crash,
	strict,
	triggered,
]);

for (const service of ['postgres', 'redis'] as const) {
	let own: OwnServer;
	onQueue(
		`Queue mode, ${service} restarted`,
		async ({ installation }) => {
			own = await OwnServer[service](installation);
			return { at: { ...SHARED, [service]: own.url }, close: async () => await own.remove() };
		},
		[outage(service, async (downMs) => await own.restart(downMs))],
	);
}
