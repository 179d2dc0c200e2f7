import assert from 'node:assert/strict';

import type { UiScenarios } from '../rig.mts';

/** The first credential of an n8n that has none. */
export const firstCredential: UiScenarios = (rig, scenario) => {
	scenario(
		'a credential: four fields, AiClk’s words when it refuses, and a test that passes',
		async (editor) => {
			rig.beginWithoutCredential();
			const { clientId, refreshToken } = rig.client;
			await editor.newWorkflow('First credential');
			await editor.searchNodes('aiclk');
			await editor.actionsOf('AiClk Token');
			await editor.dragIn('Refresh access token');
			const dialog = await editor.createCredential();
			await editor.picture('credential-empty');
			assert.deepEqual(await dialog.labels(), [
				'Client ID',
				'Refresh Token',
				'Account ID',
				'Base URL',
			]);
			assert.equal(await dialog.read('baseUrl'), 'https://openapi.aiclk.com');
			assert.ok(await dialog.isMasked('refreshToken'));

			await dialog.type('clientId', clientId);
			await dialog.type('refreshToken', 'mistyped');
			await dialog.type('accountId', '1000002');
			await rig.docImage('credential', async (path) => await dialog.pictureAs(path));
			await dialog.type('baseUrl', rig.sandbox.url);
			await dialog.save();
			const words = await dialog.failure('AiClk refused');
			await editor.picture('credential-refused');
			assert.match(
				words,
				/AiClk refused to refresh the access token: refresh_token 无效 \(code 400\)/,
			);

			// All is well, but there is no account to read: n8n shows any other end of a test in red.
			await dialog.type('refreshToken', refreshToken);
			await dialog.type('accountId', '');
			await dialog.save();
			const withoutAccount = await dialog.failure('This credential works');
			await editor.picture('credential-without-account');
			assert.match(withoutAccount, /Couldn[’']t connect with these settings/);
			assert.match(withoutAccount, /This credential works: AiClk issued an access token\./);

			await dialog.type('accountId', '1000002');
			await dialog.saveNew();
			await editor.picture('credential-saved');
			const reopened = await editor.editCredential();
			await reopened.success();
			await editor.picture('credential-tested');
			assert.doesNotMatch(await reopened.read('refreshToken'), new RegExp(refreshToken));
			// One that was refused, one that was not: the look at the dialog cost none.
			assert.equal(rig.refreshes, 2);
			assert.equal(rig.deadCalls, 0);
			await rig.assertNoSecretSeen();
			await reopened.close();
		},
	);
};
