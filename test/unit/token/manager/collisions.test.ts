import { aiclk, FakeProcess, n8n, NOTHING } from '../../../harness/fakeProcess';
import { DAY_MS, emptyRow, HOUR_MS, NOW, type Row, tokenOf } from '../../../harness/fakes';

describe('a token whose renewal is due', () => {
	it('the old token is probed before it is used when a renewal has lost a collision', async () => {
		await n8n.withToken();
		n8n.environment.nowMs = NOW + 76 * DAY_MS;
		n8n.environment.duringSleep = () => void aiclk.live.delete('access-2');
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
		expect(aiclk.checks).toEqual(['access-2', 'access-2', 'access-1']);
	});
});

describe('an expired token', () => {
	beforeEach(async () => {
		await n8n.withToken();
		n8n.environment.nowMs = NOW + 90 * DAY_MS;
	});

	it('60 runs at once share one refresh of an expired token', async () => {
		const rows = Array.from({ length: 60 }, () => ({ ...n8n.row }));
		await Promise.all(rows.map(async (row) => await n8n.ask(row)));
		expect(aiclk.refreshes).toHaveLength(1);
		expect(new Set(rows.map((row) => row.accessToken))).toEqual(new Set([n8n.row.accessToken]));
	});

	it('a new token whose probe has no answer is stored', async () => {
		aiclk.checkReply = () => {
			throw new Error('timeout');
		};
		expect(await n8n.ask()).toMatchObject({ ok: true });
		expect(n8n.row.accessToken).toBe('access-2');
	});

	it('in a collision the loser stores nothing', async () => {
		aiclk.strict = true;
		const other = n8n.peer();
		let winner: Promise<unknown> | null = null;
		n8n.environment.duringSleep = async () => {
			winner ??= other.ask();
			await winner;
		};
		const before = { ...n8n.row };
		const lost = await n8n.ask();
		expect(lost).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(n8n.row).toEqual(before);
		expect(aiclk.live).toContain(other.row.accessToken);

		n8n.row = other.row;
		expect(await n8n.ask()).toEqual(NOTHING);
		expect(aiclk.refreshes).toHaveLength(2);
	});

	it('in a collision the loser adopts the winner’s token once seen', async () => {
		aiclk.strict = true;
		const other = n8n.peer();
		const late = { ...n8n.row };
		n8n.environment.duringSleep = async () => {
			if (n8n.environment.slept.length === 1) await other.ask();
			if (n8n.environment.slept.length === 3) void n8n.ask({ ...other.row });
		};
		expect(await n8n.ask(late)).toMatchObject({ ok: true });
		expect(late.accessToken).toBe(other.row.accessToken);
		expect(n8n.row.accessToken).toBe(other.row.accessToken);
		expect(n8n.environment.slept).toEqual([1_500, 1_500, 500]);
	});

	it('in a collision the loser fails if the other token is dead, too', async () => {
		aiclk.strict = true;
		const other = n8n.peer();
		n8n.environment.duringSleep = async () => {
			if (n8n.environment.slept.length !== 1) return;
			await other.ask();
			aiclk.live.clear();
			void n8n.ask({ ...other.row });
		};
		expect(await n8n.ask()).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(n8n.row.accessToken).toBe('access-1');
	});

	it('a new token counts as later than one that a peer stored meanwhile', async () => {
		const other = new FakeProcess(aiclk, n8n.row);
		other.environment.nowMs = n8n.environment.nowMs;
		n8n.environment.duringSleep = async () => {
			await other.ask();
			void n8n.manager.ensureToken({ ...other.row }, aiclk.http);
		};
		await n8n.ask();
		expect(tokenOf(other.row).state.generation).toBe(2);
		expect(tokenOf(n8n.row).state.generation).toBe(3);
	});

	it('after a collision the loser refreshes after 6 seconds', async () => {
		aiclk.strict = true;
		n8n.environment.duringSleep = () => aiclk.live.clear();
		await n8n.ask();
		n8n.environment.nowMs += 5_999;
		expect(await n8n.ask()).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(aiclk.refreshes).toHaveLength(1);
		n8n.environment.duringSleep = () => undefined;
		expect(await n8n.ask()).toMatchObject({ ok: true });
		expect(aiclk.refreshes).toHaveLength(2);
	});

	it('the third new token that AiClk rejects in a row is stored', async () => {
		aiclk.checkReply = () => ({ statusCode: 401, body: { code: 401, message: '无权限' } });
		const lost = { ok: false, failure: { kind: 'superseded' } };
		for (let race = 0; race < 2; race++) {
			expect(await n8n.ask()).toMatchObject(lost);
			n8n.environment.nowMs += 6_000;
		}
		expect(await n8n.ask()).toMatchObject({ ok: true });
		expect(n8n.row.accessToken).toBe('access-4');
		// From now on such a refusal costs no refresh, whatever failed, until AiClk has answered for once.
		for (let hour = 0; hour < 48; hour++) {
			n8n.environment.nowMs += HOUR_MS;
			expect(await n8n.ask(await n8n.failedRequest(hour % 2 === 0))).toEqual(NOTHING);
		}
		expect(aiclk.refreshes).toHaveLength(3);
		aiclk.checkReply = null;
		n8n.environment.nowMs += HOUR_MS;
		await n8n.ask(await n8n.failedRequest());
		aiclk.live.clear();
		n8n.environment.nowMs += HOUR_MS;
		await n8n.ask(await n8n.failedRequest());
		expect(n8n.row.accessToken).toBe('access-5');
	});

	it('collisions do not add up while peers store their tokens', async () => {
		aiclk.strict = true;
		n8n.environment.duringSleep = () => aiclk.live.clear();
		for (let race = 0; race < 6; race++) {
			expect(await n8n.ask()).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
			n8n.environment.nowMs += 6_000;
			// Another process stores one that is dead by now, too.
			n8n.row = { ...n8n.row, accessToken: `peer-${race}` };
		}
	});

	it('a successor that was not stored yet is used, not refreshed again', async () => {
		const stale = { ...n8n.row };
		await n8n.ask();
		n8n.row = stale;
		n8n.environment.nowMs += HOUR_MS;
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
		expect(n8n.row.accessToken).toBe('access-2');
	});

	it('a newer token that a peer stored meanwhile is used', async () => {
		const other = n8n.peer();
		await other.ask();
		n8n.row = other.row;
		expect(await n8n.ask()).toEqual(NOTHING);
		expect(aiclk.refreshes).toHaveLength(1);
	});
});

describe('a token that AiClk rejects', () => {
	let other: FakeProcess;

	/** A request of this process reads the row as another process has left it. */
	const see = async () => {
		n8n.row = { ...other.row };
		await n8n.ask();
	};

	beforeEach(async () => {
		await n8n.withToken();
		aiclk.strict = true;
		other = n8n.peer();
	});

	it('all who wait watch together for a peer’s token, for 3 seconds', async () => {
		aiclk.live.clear();
		const items = await Promise.all(Array.from({ length: 30 }, () => n8n.failedRequest()));
		await Promise.all(items.map(async (row) => await n8n.ask(row)));
		expect(n8n.environment.slept).toEqual([500, 500, 500, 500, 500, 500, 1_500]);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a peer’s token is adopted as soon as any request reads it', async () => {
		const read = await n8n.failedRequest();
		await other.force();
		n8n.environment.duringSleep = see;
		await n8n.ask(read);
		expect(n8n.environment.slept).toEqual([500]);
		expect(read.accessToken).toBe(other.row.accessToken);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a rejected token is deferred to the winner of a collision', async () => {
		const first = await n8n.failedRequest();
		const second = await n8n.failedRequest();
		n8n.environment.duringSleep = () => aiclk.live.clear();
		aiclk.live.clear();
		await n8n.ask(first);
		n8n.environment.nowMs += 4_000;
		expect(await n8n.ask(second)).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a token rejected right after its issue is deferred to a peer', async () => {
		await n8n.force();
		const read = await n8n.failedRequest();
		await other.force();
		expect(await n8n.ask(read)).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(aiclk.refreshes).toHaveLength(2);
		await see();
		expect(n8n.row.accessToken).toBe(other.row.accessToken);
		expect(aiclk.refreshes).toHaveLength(2);
	});

	it('a token still stored after the watch is refreshed: no peer did', async () => {
		await n8n.force();
		const read = await n8n.failedRequest();
		aiclk.live.clear();
		expect(await n8n.ask(read)).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		n8n.environment.nowMs += 6_000;
		n8n.environment.slept.length = 0;
		expect(await n8n.ask()).toMatchObject({ ok: true });
		expect(n8n.environment.slept).toEqual([1_500]);
		expect(aiclk.live.has(String(n8n.row.accessToken))).toBe(true);
		expect(aiclk.refreshes).toHaveLength(2);
	});

	it('an old rejected token is deferred to a peer only once', async () => {
		n8n.environment.nowMs += 60 * DAY_MS;
		const first = await n8n.failedRequest();
		aiclk.live.clear();
		expect(await n8n.ask(first)).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(aiclk.refreshes).toHaveLength(0);
		n8n.environment.nowMs += 3_600_000;
		const second = await n8n.failedRequest();
		expect(await n8n.ask(second)).toMatchObject({ ok: true });
		expect(aiclk.refreshes).toHaveLength(1);
		expect(aiclk.live.has(String(second.accessToken))).toBe(true);
	});

	it('a single n8n replaces a token that was revoked late, with one run a second, in 13.5 s', async () => {
		n8n.environment.nowMs += 60 * DAY_MS;
		await n8n.ask();
		n8n.environment.nowMs += HOUR_MS;
		aiclk.live.clear();
		const revokedAtMs = n8n.environment.nowMs;
		for (;;) {
			const read = { ...n8n.row };
			if ((await n8n.ask(read)).ok) {
				if (aiclk.live.has(String(read.accessToken))) break;
				n8n.manager.observeRequest(read, true);
				await n8n.ask(read);
				if (aiclk.live.has(String(read.accessToken))) break;
			}
			n8n.environment.nowMs += 1_000;
		}
		expect(n8n.environment.nowMs - revokedAtMs).toBe(13_500);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a token is probed once in 30 seconds when calls are rejected', async () => {
		const probe = async (row: Row = n8n.row) => await n8n.manager.probe({ ...row }, aiclk.http);
		expect(await probe()).toBe('accepted');
		aiclk.live.clear();
		n8n.environment.nowMs += 29_999;
		expect(await probe()).toBe('accepted');
		n8n.environment.nowMs += 1;
		expect(await probe()).toBe('rejected');
		expect(await probe(emptyRow())).toBe('unknown');
		expect(await probe(emptyRow({ clientId: '' }))).toBe('unknown');
		expect(aiclk.checks).toHaveLength(2);
	});
});
