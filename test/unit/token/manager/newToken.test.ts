import { aiclk, FakeProcess, n8n, NOTHING } from '../../../harness/fakeProcess';
import { ACCEPTED, answer, DAY_MS, emptyRow, MINUTE_MS, NOW } from '../../../harness/fakes';

/** AiClk's servers know a new token only after so long. */
function spreadsAfter(ms: number) {
	const issuedAtMs = new Map<string, number>();
	const isKnown = (token: unknown) =>
		n8n.environment.nowMs - (issuedAtMs.get(String(token)) ?? 0) >= ms &&
		aiclk.live.has(String(token));
	aiclk.refreshReply = () => {
		const data = aiclk.issue();
		issuedAtMs.set(String(data.access_token), n8n.environment.nowMs);
		return answer({ code: 200, data });
	};
	aiclk.checkReply = ({ headers }) =>
		isKnown(headers?.OGW_ACCESS_TOKEN) ? ACCEPTED : { statusCode: 401, body: {} };
	return isKnown;
}

describe('a new token that takes 3 seconds to propagate', () => {
	it('a new token in propagation replaces an expired one', async () => {
		const isKnown = spreadsAfter(3_000);
		await n8n.ask();
		n8n.environment.nowMs += 90 * DAY_MS;
		for (let i = 0; i < 4; i++) {
			expect(await n8n.ask()).toMatchObject({ ok: true });
			expect(isKnown(n8n.row.accessToken)).toBe(true);
			n8n.environment.nowMs += MINUTE_MS;
		}
		expect(aiclk.refreshes).toHaveLength(2);
	});

	it.each(['the first one', 'a forced one'])(
		'a new token in propagation costs no second refresh: %s',
		async (which) => {
			spreadsAfter(3_000);
			await n8n.ask();
			if (which === 'a forced one') await n8n.force();
			const before = aiclk.refreshes.length;
			for (let i = 0; i < 4; i++) {
				await n8n.ask(await n8n.failedRequest(i % 2 === 0));
				n8n.environment.nowMs += 1_000;
			}
			expect(aiclk.refreshes.length - before).toBe(0);
		},
	);

	it('an early rejection of a new token costs no second refresh', async () => {
		aiclk.rotates = true;
		await n8n.ask();
		n8n.environment.nowMs += 90 * DAY_MS;
		spreadsAfter(3_000);
		aiclk.refreshReply = () => answer({ code: 200, data: aiclk.issue() });
		// Stored at once, because a refresh token came with it.
		const { accessToken } = n8n.row;
		await n8n.ask();
		expect(n8n.row.accessToken).not.toBe(accessToken);
		n8n.environment.nowMs += 500;
		await n8n.ask(await n8n.failedRequest());
		expect(aiclk.refreshes).toHaveLength(2);
	});
});

it.each<[string, (process: FakeProcess) => Promise<unknown>]>([
	['the first token', async (process) => await process.ask(emptyRow())],
	[
		'the token of an edited credential',
		async (process) => await process.ask({ ...process.row, refreshToken: 'edited' }),
	],
	['a token that somebody asked for', async (process) => await process.force()],
])('%s is stored at once, without a probe', async (_, ask) => {
	await n8n.ask();
	const process = new FakeProcess(aiclk, n8n.row);
	expect(await ask(process)).toMatchObject({ value: { accessToken: 'access-2' } });
	expect(process.environment.slept).toEqual([]);
	expect(aiclk.checks).toEqual([]);
});

it('a node learns whether AiClk accepts a token that was never probed', async () => {
	await n8n.ask();
	expect(await n8n.manager.probe({ ...n8n.row }, aiclk.http)).toBe('accepted');
	aiclk.live.clear();
	n8n.environment.nowMs += MINUTE_MS;
	expect(await n8n.manager.probe({ ...n8n.row }, aiclk.http)).toBe('rejected');
	expect(aiclk.checks).toHaveLength(2);
});

describe('a process that runs one workflow and exits', () => {
	it.each([
		[54, 0],
		[60, 9_900],
		[70, 60_000],
	])('an exiting process refreshes a rejected token of day %d: %d ms', async (day, tookMs) => {
		await n8n.ask();
		aiclk.live.clear();
		const process = new FakeProcess(aiclk, n8n.row);
		process.environment.nowMs = NOW + day * DAY_MS;
		const read = await process.failedRequest();
		process.environment.nowMs += tookMs;
		expect(await process.ask(read)).toMatchObject({ ok: true });
		expect(aiclk.live).toContain(process.row.accessToken);
	});
});

describe('clocks', () => {
	it.each([-30 * MINUTE_MS, 30 * MINUTE_MS])(
		'a probe is not believed after the clock jumped by %d ms',
		async (jumpMs) => {
			n8n.environment.nowMs = NOW + 10 * DAY_MS;
			await n8n.ask();
			n8n.environment.nowMs += DAY_MS;
			await n8n.ask(await n8n.failedRequest());
			aiclk.live.clear();
			n8n.environment.nowMs += jumpMs;
			const read = await n8n.failedRequest();
			expect(await n8n.ask(read)).toMatchObject({ ok: true, value: { accessToken: 'access-2' } });
		},
	);
});

describe('two credentials that differ only by account', () => {
	it('probes of one account say nothing about another account', async () => {
		await n8n.ask();
		n8n.environment.nowMs += DAY_MS;
		aiclk.checkReply = ({ qs }) =>
			(qs as Record<string, unknown>).account_id === '7'
				? { statusCode: 401, body: { code: 401 } }
				: ACCEPTED;
		const forbidden = { ...n8n.row, accountId: '7' };
		n8n.manager.observeProbe(forbidden, 'rejected');
		expect(await n8n.ask(await n8n.failedRequest())).toEqual(NOTHING);
		expect(await n8n.ask()).toEqual(NOTHING);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('an answer that a node received spares the probe, whichever account AiClk accepted last', async () => {
		await n8n.ask();
		n8n.manager.observeProbe({ ...n8n.row, accountId: '7' }, 'accepted');
		n8n.environment.nowMs += MINUTE_MS;
		const failed = await n8n.failedRequest();
		n8n.manager.observeProbe({ ...n8n.row }, 'accepted');
		expect(await n8n.ask(failed)).toEqual({ ok: true, value: null });
		expect(aiclk.checks).toEqual([]);
	});
});

describe('the record of refreshes', () => {
	it('the log names the workflow that asked, and AiClk’s trace id', async () => {
		await n8n.ask();
		aiclk.refreshReply = () => answer({ code: 200, data: aiclk.issue() });
		const credentials = { ...n8n.row };
		n8n.manager.forceRefresh(credentials, { id: 'w1', name: 'Rotation' });
		await n8n.ask(credentials);
		const [first, second] = n8n.environment.logged;
		expect(first).toMatch(/\(no-token\)\. .*, trace_id aa11\.$/);
		expect(second).toMatch(/\(forced, workflow "Rotation" \(w1\)\)\. .*, trace_id none\.$/);
	});

	it('the last ten refreshes are recorded with their workflows', async () => {
		await n8n.ask();
		const credentials = { ...n8n.row };
		n8n.manager.forceRefresh(credentials, { id: 'w1', name: 'Rotation' });
		await n8n.ask(credentials);
		expect(JSON.parse(String(n8n.row.tokenState))).toMatchObject({
			refreshes: [
				{ atMs: NOW, reason: 'forced', workflow: { id: 'w1', name: 'Rotation' } },
				{ atMs: NOW, reason: 'no-token', workflow: null },
			],
		});
		for (let i = 0; i < 20; i++) {
			n8n.environment.nowMs = NOW + i;
			await n8n.force();
		}
		const { refreshes } = JSON.parse(String(n8n.row.tokenState)) as {
			refreshes: Array<{ atMs: number }>;
		};
		expect(refreshes.map(({ atMs }) => atMs - NOW)).toEqual([
			19, 18, 17, 16, 15, 14, 13, 12, 11, 10,
		]);
	});

	it('each refresh and each failed one is one log line, without secrets', async () => {
		await n8n.ask();
		expect(n8n.environment.debugged).toEqual([
			'AiClk access token, before-request: refresh (no-token)',
			'AiClk access token, before-request: adopt (refreshed)',
		]);
		aiclk.refreshReply = () => answer({ code: 400, message: 'refresh_token 无效' });
		await n8n.force();
		const [first, second, ...more] = n8n.environment.logged;
		expect(more).toEqual([]);
		expect(first).toMatch(
			/^info AiClk access token refreshed \(no-token\)\. .*valid until 2027-02-22/,
		);
		expect(second).toMatch(/^warn AiClk access token not refreshed \(forced\): .*无效/);
		expect(n8n.environment.logged.join()).not.toContain(String(emptyRow().refreshToken));
		expect(n8n.environment.logged.join()).not.toContain('access-1');
	});
});
