import assert from 'node:assert/strict';

import type { UiScenarios } from '../rig.mts';

/** What a person finds when looking for AiClk. */
const NODES = [
	{
		node: 'AiClk',
		// n8n shows a node and its trigger as one entry, with the description of either.
		description: /^Read and change AiClk .Qutoutiao. ad accounts, or start/,
		actions: [
			'Get account info',
			'Get account fund records',
			'Get many creatives',
			'Get many materials',
			'Upload material',
			'Get many monitor links',
			'Create advertiser',
			'Update advertiser',
			'Create agent charge',
			'Create agent coupon charge',
			'Create sub manager charge',
			'Create sub manager coupon charge',
			'Call API endpoint',
		],
	},
	{
		node: 'AiClk Token',
		description: /^Refresh the access token of an AiClk API credential/,
		actions: ['Get access token status', 'Refresh access token'],
	},
];

/** The panel of nodes. */
export const panel: UiScenarios = (rig, scenario) => {
	for (const { node, description, actions } of NODES) {
		scenario(
			`the panel of nodes finds ${node}, with its icon and what it can do`,
			async (editor) => {
				await editor.newWorkflow('Look for AiClk');
				await editor.searchNodes('aiclk');
				const found = await editor.lookAt(node);
				await editor.picture(`found ${node}`);
				if (!rig.isN8n1) assert.match(found.description ?? '', description);
				assert.ok(found.iconWidth > 0, 'its icon is not drawn');
				const offered = await editor.actionsOf(node);
				await editor.picture(`actions of ${node}`);
				for (const action of actions) {
					assert.ok(offered.includes(action), `no action '${action}' among ${offered.join(', ')}`);
				}
			},
		);
	}
};
