import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { storedToken } from '../../harness/storedToken.ts';
import type { Scenarios } from '../rig.mts';
import {
	aiClk,
	chain,
	CHARGE,
	httpRequest,
	INFO,
	manualTrigger,
	STATUS,
	tokenNode,
} from '../workflows.mts';

const DAY_MS = 86_400_000;

/** How long a token is left to another process, and a little more. */
const LEFT_MS = 6_200;

/** Limits and pauses in real time. They cost hardly any processor time, so other scenarios run beside them. */
export const waits: Scenarios = (rig, scenario) => {
	const read = () => httpRequest('GET', rig.url('sandbox/echo'));
	const succeeds = async () => (await rig.run(read())).status === 'success';

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
		const lifeS = 120;
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
		// It opens at 100 s. The last run begins long before the end: on a busy machine it takes seconds.
		for (let second = 97; second <= 104; second = Math.ceil(secondsGone() + 0.1)) {
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

	scenario('AiClk: a charge answered after the time limit', async () => {
		await rig.run(chain('First', [manualTrigger, aiClk(INFO)]));
		rig.sandbox.configure({ apiDelayMs: 63_000 });
		const execution = await rig.run(chain('Charge', [manualTrigger, aiClk(CHARGE)]));
		const sent = rig.to('charge/agent').length;
		assert.equal(sent, 1);
		assert.match(
			execution.error?.message ?? '',
			/in time\. The transfer of 10000 fen .* may have been carried out/,
		);
		return `${sent} request`;
	});
};
