import { aiclk, n8n, NOTHING } from '../../../harness/fakeProcess';
import { answer, DAY_MS, failing, HOUR_MS, NOW, TYPED } from '../../../harness/fakes';

describe('a refresh that fails', () => {
	const FAILURES: Array<[string, () => unknown]> = [
		['HTTP 500', () => answer({ code: 500, data: null, message: '服务异常' }, 500)],
		['half a JSON', () => answer('{"code":200,"data":{"access_tok')],
		['a token that n8n would run', () => answer({ code: 200, data: { access_token: '={{1}}' } })],
		['a cut connection', failing('ECONNRESET')],
	];

	it.each(FAILURES)(
		'50 items share one failed refresh, nothing is stored: %s',
		async (_, reply) => {
			aiclk.refreshReply = reply;
			const before = { ...n8n.row };
			const ask = async () => [await n8n.ask(), await n8n.ask()];
			const outcomes = (await Promise.all(Array.from({ length: 50 }, ask))).flat();
			expect(aiclk.refreshes).toHaveLength(1);
			expect(outcomes.every((outcome) => !outcome.ok)).toBe(true);
			expect(n8n.row).toEqual(before);
		},
	);

	it('a failed refresh shows AiClk’s words and no secret', async () => {
		const echo = `client ${TYPED.clientId} refresh_token ${TYPED.refreshToken} 无效`;
		aiclk.refreshReply = () => answer({ code: 400, message: echo, trace_id: '51e3db63b922cc8d' });
		const outcome = await n8n.ask();
		const text = JSON.stringify(outcome);
		expect(text).toContain('AiClk');
		expect(text).toContain('无效');
		expect(text).toContain('51e3db63b922cc8d');
		expect(text).not.toContain(TYPED.refreshToken);
		expect(text).not.toContain(TYPED.clientId);
	});

	/** Asks every so often, always with this outcome. @returns the seconds between refreshes */
	const secondsBetween = async (count: number, everyMs: number, outcome: object) => {
		const seconds: number[] = [];
		for (let lastMs: number | null = null; seconds.length < count;) {
			const { length } = aiclk.refreshes;
			expect(await n8n.ask()).toMatchObject(outcome);
			if (aiclk.refreshes.length > length) {
				if (lastMs !== null) seconds.push((n8n.environment.nowMs - lastMs) / 1_000);
				lastMs = n8n.environment.nowMs;
			}
			n8n.environment.nowMs += everyMs;
		}
		return seconds;
	};

	it('a needed refresh is retried after 10 s, doubling to 5 min', async () => {
		aiclk.refreshReply = () => answer('', 500);
		const seconds = await secondsBetween(8, 1_000, { ok: false });
		expect(seconds).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
	});

	it.each([
		['refused', answer({ code: 400, message: 'refresh_token 无效' }), 0],
		['not answered as documented, so it may have invalidated the token', answer('', 500), 1],
	])('after a renewal that was %s, the old token is probed or not', async (_, reply, probes) => {
		await n8n.withToken();
		aiclk.refreshReply = () => reply;
		n8n.environment.nowMs = NOW + 76 * DAY_MS;
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toHaveLength(1);
		expect(aiclk.checks).toHaveLength(probes);
	});

	it('a failed renewal is retried after 60 s, doubling to 15 min', async () => {
		await n8n.withToken();
		aiclk.refreshReply = () => answer('', 500);
		n8n.environment.nowMs = NOW + 75 * DAY_MS;
		const seconds = await secondsBetween(6, 5_000, NOTHING);
		// The jitter is drawn once in 300 s.
		expect(seconds).toEqual([300, 300, 300, 480, 900, 900]);
	});

	it('failed renewals delay a needed refresh by at most 10 s', async () => {
		await n8n.withToken();
		aiclk.refreshReply = () => answer('', 500);
		for (let hour = 0; hour < 24; hour++) {
			n8n.environment.nowMs = NOW + 89 * DAY_MS + hour * HOUR_MS;
			await n8n.ask();
		}
		expect(aiclk.refreshes).toHaveLength(24);
		n8n.environment.nowMs = NOW + 90 * DAY_MS - 60_000 - 9_000;
		await n8n.ask();
		aiclk.refreshReply = null;
		n8n.environment.nowMs += 10_000;
		expect(await n8n.ask()).toMatchObject({ ok: true, value: { accessToken: 'access-2' } });
	});
});
