import { sleep } from 'n8n-workflow';

import { newFailure } from '../../../aiclk/util/failure';
import { AWAY, current, N8n, REFUSED } from '../../harness/fakePolling';
import { ACCOUNT, DAY_MS, HOUR_MS, MINUTE_MS, OTHER, THIRD } from '../../harness/fakes';

const BALANCES = {
	event: 'balanceBelow',
	accountIds: `${ACCOUNT} ${OTHER} ${THIRD}`,
	balance: 100_000,
};
const CREATIVES = { event: 'creativeChanged', accountIds: `${ACCOUNT} ${OTHER}` };
const MATERIALS = { event: 'materialReviewed', accountIds: ACCOUNT };

let n8n: N8n;

const start = async (parameters: object = BALANCES) => {
	n8n = new N8n({ ...parameters });
	return await n8n.start();
};

/** Account and change of each item. */
const changes = async () =>
	(await n8n.poll())?.map(({ account_id: id, change }) => [id, change]) ?? null;

beforeEach(async () => {
	await start();
});

describe('one account that cannot be read', () => {
	it('does not silence the others, and has lost nothing when it can be read again', async () => {
		n8n.world.failures.set(THIRD, REFUSED);
		n8n.world.balances.set(ACCOUNT, 1);
		expect(await changes()).toEqual([[1000002, 'below']]);
		n8n.world.balances.set(THIRD, 1);
		n8n.world.balances.set(ACCOUNT, 100_000);
		expect(await changes()).toEqual([[1000002, 'recovered']]);
		n8n.world.failures.clear();
		expect(await changes()).toEqual([[1000004, 'below']]);
	});

	it('is reported with its account and the words of AiClk, once an hour', async () => {
		n8n.world.failures.set(THIRD, REFUSED);
		await n8n.pollFor(HOUR_MS - MINUTE_MS);
		expect(n8n.errors).toEqual([
			'Account 1000004: AiClk refused this: 账户不存在或无权限 (outcome: refused, trace_id: t1)',
		]);
		await n8n.pollFor(HOUR_MS);
		expect(n8n.errors).toHaveLength(2);
	});

	it('is no reason to fail an activation: those that can be read are watched', async () => {
		n8n = new N8n(BALANCES);
		n8n.world.failures.set(THIRD, REFUSED);
		n8n.world.balances.set(ACCOUNT, 1);
		expect(await n8n.start()).toMatchObject([{ account_id: 1000002 }]);
		expect(n8n.errors).toHaveLength(1);
	});

	it.each(['before', 'after'])(
		'fails a run by hand %s the first poll, which names it',
		async (when) => {
			if (when === 'before') n8n = new N8n(BALANCES);
			n8n.world.failures.set(THIRD, REFUSED);
			await expect(n8n.poll('manual')).rejects.toThrow(/^Account 1000004: AiClk refused this/);
			expect(n8n.errors).toEqual([]);
		},
	);
});

describe('reports of failures', () => {
	it.each([
		['in its memory', false],
		['only as it is saved: each poll begins with that', true],
	])(
		'an outage of 30 polls is one report for all accounts; n8n has state %s',
		async (_, isDurable) => {
			n8n = new N8n(BALANCES);
			n8n.isDurable = isDurable;
			await n8n.start();
			n8n.world.failures.set('', AWAY);
			expect(await n8n.pollFor(30 * MINUTE_MS)).toBe(0);
			expect(n8n.errors).toEqual([
				'Accounts 1000002, 1000003, 1000004: AiClk is temporarily unavailable: HTTP 503 (outcome: unknown)',
			]);
		},
	);

	it.each([
		['another account', () => n8n.world.failures.set(OTHER, REFUSED)],
		['another code', () => n8n.world.failures.set(THIRD, { ...REFUSED, code: 40102 })],
		['another kind of failure', () => n8n.world.failures.set(THIRD, { ...REFUSED, kind: 'busy' })],
	])('are sent at once for %s', async (_, change) => {
		n8n.world.failures.set(THIRD, REFUSED);
		await n8n.poll();
		change();
		await n8n.pollFor(10 * MINUTE_MS);
		expect(n8n.errors).toHaveLength(2);
	});

	it('are not repeated because the texts differ, nor because it went well in between', async () => {
		for (let n = 0; n < 10; n++) {
			n8n.world.failures.set(THIRD, { ...REFUSED, traceId: `t${n}`, message: `no ${n}` });
			await n8n.pollFor(MINUTE_MS);
			n8n.world.failures.clear();
			await n8n.pollFor(MINUTE_MS);
		}
		expect(n8n.errors).toHaveLength(1);
	});

	it('are not repeated because another account had the same in between', async () => {
		for (const account of [THIRD, OTHER, THIRD]) {
			n8n.world.failures.clear();
			n8n.world.failures.set(account, REFUSED);
			await n8n.pollFor(MINUTE_MS);
		}
		expect(n8n.errors).toHaveLength(2);
	});

	it('name 20 accounts of many', async () => {
		const ids = Array.from({ length: 300 }, (_, n) => String(2_000_000 + n));
		await start({ ...BALANCES, accountIds: ids.join() });
		n8n.world.failures.set('', AWAY);
		await n8n.poll();
		expect(n8n.errors[0]).toMatch(/^Accounts 2000000, .*, 2000019 and 280 more: AiClk is/);
	});

	it('go to the log where n8n takes none', async () => {
		n8n.refusesErrors = true;
		n8n.world.failures.set('', AWAY);
		expect(await n8n.poll()).toBeNull();
		expect(n8n.logs).toEqual([expect.stringMatching(/AiClk is temporarily unavailable/)]);
	});

	it('hold no word that makes n8n 1 give a workflow up', async () => {
		n8n.world.failures.set('', { ...REFUSED, message: 'Authorization failed: no Authorization' });
		await n8n.poll();
		expect(n8n.errors[0]).toMatch(/authorization failed/);
		expect(n8n.errors[0]).not.toContain('Authorization');
		n8n = new N8n(BALANCES);
		n8n.world.failures.set('', { ...REFUSED, message: 'Authorization failed' });
		await expect(n8n.poll()).rejects.not.toThrow('Authorization');
	});
});

describe('an activation while AiClk is away', () => {
	it('succeeds where there is state, and the change is emitted later', async () => {
		n8n.world.failures.set('', AWAY);
		n8n.world.balances.set(ACCOUNT, 1);
		n8n.restart();
		expect(await n8n.start()).toBeNull();
		expect(n8n.errors).toHaveLength(1);
		n8n.world.failures.clear();
		expect(await changes()).toEqual([[1000002, 'below']]);
	});

	it.each([
		[
			'a field whose expression yields nothing',
			{ accountIds: '' },
			{ accountIds: '={{ $vars.x }}' },
		],
		['a balance that is no number', { balance: 'x' }, {}],
	])('succeeds with %s where there is state', async (_, parameters, typed) => {
		n8n.parameters = { ...BALANCES, ...parameters };
		n8n.typed = typed;
		n8n.restart();
		expect(await n8n.start()).toBeNull();
		expect(n8n.errors).toHaveLength(1);
		n8n.parameters = { ...BALANCES };
		n8n.typed = {};
		n8n.world.balances.set(ACCOUNT, 1);
		expect(await changes()).toEqual([[1000002, 'below']]);
	});

	it('fails where nothing was ever read', async () => {
		n8n = new N8n(BALANCES);
		n8n.world.failures.set('', AWAY);
		for (let n = 0; n < 2; n++) {
			await expect(n8n.start()).rejects.toThrow(/^Accounts 1000002, 1000003, 1000004: AiClk is/);
		}
		expect(n8n.errors).toEqual([]);
	});

	it('fails for another configuration, which is another trigger', async () => {
		n8n.parameters = { ...CREATIVES };
		n8n.world.failures.set('', AWAY);
		await expect(n8n.poll()).rejects.toThrow(/AiClk is temporarily unavailable/);
	});
});

describe('an alarm', () => {
	it('that is true for an account that was just added is emitted', async () => {
		n8n.world.balances.set('1000009', 1);
		n8n.parameters = { ...BALANCES, accountIds: `${ACCOUNT}, 1000009` };
		expect(await changes()).toEqual([[1000009, 'below']]);
	});
});

describe('run by hand', () => {
	it.each([
		['balances', BALANCES, { change: 'recovered', balance: 200_000, account_id: 1000002 }],
		['creatives', CREATIVES, { change: 'existing', creative_id: '12', changed: [] }],
		['materials', MATERIALS, { change: 'rejected', material_id: '52', new: expect.anything() }],
		[
			'the token',
			{ event: 'tokenNeedsAttention', withinDays: 10 },
			{ change: 'fine', reason: null },
		],
	])(
		'%s: an item is shown, before and after the first poll, and no state changes',
		async (_, parameters, item) => {
			n8n = new N8n({ ...parameters });
			for (const id of ['11', '12']) n8n.world.setCreative(id, { audit_reason: 'x' });
			n8n.world.setMaterial('51', 'PASSED');
			n8n.world.setMaterial('52', 'UN_PASSED', 'x');
			expect((await n8n.poll('manual'))?.[0]).toMatchObject(item);
			expect(n8n.state).toBe('');
			await n8n.start();
			const { state } = n8n;
			expect((await n8n.poll('manual'))?.[0]).toMatchObject(item);
			expect(n8n.state).toBe(state);
			expect(await n8n.poll()).toBeNull();
		},
	);

	it.each([
		['creatives', CREATIVES, 'creative_name'],
		['materials', MATERIALS, 'material_name'],
	])(
		'%s: where there are no rows, an item without values shows the fields',
		async (_, parameters, name) => {
			await start(parameters);
			const [item] = (await n8n.poll('manual')) ?? [];
			expect(item).toMatchObject({ [name]: null, account_id: 1000002, audit_reason: null });
			expect(item?.new).toHaveProperty('audit_reason');
		},
	);

	it('what the next poll will emit is shown first, and again', async () => {
		n8n.world.balances.set(OTHER, 1);
		for (let n = 0; n < 2; n++) {
			expect(await n8n.poll('manual')).toMatchObject([{ account_id: 1000003, change: 'below' }]);
		}
		expect(await changes()).toEqual([[1000003, 'below']]);
	});

	it('goes while a poll is under way', async () => {
		n8n.world.hanging.add(ACCOUNT);
		n8n.budgetMs = 200;
		const running = n8n.poll();
		n8n.world.hanging.clear();
		expect(await n8n.poll('manual')).toHaveLength(1);
		await running;
	});
});

describe('the time of a poll', () => {
	it('ends it: what has answered is emitted, the others are reported', async () => {
		n8n.budgetMs = 100;
		n8n.world.hanging.add(OTHER);
		n8n.world.balances.set(ACCOUNT, 1);
		const began = Date.now();
		expect(await changes()).toEqual([[1000002, 'below']]);
		expect(Date.now() - began).toBeLessThan(1_000);
		expect(n8n.errors).toEqual([
			'Account 1000003: AiClk did not answer within the 0 s that a poll has',
		]);
	});

	it('a second poll meanwhile returns nothing and asks nothing', async () => {
		n8n.budgetMs = 100;
		n8n.world.hanging.add(OTHER);
		const running = n8n.poll();
		await sleep(20);
		expect(n8n.world.requests).toHaveLength(3);
		expect(await n8n.poll()).toBeNull();
		expect(n8n.world.requests).toEqual([]);
		await running;
		n8n.world.hanging.clear();
		n8n.world.balances.set(OTHER, 1);
		expect(await changes()).toEqual([[1000003, 'below']]);
	});
});

describe('a busy AiClk', () => {
	const BUSY = newFailure({
		kind: 'busy',
		outcome: 'refused',
		message: 'AiClk takes no more requests at the moment: 请求过快',
		description: 'Run this again later.',
		code: 429,
		retryAfterMs: HOUR_MS,
	});

	it('is reported once for all accounts, whatever each of them was told', async () => {
		n8n.world.failures.set(ACCOUNT, BUSY);
		n8n.world.failures.set('', { ...BUSY, code: null, message: 'AiClk takes no more requests' });
		await n8n.pollFor(30 * MINUTE_MS);
		expect(n8n.errors).toEqual([
			'Accounts 1000002, 1000003, 1000004: AiClk takes no more requests at the moment: 请求过快 (outcome: refused)',
		]);
	});
});

describe('what n8n does not save', () => {
	it('the first look survives a save of the workflow under the durable scheduler', async () => {
		n8n = new N8n(CREATIVES);
		n8n.isDurable = true;
		n8n.world.setCreative('11', { audit_reason: '' });
		expect(await n8n.start()).toBeNull();
		n8n.world.setCreative('11', { audit_reason: 'x' });
		expect(await n8n.poll()).toMatchObject([{ creative_id: '11', change: 'changed' }]);
		expect(await n8n.poll()).toBeNull();
	});

	it('a rename of the node keeps the state while n8n runs', async () => {
		n8n.rename();
		n8n.world.balances.set(ACCOUNT, 1);
		expect(await changes()).toEqual([[1000002, 'below']]);
	});

	it('two pollers of n8n 1, each with a memory of its own, emit each change once', async () => {
		n8n.budgetMs = undefined;
		const second = n8n.secondPoller();
		const items: unknown[] = [];
		for (const balance of [1, 200_000, 5]) {
			n8n.world.balances.set(ACCOUNT, balance);
			items.push(await changes(), await second());
		}
		expect(items).toEqual([
			[[1000002, 'below']],
			null,
			[[1000002, 'recovered']],
			null,
			[[1000002, 'below']],
			null,
		]);
	});

	it('a change in a poll whose result n8n 2 throws away is emitted later', async () => {
		n8n.world.balances.set(ACCOUNT, 1);
		n8n.discards = true;
		expect(await n8n.poll()).toBeNull();
		n8n.discards = false;
		n8n.activate();
		expect(await changes()).toEqual([[1000002, 'below']]);
	});

	it('a clock that is set back does not repeat a change', async () => {
		n8n.world.time += HOUR_MS;
		await n8n.poll();
		n8n.world.time -= HOUR_MS;
		n8n.world.balances.set(ACCOUNT, 1);
		expect(await changes()).toEqual([[1000002, 'below']]);
		expect(await n8n.pollFor(2 * HOUR_MS)).toBe(0);
	});
});

describe('state', () => {
	it('a person can read it', async () => {
		await start({ event: 'creativeChanged', accountIds: ACCOUNT });
		n8n.world.setCreative('20000001', { effective_status: '审核中' });
		n8n.world.setCreative('20000002', { effective_status: '审核中' });
		n8n.world.setCreative('20000007', { effective_status: '通过' });
		await n8n.poll();
		expect(JSON.parse(n8n.state)).toEqual({
			sum: expect.any(String),
			configuration: expect.any(String),
			at: expect.stringMatching(/^2026-11-24T02:00/),
			accounts: {
				1000002: {
					day: '2026-11-24',
					full: '2026-11-24T02:00:00.000Z',
					values: [
						['', '审核中', '', ''],
						['', '通过', '', ''],
					],
					rows: '20000001:0 1 5:1',
					keepLast: 3,
				},
			},
			reports: {},
		});
	});

	it('an account that is not watched for a while keeps what is known of it', async () => {
		n8n.parameters = { ...BALANCES, accountIds: ACCOUNT };
		await n8n.poll();
		n8n.world.balances.set(THIRD, 1);
		n8n.world.balances.set(OTHER, 1);
		await n8n.poll();
		n8n.parameters = { ...BALANCES };
		expect(await changes()).toEqual([
			[1000003, 'below'],
			[1000004, 'below'],
		]);
	});

	it.each([
		['nothing', ''],
		['a cut text', (text: string) => text.slice(0, -1)],
		['another account', (text: string) => text.replace('1000002', '1000009')],
		['an older form', JSON.stringify({ sum: 'x', state: {} })],
	])('that is damaged counts as none: %s', async (_, damage) => {
		n8n.world.balances.set(ACCOUNT, 1);
		await n8n.poll();
		n8n.damage(typeof damage === 'string' ? () => damage : damage);
		expect(await changes()).toEqual([[1000002, 'below']]);
	});

	it('of another client counts as none, and counts again when it is back', async () => {
		await start(CREATIVES);
		n8n.world.setCreative('11', { audit_reason: 'x' });
		current.client = '8';
		n8n.activate();
		expect(await n8n.poll()).toBeNull();
		current.client = '7';
		n8n.activate();
		expect(await n8n.poll()).toMatchObject([{ creative_id: '11', change: 'new' }]);
	});

	it('two accounts that need more than there is: the larger one fails, the other is watched', async () => {
		await start(CREATIVES);
		n8n.world.setCreative('11', { audit_reason: '' }, OTHER);
		await n8n.poll();
		for (let n = 0; n < 60_000; n++) n8n.world.setCreative(String(20_000_000 + n * 7_919), {});
		n8n.world.setCreative('11', { audit_reason: 'x' }, OTHER);
		expect(await changes()).toEqual([[1000003, 'changed']]);
		expect(n8n.errors).toEqual([
			'Account 1000002: There is more to remember than n8n can store for a trigger',
		]);
		expect(n8n.bytes).toBeLessThanOrEqual(256 * 1024);
	});
});

describe('the daily full look', () => {
	const watchMany = async () => {
		await start({ ...CREATIVES, accountIds: `${ACCOUNT} ${OTHER} ${THIRD}` });
		for (const account of [ACCOUNT, OTHER, THIRD]) {
			n8n.world.setCreative('11', { effective_status: '审核中' }, account);
		}
		await n8n.poll();
	};
	/** A review that AiClk's filter by the day of change does not show. */
	const reviewInSilence = (account: string) => {
		const row = n8n.world.creatives.get(`${account} 11`);
		Object.assign(row as object, { effective_status: '审核拒绝', updated_at: '2026-01-01' });
	};

	it('finds within a day what the filter does not name, once', async () => {
		await watchMany();
		await n8n.pollFor(5 * DAY_MS);
		for (const account of [ACCOUNT, OTHER, THIRD]) reviewInSilence(account);
		expect(await n8n.pollFor(DAY_MS + 5 * MINUTE_MS)).toBe(3);
		expect(await n8n.pollFor(2 * DAY_MS)).toBe(0);
	}, 60_000);

	it('reads one account in full at a poll, each once a day', async () => {
		await watchMany();
		n8n.world.time += DAY_MS;
		const inFull = async () => {
			await n8n.poll();
			n8n.world.time += MINUTE_MS;
			return n8n.world.requests
				.filter(({ query }) => query.updated_at === undefined)
				.map(({ account }) => account);
		};
		const asked = [await inFull(), await inFull(), await inFull(), await inFull()];
		expect(asked).toEqual([[ACCOUNT], [OTHER], [THIRD], []]);
		n8n.world.time += DAY_MS;
		expect([await inFull(), await inFull(), await inFull()]).toEqual(asked.slice(0, 3));
	});

	it('is not done by hand', async () => {
		await watchMany();
		n8n.world.time += DAY_MS;
		await n8n.poll('manual');
		expect(n8n.world.requests.every(({ query }) => query.updated_at !== undefined)).toBe(true);
	});

	it('is no first look: one that fails leaves the account unknown', async () => {
		await watchMany();
		n8n.parameters = { ...CREATIVES, accountIds: `${ACCOUNT} 1000009` };
		n8n.world.setCreative('11', {}, '1000009');
		n8n.world.failures.set('1000009', AWAY);
		expect(await changes()).toBeNull();
		n8n.world.failures.clear();
		expect(await changes()).toBeNull();
	});

	it('that fails is reported, loses nothing, and is tried again after an hour', async () => {
		await watchMany();
		n8n.world.time += DAY_MS;
		n8n.world.setCreative('11', { effective_status: '通过' });
		n8n.world.failsAfter = 1;
		n8n.world.failures.set(ACCOUNT, AWAY);
		expect(await changes()).toBeNull();
		expect(n8n.errors).toEqual([expect.stringMatching(/^Account 1000002: AiClk is/)]);
		n8n.world.failures.clear();
		n8n.world.failsAfter = 0;
		expect(await changes()).toEqual([[1000002, 'changed']]);
		reviewInSilence(ACCOUNT);
		expect(await n8n.pollFor(50 * MINUTE_MS)).toBe(0);
		expect(await n8n.pollFor(15 * MINUTE_MS)).toBe(1);
	});

	it('is not kept from others by an account that cannot be read', async () => {
		await watchMany();
		n8n.world.time += DAY_MS;
		n8n.world.failures.set(ACCOUNT, REFUSED);
		reviewInSilence(THIRD);
		expect(await n8n.pollFor(5 * MINUTE_MS)).toBe(1);
	});

	it('finds a rejected material that the status did not name', async () => {
		n8n = new N8n(MATERIALS);
		n8n.world.setMaterial('50', 'PASSED');
		n8n.world.setMaterial('60', 'PASSED');
		await n8n.start();
		n8n.world.setMaterial('50', 'un_passed');
		await n8n.poll();
		n8n.world.time += DAY_MS;
		n8n.world.setMaterial('50', 'UN_PASSED', 'x');
		expect(await n8n.poll()).toMatchObject([{ material_id: '50', change: 'rejected' }]);
		expect(await n8n.pollFor(2 * DAY_MS)).toBe(0);
	}, 60_000);

	it('does not emit rows that were forgotten because there is no room for them', async () => {
		await start({ ...CREATIVES, accountIds: ACCOUNT });
		n8n.world.time -= 30 * DAY_MS;
		for (let n = 0; n < 60_000; n++) n8n.world.setCreative(String(20_000_000 + n * 7_919), {});
		n8n.world.time += 30 * DAY_MS;
		n8n.workflowId = 'another';
		n8n.damage(() => '');
		expect(await n8n.poll()).toBeNull();
		n8n.world.time += DAY_MS;
		for (const id of ['20000000', String(20_000_000 + 59_999 * 7_919)]) {
			Object.assign(n8n.world.creatives.get(`${ACCOUNT} ${id}`) as object, { audit_reason: 'x' });
		}
		expect((await n8n.poll())?.map(({ creative_id: id }) => id)).toEqual([
			String(20_000_000 + 59_999 * 7_919),
		]);
		expect(n8n.bytes).toBeLessThanOrEqual(256 * 1024);
	}, 60_000);
});

it('a failure of AiClk to say who is meant names no account', async () => {
	await start({ event: 'tokenNeedsAttention', withinDays: 10 });
	n8n.world.failures.set('', newFailure({ ...AWAY, message: 'away' }));
	await n8n.poll();
	expect(n8n.errors).toEqual(['away (outcome: unknown)']);
});
