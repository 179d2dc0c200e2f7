import assert from 'node:assert/strict';
import { fastify } from 'fastify';

import type { SandboxSettings } from '../../sandbox/server.ts';
import { storedToken } from '../../harness/storedToken.ts';
import type { Scenarios } from '../rig.mts';
import { httpRequest, inTurns, REFRESH, STATUS, token, tokenNode } from '../workflows.mts';

const ECHO = 'sandbox/echo';
const DAY_MS = 86_400_000;

const TOKEN_FAULTS: Array<[string, SandboxSettings['tokenFault']]> = [
	['HTTP 500', { kind: 'status', status: 500 }],
	['HTML', { kind: 'html' }],
	['half a JSON', { kind: 'broken-json' }],
	['nothing', { kind: 'empty' }],
	['a token that n8n would run', { kind: 'data', data: { access_token: '={{1}}' } }],
	['no connection', { kind: 'drop' }],
];

/** What the product stands for: the credential in HTTP Request, its Test, and AiClk Token. */
export const foundation: Scenarios = (rig, scenario) => {
	const read = () => httpRequest('GET', rig.url(ECHO));

	scenario('300 POSTs answered HTTP 500: no refresh, each sent once', async () => {
		await rig.run(read());
		rig.sandbox.clearJournal();
		const path = 'sandbox/status/500';
		const execution = await rig.run(
			httpRequest('POST JSON', rig.url(path), 300, { onError: 'continueRegularOutput' }),
		);
		assert.equal(execution.itemsOf('Call').length, 300);
		const bodies = rig.to(path).map(({ bodySha256 }) => bodySha256);
		const others = rig.sandbox.journal().length - bodies.length;
		assert.equal(rig.refreshes, 0);
		assert.equal(bodies.length, 300);
		assert.equal(new Set(bodies).size, 300);
		assert.ok(others <= 3);
		return `${rig.refreshes} refreshes, ${bodies.length} POSTs, all different, ${others} other calls`;
	});

	scenario('60 runs at once just after expiry, slow token endpoint, strict mode', async () => {
		rig.credential = await rig.newCredential(
			await storedToken(rig.sandbox, rig.client, { lifeMs: 90 * DAY_MS, leftMs: -1_000 }),
		);
		rig.sandbox.configure({ mode: 'strict', tokenDelayMs: 400 });
		const runs = await rig.runAtOnce(read(), 60);
		const failed = runs.filter(({ status }) => status !== 'success').length;
		assert.deepEqual([rig.refreshes, rig.deadCalls, failed], [1, 0, 0]);
		return `${rig.refreshes} refresh, ${rig.deadCalls} calls with a dead token, ${failed} failed runs`;
	});

	scenario('refresh token edited: the old access token is never sent again', async () => {
		await rig.run(read());
		const [old] = rig.to(ECHO);
		const edited = rig.newClient();
		rig.sandbox.configure({ clients: [{ ...edited, clientId: rig.client.clientId }] });
		rig.sandbox.clearJournal();
		await rig.n8n.editCredential(rig.credential, { refreshToken: edited.refreshToken });
		for (let turn = 0; turn < 3; turn++) {
			assert.equal((await rig.run(read())).status, 'success');
		}
		const withOld = rig.sandbox
			.journal()
			.filter(({ headers }) => headers.ogw_access_token === old?.headers.ogw_access_token).length;
		assert.deepEqual([rig.refreshes, withOld], [1, 0]);
		return `${rig.refreshes} refresh, ${withOld} calls with the old access token`;
	});

	scenario('six presses of Test cost at most one refresh', async () => {
		for (let press = 0; press < 6; press++) {
			assert.equal((await rig.n8n.testCredential(rig.credential)).status, 'OK');
		}
		assert.ok(rig.refreshes <= 1);
		return `${rig.refreshes} refresh`;
	});

	scenario('Test with a wrong refresh token says what AiClk said', async () => {
		rig.sandbox.configure({ clients: [] });
		const { status, message } = await rig.n8n.testCredential(rig.credential);
		assert.equal(status, 'Error');
		assert.match(message, /AiClk refused to refresh the access token: .*\p{Script=Han}/u);
		return message;
	});

	scenario('Test without an Account ID says that the credential works', async () => {
		const credential = await rig.newCredential({ accountId: '' });
		const { status, message } = await rig.n8n.testCredential(credential);
		assert.equal(status, 'Error');
		assert.match(message, /^This credential works: AiClk issued an access token\. /);
		assert.equal(rig.refreshes, 1);
		return message;
	});

	scenario('AiClk Token: Refresh with 20 items makes one refresh', async () => {
		const execution = await rig.run(tokenNode(REFRESH, 20));
		assert.equal(execution.status, 'success');
		const items = execution.itemsOf('Token');
		assert.equal(items.length, 1);
		assert.equal(items[0]?.refreshed, true);
		const text = JSON.stringify(execution.stored);
		assert.ok(rig.secrets().every((secret) => !text.includes(secret)));
		assert.equal((await rig.run(read())).status, 'success');
		assert.equal(rig.refreshes, 1);
		return `${rig.refreshes} refresh for 20 items and a request after them`;
	});

	scenario('242 forced refreshes in a day stop at 240 with a valid token', async () => {
		// In one execution: each turn of the loop reads the credential anew and stores it.
		const looped = await rig.run(inTurns(240, token(REFRESH)));
		assert.equal(looped.status, 'success', looped.error?.message);
		assert.equal(rig.refreshes, 240);
		const stored = (await rig.run(tokenNode(STATUS))).itemsOf('Token')[0];
		assert.deepEqual([stored?.status, stored?.refreshesToday], ['valid', 240]);
		const refused = [await rig.run(tokenNode(REFRESH)), await rig.run(tokenNode(REFRESH))];
		assert.equal(rig.refreshes, 240);
		for (const { error } of refused) {
			assert.match(error?.message ?? '', /The last 60 refreshes of the day are reserved/);
			assert.match(error?.description ?? '', /The day ends at \d{4}-\d\d-\d\dT16:00/);
		}
		return `${rig.refreshes} reached AiClk, ${refused.length} were refused: ${refused[0]?.error?.description}`;
	});

	for (const withinDays of [-1, 91, 'soon']) {
		scenario(`Within Days of ${withinDays} is refused before any request`, async () => {
			const execution = await rig.run(
				tokenNode({ operation: 'refresh', when: 'whenExpiring', withinDays }),
			);
			assert.equal(execution.status, 'error');
			assert.match(execution.error?.message ?? '', /Within Days/);
			assert.equal(rig.sandbox.journal().length, 0);
			return execution.error?.message ?? '';
		});
	}

	for (const [answer, tokenFault] of TOKEN_FAULTS) {
		scenario(`50 items wait for a token endpoint that answers with ${answer}`, async () => {
			rig.sandbox.configure({ tokenFault });
			const execution = await rig.run(httpRequest('POST JSON', rig.url(ECHO), 50));
			const stored = await rig.run(tokenNode(STATUS));
			assert.equal(execution.status, 'error');
			assert.ok(rig.refreshes >= 1 && rig.refreshes <= 2);
			assert.equal(rig.to(ECHO).length, 0);
			assert.match(execution.error?.message ?? '', /AiClk/);
			assert.notEqual(execution.error?.description, '');
			assert.equal(stored.itemsOf('Token')[0]?.status, 'missing');
			return `${rig.refreshes} calls, ${rig.to(ECHO).length} requests: ${execution.error?.message}`;
		});
	}

	scenario('another host, by redirect or in the URL, gets no token', async () => {
		const seen: unknown[] = [];
		const elsewhere = fastify();
		elsewhere.all('/*', async ({ headers }) => {
			seen.push(headers);
			return 'stolen';
		});
		const other = await elsewhere.listen({ host: '127.0.0.1', port: 0 });
		try {
			const redirect = rig.url(`sandbox/redirect?to=${encodeURIComponent(`${other}/a`)}`);
			for (const shape of ['GET', 'POST JSON', 'POST multipart'] as const) {
				await rig.run(httpRequest(shape, redirect));
			}
			const execution = await rig.run(httpRequest('GET', `${other}/a`));
			assert.equal(execution.status, 'error');
			assert.match(execution.error?.message ?? '', /credential is for 127\.0\.0\.1:\d+ only/);
			assert.deepEqual(seen, []);
			return `${seen.length} requests arrived there: ${execution.error?.message}`;
		} finally {
			await elsewhere.close();
		}
	});
};
