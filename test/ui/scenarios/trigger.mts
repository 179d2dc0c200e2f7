import assert from 'node:assert/strict';

import { trigger } from '../../e2e/scenarios/trigger.mts';
import type { UiScenarios } from '../rig.mts';

/** What Fetch Test Event shows of each event where nothing has changed. */
const SHOWN: Record<string, RegExp> = {
	creativeChanged: /"change":\s*"existing"[^]*"audit_reason"/,
	materialReviewed: /"change":\s*"(approved|rejected)"[^]*"audit_reason"/,
	balanceBelow: /"change":\s*"recovered"[^]*"balance"/,
	tokenNeedsAttention: /"change":\s*"fine"[^]*"status":\s*"valid"/,
};

const EVENTS = {
	creativeChanged: { filters: { configureStatus: ['ENABLE'] } },
	materialReviewed: { accountIds: '1000002, 1000003' },
	balanceBelow: { accountIds: '1000002, 1000003', balance: 100_000 },
	tokenNeedsAttention: { withinDays: 10 },
};

/** The panel of the trigger. */
export const triggerPanel: UiScenarios = (rig, scenario) => {
	for (const [event, parameters] of Object.entries(EVENTS)) {
		scenario(`the trigger's panel: ${event}`, async (editor) => {
			await rig.begin();
			const workflow = trigger({ event, ...parameters });
			await rig.open(workflow, 'Trigger');
			await editor.picture(`trigger ${event}`);
			await rig.docPanel(`trigger/${event}`, 'parameters');
			await editor.closeNode();
		});
	}

	scenario(
		'Fetch Test Event shows an item, whether or not something has changed',
		async (editor) => {
			await rig.begin({ accountIds: [1000002] });
			for (const [event, shown] of Object.entries(SHOWN)) {
				const workflow = trigger({ event });
				await rig.open(workflow, 'Trigger');
				await editor.executeStep();
				assert.match(await editor.readOutputAsJson(), shown);
				await editor.picture(`trigger ${event}, fetched`);
				await editor.closeNode();
			}
			rig.sandbox.change('account', '1000002', { balance: 5 });
			await rig.open(trigger({ event: 'balanceBelow', balance: 100_000 }), 'Trigger');
			await editor.executeStep();
			assert.match(await editor.readOutputAsJson(), /"change":\s*"below"[^]*"balance":\s*5/);
			await editor.picture('trigger balanceBelow, fetched below');
			await editor.closeNode();
		},
	);
};
