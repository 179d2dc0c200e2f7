import assert from 'node:assert/strict';

import type { Scenarios } from '../rig.mts';
import { httpRequest, REFRESH, STATUS, tokenNode } from '../workflows.mts';

/** What outlives n8n, and what needs another n8n: each start costs more than most scenarios. */
export const restarts: Scenarios = (rig, scenario) => {
	const read = () => httpRequest('GET', rig.url('sandbox/echo'));
	const succeeds = async () => (await rig.run(read())).status === 'success';

	scenario('kill -9 of n8n and a restart: token and rotated refresh token are kept', async () => {
		rig.sandbox.configure({ rotateRefreshToken: true });
		for (let turn = 0; turn < 3; turn++) {
			assert.equal((await rig.run(tokenNode(REFRESH))).status, 'success');
		}
		await rig.server.kill();
		await rig.startN8n();
		assert.ok(await succeeds());
		assert.equal(rig.refreshes, 3);
		// The typed refresh token is dead.
		assert.equal((await rig.run(tokenNode(REFRESH))).status, 'success');
		assert.ok(await succeeds());
		const refused = rig.sandbox
			.journal()
			.filter(({ kind, code }) => kind === 'refresh' && code !== 200).length;
		assert.deepEqual([rig.refreshes, refused, rig.deadCalls], [4, 0, 0]);
		return `${rig.refreshes} refreshes, each with the newest refresh token, none for the restart`;
	});

	// The last one: n8n stays as it is.
	scenario('a member who may use but not edit a shared credential', async () => {
		await rig.restartWithSharing();
		const member = await rig.n8n.inviteMember(`member${rig.client.clientId}@example.com`);
		await rig.n8n.shareCredential(rig.credential, member);
		for (const workflow of [read(), tokenNode(REFRESH)]) {
			const id = await member.importWorkflow(workflow, rig.credential);
			assert.equal((await member.run(id, 'Start')).status, 'success');
		}
		assert.ok(await succeeds());
		assert.equal(rig.refreshes, 2);
		const status = (await rig.run(tokenNode(STATUS))).itemsOf('Token')[0];
		assert.equal(status?.refreshesToday, 2);
		return `the member's ${rig.refreshes} refreshes are stored; the owner's run needs none`;
	});
};
