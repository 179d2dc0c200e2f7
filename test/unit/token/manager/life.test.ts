import { aiclk, FakeProcess, n8n, NOTHING } from '../../../harness/fakeProcess';
import {
	answer,
	DAY_MS,
	emptyRow,
	HOUR_MS,
	inputOf,
	NOW,
	tokenOf,
	TYPED,
} from '../../../harness/fakes';

describe('the first token', () => {
	it('the first token is requested with the cleaned input and stored', async () => {
		n8n.row = emptyRow({ clientId: ' 1000000000000001\n', refreshToken: ' ab c\r\nd\u200b ' });
		await n8n.ask();
		expect(aiclk.refreshes).toEqual([{ client_id: '1000000000000001', refresh_token: 'abcd' }]);
		expect(n8n.row.accessToken).toBe('access-1');
		expect(n8n.row.tokenRenewal).toBe('');
		expect(tokenOf(n8n.row).state).toMatchObject({
			issuedAtMs: NOW,
			expiresAtMs: NOW + 90 * DAY_MS,
			expirySource: 'answer',
			generation: 1,
			traceId: 'aa11',
		});
	});

	it('the first token is shared by all requests that need it', async () => {
		const rows = Array.from({ length: 50 }, () => ({ ...n8n.row }));
		const outcomes = await Promise.all(rows.slice(0, 40).map(async (row) => await n8n.ask(row)));
		outcomes.push(...(await Promise.all(rows.slice(40).map(async (row) => await n8n.ask(row)))));
		expect(aiclk.refreshes).toHaveLength(1);
		expect(rows.map((row) => row.accessToken)).toEqual(rows.map(() => 'access-1'));
	});
});

describe('a fresh token', () => {
	beforeEach(async () => await n8n.withToken());

	it('a valid token costs no call and no write', async () => {
		const before = { ...n8n.row };
		for (let day = 0; day < 70; day++) {
			n8n.environment.nowMs = NOW + day * DAY_MS;
			expect(await n8n.ask()).toEqual(NOTHING);
		}
		expect(aiclk.refreshes).toEqual([]);
		expect(aiclk.checks).toEqual([]);
		expect(n8n.row).toEqual(before);
	});

	it('a valid token survives a restart of n8n', async () => {
		const restarted = new FakeProcess(aiclk, n8n.row);
		expect(await restarted.ask()).toEqual(NOTHING);
		expect(aiclk.refreshes).toEqual([]);
	});

	it.each([
		['client id', { clientId: '2' }, { client_id: '2' }],
		['refresh token', { refreshToken: 'new' }, { refresh_token: 'new' }],
		['base URL', { baseUrl: 'https://other.aiclk.com' }, {}],
	])('a token is replaced at once when the %s is edited', async (_, typed, sent) => {
		n8n.row = { ...n8n.row, ...typed };
		await n8n.ask();
		expect(aiclk.refreshes).toEqual([expect.objectContaining(sent)]);
		expect(n8n.row.accessToken).toBe('access-2');
		expect(await n8n.ask()).toEqual(NOTHING);
	});

	it('a token stays when other white space is pasted', async () => {
		n8n.row = { ...n8n.row, refreshToken: ` ${TYPED.refreshToken}\n` };
		expect(await n8n.ask()).toEqual(NOTHING);
	});
});

describe('renewal', () => {
	beforeEach(async () => await n8n.withToken());

	it('the jitter makes renewal earlier, by a day on average', async () => {
		n8n.environment.jitter = 1 - Math.exp(-1);
		n8n.environment.nowMs = NOW + 74 * DAY_MS - 1_000;
		await n8n.ask();
		expect(aiclk.refreshes).toEqual([]);
		n8n.environment.nowMs = NOW + 74 * DAY_MS + 5 * 60_000;
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
	});
});

describe('a rotated refresh token', () => {
	it('a rotated refresh token is stored apart from the typed one', async () => {
		aiclk.rotates = true;
		await n8n.ask();
		expect(n8n.row).toMatchObject({
			rotatedRefreshToken: 'rotated-1',
			refreshToken: TYPED.refreshToken,
		});
		aiclk.rotates = false;
		await n8n.force();
		await n8n.force();
		expect(aiclk.refreshes.map((body) => body.refresh_token)).toEqual([
			TYPED.refreshToken,
			'rotated-1',
			'rotated-1',
		]);
	});
});

describe('incomplete input', () => {
	it.each([
		[{ clientId: '' }, /Client ID/],
		[{ refreshToken: ' \n' }, /Refresh Token/],
		[{ baseUrl: 'http://openapi.aiclk.com' }, /Base URL/],
		[{ accountId: 'abc' }, /Account ID/],
	])('incomplete input %j makes no request and names the field', async (typed, message) => {
		const credentials = emptyRow(typed);
		const outcome = await n8n.ask(credentials);
		const failure = { kind: 'input', message: expect.stringMatching(message) as string };
		expect(outcome).toMatchObject({ ok: false, failure });
		expect(n8n.manager.failureOf(credentials)).toMatchObject(failure);
		expect(aiclk.refreshes).toEqual([]);
	});

	it('incomplete input is never probed', () => {
		n8n.manager.observeProbe(emptyRow({ clientId: '' }), 'rejected');
		n8n.manager.observeProbe(emptyRow(), 'rejected');
		expect(n8n.manager.refreshesToday(inputOf(emptyRow()), null)).toBe(0);
	});
});

describe('why no token could be had', () => {
	it('a failure is remembered for the same credentials object', async () => {
		const credentials = emptyRow();
		aiclk.refreshReply = () => answer({ code: 400, message: 'no' });
		const first = await n8n.ask(credentials);
		expect(n8n.manager.failureOf(credentials)).toMatchObject({ kind: 'refused' });
		expect(n8n.manager.failureOf({ ...credentials })).toBeNull();
		aiclk.refreshReply = null;
		n8n.environment.nowMs += HOUR_MS;
		expect(await n8n.ask(credentials)).toEqual(first);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a remembered failure does not stop a forced refresh', async () => {
		const credentials = emptyRow();
		aiclk.refreshReply = () => answer({ code: 400, message: 'no' });
		await n8n.ask(credentials);
		aiclk.refreshReply = null;
		n8n.manager.forceRefresh(credentials, null);
		expect(await n8n.ask(credentials)).toMatchObject({ ok: true });
		expect(n8n.manager.failureOf(credentials)).toBeNull();
	});
});
