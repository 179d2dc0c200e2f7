import { toStoredFields } from '../../../../aiclk/token/storedToken';
import { aiclk, FakeProcess, n8n } from '../../../harness/fakeProcess';
import {
	answer,
	DAY_MS,
	emptyRow,
	failing,
	HOUR_MS,
	inputOf,
	MINUTE_MS,
	REFUSED,
	token,
} from '../../../harness/fakes';

/** Midnight in Shanghai. */
const MIDNIGHT = Date.parse('2026-11-24T16:00:00Z');

const UNUSABLE = () => answer({ code: 200, data: { access_token: '={{ 1 }}' } });

/** A request every minute, for so many hours from midnight on. */
async function requests(hours: number, ...processes: FakeProcess[]) {
	for (let minute = 0; minute < hours * 60; minute++) {
		for (const process of processes) {
			process.environment.nowMs = MIDNIGHT + minute * MINUTE_MS;
			await process.ask();
		}
	}
}

describe('a refresh token that AiClk refuses', () => {
	it.each([
		['refused', REFUSED],
		['answered with a token that cannot be stored', UNUSABLE],
	])('a refused refresh is sent at most 12 times a day: %s', async (_, reply) => {
		aiclk.refreshReply = reply;
		await requests(24, n8n);
		expect(aiclk.refreshes.length).toBeGreaterThan(5);
		expect(aiclk.refreshes.length).toBeLessThanOrEqual(12);
	});

	it('a refused refresh token does not use up the client’s quota', async () => {
		aiclk.refreshReply = ({ body }) =>
			String((body as Record<string, unknown>).refresh_token).startsWith('dead')
				? REFUSED()
				: answer({ code: 200, data: aiclk.issue() });
		const dead = ['dead-1', 'dead-2', 'dead-3'].map((refreshToken) => emptyRow({ refreshToken }));
		for (let minute = 0; minute < 23 * 60; minute++) {
			n8n.environment.nowMs = MIDNIGHT + minute * MINUTE_MS;
			for (const row of dead) await n8n.manager.ensureToken({ ...row }, aiclk.http);
		}
		expect(await n8n.ask()).toMatchObject({ ok: true });
	});

	it('the error says since when refreshes fail and when the next is sent', async () => {
		aiclk.refreshReply = REFUSED;
		await requests(1, n8n);
		expect(await n8n.ask()).toMatchObject({
			ok: false,
			failure: {
				message: expect.stringMatching(
					/refresh_token 无效.* No refresh is sent before 2026-11-24T17:15:00\.000Z\.$/,
				),
				description: expect.stringMatching(/since 2026-11-24T16:00:00\.000Z \(4 failed\)\./),
			},
		});
	});

	it('a new refresh token or a forced refresh ends the backoff', async () => {
		aiclk.refreshReply = REFUSED;
		await n8n.ask();
		await n8n.force();
		expect(aiclk.refreshes).toHaveLength(2);
		await n8n.ask(emptyRow({ refreshToken: 'another' }));
		expect(aiclk.refreshes).toHaveLength(3);
	});
});

it('a day without refreshes ends at midnight: the first request after it refreshes', async () => {
	const quota = { clientKey: inputOf(emptyRow()).clientKey, day: '2026-11-24', attempts: 300 };
	const expired = token('expired', {
		issuedAtMs: MIDNIGHT - 100 * DAY_MS,
		expiresAtMs: MIDNIGHT - DAY_MS,
		quota,
	});
	n8n.row = { ...emptyRow(), ...toStoredFields(expired) };
	n8n.environment.nowMs = MIDNIGHT - 1;
	expect(await n8n.ask()).toMatchObject({ failure: { kind: 'quota', resetsAtMs: MIDNIGHT } });
	n8n.environment.nowMs = MIDNIGHT;
	expect(await n8n.ask()).toMatchObject({ value: { accessToken: 'access-1' } });
	expect(n8n.environment.slept).toEqual([1_500]);
});

describe('an outage', () => {
	it.each([
		['never reached AiClk', 'ECONNREFUSED', 0],
		['may have reached it', 'ECONNRESET', 1],
	])('a refresh that %s (%s) counts %d toward the day', async (_, code, attempts) => {
		aiclk.refreshReply = failing(code);
		await n8n.ask();
		expect(n8n.manager.refreshesToday(inputOf(n8n.row), null)).toBe(attempts);
	});

	it('an outage during which nothing reaches AiClk costs no quota', async () => {
		aiclk.refreshReply = failing('ECONNREFUSED');
		await requests(23, n8n);
		expect(aiclk.refreshes.length).toBeGreaterThan(200);
		aiclk.refreshReply = null;
		n8n.environment.nowMs = MIDNIGHT + 23.5 * HOUR_MS;
		await n8n.ask();
		expect(n8n.manager.refreshesToday(inputOf(n8n.row), null)).toBe(1);
	});
});

describe('an exception inside a refresh', () => {
	it('an exception fails its own refresh, not the next one', async () => {
		aiclk.refreshReply = () => {
			throw Object.defineProperty({}, 'code', {
				get() {
					throw new Error('broken');
				},
			});
		};
		await expect(n8n.ask()).rejects.toThrow('broken');
		aiclk.refreshReply = null;
		expect(await n8n.ask()).toMatchObject({ ok: true });
	});
});
