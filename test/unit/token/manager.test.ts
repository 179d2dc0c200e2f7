import { answer, DAY_MS, emptyRow, FakeAiClk, FakeProcess, NOW, tokenOf, TYPED } from '../support';

const HOUR_MS = 3_600_000;

let aiclk: FakeAiClk;
let n8n: FakeProcess;

beforeEach(() => {
	aiclk = new FakeAiClk();
	n8n = new FakeProcess(aiclk);
});

/** A token has been in the store for a minute, and nothing has been counted yet. */
async function withToken() {
	await n8n.ask();
	n8n.environment.nowMs += 60_000;
	aiclk.refreshes = [];
	aiclk.checks = [];
	n8n.environment.slept = [];
}

describe('the first token', () => {
	it('is got with the typed client id and refresh token, without white space, and stored', async () => {
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

	it('is shared by all who wait for it, and by those who read the row before it was stored', async () => {
		const rows = Array.from({ length: 50 }, () => ({ ...n8n.row }));
		const outcomes = await Promise.all(rows.slice(0, 40).map(async (row) => await n8n.ask(row)));
		outcomes.push(...(await Promise.all(rows.slice(40).map(async (row) => await n8n.ask(row)))));
		expect(aiclk.refreshes).toHaveLength(1);
		expect(rows.map((row) => row.accessToken)).toEqual(rows.map(() => 'access-1'));
	});

	it('does not wait for other processes', async () => {
		await n8n.ask();
		expect(n8n.environment.slept).toEqual([]);
		expect(aiclk.checks).toEqual([]);
	});

	it('is got anew for a row without one that is read much later', async () => {
		const other = emptyRow();
		await n8n.ask();
		n8n.environment.nowMs += 10 * 60_000;
		await n8n.ask(other);
		expect(aiclk.refreshes).toHaveLength(2);
	});
});

describe('a fresh token', () => {
	beforeEach(withToken);

	it('costs no call and no write', async () => {
		const before = { ...n8n.row };
		for (let day = 0; day < 70; day++) {
			n8n.environment.nowMs = NOW + day * DAY_MS;
			expect(await n8n.ask()).toEqual({ ok: true, value: null });
		}
		expect(aiclk.refreshes).toEqual([]);
		expect(aiclk.checks).toEqual([]);
		expect(n8n.row).toEqual(before);
	});

	it('survives a restart of n8n', async () => {
		const restarted = new FakeProcess(aiclk, n8n.row);
		expect(await restarted.ask()).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toEqual([]);
	});

	it.each([
		['client id', { clientId: '2' }, { client_id: '2' }],
		['refresh token', { refreshToken: 'new' }, { refresh_token: 'new' }],
		['base URL', { baseUrl: 'https://other.aiclk.com' }, {}],
	])('is replaced at once when the %s is edited', async (_, typed, sent) => {
		n8n.row = { ...n8n.row, ...typed };
		await n8n.ask();
		expect(aiclk.refreshes).toEqual([expect.objectContaining(sent)]);
		expect(n8n.row.accessToken).toBe('access-2');
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
	});

	it('stays when the refresh token is pasted again with other white space', async () => {
		n8n.row = { ...n8n.row, refreshToken: ` ${TYPED.refreshToken}\n` };
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
	});
});

describe('a failed request', () => {
	beforeEach(withToken);

	it.each([
		['answered 500 while the token is fine', () => ({ statusCode: 200, body: { code: 200 } })],
		['that AiClk refused for another reason', () => ({ statusCode: 200, body: { code: 400 } })],
		['of an API that answers HTML', () => ({ statusCode: 502, body: '<html>' })],
		[
			'while nothing answers',
			() => {
				throw new Error('socket hang up');
			},
		],
	])('%s is not sent again and costs no refresh', async (_, reply) => {
		aiclk.checkReply = reply;
		for (let item = 0; item < 300; item++) {
			expect(await n8n.ask(await n8n.failedRequest())).toEqual({ ok: true, value: null });
		}
		expect(aiclk.refreshes).toEqual([]);
		expect(aiclk.checks).toHaveLength(1);
	});

	it('is checked once for all that wait, and again after 30 seconds', async () => {
		const items = await Promise.all(Array.from({ length: 300 }, () => n8n.failedRequest()));
		await Promise.all(items.map(async (credentials) => await n8n.ask(credentials)));
		expect(aiclk.checks).toHaveLength(1);
		n8n.environment.nowMs += 29_999;
		await n8n.ask(await n8n.failedRequest());
		expect(aiclk.checks).toHaveLength(1);
		n8n.environment.nowMs += 1;
		await n8n.ask(await n8n.failedRequest());
		expect(aiclk.checks).toHaveLength(2);
	});

	it.each([
		['HTTP 401', { statusCode: 401, body: 'whatever' }],
		['code 401 in HTTP 200', { statusCode: 200, body: { code: 401 } }],
		['code "401" as text', { statusCode: 200, body: { code: '401' } }],
	])('whose token is refused with %s is healed with one refresh for all', async (_, refused) => {
		aiclk.checkReply = (options) =>
			options.headers?.OGW_ACCESS_TOKEN === 'access-1'
				? refused
				: { statusCode: 200, body: { code: 200 } };
		const items = await Promise.all(Array.from({ length: 30 }, () => n8n.failedRequest()));
		const outcomes = await Promise.all(items.map(async (row) => await n8n.ask(row)));
		expect(aiclk.refreshes).toHaveLength(1);
		expect(outcomes.every((outcome) => outcome.ok && outcome.value !== null)).toBe(true);
	});

	it('heals the next request, too, when the token was found dead by someone else', async () => {
		const dead = String(n8n.row.accessToken);
		aiclk.live.clear();
		n8n.manager.noteProbe({ ...n8n.row }, 'rejected');
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
		expect(aiclk.checks).not.toContain(dead);
	});

	it('that could have been carried out is not repeated when the token was replaced meanwhile', async () => {
		aiclk.strict = true;
		const charge = await n8n.failedRequest(false);
		await n8n.force();
		expect(await n8n.ask(charge)).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('that could have been carried out is repeated with the others whose token AiClk had rejected before', async () => {
		const charges = await Promise.all([n8n.failedRequest(false), n8n.failedRequest(false)]);
		aiclk.live.clear();
		for (const charge of charges) await n8n.ask(charge);
		expect(aiclk.refreshes).toHaveLength(1);
		expect(charges.map((charge) => charge.accessToken)).toEqual(['access-2', 'access-2']);
	});

	it('that only reads gets the token that replaced its own meanwhile', async () => {
		aiclk.strict = true;
		const read = await n8n.failedRequest();
		n8n.environment.nowMs += 1;
		await n8n.force();
		await n8n.ask(read);
		expect(read.accessToken).toBe(n8n.row.accessToken);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('is asked about anew after a refresh, which may have killed a token that AiClk had just accepted', async () => {
		aiclk.strict = true;
		const [first, second] = [await n8n.failedRequest(), await n8n.failedRequest()];
		expect(await n8n.ask(first)).toEqual({ ok: true, value: null });
		await n8n.force();
		await n8n.ask(second);
		expect(second.accessToken).toBe('access-2');
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('of a process that knows only a dead successor ends with a refresh, not with the dead one', async () => {
		const stale = await n8n.failedRequest();
		await n8n.force();
		aiclk.live.clear();
		await n8n.ask(stale);
		expect(aiclk.refreshes).toHaveLength(2);
		expect(aiclk.live).toContain(stale.accessToken);
	});

	it('that took long is not repeated, for another process may have killed its token after it was carried out', async () => {
		aiclk.strict = true;
		const charge = await n8n.failedRequest(false);
		n8n.environment.nowMs += 30_000;
		// Killed by a process that this one knows nothing of.
		aiclk.live.clear();
		expect(await n8n.ask(charge)).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toEqual([]);
	});

	it('that outlived its token is not repeated', async () => {
		const slow = await n8n.failedRequest();
		n8n.environment.nowMs += 91 * DAY_MS;
		expect(await n8n.ask(slow)).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toEqual([]);
		expect(aiclk.checks).toEqual([]);
	});

	it('of a credential edited meanwhile is not repeated', async () => {
		const credentials = await n8n.failedRequest();
		expect(await n8n.ask(Object.assign(credentials, { refreshToken: 'other' }))).toEqual({
			ok: true,
			value: null,
		});
	});
});

describe('an expired token', () => {
	beforeEach(async () => {
		await withToken();
		n8n.environment.nowMs = NOW + 90 * DAY_MS;
	});

	it('is renewed once for 60 runs at once, and no request waits longer than the others', async () => {
		const rows = Array.from({ length: 60 }, () => ({ ...n8n.row }));
		await Promise.all(rows.map(async (row) => await n8n.ask(row)));
		expect(aiclk.refreshes).toHaveLength(1);
		expect(new Set(rows.map((row) => row.accessToken))).toEqual(new Set([n8n.row.accessToken]));
	});

	it('is dead a minute early', async () => {
		n8n.environment.nowMs = NOW + 90 * DAY_MS - 60_000;
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('is replaced by one that has been waited for and asked about', async () => {
		await n8n.ask();
		expect(n8n.environment.slept).toEqual([1_500]);
		expect(aiclk.checks).toEqual([n8n.row.accessToken]);
	});

	it('is replaced even if nobody answers the question about the new one', async () => {
		aiclk.checkReply = () => {
			throw new Error('timeout');
		};
		expect(await n8n.ask()).toMatchObject({ ok: true });
		expect(n8n.row.accessToken).toBe('access-2');
	});

	it('of two processes that collide ends with the token that lives; the loser stores nothing', async () => {
		aiclk.strict = true;
		const other = new FakeProcess(aiclk, n8n.row);
		other.environment.nowMs = n8n.environment.nowMs;
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
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toHaveLength(2);
	});

	it('of two processes that collide ends with the winner’s token for the loser, too, once it is seen', async () => {
		aiclk.strict = true;
		const other = new FakeProcess(aiclk, n8n.row);
		other.environment.nowMs = n8n.environment.nowMs;
		const late = { ...n8n.row };
		n8n.environment.duringSleep = async () => {
			if (n8n.environment.slept.length === 1) await other.ask();
			if (n8n.environment.slept.length === 3) void n8n.ask({ ...other.row });
		};
		expect(await n8n.ask(late)).toMatchObject({ ok: true });
		expect(late.accessToken).toBe(other.row.accessToken);
		expect(n8n.row.accessToken).toBe(other.row.accessToken);
		expect(n8n.environment.slept).toEqual([1_500, 500, 500]);
	});

	it('of two processes that collide fails for the loser when the only other token it sees is dead, too', async () => {
		aiclk.strict = true;
		const other = new FakeProcess(aiclk, n8n.row);
		other.environment.nowMs = n8n.environment.nowMs;
		n8n.environment.duringSleep = async () => {
			if (n8n.environment.slept.length !== 1) return;
			await other.ask();
			aiclk.live.clear();
			void n8n.ask({ ...other.row });
		};
		expect(await n8n.ask()).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(n8n.row.accessToken).toBe('access-1');
	});

	it('after a lost race is left to the winner for 5 seconds, then renewed here', async () => {
		aiclk.strict = true;
		n8n.environment.duringSleep = () => aiclk.live.clear();
		await n8n.ask();
		n8n.environment.nowMs += 4_999;
		expect(await n8n.ask()).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(aiclk.refreshes).toHaveLength(1);
		n8n.environment.duringSleep = () => undefined;
		expect(await n8n.ask()).toMatchObject({ ok: true });
		expect(aiclk.refreshes).toHaveLength(2);
	});

	it('whose successors AiClk all refuses to answer about is replaced by the third, for nobody else has won', async () => {
		aiclk.checkReply = () => ({ statusCode: 401, body: { code: 401, message: '无权限' } });
		const lost = { ok: false, failure: { kind: 'superseded' } };
		for (let race = 0; race < 2; race++) {
			expect(await n8n.ask()).toMatchObject(lost);
			n8n.environment.nowMs += 5_000;
		}
		expect(await n8n.ask()).toMatchObject({ ok: true });
		expect(n8n.row.accessToken).toBe('access-4');
		// From now on such a refusal costs no refresh, whatever failed, until AiClk has answered for once.
		for (let hour = 0; hour < 48; hour++) {
			n8n.environment.nowMs += HOUR_MS;
			expect(await n8n.ask(await n8n.failedRequest(hour % 2 === 0))).toEqual({
				ok: true,
				value: null,
			});
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

	it('is not taken for one that nobody else has renewed while others store theirs', async () => {
		aiclk.strict = true;
		n8n.environment.duringSleep = () => aiclk.live.clear();
		for (let race = 0; race < 6; race++) {
			expect(await n8n.ask()).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
			n8n.environment.nowMs += 5_000;
			// Another process stores one that is dead by now, too.
			n8n.row = { ...n8n.row, accessToken: `rival-${race}` };
		}
	});

	it('whose successor was not stored is replaced by it, not by another', async () => {
		const stale = { ...n8n.row };
		await n8n.ask();
		n8n.row = stale;
		n8n.environment.nowMs += HOUR_MS;
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
		expect(n8n.row.accessToken).toBe('access-2');
	});

	it('is renewed by one process only when another has stored a newer one meanwhile', async () => {
		const other = new FakeProcess(aiclk, n8n.row);
		other.environment.nowMs = n8n.environment.nowMs;
		await other.ask();
		n8n.row = other.row;
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
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
		await withToken();
		aiclk.strict = true;
		other = new FakeProcess(aiclk, { ...n8n.row });
		other.environment.nowMs = n8n.environment.nowMs;
	});

	it('is looked for in the store for 3 seconds before it is renewed, by all who need it together', async () => {
		aiclk.live.clear();
		const items = await Promise.all(Array.from({ length: 30 }, () => n8n.failedRequest()));
		await Promise.all(items.map(async (row) => await n8n.ask(row)));
		expect(n8n.environment.slept).toEqual([500, 500, 500, 500, 500, 500, 1_500]);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('gives way to the one of another process as soon as any request has seen that', async () => {
		const read = await n8n.failedRequest();
		await other.force();
		n8n.environment.duringSleep = see;
		await n8n.ask(read);
		expect(n8n.environment.slept).toEqual([500]);
		expect(read.accessToken).toBe(other.row.accessToken);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('is not renewed for a request that may have been carried out, once the other one is seen', async () => {
		const charge = await n8n.failedRequest(false);
		other.environment.nowMs += 100;
		await other.force();
		n8n.environment.nowMs += 200;
		n8n.environment.duringSleep = see;
		expect(await n8n.ask(charge)).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('is left to the winner of a race that was lost a moment ago, however long the wait', async () => {
		const first = await n8n.failedRequest();
		const second = await n8n.failedRequest();
		n8n.environment.duringSleep = () => aiclk.live.clear();
		aiclk.live.clear();
		await n8n.ask(first);
		n8n.environment.nowMs += 4_000;
		expect(await n8n.ask(second)).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('moments after it was issued is left to the process that killed it', async () => {
		await n8n.force();
		const read = await n8n.failedRequest();
		await other.force();
		expect(await n8n.ask(read)).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		expect(aiclk.refreshes).toHaveLength(2);
		await see();
		expect(n8n.row.accessToken).toBe(other.row.accessToken);
		expect(aiclk.refreshes).toHaveLength(2);
	});

	it('moments after it was issued is renewed when it is still stored after the wait: nobody else was at it', async () => {
		await n8n.force();
		const read = await n8n.failedRequest();
		aiclk.live.clear();
		expect(await n8n.ask(read)).toMatchObject({ ok: false, failure: { kind: 'superseded' } });
		n8n.environment.slept.length = 0;
		expect(await n8n.ask()).toMatchObject({ ok: true });
		expect(n8n.environment.slept).toEqual([1_500]);
		expect(aiclk.live.has(String(n8n.row.accessToken))).toBe(true);
		expect(aiclk.refreshes).toHaveLength(2);
	});

	it('that is old is left to another process once: the next request that has it refused renews it, however late', async () => {
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

	it('is asked about once in 30 seconds when another call was refused', async () => {
		const isRejected = async () => await n8n.manager.isRejected({ ...n8n.row }, aiclk.http);
		expect(await isRejected()).toBe(false);
		aiclk.live.clear();
		n8n.environment.nowMs += 29_999;
		expect(await isRejected()).toBe(false);
		n8n.environment.nowMs += 1;
		expect(await isRejected()).toBe(true);
		expect(await n8n.manager.isRejected(emptyRow(), aiclk.http)).toBe(false);
		expect(await n8n.manager.isRejected(emptyRow({ clientId: '' }), aiclk.http)).toBe(false);
		expect(aiclk.checks).toHaveLength(2);
	});

	it('moments after it was issued gives way to the one that killed it, though both have the same number', async () => {
		await n8n.force();
		const read = await n8n.failedRequest();
		other.environment.nowMs += 100;
		await other.force();
		expect(tokenOf(other.row).state.generation).toBe(tokenOf(read).state.generation);
		n8n.environment.duringSleep = see;
		await n8n.ask(read);
		expect(read.accessToken).toBe(other.row.accessToken);
		expect(aiclk.refreshes).toHaveLength(2);
	});
});

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

	it.each(failing)(
		'with %s: 50 waiting items make one call, and nothing is stored',
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

	it('names AiClk and its words, and no secret, in what n8n shows', async () => {
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

	it('of a dead token is tried again after 10 s, doubling to 5 min', async () => {
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

	it('ahead of time takes nothing away: the old token serves, and the next try is after 60 s, doubling to 15 min', async () => {
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
		// Between the pauses stands the draw, once in 300 s.
		expect(gaps).toEqual([0, 300, 300, 300, 600, 900, 900]);
	});

	it('ahead of time, however often, holds the refresh of a dead token back for 10 s at most', async () => {
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

	it('is tried again at once when a person asks for it', async () => {
		aiclk.refreshReply = () => answer('', 500);
		await n8n.ask();
		await n8n.force();
		expect(aiclk.refreshes).toHaveLength(2);
		aiclk.refreshReply = null;
		expect(await n8n.force()).toMatchObject({ ok: true });
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
	});
});

describe('renewal ahead of time', () => {
	beforeEach(withToken);

	it('begins on day 75 of 90 when no draw comes earlier', async () => {
		n8n.environment.nowMs = NOW + 75 * DAY_MS - 1;
		await n8n.ask();
		expect(aiclk.refreshes).toEqual([]);
		n8n.environment.nowMs = NOW + 75 * DAY_MS + 5 * 60_000;
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('comes as much earlier as the draw says: mean one day', async () => {
		n8n.environment.draw = 1 - Math.exp(-1);
		n8n.environment.nowMs = NOW + 74 * DAY_MS - 1_000;
		await n8n.ask();
		expect(aiclk.refreshes).toEqual([]);
		n8n.environment.nowMs = NOW + 74 * DAY_MS + 5 * 60_000;
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('draws at most once in 5 minutes', async () => {
		n8n.environment.nowMs = NOW + 74 * DAY_MS;
		await n8n.ask();
		n8n.environment.draw = 0.999;
		n8n.environment.nowMs += 5 * 60_000 - 1;
		await n8n.ask();
		expect(aiclk.refreshes).toEqual([]);
		n8n.environment.nowMs += 1;
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('is waited for by the requests that come meanwhile, so none carries a token that it may have killed', async () => {
		aiclk.strict = true;
		n8n.environment.nowMs = NOW + 80 * DAY_MS;
		const rows = Array.from({ length: 20 }, () => ({ ...n8n.row }));
		await Promise.all(rows.map(async (row) => await n8n.ask(row)));
		expect(aiclk.refreshes).toHaveLength(1);
		expect(rows.every((row) => aiclk.live.has(String(row.accessToken)))).toBe(true);
	});

	it('keeps 60 of the 300 refreshes of a day for those who have no token', async () => {
		const state = tokenOf(n8n.row).state;
		n8n.environment.nowMs = NOW + 80 * DAY_MS;
		const ledger = { ...state.ledger, day: '2027-02-12', attempts: 240 };
		n8n.row.tokenState = JSON.stringify({ ...state, ledger });
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toEqual([]);
	});
});

describe('an explicit refresh', () => {
	it('refreshes whatever the age, and simultaneous ones share one', async () => {
		await withToken();
		await Promise.all([n8n.force(), n8n.force(), n8n.force()]);
		expect(aiclk.refreshes).toHaveLength(1);
		await n8n.force();
		expect(aiclk.refreshes).toHaveLength(2);
		expect(tokenOf(n8n.row).state.generation).toBe(3);
	});

	it('is forgotten once it was carried out', async () => {
		const credentials = { ...n8n.row };
		n8n.manager.forceRefresh(credentials);
		await n8n.ask(credentials);
		expect(await n8n.ask(credentials)).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('is refused the 301st time in a day, with the time at which the day ends', async () => {
		for (let i = 0; i < 300; i++) expect(await n8n.force()).toMatchObject({ ok: true });
		expect(await n8n.force()).toMatchObject({
			ok: false,
			failure: { kind: 'quota', resetsAtMs: Date.parse('2026-11-24T16:00:00Z') },
		});
		expect(aiclk.refreshes).toHaveLength(300);
		n8n.environment.nowMs = Date.parse('2026-11-24T16:00:00Z');
		expect(await n8n.force()).toMatchObject({ ok: true });
		expect(tokenOf(n8n.row).state.ledger).toMatchObject({ day: '2026-11-25', attempts: 1 });
	});
});

describe('the ledger', () => {
	it('is stored with the token and read after a restart', async () => {
		await n8n.ask();
		await n8n.force();
		const restarted = new FakeProcess(aiclk, n8n.row);
		await restarted.force();
		expect(tokenOf(restarted.row).state.ledger.attempts).toBe(3);
	});

	it('takes attempts that failed along at the next chance to store', async () => {
		aiclk.refreshReply = () => answer('', 500);
		await n8n.force();
		await n8n.force();
		aiclk.refreshReply = null;
		await n8n.force();
		expect(tokenOf(n8n.row).state.ledger.attempts).toBe(3);
		await n8n.force();
		expect(tokenOf(n8n.row).state.ledger.attempts).toBe(4);
	});

	it('is one for all credentials of a client, and another for another client', async () => {
		const typed = emptyRow({ refreshToken: 'of-another-account' });
		await n8n.ask();
		await n8n.ask(typed);
		expect(tokenOf(typed).state.ledger.attempts).toBe(2);
		const stranger = emptyRow({ clientId: '2' });
		await n8n.ask(stranger);
		expect(tokenOf(stranger).state.ledger.attempts).toBe(1);
	});
});

describe('a rotated refresh token', () => {
	it('is stored apart from the typed one and used from then on, even if the next answer holds none', async () => {
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

	it('is dropped when another refresh token is typed', async () => {
		aiclk.rotates = true;
		await n8n.ask();
		n8n.row = { ...n8n.row, refreshToken: 'typed-anew' };
		await n8n.ask();
		expect(aiclk.refreshes[1]).toMatchObject({ refresh_token: 'typed-anew' });
		expect(n8n.row.rotatedRefreshToken).toBe('rotated-2');
	});
});

describe('incomplete input', () => {
	it.each([
		[{ clientId: '' }, /Client ID/],
		[{ refreshToken: ' \n' }, /Refresh Token/],
		[{ baseUrl: 'http://openapi.aiclk.com' }, /Base URL/],
		[{ accountId: 'abc' }, /Account ID/],
	])('%j makes no request and names the field', async (typed, message) => {
		const outcome = await n8n.ask(emptyRow(typed));
		expect(outcome).toMatchObject({
			ok: false,
			failure: { kind: 'input', message: expect.stringMatching(message) },
		});
		expect(aiclk.refreshes).toEqual([]);
	});

	it('has no probe and no effect', () => {
		n8n.manager.noteProbe(emptyRow({ clientId: '' }), 'rejected');
		n8n.manager.noteProbe(emptyRow(), 'rejected');
		expect(n8n.manager.refreshesToday).toBeDefined();
	});
});

describe('why no token could be had', () => {
	it('is remembered for these very credentials: asked again about them, nothing more is sent', async () => {
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

	it('does not stand in the way of a refresh that is asked for with the same credentials', async () => {
		const credentials = emptyRow();
		aiclk.refreshReply = () => answer({ code: 400, message: 'no' });
		await n8n.ask(credentials);
		aiclk.refreshReply = null;
		n8n.manager.forceRefresh(credentials);
		expect(await n8n.ask(credentials)).toMatchObject({ ok: true });
		expect(n8n.manager.failureOf(credentials)).toBeNull();
	});
});

describe('a request whose body can be sent once only', () => {
	beforeEach(withToken);

	it('is not sent again after its token was refused; the next request has the new one', async () => {
		const form = await n8n.failedRequest(false, true);
		aiclk.live.clear();
		expect(await n8n.ask(form)).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toHaveLength(1);
		n8n.environment.nowMs += HOUR_MS;
		await n8n.ask();
		expect(n8n.row.accessToken).toBe('access-2');
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('ends with what went wrong when no new token can be had', async () => {
		const form = await n8n.failedRequest(false, true);
		aiclk.live.clear();
		aiclk.refreshReply = () => answer('');
		expect(await n8n.ask(form)).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
	});
});
