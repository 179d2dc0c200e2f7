import fc from 'fast-check';

import { aiclk, FakeProcess, n8n, NOTHING } from '../../../harness/fakeProcess';
import { answer, DAY_MS, FakeAiClk, HOUR_MS, NOW, UNAUTHORIZED } from '../../../harness/fakes';
import { step } from '../../steps';

/** A POST that AiClk answers with HTTP 500, whatever it has done. @returns what n8n is told before it and after it */
async function failingPost(process: FakeProcess) {
	const credentials = { ...process.row };
	const before = await process.ask(credentials);
	process.manager.observeRequest(credentials, false);
	process.environment.nowMs += 200;
	return { before, after: await process.ask(credentials) };
}

describe('a POST that may have been carried out, with probes always rejected', () => {
	it.each([
		['an hour', HOUR_MS],
		['2 seconds', 2_000],
		['54 days', 54 * DAY_MS],
	])('a POST is sent once and shows its own error: token of %s', async (_, ageMs) => {
		aiclk.checkReply = () => UNAUTHORIZED;
		await n8n.ask();
		n8n.environment.nowMs += ageMs;
		for (let run = 0; run < 8; run++) {
			const { before, after } = await failingPost(n8n);
			expect(before).toMatchObject({ ok: true });
			expect(after).toEqual(NOTHING);
			n8n.environment.nowMs += HOUR_MS;
		}
		expect(aiclk.refreshes.length).toBeLessThanOrEqual(4);
	});

	it('distrust is learnt with three refreshes, not at every restart', async () => {
		aiclk.checkReply = () => UNAUTHORIZED;
		await n8n.ask();
		let { row } = n8n;
		for (let start = 0; start < 10; start++) {
			const process = new FakeProcess(aiclk, row);
			process.environment.nowMs = NOW + start * 12 * HOUR_MS + HOUR_MS;
			for (let run = 0; run < 5; run++) {
				const { before, after } = await failingPost(process);
				expect(before).toMatchObject({ ok: true });
				expect(after).toEqual(NOTHING);
				process.environment.nowMs += HOUR_MS;
			}
			({ row } = process);
		}
		expect(aiclk.refreshes).toHaveLength(4);
	});

	it('a POST is sent once even if probes were accepted before', async () => {
		await n8n.ask();
		n8n.manager.observeProbe({ ...n8n.row }, 'accepted');
		n8n.environment.nowMs += HOUR_MS;
		aiclk.checkReply = () => UNAUTHORIZED;
		for (let run = 0; run < 6; run++) {
			expect((await failingPost(n8n)).after).toEqual(NOTHING);
			n8n.environment.nowMs += HOUR_MS;
		}
		expect(aiclk.refreshes.length).toBeLessThanOrEqual(4);
	});

	it('rejections count again as soon as AiClk accepts a probe', async () => {
		aiclk.checkReply = () => UNAUTHORIZED;
		await n8n.ask();
		n8n.environment.nowMs += HOUR_MS;
		for (let run = 0; run < 5; run++) {
			await failingPost(n8n);
			n8n.environment.nowMs += HOUR_MS;
		}
		aiclk.checkReply = null;
		n8n.environment.nowMs += HOUR_MS;
		expect((await failingPost(n8n)).after).toEqual(NOTHING);
		aiclk.live.clear();
		n8n.environment.nowMs += HOUR_MS;
		expect((await failingPost(n8n)).after).toEqual(NOTHING);
		expect(await n8n.ask()).toMatchObject({ value: { accessToken: expect.any(String) } });
	});
});

describe('after a failed request', () => {
	beforeEach(async () => {
		await n8n.ask();
		n8n.manager.observeProbe({ ...n8n.row }, 'accepted');
		n8n.environment.nowMs += HOUR_MS;
	});

	it('without a token, a POST shows its own error', async () => {
		const credentials = { ...n8n.row };
		await n8n.ask(credentials);
		n8n.manager.observeRequest(credentials, false);
		aiclk.live.clear();
		aiclk.refreshReply = () => answer('', 500);
		expect(await n8n.ask(credentials)).toEqual(NOTHING);
	});

	it('a GET with a rejected token shows why there is no new one', async () => {
		const read = await n8n.failedRequest();
		aiclk.live.clear();
		aiclk.refreshReply = () => answer('', 500);
		expect(await n8n.ask(read)).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
	});

	it('a POST with a revoked token fails once, and the next request refreshes', async () => {
		const failed = await n8n.failedRequest(false);
		aiclk.live.clear();
		expect(await n8n.ask(failed)).toEqual(NOTHING);
		expect(aiclk.refreshes).toHaveLength(1);
		expect(await n8n.ask()).toMatchObject({ ok: true, value: { accessToken: 'access-2' } });
	});

	it('a POST that AiClk carried out is not sent again because a peer refreshed', async () => {
		aiclk.strict = true;
		const post = await n8n.failedRequest(false);
		aiclk.issue();
		n8n.environment.nowMs += 2_000;
		expect(await n8n.ask(post)).toEqual(NOTHING);
	});

	it('processes that exit after one POST forget the rejection until the daily verify', async () => {
		aiclk.live.clear();
		const start = () => {
			const process = new FakeProcess(aiclk, n8n.row);
			process.environment.nowMs = n8n.environment.nowMs += HOUR_MS;
			return process;
		};
		const post = async (): Promise<boolean> => {
			const process = start();
			const credentials = await process.failedRequest(false);
			const isSent = aiclk.live.has(String(credentials.accessToken));
			if (!isSent) expect(await process.ask(credentials)).toEqual(NOTHING);
			return isSent;
		};
		for (let run = 0; run < 5; run++) expect(await post()).toBe(false);
		// AiClk Token asks AiClk with the token, notes the answer, and asks again.
		const verify = start();
		await verify.ask();
		verify.manager.observeProbe({ ...n8n.row }, 'rejected');
		await verify.ask();
		n8n.row = verify.row;
		for (let run = 0; run < 5; run++) expect(await post()).toBe(true);
		expect(aiclk.refreshes).toHaveLength(2);
	});
});

describe('whatever AiClk and the clock do', () => {
	/** One thing that happens between two requests of a workflow. */
	const event = fc.oneof(
		step('wait', { ms: fc.integer({ min: -HOUR_MS, max: 40 * DAY_MS }) }),
		step('invalidate'),
		step('forbid', { isForbidden: fc.boolean() }),
		step('break', { isBroken: fc.boolean() }),
		step('restart'),
		step('force'),
		step('request', {
			mayResend: fc.boolean(),
			tookMs: fc.integer({ min: 0, max: 15_000 }),
		}),
	);

	it('only a safe request whose token was rejected is sent again', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(event, { maxLength: 40 }),
				fc.boolean(),
				fc.boolean(),
				async (events, strict, rotates) => {
					const server = new FakeAiClk();
					Object.assign(server, { strict, rotates });
					let process = new FakeProcess(server);
					for (const one of events) {
						if (one.do === 'wait') process.environment.nowMs += one.ms;
						if (one.do === 'invalidate') server.live.clear();
						if (one.do === 'forbid')
							server.checkReply = one.isForbidden ? () => UNAUTHORIZED : null;
						if (one.do === 'break')
							server.refreshReply = one.isBroken ? () => answer('', 500) : null;
						if (one.do === 'force') await process.force();
						if (one.do === 'restart') {
							const { nowMs } = process.environment;
							process = new FakeProcess(server, process.row);
							process.environment.nowMs = nowMs;
						}
						if (one.do !== 'request') continue;
						const credentials = { ...process.row };
						const before = await process.ask(credentials);
						if (!before.ok || credentials.accessToken === '') continue;
						// AiClk judges the token when the request arrives; it fails whatever was done.
						const isRejected = !server.live.has(String(credentials.accessToken));
						process.manager.observeRequest(credentials, one.mayResend);
						process.environment.nowMs += one.tookMs;
						const after = await process.ask(credentials);
						const isSentAgain = after.ok && after.value !== null;
						if (isSentAgain && !server.checkReply) expect(isRejected).toBe(true);
						if (!one.mayResend) expect(after).toEqual(NOTHING);
					}
				},
			),
			{ numRuns: 400 },
		);
	});
});

describe('a POST in flight while this process refreshes', () => {
	/** It fails later. AiClk has carried it out before it invalidated the token. */
	it.each([
		['a renewal', async () => await n8n.ask()],
		['a forced refresh', async () => await n8n.force()],
	])('a POST in flight is not sent again because of %s', async (_, refresh) => {
		aiclk.strict = true;
		await n8n.ask();
		n8n.manager.observeProbe({ ...n8n.row }, 'accepted');
		n8n.environment.nowMs = NOW + 76 * DAY_MS;
		const post = { ...n8n.row };
		aiclk.refreshReply = () => {
			n8n.environment.nowMs += 1_000;
			n8n.manager.observeRequest(post, false);
			n8n.environment.nowMs += 4_000;
			return answer({ code: 200, data: aiclk.issue() });
		};
		await refresh();
		n8n.environment.nowMs += 1_000;
		expect(await n8n.ask(post)).toEqual(NOTHING);
	});
});

describe('a forced refresh that fails', () => {
	it('requests with a valid token survive a failed forced refresh', async () => {
		await n8n.ask();
		n8n.environment.nowMs += HOUR_MS;
		let answerNow = () => {};
		aiclk.refreshReply = async () => {
			await new Promise<void>((resolve) => (answerNow = resolve));
			return answer('', 500);
		};
		const forced = n8n.force();
		const request = n8n.ask({ ...n8n.row });
		for (let turn = 0; turn < 50; turn++) await Promise.resolve();
		answerNow();
		expect(await forced).toMatchObject({ ok: false });
		expect(await request).toEqual(NOTHING);
	});
});

describe('the token of a client', () => {
	it('a client’s token is never used for another client’s request', async () => {
		const other = { clientId: '2', refreshToken: 'bbb' };
		await n8n.ask({ ...n8n.row, ...other });
		const theirs = { ...n8n.row };
		n8n.environment.nowMs += 91 * DAY_MS;
		n8n.environment.duringSleep = () => aiclk.live.clear();
		await n8n.ask({ ...theirs, ...other });
		n8n.environment.duringSleep = () => undefined;
		await n8n.ask();
		const outcome = await n8n.ask({ ...n8n.row, ...other });
		expect(outcome).not.toEqual(NOTHING);
	});
});
