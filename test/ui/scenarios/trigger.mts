import { trigger } from '../../e2e/scenarios/trigger.mts';
import type { UiScenarios } from '../rig.mts';

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
			await editor.openWorkflow(await rig.n8n.importWorkflow(workflow, rig.credential));
			await editor.openNode('Trigger');
			await editor.picture(`trigger ${event}`);
			await rig.docImage(`trigger/${event}`, async (path) => {
				await editor.pictureOfPanel('parameters', path);
			});
			await editor.closeNode();
		});
	}
};
