import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastify } from 'fastify';

import { type Installation, installN8n, ROOT } from '../n8n/install.mts';
import { installByHand, packTarball } from '../n8n/package.mts';
import { type Execution, N8nClient, type Workflow } from '../n8n/rest.mts';
import { type N8nServer, startN8n } from '../n8n/server.mts';
import {
	createSandbox,
	DEFAULT_CLIENT,
	type Sandbox,
	type SandboxSettings,
} from '../sandbox/server.ts';
import { DEFAULT_SETTINGS } from '../sandbox/settings.ts';
import { httpRequest, tokenNode } from './workflows.mts';

/** The promises of the credential and of AiClk Token, on real n8n. Each scenario has a client of its own. */

const USER_FOLDER = join(ROOT, '.n8n', 'e2e');

let installation: Installation;
let sandbox: Sandbox;
let server: N8nServer;
let n8n: N8nClient;

async function start() {
	server = await startN8n(installation, { userFolder: USER_FOLDER });
	n8n = new N8nClient(server.url);
	await n8n.signIn();
}

before(async () => {
	installation = await installN8n('2.41.1');
	await rm(USER_FOLDER, { recursive: true, force: true });
	await installByHand(await packTarball(USER_FOLDER), USER_FOLDER);
	sandbox = await createSandbox({ port: 0 });
	await start();
});
after(async () => {
	await server?.stop();
	await sandbox?.close();
});

let clients = 0;
let client = DEFAULT_CLIENT;
let credential: string;

/** A sandbox as new, and a client and a credential that nobody has used yet. */
async function begin(settings: Partial<SandboxSettings> = {}) {
	client = {
		clientId: String(2_000_000 + ++clients),
		refreshToken: `refresh${clients}`.repeat(16),
	};
	sandbox.configure({ ...DEFAULT_SETTINGS, clients: [client], ...settings });
	sandbox.clearJournal();
	credential = await n8n.createCredential({
		...client,
		accountId: '1000002',
		baseUrl: sandbox.url,
	});
}
beforeEach(async () => {
	await begin();
});

async function run(workflow: Workflow): Promise<Execution> {
	return await n8n.run(await n8n.importWorkflow(workflow, credential), 'Start');
}

const calls = (kind: string) => sandbox.journal().filter((entry) => entry.kind === kind);
const refreshes = () => calls('refresh').length;
const to = (path: string) => sandbox.journal().filter((entry) => entry.path === path);
const ECHO = '/openapi/v1/sandbox/echo';
const echo = () => `${sandbox.url}${ECHO}`;

/** Prints what was counted, for the closing table. */
const figures = (text: string) => {
	console.log(`      ${text}`);
};

function assertNoSecret(execution: Execution, ...more: string[]) {
	const text = JSON.stringify(execution.stored);
	for (const secret of [client.refreshToken, ...more]) assert.ok(!text.includes(secret));
}

describe('a failing endpoint', () => {
	it('that answers 300 POSTs with HTTP 500 costs no refresh, and each is sent once', async () => {
		await run(httpRequest('GET', echo()));
		sandbox.clearJournal();
		const path = '/openapi/v1/sandbox/status/500';
		const execution = await run(
			httpRequest('POST', `${sandbox.url}${path}`, 300, { onError: 'continueRegularOutput' }),
		);
		assert.equal(execution.itemsOf('Call').length, 300);
		const bodies = to(path).map(({ bodySha256 }) => bodySha256);
		const others = sandbox.journal().length - bodies.length;
		figures(
			`${refreshes()} refreshes, ${bodies.length} POSTs, ${new Set(bodies).size} different, ${others} other calls`,
		);
		assert.equal(refreshes(), 0);
		assert.equal(bodies.length, 300);
		assert.equal(new Set(bodies).size, 300);
		assert.ok(others <= 3);
	});
});

describe('60 runs at once just after expiry', () => {
	it('with a slow token endpoint in strict mode: one refresh, no dead token sent, none fails', async () => {
		sandbox.configure({ mode: 'strict', expiresInSeconds: 15 });
		const workflow = await n8n.importWorkflow(httpRequest('GET', echo()), credential);
		assert.equal((await n8n.run(workflow, 'Start')).status, 'success');
		await sleep(15_500);
		sandbox.configure({ expiresInSeconds: 7_776_000, tokenDelayMs: 400 });
		sandbox.clearJournal();
		const runs = await Promise.all(
			Array.from({ length: 60 }, async () => await n8n.run(workflow, 'Start')),
		);
		const failed = runs.filter(({ status }) => status !== 'success').length;
		const dead = calls('api').filter(({ token }) => token !== 'live').length;
		figures(`${refreshes()} refreshes, ${dead} calls with a dead token, ${failed} failed runs`);
		assert.deepEqual([refreshes(), dead, failed], [1, 0, 0]);
	});
});

describe('the store', () => {
	it('keeps the token over kill -9 of n8n and a restart', async () => {
		await run(httpRequest('GET', echo()));
		await server.kill();
		await start();
		sandbox.clearJournal();
		assert.equal((await run(httpRequest('GET', echo()))).status, 'success');
		figures(`${refreshes()} further refreshes`);
		assert.equal(refreshes(), 0);
	});

	it('drops the token when another refresh token is typed', async () => {
		await run(httpRequest('GET', echo()));
		const [old] = to(ECHO);
		const edited = { ...client, refreshToken: 'edited'.repeat(20) };
		sandbox.configure({ clients: [edited] });
		sandbox.clearJournal();
		await n8n.editCredential(credential, { refreshToken: edited.refreshToken });
		for (let turn = 0; turn < 3; turn++) {
			assert.equal((await run(httpRequest('GET', echo()))).status, 'success');
		}
		const withOld = calls('api').filter(
			({ headers }) => headers.ogw_access_token === old?.headers.ogw_access_token,
		).length;
		figures(`${refreshes()} refreshes, ${withOld} calls with the old access token`);
		assert.deepEqual([refreshes(), withOld], [1, 0]);
		assert.ok(calls('refresh').every(({ status }) => status === 200));
	});
});

describe('the Test of the credential', () => {
	it('costs at most one refresh, however often it is pressed', async () => {
		for (let press = 0; press < 6; press++) {
			assert.equal((await n8n.testCredential(credential)).status, 'OK');
		}
		figures(`6 presses, ${refreshes()} refreshes`);
		assert.ok(refreshes() <= 1);
	});

	it('says what AiClk said when the refresh token is wrong', async () => {
		sandbox.configure({ clients: [] });
		const { status, message } = await n8n.testCredential(credential);
		figures(`${status}: ${message}`);
		assert.equal(status, 'Error');
		assert.match(message, /AiClk did not renew the access token: .*\p{Script=Han}/u);
	});
});

describe('AiClk Token', () => {
	it('refreshes once for 20 items and stores the token; no secret is in the run', async () => {
		const execution = await run(tokenNode({ operation: 'refresh', when: 'always' }, 20));
		assert.equal(execution.status, 'success');
		assert.equal(refreshes(), 1);
		const items = execution.itemsOf('Token');
		assert.equal(items.length, 1);
		assert.equal(items[0]?.refreshed, true);
		assertNoSecret(execution);
		assert.equal((await run(httpRequest('GET', echo()))).status, 'success');
		figures(`${refreshes()} refreshes for 20 items and a request after them`);
		assert.equal(refreshes(), 1);
		const status = await run(
			tokenNode({ operation: 'status', options: { includeAccessToken: true } }),
		);
		const accessToken = status.itemsOf('Token')[0]?.accessToken as string;
		assert.ok(accessToken.length > 20);
		assertNoSecret(execution, accessToken);
	});

	it('spends 300 refreshes a day and refuses the rest with the time at which the day ends', async () => {
		const workflow = await n8n.importWorkflow(
			tokenNode({ operation: 'refresh', when: 'always' }),
			credential,
		);
		const refused: Execution[] = [];
		for (let turn = 0; turn < 302; turn++) {
			const execution = await n8n.run(workflow, 'Start');
			if (execution.status !== 'success') refused.push(execution);
		}
		figures(
			`${refreshes()} reached the sandbox, ${refused.length} were refused: ${refused[0]?.error?.message}`,
		);
		assert.equal(refreshes(), 300);
		assert.equal(refused.length, 2);
		for (const { error } of refused) {
			assert.match(error?.message ?? '', /All 300 refreshes/);
			assert.match(error?.description ?? '', /The day ends at \d{4}-\d\d-\d\dT16:00/);
		}
	});

	for (const [withinDays, text] of [
		[-1, 'below 0'],
		[91, 'above 90'],
		['soon', 'no number'],
	] as const) {
		it(`refuses Within Days ${text} before any request`, async () => {
			const execution = await run(
				tokenNode({ operation: 'refresh', when: 'whenExpiring', withinDays }),
			);
			assert.equal(execution.status, 'error');
			assert.match(execution.error?.message ?? '', /Within Days/);
			assert.equal(sandbox.journal().length, 0);
		});
	}
});

describe('50 items that wait for a token endpoint', () => {
	const faults: Array<[string, SandboxSettings['tokenFault']]> = [
		['HTTP 500', { kind: 'status', status: 500 }],
		['HTML', { kind: 'html' }],
		['half a JSON', { kind: 'broken-json' }],
		['nothing', { kind: 'empty' }],
		['a token that n8n would run', { kind: 'data', data: { access_token: '={{ 1 }}' } }],
		['no connection', { kind: 'drop' }],
	];
	for (const [answer, tokenFault] of faults) {
		it(`that answers with ${answer}: at most 2 calls, nothing leaves, nothing is stored`, async () => {
			sandbox.configure({ tokenFault });
			const execution = await run(httpRequest('POST', echo(), 50));
			const stored = await run(tokenNode({ operation: 'status' }));
			figures(
				`${refreshes()} calls, ${to(ECHO).length} requests: ${execution.error?.message} | ${execution.error?.description}`,
			);
			assert.equal(execution.status, 'error');
			assert.ok(refreshes() >= 1 && refreshes() <= 2);
			assert.equal(to(ECHO).length, 0);
			assert.match(execution.error?.message ?? '', /AiClk/);
			assert.notEqual(execution.error?.description, '');
			assert.equal(stored.itemsOf('Token')[0]?.status, 'missing');
			assertNoSecret(execution);
		});
	}
});

describe('a host that is not the credential’s', () => {
	it('gets no token: neither by a redirect nor by its name in the URL', async () => {
		const seen: unknown[] = [];
		const elsewhere = fastify();
		elsewhere.all('/*', async ({ headers }) => {
			seen.push(headers);
			return 'stolen';
		});
		const other = await elsewhere.listen({ host: '127.0.0.1', port: 0 });
		try {
			const redirect = `${sandbox.url}/openapi/v1/sandbox/redirect?to=${encodeURIComponent(`${other}/a`)}`;
			await run(httpRequest('GET', redirect));
			await run(httpRequest('POST', redirect));
			const execution = await run(httpRequest('GET', `${other}/a`));
			figures(`${seen.length} requests arrived there: ${execution.error?.message}`);
			assert.equal(execution.status, 'error');
			assert.match(execution.error?.message ?? '', /credential is for 127\.0\.0\.1:\d+ only/);
			assert.deepEqual(seen, []);
		} finally {
			await elsewhere.close();
		}
	});
});
