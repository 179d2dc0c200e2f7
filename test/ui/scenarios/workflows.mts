import assert from 'node:assert/strict';
import { join } from 'node:path';

import { ROOT } from '../../harness/n8n/install.mts';
import type { UiScenarios } from '../rig.mts';

const ACCOUNT_INFO =
	'account/info?account_id=1000002&query=%7B%22fields%22%3A%5B%22display_name%22%2C%22balance%22%5D%7D';

/** Workflows that are put together, or imported, and run. */
export const workflows: UiScenarios = (rig, scenario) => {
	scenario('AiClk Token, AiClk and HTTP Request, dragged in and run', async (editor) => {
		await rig.begin();
		await editor.newWorkflow('Renew the token, read the account');
		await editor.searchNodes('aiclk');
		await editor.actionsOf('AiClk Token');
		await editor.dragIn('Refresh access token');
		await editor.chooseCredential(rig.credential);
		await editor.picture('token-node');
		await editor.closeNode();

		await editor.searchNodes('aiclk');
		await editor.actionsOf('AiClk');
		await editor.dragIn('Get account info');
		await editor.chooseCredential(rig.credential);
		await editor.type('accountId', '1000002');
		await editor.picture('aiclk-node');
		await editor.closeNode();

		await editor.tidyUp();
		await editor.executeWorkflow(3);
		await editor.picture('workflow-run');
		await rig.assertNoSecretSeen();
		await editor.openNode('AiClk Token');
		const status = await editor.readOutput();
		await editor.picture('token-output');
		await rig.docImage('token-output', async (path) => {
			await editor.pictureOfPanel('output', path);
		});
		await rig.assertNoSecretSeen();
		await editor.closeNode();
		await editor.openNode('Get account info');
		const account = await editor.readOutput();
		await editor.picture('aiclk-output');
		await rig.assertNoSecretSeen();
		await editor.closeNode();

		await editor.searchNodes('HTTP Request');
		await editor.dragIn('HTTP Request');
		await editor.type('url', rig.url(ACCOUNT_INFO));
		await editor.choose('authentication', 'Predefined Credential Type');
		assert.deepEqual(await editor.searchCredentialTypes('aiclk'), ['AiClk API']);
		await editor.picture('credential-types');
		await editor.chooseCredentialType('AiClk API');
		await editor.chooseCredential(rig.credential);
		await editor.executeStep();
		const answer = await editor.readOutput();
		await editor.picture('http-request-output');
		await rig.assertNoSecretSeen();
		await editor.closeNode();

		assert.equal(status.status, 'valid');
		assert.equal(status.refreshed, 'true');
		assert.equal(account.display_name, '广告主名称');
		assert.equal(answer.display_name, '广告主名称');
		assert.deepEqual([rig.refreshes, rig.deadCalls], [1, 0]);
	});

	scenario(
		'a template is imported from its file, gets its credential and is run',
		async (editor) => {
			await rig.begin();
			await editor.importFromFile(join(ROOT, 'examples', 'token-rotation-with-alerts.json'));
			await editor.picture('template');
			for (const node of ['AiClk Token', 'Token status']) {
				await editor.openNode(node);
				await editor.chooseCredential(rig.credential);
				await editor.closeNode();
			}
			assert.deepEqual(await editor.redMarks(), []);
			// The other nodes are for a token that needs a person.
			await editor.executeWorkflow(4);
			await editor.picture('template-run');
			await editor.openNode('Token status');
			const status = await editor.readOutput();
			await editor.picture('template-output');
			await rig.assertNoSecretSeen();
			await editor.closeNode();

			assert.equal(status.reason, 'accepted');
			assert.deepEqual([rig.refreshes, rig.deadCalls], [1, 0]);
		},
	);
};
