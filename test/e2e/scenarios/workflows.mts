import assert from 'node:assert/strict';

import type { Scenarios } from '../rig.mts';
import {
	call,
	chain,
	httpRequest,
	manualTrigger,
	REFRESH,
	token,
	tokenNode,
	webhook,
} from '../workflows.mts';

const ECHO = 'sandbox/echo';

/** The credential and AiClk Token in whatever else n8n does with workflows. */
export const workflows: Scenarios = (rig, scenario) => {
	const path = (name: string) => `${name}-${rig.client.clientId}`;

	scenario('production: 30 webhook calls at once share the first refresh', async () => {
		rig.sandbox.configure({ tokenDelayMs: 300 });
		const id = await rig.n8n.importWorkflow(
			chain('Production', [webhook(path('many')), call('GET', rig.url(ECHO))]),
			rig.credential,
		);
		await rig.n8n.activate(id);
		const answers = await Promise.all(
			Array.from({ length: 30 }, async () => await rig.n8n.callWebhook(path('many'))),
		);
		assert.ok(answers.every(({ status }) => status === 200));
		assert.deepEqual([rig.refreshes, rig.deadCalls], [1, 0]);
		return `30 answers, ${rig.refreshes} refresh`;
	});

	scenario('a sub-workflow uses the credential’s token', async () => {
		const child = await rig.n8n.importWorkflow(
			chain('Child', [
				{
					name: 'Called',
					type: 'n8n-nodes-base.executeWorkflowTrigger',
					typeVersion: 1.1,
					parameters: { inputSource: 'passthrough' },
				},
				call('GET', rig.url(ECHO)),
			]),
			rig.credential,
		);
		const parent = await rig.run(
			chain('Parent', [
				manualTrigger,
				{
					name: 'Child',
					type: 'n8n-nodes-base.executeWorkflow',
					typeVersion: 1.2,
					parameters: { workflowId: { __rl: true, mode: 'id', value: child }, options: {} },
				},
				call('GET', rig.url(ECHO)),
			]),
		);
		assert.equal(parent.status, 'success', parent.error?.message);
		assert.equal(rig.to(ECHO).length, 2);
		assert.equal(rig.refreshes, 1);
		return `${rig.refreshes} refresh for child and parent`;
	});

	scenario('an error workflow receives the error and its remedy', async () => {
		const handler = await rig.n8n.importWorkflow(
			chain('Handler', [
				{ name: 'Failed', type: 'n8n-nodes-base.errorTrigger', parameters: {} },
				{ name: 'End', type: 'n8n-nodes-base.noOp', parameters: {} },
			]),
			rig.credential,
		);
		// n8n 2 wants an error workflow to be published; n8n 1 says that there is nothing to switch on.
		if (!rig.isN8n1) await rig.n8n.activate(handler);
		const id = await rig.n8n.importWorkflow(
			chain('Fails', [webhook(path('fails')), token(REFRESH)], {
				settings: { executionOrder: 'v1', errorWorkflow: handler },
			}),
			rig.credential,
		);
		await rig.n8n.activate(id);
		rig.sandbox.configure({ clients: [] });
		const answer = await rig.n8n.callWebhook(path('fails'));
		assert.equal(answer.status, 500);
		const [told] = await rig.n8n.executionsOf(handler);
		const message = JSON.stringify(told?.itemsOf('End'));
		assert.match(message, /AiClk refused to refresh the access token/);
		return 'the handler got AiClk’s words';
	});

	scenario('pinned data: AiClk Token does not run', async () => {
		const pinned = tokenNode(REFRESH);
		pinned.pinData = { Token: [{ json: { status: 'valid', pinned: true } }] };
		const execution = await rig.run(pinned);
		assert.equal(execution.itemsOf('Token')[0]?.pinned, true);
		assert.equal(rig.sandbox.journal().length, 0);
		return `${rig.refreshes} refreshes`;
	});

	scenario('Continue On Fail: the error item says what happened', async () => {
		rig.sandbox.configure({ clients: [] });
		const node = { ...token(REFRESH), onError: 'continueRegularOutput' };
		const execution = await rig.run(chain('Continues', [manualTrigger, node]));
		const [item] = execution.itemsOf('Token');
		assert.equal(execution.status, 'success');
		const { message } = item?.error as { message: string };
		assert.match(message, /AiClk refused to refresh the access token/);
		return message;
	});

	scenario('Retry On Fail repeats a failed POST without a refresh', async () => {
		await rig.run(httpRequest('GET', rig.url(ECHO)));
		rig.sandbox.clearJournal();
		const retry = { retryOnFail: true, maxTries: 3, waitBetweenTries: 100 };
		await rig.run(httpRequest('POST JSON', rig.url('sandbox/status/500'), 1, retry));
		const sent = rig.to('sandbox/status/500').length;
		assert.deepEqual([rig.refreshes, sent], [0, 3]);
		return `${rig.refreshes} refreshes, ${sent} tries as told`;
	});

	scenario('Retry On Fail heals a short outage of the token endpoint', async () => {
		rig.sandbox.configure({ tokenFault: { kind: 'status', status: 502, times: 1 } });
		const retry = { retryOnFail: true, maxTries: 4, waitBetweenTries: 5_000 };
		const execution = await rig.run(httpRequest('POST JSON', rig.url(ECHO), 1, retry));
		assert.equal(execution.status, 'success');
		assert.deepEqual([rig.refreshes, rig.to(ECHO).length], [2, 1]);
		return `${rig.refreshes} refreshes, the request sent once`;
	});
};
