import { aiclk, FakeProcess, n8n } from '../../../harness/fakeProcess';
import { answer, DAY_MS, HOUR_MS, MINUTE_MS, NOW, tokenOf, TYPED } from '../../../harness/fakes';

/** The one refresh token that AiClk accepts. */
let accepted: string;

/** AiClk rotates refresh tokens: each refresh spends one and brings the next. */
beforeEach(() => {
	accepted = TYPED.refreshToken;
	aiclk.refreshReply = ({ body }) => {
		if ((body as Record<string, unknown>).refresh_token !== accepted) {
			return answer({ code: 400, data: null, message: 'refresh_token 无效' });
		}
		const data = aiclk.issue();
		accepted = `rotated-${aiclk.refreshes.length}`;
		return answer({ code: 200, data: { ...data, refresh_token: accepted } });
	};
});

describe('a rotated refresh token is stored at once', () => {
	it('a rotated refresh token is stored without a probe', async () => {
		await n8n.ask();
		n8n.environment.nowMs += 90 * DAY_MS;
		for (let run = 0; run < 6; run++) {
			expect(await n8n.ask()).toMatchObject({ ok: true });
			expect(n8n.row.rotatedRefreshToken).toBe(accepted);
			n8n.environment.nowMs += 10 * MINUTE_MS;
		}
		expect(aiclk.refreshes).toHaveLength(2);
		expect([aiclk.checks, n8n.environment.slept]).toEqual([[], []]);
	});

	it.each(['', '={{ 1 }}', 'with space', undefined, 7])(
		'a rotated refresh token is stored beside the access token %p',
		async (accessToken) => {
			await n8n.ask();
			n8n.environment.nowMs += 90 * DAY_MS;
			const reply = aiclk.refreshReply;
			aiclk.refreshReply = (options) => {
				const { body, statusCode } = reply?.(options) as ReturnType<typeof answer>;
				const { data } = JSON.parse(body) as { data: object };
				return answer({ code: 200, data: { ...data, access_token: accessToken } }, statusCode);
			};
			const credentials = { ...n8n.row };
			await n8n.ask(credentials);
			expect(n8n.row.rotatedRefreshToken).toBe(accepted);
			expect(n8n.manager.failureOf(credentials)).toMatchObject({ kind: 'unusable' });
			// A new process carries on with it.
			aiclk.refreshReply = reply;
			const restarted = new FakeProcess(aiclk, n8n.row);
			restarted.environment.nowMs = n8n.environment.nowMs + HOUR_MS;
			expect(await restarted.ask()).toMatchObject({ ok: true });
			expect(aiclk.live).toContain(restarted.row.accessToken);
		},
	);

	it('a rotated refresh token is stored without an access token', async () => {
		const reply = aiclk.refreshReply;
		aiclk.refreshReply = () => {
			accepted = 'rotated-1';
			return answer({ code: 200, data: { access_token: '', refresh_token: accepted } });
		};
		await n8n.ask();
		expect(n8n.row).toMatchObject({ accessToken: '', rotatedRefreshToken: 'rotated-1' });
		expect(tokenOf(n8n.row).state.refreshes).toEqual([]);
		aiclk.refreshReply = reply;
		const restarted = new FakeProcess(aiclk, n8n.row);
		restarted.environment.nowMs += HOUR_MS;
		expect(await restarted.ask()).toMatchObject({ ok: true });
	});

	it('a failed renewal stores its rotated refresh token', async () => {
		await n8n.ask();
		n8n.environment.nowMs = NOW + 80 * DAY_MS;
		const { accessToken } = n8n.row;
		aiclk.refreshReply = () => {
			accepted = 'rotated-2';
			return answer({ code: 200, data: { access_token: null, refresh_token: accepted } });
		};
		const credentials = { ...n8n.row };
		expect(await n8n.ask(credentials)).toMatchObject({ ok: true });
		expect(n8n.row).toMatchObject({ accessToken, rotatedRefreshToken: 'rotated-2' });
		expect(tokenOf(n8n.row).state.generation).toBe(2);
		expect(n8n.manager.failureOf(credentials)).toBeNull();
	});
});

describe('the refresh token that is sent', () => {
	it('a refresh sends the rotated refresh token of the latest lineage', async () => {
		await n8n.ask();
		const old = { ...n8n.row };
		n8n.environment.nowMs += HOUR_MS;
		await n8n.force();
		// AiClk accepts the old one for once: both processes are at generation 2.
		accepted = String(old.rotatedRefreshToken);
		const other = new FakeProcess(aiclk, old);
		other.environment.nowMs = n8n.environment.nowMs - 5_000;
		await other.force();
		n8n.row = { ...other.row };
		n8n.environment.nowMs += HOUR_MS;
		expect(await n8n.force()).toMatchObject({ ok: true });
		expect(aiclk.refreshes.at(-1)?.refresh_token).toBe(other.row.rotatedRefreshToken);
	});

	it('a refresh sends the rotated token that is not stored yet', async () => {
		await n8n.ask();
		const stale = { ...n8n.row };
		await n8n.force();
		const newer = n8n.row.rotatedRefreshToken;
		n8n.manager.forceRefresh(stale, null);
		await n8n.ask(stale);
		expect(aiclk.refreshes.at(-1)?.refresh_token).toBe(newer);
	});

	it('a refresh sends the rotated token that came alone and is not stored yet', async () => {
		await n8n.ask();
		const stale = { ...n8n.row };
		aiclk.refreshReply = () => answer({ code: 200, data: { refresh_token: 'alone' } });
		await n8n.force();
		n8n.manager.forceRefresh(stale, null);
		await n8n.ask(stale);
		expect(aiclk.refreshes.at(-1)?.refresh_token).toBe('alone');
	});

	it('an unchanged refresh token in an answer is no rotation', async () => {
		await n8n.ask();
		n8n.environment.nowMs += 90 * DAY_MS;
		aiclk.refreshReply = ({ body }) => {
			const { refresh_token } = body as Record<string, unknown>;
			return answer({ code: 200, data: { ...aiclk.issue(), refresh_token } });
		};
		await n8n.ask();
		expect(n8n.environment.slept).toEqual([1_500]);
		expect(aiclk.checks).toEqual(['access-2']);
	});

	it('a refresh token that cannot be stored is dropped', async () => {
		await n8n.ask();
		aiclk.refreshReply = () =>
			answer({ code: 200, data: { ...aiclk.issue(), refresh_token: '={{ 1 }}' } });
		n8n.environment.nowMs += 90 * DAY_MS;
		expect(await n8n.ask()).toMatchObject({ ok: true });
		expect(n8n.row).toMatchObject({ accessToken: 'access-2', rotatedRefreshToken: 'rotated-1' });
		expect(n8n.environment.logged.at(-2)).toMatch(/^warn .*refresh token that cannot be stored/);
	});
});
