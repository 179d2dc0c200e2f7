import assert from 'node:assert/strict';

import { httpRequest, REFRESH, tokenNode } from '../../e2e/workflows.mts';
import { until } from '../../harness/n8n/rest.mts';
import type { SandboxSettings } from '../../sandbox/settings.ts';
import type { CredentialDialog, Editor } from '../editor.mts';
import type { UiRig, UiScenarios } from '../rig.mts';

/** The dialog of a credential is open while workflows run. */
export const dialogs: UiScenarios = (rig, scenario) => {
	scenario(
		'a dialog that was open while a run renewed writes no old token back',
		async (editor) => {
			// Strict and rotating: an old access token or refresh token would be refused.
			const { workflow, dialog } = await openDialog(rig, editor, {
				rotateRefreshToken: true,
				accountIds: [1000002, 1000003],
			});

			assert.equal((await rig.n8n.run(workflow, 'Start')).status, 'success');
			await dialog.type('accountId', '1000003');
			await editor.picture('edited-after-renewal');
			await dialog.save();
			await dialog.success();
			await dialog.close();

			assert.equal((await rig.run(httpRequest('GET', rig.url('sandbox/echo')))).status, 'success');
			assert.deepEqual([rig.refreshes, rig.deadCalls], [2, 0]);
			assert.equal((await rig.n8n.run(workflow, 'Start')).status, 'success');
			assert.deepEqual([rig.refreshes, rig.deadCalls], [3, 0]);
			// What the dialog never had, it cannot write back.
			await rig.assertNoSecretSeen();
			await editor.closeNode();
		},
	);

	// n8n 1 writes the whole credential back as the run has read it, newer ones what the hook has given
	// (n8n credentials-helper.js).
	if (rig.isN8n1) {
		scenario(
			'a refresh token edited while a run renews: lost, until typed again',
			async (editor) => {
				const { workflow, refreshToken } = await editWhileARunRenews(rig, editor);
				const next = await rig.n8n.run(workflow, 'Start');
				assert.match(
					next.error?.message ?? '',
					/AiClk refused to refresh the access token: refresh_token 无效/,
				);

				const dialog = await editor.editCredential();
				await dialog.type('refreshToken', refreshToken);
				await dialog.save();
				await dialog.success();
				await editor.picture('typed-again');
				await dialog.close();
				assert.equal((await rig.n8n.run(workflow, 'Start')).status, 'success');
				await rig.assertNoSecretSeen();
				await editor.closeNode();
			},
		);
		return;
	}

	scenario(
		'a refresh token edited while a run renews: the old token is never sent again',
		async (editor) => {
			const { workflow } = await editWhileARunRenews(rig, editor);
			const read = httpRequest('GET', rig.url('sandbox/echo'));
			assert.equal((await rig.run(read)).status, 'success');
			const reopened = await editor.editCredential();
			await reopened.success();
			await editor.picture('edited-and-kept');
			await reopened.close();
			assert.deepEqual([rig.deadCalls, rig.refreshes], [0, 0]);
			// What is stored is what was typed: AiClk refuses the old one.
			assert.equal((await rig.n8n.run(workflow, 'Start')).status, 'success');
			assert.equal((await rig.run(read)).status, 'success');
			assert.deepEqual([rig.deadCalls, rig.refreshes], [0, 1]);
			await rig.assertNoSecretSeen();
			await editor.closeNode();
		},
	);
};

/** Opens the dialog of a credential whose token a workflow has renewed once. AiClk is strict. @returns both */
async function openDialog(
	rig: UiRig,
	editor: Editor,
	settings: Partial<SandboxSettings> = {},
): Promise<{ workflow: string; dialog: CredentialDialog }> {
	await rig.begin({ mode: 'strict', ...settings });
	const workflow = await rig.n8n.importWorkflow(tokenNode(REFRESH), rig.credential);
	await rig.n8n.run(workflow, 'Start');
	await editor.openWorkflow(workflow);
	await editor.openNode('Token');
	const dialog = await editor.editCredential();
	await dialog.success();
	return { workflow, dialog };
}

/**
 * Edits the refresh token in the dialog while a run renews with the old one. When it returns, the run has ended, and
 * AiClk knows what was typed alone.
 *
 * @returns the workflow, and what was typed
 */
async function editWhileARunRenews(
	rig: UiRig,
	editor: Editor,
): Promise<{ workflow: string; refreshToken: string }> {
	const { workflow, dialog } = await openDialog(rig, editor);

	// The run's refresh is on its way, and the answer takes its time ...
	rig.sandbox.configure({ tokenDelayMs: 10_000 });
	let hasEnded = false;
	const run = rig.n8n.run(workflow, 'Start').finally(() => {
		hasEnded = true;
	});
	const isOnItsWay = await until(async () => rig.refreshes === 2, Boolean);
	assert.ok(isOnItsWay, 'the run did not ask for a token');
	// ... while AiClk hands out a new refresh token, in place of the old one, and it is typed in.
	const { refreshToken } = rig.newClient();
	rig.sandbox.configure({
		tokenDelayMs: 0,
		clients: [{ clientId: rig.client.clientId, refreshToken }],
	});
	await dialog.type('refreshToken', refreshToken);
	await editor.picture('edited-during-renewal');
	await dialog.save();
	await dialog.success();
	assert.equal(hasEnded, false, 'the run had ended before the credential was saved');
	await dialog.close();
	// The run ends with the token it had asked for, and n8n stores that. From here on nobody may send it.
	await run;
	rig.sandbox.clearJournal();
	return { workflow, refreshToken };
}
