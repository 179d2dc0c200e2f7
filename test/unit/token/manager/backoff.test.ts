import { answer, emptyRow, FakeAiClk, FakeProcess, inputOf } from '../../../harness/fakes';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Midnight in Shanghai. */
const MIDNIGHT = Date.parse('2026-11-24T16:00:00Z');

let aiclk: FakeAiClk;
let n8n: FakeProcess;

beforeEach(() => {
	aiclk = new FakeAiClk();
	n8n = new FakeProcess(aiclk);
});

const REFUSED = () => answer({ code: 400, data: null, message: 'refresh_token 无效' });
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

	it('five workers send a refused refresh at most 60 times a day', async () => {
		aiclk.refreshReply = REFUSED;
		await requests(24, ...Array.from({ length: 5 }, () => new FakeProcess(aiclk)));
		expect(aiclk.refreshes.length).toBeLessThanOrEqual(60);
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

describe('an outage', () => {
	it('the backoff of an outage is 5 minutes at most', async () => {
		aiclk.refreshReply = () => answer({ code: 500, data: null, message: '服务异常' });
		await requests(10, n8n);
		aiclk.refreshReply = null;
		n8n.environment.nowMs += 5 * MINUTE_MS;
		expect(await n8n.ask()).toMatchObject({ ok: true });
	});

	it('an outage during which nothing reaches AiClk costs no quota', async () => {
		aiclk.refreshReply = () => {
			throw Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
		};
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
