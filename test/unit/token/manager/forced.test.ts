import { aiclk, FakeProcess, n8n, NOTHING } from '../../../harness/fakeProcess';
import { answer, emptyRow, tokenOf } from '../../../harness/fakes';

describe('a forced refresh', () => {
	it('forced refreshes ignore the age and share one refresh', async () => {
		await n8n.withToken();
		await Promise.all([n8n.force(), n8n.force(), n8n.force()]);
		expect(aiclk.refreshes).toHaveLength(1);
		await n8n.force();
		expect(aiclk.refreshes).toHaveLength(2);
		expect(tokenOf(n8n.row).state.generation).toBe(3);
	});

	it('a forced refresh is carried out once', async () => {
		const credentials = { ...n8n.row };
		n8n.manager.forceRefresh(credentials, null);
		await n8n.ask(credentials);
		expect(await n8n.ask(credentials)).toEqual(NOTHING);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	const QUOTA = {
		ok: false,
		failure: { kind: 'quota', resetsAtMs: Date.parse('2026-11-24T16:00:00Z') },
	};

	it('forced refreshes stop at 240 a day while the token is valid', async () => {
		for (let i = 0; i < 240; i++) expect(await n8n.force()).toMatchObject({ ok: true });
		expect(await n8n.force()).toMatchObject(QUOTA);
		expect(aiclk.refreshes).toHaveLength(240);
		expect(await n8n.ask(emptyRow({ refreshToken: 'of-another-account' }))).toMatchObject({
			ok: true,
		});
		n8n.environment.nowMs = Date.parse('2026-11-24T16:00:00Z');
		expect(await n8n.force()).toMatchObject({ ok: true });
		expect(tokenOf(n8n.row).state.quota).toMatchObject({ day: '2026-11-25', attempts: 1 });
	});

	it('forced refreshes go up to 300 a day with a rejected token', async () => {
		for (let i = 0; i < 300; i++) {
			n8n.manager.observeProbe({ ...n8n.row }, 'rejected');
			expect(await n8n.force()).toMatchObject({ ok: true });
		}
		n8n.manager.observeProbe({ ...n8n.row }, 'rejected');
		expect(await n8n.force()).toMatchObject(QUOTA);
		expect(aiclk.refreshes).toHaveLength(300);
	});
});

describe('the quota of the day', () => {
	it('the day’s quota is stored with the token and read after a restart', async () => {
		await n8n.ask();
		await n8n.force();
		const restarted = new FakeProcess(aiclk, n8n.row);
		await restarted.force();
		expect(tokenOf(restarted.row).state.quota?.attempts).toBe(3);
	});

	it('failed attempts are stored with the next token', async () => {
		aiclk.refreshReply = () => answer('', 500);
		await n8n.force();
		await n8n.force();
		aiclk.refreshReply = null;
		await n8n.force();
		expect(tokenOf(n8n.row).state.quota?.attempts).toBe(3);
		await n8n.force();
		expect(tokenOf(n8n.row).state.quota?.attempts).toBe(4);
	});

	it('the quota is counted by client, not by credential', async () => {
		const typed = emptyRow({ refreshToken: 'of-another-account' });
		await n8n.ask();
		await n8n.ask(typed);
		expect(tokenOf(typed).state.quota?.attempts).toBe(2);
		const stranger = emptyRow({ clientId: '2' });
		await n8n.ask(stranger);
		expect(tokenOf(stranger).state.quota?.attempts).toBe(1);
	});
});
