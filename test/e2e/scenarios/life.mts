import assert from 'node:assert/strict';

import type { Workflow } from '../../harness/n8n/rest.mts';
import { storedToken } from '../../harness/storedToken.ts';
import type { Scenarios } from '../rig.mts';
import {
	call,
	chain,
	httpRequest,
	manualTrigger,
	REFRESH,
	type Shape,
	STATUS,
	token,
	tokenNode,
} from '../workflows.mts';

const ECHO = 'sandbox/echo';
const TEN_MINUTES_MS = 600_000;
const DAY_MS = 86_400_000;

/** What happens to a token in its life: revoked, replaced by hand, clocks that differ. */
export const life: Scenarios = (rig, scenario) => {
	const read = (shape: Shape = 'GET') => httpRequest(shape, rig.url(ECHO));
	const succeeds = async () => (await rig.run(read())).status === 'success';

	/** A token was stored long ago, AiClk revokes it, and then a workflow is started 30 times at once. */
	const runAfterRevocation = async (workflow: Workflow) => {
		rig.credential = await rig.newCredential(
			await storedToken(rig.sandbox, rig.client, { lifeMs: 90 * DAY_MS, leftMs: 45 * DAY_MS }),
		);
		assert.ok(await succeeds());
		assert.equal(rig.refreshes, 0);
		rig.sandbox.revoke();
		rig.sandbox.clearJournal();
		return await rig.runAtOnce(workflow, 30);
	};
	const readAfterRevocation = async (shape: Shape) => {
		const runs = await runAfterRevocation(read(shape));
		return {
			failed: runs.filter(({ status }) => status !== 'success').length,
			carriedOut: rig.to(ECHO).filter(({ status }) => status === 200).length,
		};
	};

	scenario('revoked early, answered HTTP 401: 30 runs at once, GET', async () => {
		const { failed, carriedOut } = await readAfterRevocation('GET');
		assert.deepEqual([rig.refreshes, failed, carriedOut], [1, 0, 30]);
		return `${rig.refreshes} refresh, ${failed} failed runs, ${carriedOut} requests carried out`;
	});

	// A POST is never sent twice. Its run fails, and the refresh is left to the next request.
	for (const shape of ['POST JSON', 'POST multipart'] as const) {
		scenario(`token revoked early, HTTP 401: 30 runs at once, ${shape}`, async () => {
			const { failed, carriedOut } = await readAfterRevocation(shape);
			assert.deepEqual([failed + carriedOut, rig.to(ECHO).length], [30, 30]);
			assert.equal((await rig.run(read(shape))).status, 'success');
			assert.equal(rig.refreshes, 1);
			return `${rig.refreshes} refresh, ${failed} failed runs, ${carriedOut} requests carried out, none sent twice; the next run is healed`;
		});
	}

	scenario('token revoked early, code 401: 30 runs that verify first', async () => {
		rig.sandbox.configure({ deadTokenAnswer: 'body-401' });
		const verify = { operation: 'status', verify: true };
		const runs = await runAfterRevocation(
			chain('Verify, then read', [manualTrigger, token(verify), call('GET', rig.url(ECHO))]),
		);
		const healed = runs.filter((run) => run.itemsOf('Call')[0]?.code === 200).length;
		assert.deepEqual([rig.refreshes, healed], [1, 30]);
		return `${rig.refreshes} refresh, ${healed} of 30 answered`;
	});

	scenario('invisible characters in Base URL and Account ID are ignored', async () => {
		const credential = await rig.newCredential({
			baseUrl: ` ${rig.sandbox.url}\u200b/ `,
			accountId: '100\u200b0002\n',
		});
		assert.equal((await rig.n8n.testCredential(credential)).status, 'OK');
		assert.equal((await rig.run(tokenNode(REFRESH), credential)).status, 'success');
		return 'green, and refreshed';
	});

	scenario('a refused refresh token, then a new one typed', async () => {
		const { refreshToken } = rig.client;
		await rig.n8n.editCredential(rig.credential, { refreshToken: 'mistyped' });
		const refused = await rig.run(read());
		assert.equal(refused.status, 'error');
		assert.match(refused.error?.message ?? '', /AiClk refused to refresh the access token: .*无效/);
		await rig.n8n.editCredential(rig.credential, { refreshToken });
		assert.ok(await succeeds());
		return `${refused.error?.message}; works at once with the right one`;
	});

	for (const [text, aheadMs] of [
		['ahead of', -TEN_MINUTES_MS],
		['behind', TEN_MINUTES_MS],
	] as const) {
		scenario(`n8n's clock 10 minutes ${text} AiClk's, expiry told as a time`, async () => {
			rig.sandbox.advance(aheadMs);
			try {
				const expiresInSeconds = Math.floor(rig.sandbox.now() / 1000) + 7_776_000;
				rig.sandbox.configure({ expiresInSeconds, lifeSeconds: 7_776_000 });
				for (let turn = 0; turn < 5; turn++) assert.ok(await succeeds());
				const status = (await rig.run(tokenNode(STATUS))).itemsOf('Token')[0];
				assert.deepEqual([rig.refreshes, rig.deadCalls, status?.status], [1, 0, 'valid']);
				return `${rig.refreshes} refresh, ${rig.deadCalls} dead calls, expires in ${status?.expiresInSeconds} s`;
			} finally {
				rig.sandbox.advance(-aheadMs);
			}
		});
	}
};
