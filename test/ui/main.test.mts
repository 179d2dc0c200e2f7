import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';

import { Rig } from '../e2e/rig.mts';
import { chain, httpRequest, manualTrigger, REFRESH, token, tokenNode } from '../e2e/workflows.mts';
import { N8N_VERSIONS, ROOT } from '../n8n/install.mts';
import { until } from '../n8n/rest.mts';
import { startChromium } from './browser.mts';
import { Editor } from './editor.mts';
import { examplesInEditor } from './examples.mts';

const VERSION = '2.41.1';
const PICTURES = join(ROOT, 'reports', 'ui');
const DOC_IMAGES = join(ROOT, 'docs', 'images');

const ACCOUNT_INFO =
	'account/info?account_id=1000002&query=%7B%22fields%22%3A%5B%22display_name%22%2C%22balance%22%5D%7D';

/** What a person finds when looking for AiClk. */
const NODES = [
	{
		node: 'AiClk',
		description: /^Read and change advertiser accounts of AiClk/,
		actions: [
			'Get account info',
			'Get account fund records',
			'Get many creatives',
			'Get many materials',
			'Upload material',
			'Get many monitor links',
			'Create advertiser',
			'Update advertiser',
			'Transfer money as agent',
			'Transfer coupon as agent',
			'Transfer money as sub manager',
			'Transfer coupon as sub manager',
			'Make custom API call',
		],
	},
	{
		node: 'AiClk Token',
		description: /^Refresh the access token of an AiClk API credential/,
		actions: ['Get access token status', 'Refresh access token'],
	},
];

/** What only the editor can show, as a person sees it: `npm run test:ui`. Pictures of every step are in reports/ui. */
describe(`The editor of n8n ${VERSION}`, () => {
	const rig = new Rig(VERSION, 'ui');
	let browser: Browser;
	let editor: Editor;

	before(async () => {
		await rm(PICTURES, { recursive: true, force: true });
		// First of all: without a browser there is no need to wait for n8n.
		browser = await startChromium();
		await rig.start();
		editor = await Editor.open(browser, rig.server.url, PICTURES);
		await editor.signIn();
	});

	after(async () => {
		await browser?.close();
		await rig.stop();
	});

	/** Defines one test; when it fails there is a picture of the screen. */
	const scenario = (name: string, body: () => Promise<void>) =>
		it(name, async () => {
			try {
				await body();
			} catch (error) {
				await editor.picture('failed');
				console.log(`${name}\n${await rig.evidence()}`);
				throw error;
			}
		});

	/** A picture for the documentation: written only when asked for. */
	const docImage = async (name: string): Promise<void> => {
		if (process.env.AICLK_DOC_IMAGES !== '1') return;
		await editor.dismissMessages();
		await editor.pictureAs(join(DOC_IMAGES, `${name}.png`));
	};

	/** No secret stands on the screen, and none came to the browser in any other way since the suite began. */
	const assertNoSecret = async (): Promise<void> => {
		const secrets = rig.secrets();
		const seen = [await editor.visibleText(), ...editor.received];
		const found = secrets.filter((secret) => seen.some((text) => text.includes(secret)));
		assert.equal(found.length, 0, `${found.length} secrets came to the browser`);
	};

	for (const { node, description, actions } of NODES) {
		scenario(`the panel of nodes finds ${node}, with its icon and what it can do`, async () => {
			await editor.newWorkflow('Look for AiClk');
			await editor.searchNodes('aiclk');
			const found = await editor.lookAt(node);
			await editor.picture(`found ${node}`);
			assert.match(found.description, description);
			assert.ok(found.iconWidth > 0, 'its icon is not drawn');
			const offered = await editor.actionsOf(node);
			await editor.picture(`actions of ${node}`);
			for (const action of actions) {
				assert.ok(offered.includes(action), `no action '${action}' among ${offered.join(', ')}`);
			}
		});
	}

	scenario(
		'a credential: four fields, AiClk’s words when it refuses, and a test that passes',
		async () => {
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
			await docImage('credential');
			await dialog.type('baseUrl', rig.sandbox.url);
			await dialog.save();
			const words = await dialog.failure();
			await editor.picture('credential-refused');
			assert.match(words, /AiClk did not renew the access token: refresh_token 无效 \(code 400\)/);

			await dialog.type('refreshToken', refreshToken);
			await dialog.save();
			await dialog.closed();
			await editor.picture('credential-saved');
			const reopened = await editor.editCredential();
			await reopened.success();
			await editor.picture('credential-tested');
			assert.doesNotMatch(await reopened.read('refreshToken'), new RegExp(refreshToken));
			// One that was refused, one that was not: the look at the dialog cost none.
			assert.equal(rig.refreshes, 2);
			assert.equal(rig.deadCalls, 0);
			await assertNoSecret();
			await reopened.close();
		},
	);

	scenario('AiClk Token and HTTP Request, dragged in and run', async () => {
		await rig.begin();
		await editor.newWorkflow('Renew the token, read the account');
		await editor.searchNodes('aiclk');
		await editor.actionsOf('AiClk Token');
		await editor.dragIn('Refresh access token');
		await editor.chooseCredential(rig.credential);
		await editor.picture('token-node');
		await editor.closeNode();

		await editor.searchNodes('HTTP Request');
		await editor.dragIn('HTTP Request');
		await editor.type('url', rig.url(ACCOUNT_INFO));
		await editor.choose('authentication', 'Predefined Credential Type');
		assert.deepEqual(await editor.searchCredentialTypes('aiclk'), ['AiClk API']);
		await editor.picture('credential-types');
		await editor.chooseCredentialType('AiClk API');
		await editor.chooseCredential(rig.credential);
		await editor.picture('http-request-node');
		await editor.closeNode();

		await editor.tidyUp();
		await editor.executeWorkflow(3);
		await editor.picture('workflow-run');
		await docImage('workflow');
		await assertNoSecret();
		await editor.openNode('aiClkToken');
		const tokenOutput = await editor.readOutput();
		await editor.picture('token-output');
		await docImage('token-output');
		await assertNoSecret();
		await editor.closeNode();
		await editor.openNode('httpRequest');
		const answer = await editor.readOutput();
		await editor.picture('http-request-output');
		await assertNoSecret();
		await editor.closeNode();

		assert.equal(tokenOutput.status, 'valid');
		assert.equal(tokenOutput.refreshed, 'true');
		assert.equal(answer.display_name, '广告主名称');
		assert.deepEqual([rig.refreshes, rig.deadCalls], [1, 0]);
	});

	scenario('a dialog that was open while a run renewed writes no old token back', async () => {
		// Strict and rotating: an old access token or refresh token would be refused.
		await rig.begin({ mode: 'strict', rotateRefreshToken: true, accountIds: [1000002, 1000003] });
		const workflow = await rig.n8n.importWorkflow(tokenNode(REFRESH), rig.credential);
		await rig.n8n.run(workflow, 'Start');
		await editor.openWorkflow(workflow);
		await editor.openNode('aiClkToken');
		const dialog = await editor.editCredential();
		await dialog.success();

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
		await assertNoSecret();
		await editor.closeNode();
	});

	scenario(
		'a refresh token edited while a run renews: the old token is never sent again',
		async () => {
			await rig.begin({ mode: 'strict' });
			const workflow = await rig.n8n.importWorkflow(
				chain('Renew', [manualTrigger, token(REFRESH)]),
				rig.credential,
			);
			await rig.n8n.run(workflow, 'Start');
			await editor.openWorkflow(workflow);
			await editor.openNode('aiClkToken');
			const dialog = await editor.editCredential();
			await dialog.success();

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
			await assertNoSecret();
			await editor.closeNode();
		},
	);
});

for (const version of N8N_VERSIONS) examplesInEditor(version);
