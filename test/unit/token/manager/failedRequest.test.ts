import { answer, DAY_MS, FakeAiClk, FakeProcess } from '../../../harness/fakes';

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

it('a token is probed in the header that AiClk named for it', async () => {
	aiclk.refreshReply = () =>
		answer({ code: 200, data: { ...aiclk.issue(), token_type: 'X-Other-Token' } });
	aiclk.checkReply = ({ headers }) => ({
		statusCode: 200,
		body: { code: headers?.['X-Other-Token'] === 'access-1' ? 200 : 401 },
	});
	await n8n.ask();
	n8n.environment.nowMs += 60_000;
	expect(await n8n.ask(await n8n.failedRequest())).toEqual({ ok: true, value: null });
	expect([aiclk.checks.length, aiclk.refreshes.length]).toEqual([1, 1]);
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
	])('a request that failed with %s costs no refresh', async (_, reply) => {
		aiclk.checkReply = reply;
		for (let item = 0; item < 300; item++) {
			expect(await n8n.ask(await n8n.failedRequest())).toEqual({ ok: true, value: null });
		}
		expect(aiclk.refreshes).toEqual([]);
		expect(aiclk.checks).toHaveLength(1);
	});

	it('failed requests share one probe for 30 seconds', async () => {
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
	])('requests rejected with %s share one refresh', async (_, refused) => {
		aiclk.checkReply = (options) =>
			options.headers?.OGW_ACCESS_TOKEN === 'access-1'
				? refused
				: { statusCode: 200, body: { code: 200 } };
		const items = await Promise.all(Array.from({ length: 30 }, () => n8n.failedRequest()));
		const outcomes = await Promise.all(items.map(async (row) => await n8n.ask(row)));
		expect(aiclk.refreshes).toHaveLength(1);
		expect(outcomes.every((outcome) => outcome.ok && outcome.value !== null)).toBe(true);
	});

	it('a rejection that another request found heals the next one', async () => {
		const dead = String(n8n.row.accessToken);
		aiclk.live.clear();
		n8n.manager.noteProbe({ ...n8n.row }, 'rejected');
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
		expect(aiclk.checks).not.toContain(dead);
	});

	it('an unsafe request is not sent again with a token replaced meanwhile', async () => {
		aiclk.strict = true;
		const charge = await n8n.failedRequest(false);
		await n8n.force();
		expect(await n8n.ask(charge)).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a safe request is sent again with a token replaced meanwhile', async () => {
		aiclk.strict = true;
		const read = await n8n.failedRequest();
		n8n.environment.nowMs += 1;
		await n8n.force();
		await n8n.ask(read);
		expect(read.accessToken).toBe(n8n.row.accessToken);
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a refresh ends the belief in an earlier acceptance', async () => {
		aiclk.strict = true;
		const [first, second] = [await n8n.failedRequest(), await n8n.failedRequest()];
		expect(await n8n.ask(first)).toEqual({ ok: true, value: null });
		await n8n.force();
		await n8n.ask(second);
		expect(second.accessToken).toBe('access-2');
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a known successor that is dead is refreshed, not adopted', async () => {
		const stale = await n8n.failedRequest();
		await n8n.force();
		aiclk.live.clear();
		await n8n.ask(stale);
		expect(aiclk.refreshes).toHaveLength(2);
		expect(aiclk.live).toContain(stale.accessToken);
	});

	it('a request that outlived its token is not sent again', async () => {
		const slow = await n8n.failedRequest();
		n8n.environment.nowMs += 91 * DAY_MS;
		expect(await n8n.ask(slow)).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toEqual([]);
		expect(aiclk.checks).toEqual([]);
	});

	it('a request of an edited credential is not sent again', async () => {
		const credentials = await n8n.failedRequest();
		expect(await n8n.ask(Object.assign(credentials, { refreshToken: 'other' }))).toEqual({
			ok: true,
			value: null,
		});
	});
});

describe('a request with a single-use body', () => {
	beforeEach(withToken);

	it('a single-use body is not sent again; the next request refreshes', async () => {
		const form = await n8n.failedRequest(false, true);
		aiclk.live.clear();
		expect(await n8n.ask(form)).toEqual({ ok: true, value: null });
		expect(aiclk.refreshes).toHaveLength(0);
		n8n.environment.nowMs += HOUR_MS;
		await n8n.ask();
		expect(n8n.row.accessToken).toBe('access-2');
		expect(aiclk.refreshes).toHaveLength(1);
	});
});
