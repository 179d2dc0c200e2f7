import assert from 'node:assert/strict';
import { createSandbox, type SandboxSettings } from '../../sandbox/server.ts';
import type { Scenarios } from '../rig.mts';
import { call, chain, httpRequest, itemsOf, manualTrigger, type Shape } from '../workflows.mts';

const SHAPES: Shape[] = ['GET', 'POST JSON', 'POST multipart'];
const STATUSES = [400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504];
const CONTINUE = { onError: 'continueRegularOutput' };

const LOST: Array<[string, Partial<SandboxSettings>]> = [
	['whose connection is dropped', { apiFault: { kind: 'drop' } }],
	['that takes longer than the node waits', { apiDelayMs: 1_500 }],
];

/** Requests that fail for reasons that are not the token's: nothing is refreshed and nothing is sent twice. */
export const faults: Scenarios = (rig, scenario) => {
	/** A token is in the store, and nothing has been counted yet. */
	const warmUp = async () => {
		assert.equal((await rig.run(httpRequest('GET', rig.url('sandbox/echo')))).status, 'success');
		rig.sandbox.clearJournal();
	};
	const fails = (execution: { itemsOf(node: string): Array<Record<string, unknown>> }) =>
		execution.itemsOf('Call').filter(({ error }) => error !== undefined).length;

	for (const shape of SHAPES) {
		scenario(`${shape} answered with each of ${STATUSES.join(', ')}`, async () => {
			await warmUp();
			const items = STATUSES.map((n) => ({ n, url: rig.url(`sandbox/status/${n}`) }));
			const execution = await rig.run(
				chain(`${shape} statuses`, [
					manualTrigger,
					...itemsOf(items),
					call(shape, '={{ $json.url }}', CONTINUE),
				]),
			);
			const sent = STATUSES.map((status) => rig.to(`sandbox/status/${status}`).length);
			assert.equal(fails(execution), STATUSES.length);
			assert.deepEqual(new Set(sent), new Set([1]));
			assert.equal(rig.refreshes, 0);
			return `${rig.refreshes} refreshes, ${sent.length} requests, each sent once`;
		});

		for (const [what, settings] of LOST) {
			scenario(`${shape} ${what}`, async () => {
				await warmUp();
				rig.sandbox.configure(settings);
				const execution = await rig.run(
					httpRequest(shape, rig.url('sandbox/echo'), 10, {
						...CONTINUE,
						parameters: { options: { timeout: 500 } },
					}),
				);
				const sent = rig.to('sandbox/echo').length;
				assert.equal(fails(execution), 10);
				assert.deepEqual([rig.refreshes, sent], [0, 10]);
				return `${rig.refreshes} refreshes, 10 requests sent ${sent} times`;
			});
		}
	}

	scenario('connection refused: the token survives', async () => {
		const gone = await createSandbox({ settings: { clients: [rig.client] } });
		const credential = await rig.newCredential({ baseUrl: gone.url });
		const url = `${gone.url}/openapi/v1/sandbox/echo`;
		await rig.run(httpRequest('GET', url), credential);
		const tokens = gone.secrets();
		await gone.close();
		for (const shape of SHAPES) {
			assert.equal((await rig.run(httpRequest(shape, url), credential)).status, 'error');
		}
		const back = await createSandbox({ port: gone.port, settings: { clients: [rig.client] } });
		try {
			// The new sandbox does not know the token, but sees whether it is what comes.
			await rig.run(httpRequest('GET', url, 1, CONTINUE), credential);
			const [first] = back.journal();
			assert.equal(tokens.length, 1);
			assert.equal(first?.kind, 'api');
			assert.equal(first?.token, 'unknown');
			return 'no refresh was tried; back again, the first request carried the old token';
		} finally {
			await back.close();
		}
	});
};
