import assert from 'node:assert/strict';

import type { Scenarios } from '../rig.mts';
import { aiClk, chain, CHARGE, INFO, itemsOf, manualTrigger, UPDATE } from '../workflows.mts';

type Json = Record<string, unknown>;

/** More than the account holds, so AiClk refuses it. */
const TOO_MUCH = 2_000_000_000;
const RETRY_ON_FAIL = { retryOnFail: true, maxTries: 3, waitBetweenTries: 10 };

/** A node that fails at its first run, and never again: its URL is that of the sandbox's one fault. */
const failsOnce = (url: string): Json & { name: string } => ({
	name: 'Fails Once',
	type: 'n8n-nodes-base.httpRequest',
	typeVersion: 4.2,
	parameters: { url, options: {} },
});

/** A change is sent once, whatever n8n runs again. */
export const repetition: Scenarios = (rig, scenario) => {
	const targets = () =>
		rig
			.to('charge/agent')
			.map(({ body }) => (JSON.parse(body ?? '') as { target_user: number }).target_user);

	for (const withSavedWorkflow of [false, true]) {
		const form = withSavedWorkflow ? 'the saved workflow' : 'the original workflow';
		scenario(`Retry with ${form}: three charges, the third one refused`, async () => {
			const items = [
				{ target: '1000004', money: 100 },
				{ target: '1000005', money: 100 },
				{ target: '1000006', money: TOO_MUCH },
			];
			const charge = aiClk({
				...CHARGE,
				targetUser: '={{ $json.target }}',
				money: '={{ $json.money }}',
			});
			const failed = await rig.run(chain('Charges', [manualTrigger, ...itemsOf(items), charge]));
			assert.match(failed.error?.message ?? '', /账户余额不足/);
			assert.match(failed.error?.description ?? '', /Items carried out before this one: 2\./);
			assert.deepEqual(targets(), [1_000_004, 1_000_005, 1_000_006]);
			const again = [failed];
			for (const _ of [1, 2]) {
				again.push(await rig.n8n.retry(again.at(-1)?.id ?? '', withSavedWorkflow));
				assert.match(
					again.at(-1)?.error?.message ?? '',
					/^Retrying this execution could send this transfer twice\. Nothing was sent\./,
				);
			}
			assert.deepEqual(targets(), [1_000_004, 1_000_005, 1_000_006]);
			return `charges by target after two retries: 1, 1, and 1 refused; "${again.at(-1)?.error?.message}"`;
		});
	}

	scenario('Retry: nodes that run for the first time', async () => {
		const ends: string[] = [];
		for (const [name, parameters, path] of [
			['an update', UPDATE, 'adaccount/customer/update'],
			['a charge', CHARGE, 'charge/agent'],
		] as const) {
			const first = failsOnce(`${rig.sandbox.url}/openapi/v1/sandbox/status/500`);
			rig.sandbox.clearJournal();
			const failed = await rig.run(chain('New', [manualTrigger, first, aiClk(parameters)]));
			assert.equal(rig.to(path).length, 0, failed.error?.message);
			// The workflow is as it was, so the node before fails again; n8n's own switch lets it pass.
			const repaired = { ...first, onError: 'continueRegularOutput' };
			const workflow = chain('New', [manualTrigger, repaired, aiClk(parameters)]);
			const saved = await rig.n8n.retryAs(failed.id, workflow);
			ends.push(`${name}: ${rig.to(path).length} sent, ${saved.error?.message ?? saved.status}`);
		}
		assert.match(ends[0] ?? '', /^an update: 1 sent, success$/);
		assert.match(ends[1] ?? '', /^a charge: 0 sent, No money is moved in a retried execution/);
		return ends.join('; ');
	});

	scenario('Retry On Fail: changes are refused, reads are not', async () => {
		await rig.run(chain('First', [manualTrigger, aiClk(INFO)]));
		rig.sandbox.clearJournal();
		for (const parameters of [CHARGE, UPDATE]) {
			const execution = await rig.run(
				chain('Retry', [manualTrigger, aiClk(parameters, RETRY_ON_FAIL)]),
			);
			assert.match(
				execution.error?.message ?? '',
				/^'Retry On Fail' could send this (transfer|change) twice\. Nothing was sent\./,
			);
		}
		assert.equal(rig.sandbox.journal().length, 0);
		const read = await rig.run(chain('Retry', [manualTrigger, aiClk(INFO, RETRY_ON_FAIL)]));
		assert.equal(read.status, 'success', read.error?.message);
		return '0 requests for a charge and an update; a read runs';
	});

	scenario("Errors: AiClk's words hold a code of Node's", async () => {
		await rig.run(chain('First', [manualTrigger, aiClk(INFO)]));
		const seen: string[] = [];
		for (const [code, message] of [
			[500, '上游 read ETIMEDOUT'],
			[400, 'CreativeNotFound'],
			[400, 'usernameExists'],
		] as const) {
			const body = JSON.stringify({ code, message, data: null, trace_id: 'ab12cd34ab12cd34' });
			rig.sandbox.configure({ apiFault: { kind: 'raw', body } });
			const { error } = await rig.run(chain('Words', [manualTrigger, aiClk(CHARGE)]));
			assert.ok(error?.message.includes(message), error?.message);
			assert.match(
				error?.message ?? '',
				/\(outcome: \w+, trace_id: ab12cd34ab12cd34(, account 1000002)?\)$/,
			);
			seen.push(error?.message ?? '');
		}
		return seen.join(' | ');
	});
};
