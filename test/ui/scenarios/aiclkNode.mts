import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { aiClk, chain, CHARGE, itemsOf, manualTrigger } from '../../e2e/workflows.mts';
import { until } from '../../harness/n8n/rest.mts';
import type { UiScenarios } from '../rig.mts';

/** An outage, of which nobody knows what was carried out. */
const OUTAGE = { code: 503, message: '系统繁忙，请稍后再试', trace_id: '776ac7ef9ccd2cb3' };

/** What the AiClk node shows: before it runs, when an item fails, and when rows are not quite certain. */
export const aiclkNode: UiScenarios = (rig, scenario) => {
	const charge = { ...CHARGE, additionalFields: { comment: 'order 2026-0042' } };

	scenario('the panel of a charge warns, and asks for a payer and Confirm', async (editor) => {
		await rig.begin();
		const workflow = chain('Charge', [manualTrigger, aiClk(charge)]);
		await editor.openWorkflow(await rig.n8n.importWorkflow(workflow, rig.credential));
		await editor.openNode('AiClk');
		await editor.picture('charge panel');
		await rig.docImage('charge', async (path) => {
			await editor.pictureOfPanel('parameters', path);
		});
		assert.deepEqual(await editor.labels(), [
			'Resource',
			'Operation',
			'Payer',
			'Target',
			'Money (Fen)',
			'Confirm',
			'Additional Fields',
			'Comment',
			'Simplify',
			'Options',
		]);
		assert.match(
			await editor.visibleText(),
			/This moves money between accounts as soon as it runs/,
		);
		await editor.closeNode();
	});

	scenario(
		'the panel of fund records asks for no dates at first sight and names the unit of amounts',
		async (editor) => {
			await rig.begin();
			const parameters = {
				resource: 'account',
				operation: 'getFundRecords',
				options: { amountsInYuan: true },
			};
			const workflow = chain('Spending', [manualTrigger, aiClk(parameters)]);
			await editor.openWorkflow(await rig.n8n.importWorkflow(workflow, rig.credential));
			await editor.openNode('AiClk');
			await editor.picture('fund records panel');
			const labels = await editor.labels();
			assert.ok(labels.includes('Period'));
			assert.ok(!labels.includes('Start Date'), labels.join(', '));
			assert.ok(labels.includes('Amounts in Yuan'), labels.join(', '));
			assert.match(await editor.visibleText(), /Amounts are in fen: 100 fen are 1 yuan/);
			await editor.closeNode();
		},
	);

	scenario(
		'a charge of unknown outcome comes out of the error branch and says so, with code, trace_id and what to do next',
		async (editor) => {
			await rig.begin({ apiFault: { kind: 'raw', body: JSON.stringify(OUTAGE), times: 1 } });
			const workflow = chain('Charges', [
				manualTrigger,
				...itemsOf([{ client: '1000004' }, { client: '1000005' }]),
				aiClk({ ...charge, targetUser: '={{ $json.client }}' }, { onError: 'continueErrorOutput' }),
			]);
			await editor.openWorkflow(await rig.n8n.importWorkflow(workflow, rig.credential));
			await editor.executeWorkflow(4);
			await editor.openNode('AiClk');
			const failed = await editor.readOutputAsJson('Error');
			await editor.picture('error item');
			await rig.docImage('error-item', async (path) => {
				await editor.pictureOfPanel('output', path);
			});
			const carriedOut = await editor.readOutputAsJson('Success');
			await rig.assertNoSecretSeen();
			await editor.closeNode();

			assert.match(failed, /AiClk is temporarily unavailable: 系统繁忙，请稍后再试/);
			assert.match(failed, /look for the transfer in AiClk's console/);
			assert.match(failed, /"?outcome"?\s*:\s*"unknown"/);
			assert.match(failed, /"?code"?\s*:\s*503/);
			assert.match(failed, /"?traceId"?\s*:\s*"776ac7ef9ccd2cb3"/);
			assert.match(failed, /"?client"?\s*:\s*"1000004"/);
			assert.match(carriedOut, /"?target"?\s*:\s*"1000005"/);
			assert.equal(rig.to('charge/agent').length, 2);
		},
	);

	scenario(
		'a list whose total changed while it was read says so above its output and in the log',
		async (editor) => {
			// Scenarios before this one have added creatives.
			rig.sandbox.reset();
			await rig.begin({ creatives: 4, maxPageSize: 2, apiDelayMs: 1_000 });
			const fields = ['creative_name', 'configure_status', 'effective_status'];
			const list = { resource: 'creative', operation: 'getAll', fields, returnAll: true };
			const workflow = chain('Creatives', [manualTrigger, aiClk(list)]);
			await editor.openWorkflow(await rig.n8n.importWorkflow(workflow, rig.credential));
			const ended = editor.executeWorkflow(2);
			// The first page has named four rows, and the second one is on its way.
			await until(
				async () => rig.to('creative/get').length,
				(requests) => requests === 2,
			);
			for (const id of ['99001', '99002']) {
				rig.sandbox.change('creative', id, {
					creative_name: '新创意',
					configure_status: 'ENABLE',
					effective_status: '审核中',
				});
			}
			await ended;
			await editor.openNode('AiClk');
			const hints = await editor.readHints();
			await editor.picture('list with hint');
			await rig.docImage('list-hint', async (path) => {
				await editor.pictureOfPanel('output', path);
			});
			await editor.closeNode();

			const remark =
				'AiClk: The total changed while the pages were read: rows may be missing. Run this again if it matters. [item 0: 4, 6]';
			assert.deepEqual(hints, [remark]);
			assert.ok((await readFile(rig.server.logFile, 'utf8')).includes(remark), 'not in the log');
		},
	);
};
