import assert from 'node:assert/strict';

import type { Scenarios } from '../rig.mts';
import { httpRequest, REFRESH, tokenNode } from '../workflows.mts';

const ECHO = 'sandbox/echo';

/** Several credentials, and credentials that hold expressions. */
export const credentials: Scenarios = (rig, scenario) => {
	const read = () => httpRequest('GET', rig.url(ECHO));
	const succeeds = async (credential = rig.credential) =>
		(await rig.run(read(), credential)).status === 'success';

	scenario('two clients at once: a refresh and a token each', async () => {
		const other = rig.newClient();
		rig.sandbox.configure({ clients: [rig.client, other], mode: 'strict', tokenDelayMs: 300 });
		const second = await rig.newCredential(other);
		const runs = await Promise.all(
			Array.from({ length: 40 }, async (_, n) => succeeds(n % 2 === 0 ? rig.credential : second)),
		);
		const tokens = new Set(rig.to(ECHO).map(({ headers }) => headers.ogw_access_token));
		assert.ok(runs.every(Boolean));
		assert.deepEqual([rig.refreshes, tokens.size, rig.deadCalls], [2, 2, 0]);
		return `40 runs, ${rig.refreshes} refreshes, ${tokens.size} tokens, ${rig.deadCalls} dead calls`;
	});

	scenario('one client in two credentials: a shared token in strict mode', async () => {
		rig.sandbox.configure({ mode: 'strict', tokenDelayMs: 300 });
		const twin = await rig.newCredential();
		const runs = await Promise.all(
			Array.from({ length: 20 }, async (_, n) => succeeds(n % 2 === 0 ? rig.credential : twin)),
		);
		const first = rig.refreshes;
		assert.equal((await rig.run(tokenNode(REFRESH))).status, 'success');
		runs.push(await succeeds(twin), await succeeds());
		assert.ok(runs.every(Boolean));
		assert.deepEqual([first, rig.refreshes, rig.deadCalls], [1, 2, 0]);
		return `${first} refresh for both; one forced in the first serves the second, too; ${rig.deadCalls} dead calls`;
	});

	scenario('a refresh token that is an expression stays one', async () => {
		const expression = `={{ '${rig.client.refreshToken}' }}`;
		const credential = await rig.newCredential({ refreshToken: expression });
		assert.ok(await succeeds(credential));
		assert.equal((await rig.run(tokenNode(REFRESH), credential)).status, 'success');
		assert.ok(await succeeds(credential));
		const { refreshToken } = await rig.n8n.readCredential(credential);
		assert.equal(rig.refreshes, 2);
		// n8n replaces expressions by their values until 2.33 (n8n-io/n8n #34107); nothing a credential could prevent.
		if (rig.isN8n1) return 'works; this n8n itself replaces the expression by its value';
		assert.equal(refreshToken, expression);
		return 'works, and stays the expression over two refreshes';
	});
};
