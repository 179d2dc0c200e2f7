import { answer, DAY_MS, FakeAiClk, FakeProcess, NOW } from '../../../harness/fakes';

let aiclk: FakeAiClk;
let n8n: FakeProcess;

/** A token whose renewal is due. */
beforeEach(async () => {
	aiclk = new FakeAiClk();
	n8n = new FakeProcess(aiclk);
	await n8n.ask();
	n8n.manager.noteProbe({ ...n8n.row }, 'accepted');
	n8n.environment.nowMs = NOW + 76 * DAY_MS;
	aiclk.refreshes = [];
	aiclk.checks = [];
});

const RESET = Object.assign(new Error('x'), { code: 'ECONNRESET' });

/** Lets everything run that does not wait for the network. */
async function allButTheNetwork() {
	for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}

describe('a renewal that AiClk has not answered', () => {
	it('a renewal in flight makes no other request wait', async () => {
		let answerNow = () => {};
		aiclk.refreshReply = async () => {
			await new Promise<void>((resolve) => (answerNow = resolve));
			return answer('', 500);
		};
		let done = 0;
		const requests = Array.from({ length: 20 }, async () => {
			expect(await n8n.ask({ ...n8n.row })).toEqual({ ok: true, value: null });
			done++;
		});
		await allButTheNetwork();
		expect(done).toBe(19);
		answerNow();
		await Promise.all(requests);
		expect(aiclk.refreshes).toHaveLength(1);
	});
});

describe('a renewal that AiClk has answered', () => {
	it('requests wait for a renewal that AiClk has answered', async () => {
		aiclk.strict = true;
		const later = [{ ...n8n.row }, { ...n8n.row }];
		const requests: Array<Promise<unknown>> = [];
		n8n.environment.duringSleep = () => {
			if (requests.length === 0) requests.push(...later.map(async (row) => await n8n.ask(row)));
		};
		await n8n.ask();
		await Promise.all(requests);
		expect(later.map((row) => row.accessToken)).toEqual(['access-2', 'access-2']);
		expect(aiclk.refreshes).toHaveLength(1);
	});
});

describe('a renewal that failed', () => {
	it('after a failed renewal the old token is probed and used', async () => {
		aiclk.refreshReply = () => {
			throw RESET;
		};
		for (let second = 0; second < 100; second++) {
			expect(await n8n.ask()).toEqual({ ok: true, value: null });
			n8n.environment.nowMs += 1_000;
		}
		expect(aiclk.checks).toEqual(['access-1']);
	});

	it.each([
		['its answer was lost', { strict: true, lose: true }],
		['a peer invalidated both tokens', { strict: true, lose: false }],
	])('a failed renewal is followed by a needed refresh when %s', async (_, { lose }) => {
		aiclk.strict = true;
		let isLost = lose;
		aiclk.refreshReply = () => {
			const data = aiclk.issue();
			if (isLost) throw RESET;
			return answer({ code: 200, data });
		};
		if (!lose) n8n.environment.duringSleep = () => aiclk.live.clear();
		let dead = 0;
		for (let second = 0; second < 600; second++) {
			const credentials = { ...n8n.row };
			const outcome = await n8n.ask(credentials);
			isLost = false;
			if (second > 0) n8n.environment.duringSleep = () => undefined;
			if (outcome.ok && !aiclk.live.has(String(credentials.accessToken))) dead++;
			n8n.environment.nowMs += 1_000;
		}
		expect(dead).toBe(0);
	});

	it('a renewal that never reached AiClk costs no probe', async () => {
		aiclk.refreshReply = () => {
			throw Object.assign(new Error('x'), { code: 'ENOTFOUND' });
		};
		expect(await n8n.ask()).toEqual({ ok: true, value: null });
		expect(aiclk.checks).toEqual([]);
	});
});
