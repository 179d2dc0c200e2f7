import { aiclk, FakeProcess, NOTHING } from '../../../harness/fakeProcess';
import {
	ACCEPTED,
	answer,
	DAY_MS,
	HOUR_MS,
	MINUTE_MS,
	NOW,
	REFUSED,
	type Row,
	tokenOf,
	TYPED,
	UNAUTHORIZED,
} from '../../../harness/fakes';

/** A credential with the same input as the others, whose first token another process has got. */
async function rowOf(issuedAtMs = NOW, trusted = false): Promise<Row> {
	const process = new FakeProcess(aiclk);
	process.environment.nowMs = issuedAtMs;
	await process.ask();
	if (trusted) process.manager.observeProbe({ ...process.row }, 'accepted');
	return process.row;
}

/** A process that asks an hour after AiClk has issued its token. @param proven whether AiClk has accepted a probe of it */
async function anHourLater(proven = false): Promise<FakeProcess> {
	const process = new FakeProcess(aiclk, await rowOf());
	if (proven) process.manager.observeProbe({ ...process.row }, 'accepted');
	process.environment.nowMs += HOUR_MS;
	return process;
}

/** A request of one of several rows. @returns whether AiClk accepts its token in the end */
async function request(process: FakeProcess, rows: Row[], index: number): Promise<boolean> {
	process.row = rows[index] as Row;
	const credentials = { ...process.row };
	const before = await process.ask(credentials);
	if (before.ok && !aiclk.live.has(String(credentials.accessToken))) {
		process.manager.observeRequest(credentials, true);
		await process.ask(credentials);
	}
	rows[index] = process.row;
	return before.ok && aiclk.live.has(String(credentials.accessToken));
}

describe('several credentials with one input', () => {
	it.each([2, 6])(
		'%d revoked tokens of an old age are replaced when used in turn',
		async (many) => {
			const rows = await Promise.all(Array.from({ length: many }, async () => await rowOf()));
			const process = new FakeProcess(aiclk);
			process.environment.nowMs = NOW + 60 * DAY_MS;
			process.manager.observeProbe({ ...rows[0] }, 'accepted');
			for (let i = 0; i < many; i++) await request(process, rows, i);
			process.environment.nowMs += HOUR_MS;
			aiclk.refreshes = [];
			aiclk.live.clear();
			let failed = 0;
			for (let run = 0; run < 48; run++) {
				if (!(await request(process, rows, run % many))) failed++;
				process.environment.nowMs += HOUR_MS / 2;
			}
			expect(aiclk.refreshes.length).toBeGreaterThan(0);
			expect(aiclk.refreshes.length).toBeLessThanOrEqual(many);
			expect(failed).toBeLessThanOrEqual(2 * many);
		},
	);

	it.each([2, 6])(
		'rejections that %d rows meet in turn add up to distrust for each row',
		async (many) => {
			const rows = await Promise.all(Array.from({ length: many }, async () => await rowOf()));
			aiclk.refreshes = [];
			aiclk.checkReply = () => UNAUTHORIZED;
			const process = new FakeProcess(aiclk);
			const outcomes: boolean[] = [];
			for (let run = 0; run < 60; run++) {
				process.environment.nowMs = NOW + 91 * DAY_MS + run * 10 * MINUTE_MS;
				process.row = rows[run % many] as Row;
				outcomes.push((await process.ask()).ok);
				rows[run % many] = process.row;
			}
			expect(aiclk.refreshes.length).toBeLessThanOrEqual(3 * many);
			expect(outcomes.slice(3 * many)).not.toContain(false);
		},
	);

	it('a dead refresh token is sent 12 times a day, however many rows hold it', async () => {
		const rows = await Promise.all(Array.from({ length: 6 }, async () => await rowOf()));
		aiclk.refreshes = [];
		aiclk.refreshReply = REFUSED;
		const process = new FakeProcess(aiclk);
		for (let minute = 0; minute < 24 * 60; minute++) {
			process.environment.nowMs = NOW + 95 * DAY_MS + minute * MINUTE_MS;
			for (let i = 0; i < rows.length; i++) await request(process, rows, i);
		}
		expect(aiclk.refreshes.length).toBeLessThanOrEqual(12);
	});

	it.each([
		['after the failure ends', 1_000, true],
		['before the failure does not end', -1_000, false],
	])('a token that was issued %s the backoff', async (_, laterMs, isEnded) => {
		const process = new FakeProcess(aiclk, await rowOf());
		process.environment.nowMs = NOW + 95 * DAY_MS;
		aiclk.refreshReply = REFUSED;
		await process.ask();
		aiclk.refreshReply = null;
		process.row = await rowOf(process.environment.nowMs + laterMs, true);
		aiclk.refreshes = [];
		process.environment.nowMs += MINUTE_MS;
		await process.ask();
		process.environment.nowMs += MINUTE_MS;
		aiclk.live.clear();
		await process.ask(await process.failedRequest());
		expect(aiclk.refreshes).toHaveLength(isEnded ? 1 : 0);
	});

	it('a token of another lineage is probed before it replaces a rejected one', async () => {
		const dead = await rowOf(NOW, true);
		const stored = await rowOf(NOW, true);
		const process = new FakeProcess(aiclk, dead);
		process.manager.observeProbe({ ...dead }, 'accepted');
		await process.ask();
		process.row = stored;
		process.environment.nowMs += HOUR_MS;
		const read = await process.failedRequest();
		aiclk.live.clear();
		aiclk.checks = [];
		await process.ask(read);
		expect(aiclk.checks).toContain(dead.accessToken);
		expect(aiclk.live).toContain(process.row.accessToken);
	});

	it('a token of another lineage does not replace one with a rotated refresh token', async () => {
		const other = await rowOf(NOW + DAY_MS);
		aiclk.rotates = true;
		const rotated = await rowOf();
		const process = new FakeProcess(aiclk, other);
		process.environment.nowMs = NOW + 2 * DAY_MS;
		await process.ask();
		process.row = rotated;
		process.manager.observeProbe({ ...rotated }, 'accepted');
		process.environment.nowMs += HOUR_MS;
		aiclk.live.delete(String(rotated.accessToken));
		await process.ask(await process.failedRequest());
		expect(aiclk.refreshes.at(-1)).toMatchObject({ refresh_token: rotated.rotatedRefreshToken });
		expect(tokenOf(process.row).state.lineage).toBe(tokenOf(rotated).state.lineage);
		expect(process.row.rotatedRefreshToken).not.toBe(rotated.rotatedRefreshToken);
	});
});

describe('a new refresh token that one of two processes gets', () => {
	/** Both renew at once. AiClk begins to rotate with the second one. */
	async function renewTogether(store: (row: Row, read: Row, value: Row) => Row) {
		const stored = await rowOf();
		let row: Row = { ...stored };
		const processes = [new FakeProcess(aiclk, stored), new FakeProcess(aiclk, stored)];
		let count = 0;
		aiclk.refreshReply = () => {
			const data = aiclk.issue();
			return answer({ code: 200, data: count++ === 0 ? data : { ...data, refresh_token: 'new' } });
		};
		const renew = async ({ manager, environment }: FakeProcess) => {
			environment.nowMs = NOW + 76 * DAY_MS;
			const read = { ...row };
			const outcome = await manager.ensureToken(read, aiclk.http);
			if (outcome.ok && outcome.value !== null) row = store(row, read, { ...outcome.value });
		};
		await Promise.all(processes.map(renew));
		return { row, second: processes[1] as FakeProcess };
	}

	it('stays when the other one stores its token later', async () => {
		const { row } = await renewTogether((now, _read, value) => ({ ...now, ...value }));
		expect(row).toMatchObject({ accessToken: 'access-2', rotatedRefreshToken: 'new' });
	});

	it('is stored again where n8n before 2.34 has overwritten it', async () => {
		const { row, second } = await renewTogether((_now, read, value) => ({ ...read, ...value }));
		expect(row.rotatedRefreshToken).toBe('');
		second.row = row;
		await second.ask();
		expect(second.row).toMatchObject({ accessToken: 'access-2', rotatedRefreshToken: 'new' });
		await second.force();
		expect(aiclk.refreshes.at(-1)).toMatchObject({ refresh_token: 'new' });
	});

	it('is emptied when another refresh token is typed', async () => {
		const { row, second } = await renewTogether((now, _read, value) => ({ ...now, ...value }));
		aiclk.refreshReply = null;
		second.row = { ...row, refreshToken: 'typed-later' };
		await second.ask();
		expect(second.row.rotatedRefreshToken).toBe('');
		expect(aiclk.refreshes.at(-1)).toMatchObject({ refresh_token: 'typed-later' });
	});
});

describe('many accounts behind one credential', () => {
	const account = (row: Row, item: number, accounts: number): Row => ({
		...row,
		accountId: String(1_000 + (item % accounts)),
	});

	it.each([1, 3, 20, 300])('forms of %d accounts replace a revoked token', async (accounts) => {
		const process = await anHourLater();
		aiclk.live.clear();
		aiclk.refreshes = [];
		let failed = 0;
		for (let item = 0; item < 300; item++) {
			const credentials = account(process.row, item, accounts);
			await process.ask(credentials);
			if (!aiclk.live.has(String(credentials.accessToken))) failed++;
			process.manager.observeRequest(credentials, false);
			await process.ask(credentials);
			process.environment.nowMs += 1_000;
		}
		expect({ failed, refreshes: aiclk.refreshes.length }).toEqual({ failed: 1, refreshes: 1 });
	});

	it.each([
		['AiClk accepts the token', null],
		['AiClk is out of order', () => ({ statusCode: 502, body: '<html>' })],
	])('300 failed requests of 300 accounts cost one probe: %s', async (_, reply) => {
		const process = await anHourLater();
		aiclk.checkReply = reply;
		for (let item = 0; item < 300; item++) {
			const credentials = account(process.row, item, 300);
			await process.ask(credentials);
			process.manager.observeRequest(credentials, item % 2 === 0);
			expect(await process.ask(credentials)).toEqual(NOTHING);
		}
		expect(aiclk.checks).toHaveLength(1);
	});

	it.each([
		['POSTs, of an account that never had it', false, false],
		['GETs, of an account that never had it', true, false],
		['GETs, of an account that has lost it', true, true],
	])(
		'a token is not replaced because of an account without permission: %s',
		async (_, isSafe, had) => {
			aiclk.strict = true;
			const process = new FakeProcess(aiclk, await rowOf());
			const stranger = () => account(process.row, 0, 1);
			if (had) process.manager.observeProbe(stranger(), 'accepted');
			process.manager.observeProbe({ ...process.row }, 'accepted');
			aiclk.checkReply = ({ qs, headers }) =>
				(qs as Row).account_id === TYPED.accountId &&
				aiclk.live.has(String(headers?.OGW_ACCESS_TOKEN))
					? ACCEPTED
					: UNAUTHORIZED;
			for (let minute = 0; minute < 24 * 60; minute++) {
				process.environment.nowMs += MINUTE_MS;
				const credentials = stranger();
				expect((await process.ask(credentials)).ok).toBe(true);
				process.manager.observeRequest(credentials, isSafe);
				expect(await process.ask(credentials)).toEqual(NOTHING);
				expect(await process.ask()).toEqual(NOTHING);
			}
			expect(aiclk.refreshes).toHaveLength(1);
		},
	);

	it('nor because of a Verify with such an account', async () => {
		const process = await anHourLater(true);
		aiclk.checkReply = ({ qs }) =>
			(qs as Row).account_id === TYPED.accountId ? ACCEPTED : UNAUTHORIZED;
		// AiClk Token sends a request of its own and notes the answer.
		process.manager.observeProbe(account(process.row, 0, 1), 'rejected');
		expect(await process.ask(account(process.row, 0, 1))).toEqual(NOTHING);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a revoked token is replaced even if the account that asks was never accepted', async () => {
		const process = await anHourLater(true);
		aiclk.live.clear();
		const credentials = account(process.row, 0, 1);
		process.manager.observeRequest(credentials, true);
		await process.ask(credentials);
		expect(aiclk.live).toContain(credentials.accessToken);
	});
});

describe('while no refresh may be sent', () => {
	it('60 requests with a revoked token are refused at once', async () => {
		const process = await anHourLater(true);
		aiclk.live.clear();
		aiclk.refreshReply = REFUSED;
		await process.ask(await process.failedRequest());
		process.environment.slept = [];
		for (let i = 0; i < 60; i++) {
			expect(await process.ask()).toMatchObject({ ok: false, failure: { kind: 'refused' } });
		}
		expect(process.environment.slept).toEqual([]);
	});
});

describe('a forced refresh tells how it ended', () => {
	it('a refresh token without an access token is stored and the failure told', async () => {
		const process = await anHourLater();
		aiclk.refreshReply = () =>
			answer({ code: 200, data: { access_token: '', refresh_token: 'new' } });
		const credentials = { ...process.row };
		process.manager.forceRefresh(credentials, null);
		await process.ask(credentials);
		expect(process.manager.failureOf(credentials)).toMatchObject({ kind: 'unusable' });
		expect(process.row.rotatedRefreshToken).toBe('new');
		expect(await process.ask()).toEqual(NOTHING);
	});

	it('so does one that shares a refresh lost in a collision', async () => {
		const process = await anHourLater();
		aiclk.checkReply = () => UNAUTHORIZED;
		const read = await process.failedRequest();
		let forced: Promise<unknown> | null = null;
		process.environment.duringSleep = () => {
			if (aiclk.refreshes.length === 2) forced ??= process.force();
		};
		await process.ask(read);
		expect(await forced).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
	});
});

it('a life of 90 s is not believed, so it costs no refresh a minute', async () => {
	const process = new FakeProcess(aiclk);
	aiclk.expiresIn = 90;
	for (let minute = 0; minute < 14 * 60; minute++) {
		process.environment.nowMs = NOW + minute * MINUTE_MS;
		expect((await process.ask()).ok).toBe(true);
	}
	expect(aiclk.refreshes).toHaveLength(1);
});
