import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** How long a token is left to another process, and a little more. */
const LEFT_MS = 6_200;

/** What happens to a token in its life: revoked, due while AiClk is out of order, rotated, clocks that differ. */
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

	scenario('token expired, and AiClk rejects every account/info', async () => {
		rig.credential = await rig.newCredential(
			await storedToken(rig.sandbox, rig.client, { lifeMs: 90 * DAY_MS, leftMs: -DAY_MS }),
		);
		rig.sandbox.configure({ apiFault: { kind: 'status', status: 401 } });
		// Each new token looks like one that another process has replaced, but nobody stores another one.
		for (let race = 0; race < 2; race++) {
			const { error } = await rig.run(read());
			assert.match(error?.message ?? '', /Another n8n process refreshed/);
			await sleep(LEFT_MS);
		}
		for (let run = 0; run < 10; run++) {
			const { error } = await rig.run(read());
			assert.doesNotMatch(error?.message ?? '', /Another n8n process refreshed/);
		}
		rig.sandbox.configure({ apiFault: null });
		assert.ok(await succeeds());
		assert.equal(rig.refreshes, 3);
		return `${rig.refreshes} refreshes, then none for 10 failed runs and one that worked`;
	});

	scenario('token endpoint down for the whole window, then back', async () => {
		const lifeS = 60;
		const lifeMs = lifeS * 1_000;
		rig.credential = await rig.newCredential(
			await storedToken(rig.sandbox, rig.client, { lifeMs, leftMs: lifeMs }),
		);
		const began = Date.now();
		const secondsGone = () => (Date.now() - began) / 1_000;
		const untilS = async (second: number) => await sleep((second - secondsGone()) * 1_000);
		assert.ok(await succeeds());
		rig.sandbox.configure({ tokenFault: { kind: 'status', status: 503 } });
		rig.sandbox.clearJournal();
		const inWindow: boolean[] = [];
		// It opens at 50 s. The last run begins long before the end: on a busy machine it takes seconds.
		for (let second = 47; second <= 54; second = Math.ceil(secondsGone() + 0.1)) {
			await untilS(second);
			inWindow.push(await succeeds());
		}
		const early = rig.refreshes;
		await untilS(lifeS + 1);
		const dead = await rig.run(read());
		rig.sandbox.configure({ tokenFault: null });
		const backMs = Date.now();
		while (!(await succeeds())) await sleep(500);
		const seconds = Math.round((Date.now() - backMs) / 1000);
		assert.ok(inWindow.every(Boolean), 'the old token serves in the window');
		assert.ok(early >= 1 && early <= 2, `${early} tries ahead of time`);
		assert.match(dead.error?.message ?? '', /AiClk/);
		assert.equal(rig.deadCalls, 0);
		assert.ok(seconds <= 30, `back after ${seconds} s`);
		return `${inWindow.length} of ${inWindow.length} runs in the window served, ${early} tries ahead of time, dead: "${dead.error?.message}", ${seconds} s after its return all well`;
	});

	scenario('a token endpoint that drips bytes is cut off after 15 s', async () => {
		rig.sandbox.configure({ tokenFault: { kind: 'drip', everyMs: 400 } });
		const began = Date.now();
		const execution = await rig.run(read());
		const seconds = Math.round((Date.now() - began) / 1000);
		assert.match(execution.error?.message ?? '', /could not be reached.*no answer came in time/);
		assert.ok(seconds >= 14 && seconds <= 60, `${seconds} s`);
		return `ends after ${seconds} s`;
	});

	scenario('a probe that drips bytes is cut off after 15 s', async () => {
		assert.ok(await succeeds());
		rig.sandbox.configure({ apiFault: { kind: 'drip', everyMs: 400 } });
		const began = Date.now();
		const status = await rig.run(tokenNode({ ...STATUS, verify: true }));
		const seconds = Math.round((Date.now() - began) / 1000);
		assert.equal(status.status, 'success');
		assert.ok(seconds >= 14 && seconds <= 60, `${seconds} s`);
		return `ends after ${seconds} s: ${String(status.itemsOf('Token')[0]?.message)}`;
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

	scenario('a rotated refresh token is used, the typed one is dead', async () => {
		rig.sandbox.configure({ rotateRefreshToken: true });
		for (let turn = 0; turn < 3; turn++) {
			assert.equal((await rig.run(tokenNode(REFRESH))).status, 'success');
		}
		await rig.server.kill();
		await rig.startN8n();
		assert.equal((await rig.run(tokenNode(REFRESH))).status, 'success');
		assert.ok(await succeeds());
		const refused = rig.sandbox
			.journal()
			.filter(({ kind, code }) => kind === 'refresh' && code !== 200).length;
		assert.deepEqual([rig.refreshes, refused], [4, 0]);
		return `${rig.refreshes} refreshes, each with the newest refresh token, over a restart`;
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
