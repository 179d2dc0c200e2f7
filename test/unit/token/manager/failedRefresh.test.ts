import { answer, DAY_MS, FakeAiClk, FakeProcess, NOW, TYPED } from '../../../harness/fakes';

const HOUR_MS = 3_600_000;

let aiclk: FakeAiClk;
let n8n: FakeProcess;

beforeEach(() => {
	aiclk = new FakeAiClk();
	n8n = new FakeProcess(aiclk);
});

/** A token has been in the store for a minute. AiClk has accepted a probe of it, and nothing has been counted yet. */
async function withToken() {
	await n8n.ask();
	n8n.manager.noteProbe({ ...n8n.row }, 'accepted');
	n8n.environment.nowMs += 60_000;
	aiclk.refreshes = [];
	aiclk.checks = [];
	n8n.environment.slept = [];
}

describe('a refresh that fails', () => {
	const failing: Array<[string, () => unknown]> = [
		['HTTP 500', () => answer({ code: 500, data: null, message: '服务异常' }, 500)],
		['HTML', () => answer('<html>login</html>')],
		['half a JSON', () => answer('{"code":200,"data":{"access_tok')],
		['nothing', () => answer('')],
		['a token that n8n would run', () => answer({ code: 200, data: { access_token: '={{1}}' } })],
		[
			'a cut connection',
			() => {
				throw Object.assign(new Error('x'), { code: 'ECONNRESET' });
			},
		],
	];

	it.each(failing)('50 items share one failed refresh, nothing is stored: %s', async (_, reply) => {
		aiclk.refreshReply = reply;
		const before = { ...n8n.row };
		const ask = async () => [await n8n.ask(), await n8n.ask()];
		const outcomes = (await Promise.all(Array.from({ length: 50 }, ask))).flat();
		expect(aiclk.refreshes).toHaveLength(1);
		expect(outcomes.every((outcome) => !outcome.ok)).toBe(true);
		expect(n8n.row).toEqual(before);
	});

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

	it('a needed refresh is retried after 10 s, doubling to 5 min', async () => {
		aiclk.refreshReply = () => answer('', 500);
		const gaps: number[] = [];
		let last = n8n.environment.nowMs;
		await n8n.ask();
		while (gaps.length < 8) {
			n8n.environment.nowMs += 1_000;
			const before = aiclk.refreshes.length;
			await n8n.ask();
			if (aiclk.refreshes.length > before) {
				gaps.push((n8n.environment.nowMs - last) / 1_000);
				last = n8n.environment.nowMs;
			}
		}
		expect(gaps).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
	});

	it('a failed renewal is retried after 60 s, doubling to 15 min', async () => {
		await withToken();
		aiclk.refreshReply = () => answer('', 500);
		n8n.environment.nowMs = NOW + 75 * DAY_MS;
		const gaps: number[] = [];
		let last = n8n.environment.nowMs;
		for (let second = 0; gaps.length < 7; second += 5) {
			n8n.environment.nowMs = NOW + 75 * DAY_MS + second * 1_000;
			const before = aiclk.refreshes.length;
			expect(await n8n.ask()).toEqual({ ok: true, value: null });
			if (aiclk.refreshes.length > before) {
				gaps.push((n8n.environment.nowMs - last) / 1_000);
				last = n8n.environment.nowMs;
			}
		}
		// The jitter is drawn once in 300 s.
		expect(gaps).toEqual([0, 300, 300, 300, 480, 900, 900]);
	});

	it('failed renewals delay a needed refresh by at most 10 s', async () => {
		await withToken();
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

	it('a forced refresh does not wait for the backoff', async () => {
		aiclk.refreshReply = () => answer('', 500);
		await n8n.ask();
		await n8n.force();
		expect(aiclk.refreshes).toHaveLength(2);
		aiclk.refreshReply = null;
		expect(await n8n.force()).toMatchObject({ ok: true });
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
	});
});
