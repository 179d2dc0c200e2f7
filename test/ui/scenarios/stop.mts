import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { aiClk, chain, CHARGE, INFO, itemsOf, manualTrigger } from '../../e2e/workflows.mts';
import { until } from '../../harness/n8n/rest.mts';
import type { SandboxSettings } from '../../sandbox/settings.ts';
import type { UiRig, UiScenarios } from '../rig.mts';

type Json = Record<string, unknown>;

/** How long each run would wait, were it not stopped. */
const WAIT_SECONDS = 10;
const WAIT_MS = WAIT_SECONDS * 1_000;

/** What goes out together has gone out after this, in ms. */
const TOGETHER_MS = 500;

/** A stopped run has ended after this, in ms, also on two busy cores. Its wait would have lasted longer. */
const PROMPT_MS = 5_000;

/** How long after the wait a request might still come, in ms. */
const AFTERWARDS_MS = 2_000;

interface Case {
	/** What the run is doing when Stop is pressed. */
	during: string;
	items: number;
	parameters: Json;
	/** Settings of the node. */
	node?: Json;
	sandbox?: Partial<SandboxSettings>;
	/** Where all requests go, below /openapi/v1/. */
	path: string;
	/** The fewest and the most requests that go out before the wait. */
	requests: [from: number, to: number];
	/** How the line in n8n's log ends, if a change was under way. */
	doubt?: string;
}

const CASES: Case[] = [
	{
		during: 'while reads wait as Retry-After says',
		items: 60,
		parameters: INFO,
		sandbox: { requestsPerSecond: 3, retryAfter: String(WAIT_SECONDS) },
		path: 'account/info',
		// As many as are under way together when the first one is refused.
		requests: [10, 59],
	},
	{
		during: 'while reads wait for the next batch',
		items: 6,
		parameters: {
			...INFO,
			options: { batching: { batch: { batchSize: 2, batchInterval: WAIT_MS } } },
		},
		path: 'account/info',
		requests: [2, 2],
	},
	{
		during: 'while the first of four charges is under way',
		items: 4,
		parameters: CHARGE,
		// Without Stop, the other charges and the next node would follow even after a failure.
		node: { onError: 'continueRegularOutput' },
		sandbox: { apiDelayMs: WAIT_MS },
		path: 'charge/agent',
		requests: [1, 1],
		doubt: '; 1 of them may or may not have been carried out',
	},
];

/** n8n's log from a character on, without colours. */
async function logSince(rig: UiRig, start: number): Promise<string> {
	const log = await readFile(rig.server.logFile, 'utf8');
	return log.slice(start).replaceAll(/\u001b\[\d+m/g, '');
}

/** The lines that a stopped run of the AiClk node has left in n8n's log, without time and file. */
const linesOf = (log: string): string[] => log.match(/info +AiClk: [^{\n]*[^{\n ]/g) ?? [];

/**
 * What Stop does, on both versions: n8n aborts the cancel signal that it has given the node, shows and stores the run as
 * canceled, and does not wait for the node. What the node outputs or throws afterwards is neither shown nor stored: n8n's log
 * alone tells that a charge may have been carried out. n8n 1 goes on showing what the nodes before have put out,
 * n8n 2 shows nothing of the run any more. Where the node does not continue on error, n8n logs its error, too ("NodeApiError").
 */
export const stop: UiScenarios = (rig, scenario) => {
	for (const { during, items, parameters, node, sandbox, path, requests, doubt = '' } of CASES) {
		scenario(
			`Stop ${during}: nothing goes out after it, the run is canceled at once, and one line in n8n's log says how many items were sent`,
			async (editor) => {
				await rig.begin(sandbox);
				const workflow = chain(`Stop ${during}`, [
					manualTrigger,
					...itemsOf(Array.from({ length: items }, (_, n) => ({ n }))),
					aiClk(parameters, node),
					aiClk(INFO, { name: 'Afterwards' }),
				]);
				const id = await rig.n8n.importWorkflow(workflow, rig.credential);
				const sent = () =>
					rig.sandbox
						.journal()
						.filter(({ kind }) => kind === 'api')
						.map((request) => request.path);
				await editor.openWhole(id);
				const start = (await readFile(rig.server.logFile, 'utf8')).length;
				await editor.startRun();
				await until(
					async () => sent().length,
					(count) => count >= requests[0],
				);
				await sleep(TOGETHER_MS);
				await editor.picture(`running ${during}`);

				const before = sent();
				const pressedAtMs = performance.now();
				const shownMs = await editor.stopRun();
				await until(
					async () => await logSince(rig, start),
					(text) => linesOf(text).length > 0,
				);
				const endedMs = performance.now() - pressedAtMs;
				await editor.picture(`stopped ${during}`);
				await sleep(WAIT_MS + AFTERWARDS_MS);

				assert.deepEqual(sent(), before, 'something was sent after Stop');
				assert.deepEqual(
					before.filter((one) => one !== `/openapi/v1/${path}`),
					[],
				);
				const [from, to] = requests;
				assert.ok(
					before.length >= from && before.length <= to,
					`${before.length} requests before Stop`,
				);
				const line = `AiClk: the run was stopped; ${before.length} of ${items} items were sent${doubt}`;
				assert.deepEqual(
					linesOf(await logSince(rig, start)).map((text) => text.replace(/^info +/, '')),
					[line],
				);
				assert.ok(shownMs < PROMPT_MS, `the editor showed a run for ${shownMs} ms after Stop`);
				assert.ok(endedMs < PROMPT_MS, `the node went on for ${endedMs} ms after Stop`);
				assert.doesNotMatch(await editor.visibleText(), /Problem|went wrong/);
				assert.match(await editor.readNewestExecution(id), /Canceled in/);
				await editor.picture(`list after ${during}`);
				return `ended ${Math.round(Math.max(shownMs, endedMs))} ms after Stop; requests: ${before.length} before it, 0 after it`;
			},
		);
	}
};
