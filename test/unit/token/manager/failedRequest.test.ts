import { aiclk, n8n, NOTHING } from '../../../harness/fakeProcess';
import { ACCEPTED, answer, failing } from '../../../harness/fakes';

it('a token is probed in the header that AiClk named for it', async () => {
	aiclk.refreshReply = () =>
		answer({ code: 200, data: { ...aiclk.issue(), token_type: 'X-Other-Token' } });
	aiclk.checkReply = ({ headers }) => ({
		statusCode: 200,
		body: { code: headers?.['X-Other-Token'] === 'access-1' ? 200 : 401 },
	});
	await n8n.ask();
	n8n.environment.nowMs += 60_000;
	expect(await n8n.ask(await n8n.failedRequest())).toEqual(NOTHING);
	expect([aiclk.checks.length, aiclk.refreshes.length]).toEqual([1, 1]);
});

describe('a failed request', () => {
	beforeEach(async () => await n8n.withToken());

	it.each([
		['accepts the token', () => ACCEPTED],
		['cannot be asked', failing('ECONNRESET')],
	])('a failed request costs no refresh if AiClk %s', async (_, reply) => {
		aiclk.checkReply = reply;
		for (let item = 0; item < 300; item++) {
			expect(await n8n.ask(await n8n.failedRequest())).toEqual(NOTHING);
		}
		expect(aiclk.refreshes).toEqual([]);
		expect(aiclk.checks).toHaveLength(1);
	});

	it('rejected requests share one refresh', async () => {
		aiclk.live.clear();
		const items = await Promise.all(Array.from({ length: 30 }, () => n8n.failedRequest()));
		const outcomes = await Promise.all(items.map(async (row) => await n8n.ask(row)));
		expect(aiclk.refreshes).toHaveLength(1);
		expect(outcomes.every((outcome) => outcome.ok && outcome.value !== null)).toBe(true);
	});

	it('a rejection that another request found heals the next one', async () => {
		const dead = String(n8n.row.accessToken);
		aiclk.live.clear();
		n8n.manager.observeProbe({ ...n8n.row }, 'rejected');
		await n8n.ask();
		expect(aiclk.refreshes).toHaveLength(1);
		expect(aiclk.checks).not.toContain(dead);
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
		expect(await n8n.ask(first)).toEqual(NOTHING);
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
});
