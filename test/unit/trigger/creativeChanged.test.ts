import fc from 'fast-check';

import { AWAY, N8n, type World } from '../../harness/fakePolling';
import { ACCOUNT, DAY_MS, OTHER } from '../../harness/fakes';

const REVIEWING = { configure_status: 'ENABLE', effective_status: '审核中', audit_reason: '' };
const REJECTED = { effective_status: '审核拒绝', audit_reason: '图片不清晰' };

/** Ids that are not next to each other. */
const farApart = (n: number): string => String(20_000_000 + n * 7_919);

jest.setTimeout(60_000);

let n8n: N8n;
let world: World;

const start = (changes = {}) => {
	n8n = new N8n({ event: 'creativeChanged', accountIds: ACCOUNT, ...changes });
	({ world } = n8n);
	for (const id of ['11', '12'])
		world.setCreative(id, { creative_name: `创意 ${id}`, ...REVIEWING });
};

/** One poll. @returns its items */
const poll = async () => (await n8n.poll()) ?? [];

beforeEach(() => {
	start();
});

describe('Creative Changed', () => {
	it('the first look emits all creatives once if asked to', async () => {
		start({ options: { emitExisting: true } });
		const items = await poll();
		expect(items).toMatchObject([
			{ creative_id: '11', change: 'existing', old: null, new: REVIEWING },
			{ creative_id: '12', change: 'existing' },
		]);
		expect(await poll()).toEqual([]);
	});

	it('a changed creative is emitted once with old and new values, what it is about first', async () => {
		expect(await poll()).toEqual([]);
		world.setCreative('12', REJECTED);
		const items = await poll();
		expect(items).toEqual([
			{
				account_id: 1000002,
				creative_id: '12',
				creative_name: '创意 12',
				...REVIEWING,
				...REJECTED,
				change: 'changed',
				changed: ['effective_status', 'audit_reason'],
				old: { ...REVIEWING, unable_reason: '' },
				new: { ...REVIEWING, ...REJECTED, unable_reason: '' },
			},
		]);
		const names = Object.keys(items[0] ?? {}).slice(0, 3);
		expect(names).toEqual(['change', 'creative_name', 'audit_reason']);
		expect(await poll()).toEqual([]);
	});

	it.each(['configure_status', 'effective_status', 'unable_reason', 'audit_reason'])(
		'a change of %s emits the creative',
		async (field) => {
			await poll();
			world.setCreative('11', { [field]: 'another' });
			expect(await poll()).toMatchObject([{ creative_id: '11', changed: [field] }]);
		},
	);

	it('a change of other fields of a creative emits nothing', async () => {
		await poll();
		world.setCreative('11', { creative_name: '另一个' });
		expect(await poll()).toEqual([]);
	});

	it('a new creative is emitted as new', async () => {
		await poll();
		world.setCreative('13', REVIEWING);
		expect(await poll()).toMatchObject([
			{ creative_id: '13', change: 'new', changed: null, old: null },
		]);
	});

	it('the second look asks for creatives by day of change', async () => {
		await poll();
		expect(world.requests.map(({ query }) => query.updated_at)).toEqual([
			undefined,
			{ start: '2026-11-22' },
		]);
		world.time += 5 * DAY_MS;
		await poll();
		// It is also time for the daily full look, which names no day.
		expect(world.requests.map(({ query }) => query.updated_at)).toEqual([
			undefined,
			{ start: '2026-11-22' },
		]);
		await poll();
		expect(world.requests.map(({ query }) => query.updated_at)).toEqual([{ start: '2026-11-27' }]);
	});

	it('each request for creatives carries the filters', async () => {
		start({ filters: { campaignId: '7' } });
		await poll();
		await poll();
		expect(world.requests).toMatchObject([{ query: { campaign_id: 7n } }]);
	});

	it('changes of a month without polls are emitted', async () => {
		await n8n.start();
		world.setCreative('12', REJECTED);
		world.time += 30 * DAY_MS;
		n8n.restart();
		expect(await poll()).toMatchObject([{ creative_id: '12', change: 'changed' }]);
	});

	it.each([-400, 400])('no creative is lost when the clock jumps by %i days', async (days) => {
		await poll();
		world.clockAhead = days * DAY_MS;
		expect(await poll()).toEqual([]);
		world.clockAhead = 0;
		world.setCreative('12', REJECTED);
		expect(await poll()).toMatchObject([{ creative_id: '12' }]);
	});

	it('a clock that was ahead hides no change of any account from the next poll', async () => {
		start({ accountIds: `${ACCOUNT} ${OTHER}` });
		world.setCreative('12', REVIEWING, OTHER);
		await poll();
		world.clockAhead = 400 * DAY_MS;
		await poll();
		world.clockAhead = 0;
		world.setCreative('12', REJECTED, OTHER);
		expect(await poll()).toMatchObject([{ account_id: 1000003, creative_id: '12' }]);
	});

	it('what a clock that is ten days ahead hides is emitted by the daily full look', async () => {
		world.clockAhead = 10 * DAY_MS;
		await poll();
		world.setCreative('12', REJECTED);
		expect(await poll()).toEqual([]);
		world.time += DAY_MS;
		expect(await poll()).toMatchObject([{ creative_id: '12', change: 'changed' }]);
	});

	it('a run by hand shows what has changed lately, else any creatives', async () => {
		const shown = async () => (await n8n.poll('manual'))?.map(({ creative_id: id }) => id);
		world.time += 30 * DAY_MS;
		expect(await shown()).toEqual(['12', '11']);
		world.setCreative('9', REVIEWING);
		expect(await shown()).toEqual(['9']);
	});

	it('a run by hand reads one page and shows the ten newest rows of it', async () => {
		for (let id = 1_000; id < 1_150; id++) world.setCreative(`${id}`, REVIEWING);
		const items = (await n8n.poll('manual')) ?? [];
		const newest = Array.from({ length: 10 }, (_, n) => `${1_097 - n}`);
		expect(items.map(({ creative_id: id }) => id)).toEqual(newest);
		expect(world.requests).toHaveLength(1);
	});

	it('an added account has a first look of its own', async () => {
		world.setCreative('11', REJECTED, OTHER);
		await poll();
		n8n.parameters = { ...n8n.parameters, accountIds: `${ACCOUNT} ${OTHER}` };
		world.setCreative('11', REJECTED);
		expect(await poll()).toMatchObject([{ account_id: 1000002, creative_id: '11' }]);
		world.setCreative('11', REVIEWING, OTHER);
		expect(await poll()).toMatchObject([{ account_id: 1000003, creative_id: '11' }]);
	});

	it.each([
		['another reason', REJECTED, true],
		['another status', { configure_status: 'PAUSED' }, false],
		['a reason that is gone', { audit_reason: '' }, false],
	])(
		'with Only With a New Rejection Reason, %s is emitted: %j: %p',
		async (_, values, isEmitted) => {
			start({ options: { onlyNewReasons: true } });
			world.setCreative('12', { audit_reason: '太暗' });
			await poll();
			world.setCreative('12', values);
			expect(await poll()).toHaveLength(isEmitted ? 1 : 0);
			n8n.parameters = { ...n8n.parameters, options: {} };
			expect(await poll()).toEqual([]);
		},
	);

	it('with Only With a New Rejection Reason, a new creative is emitted if it has a reason', async () => {
		start({ options: { onlyNewReasons: true } });
		await poll();
		world.setCreative('13', REVIEWING);
		world.setCreative('14', REJECTED);
		expect(await poll()).toMatchObject([{ creative_id: '14', change: 'new' }]);
	});

	it('lists without rows, with code 200, lose nothing and repeat nothing', async () => {
		await poll();
		world.isOdd = true;
		expect(await poll()).toEqual([]);
		world.isOdd = false;
		world.setCreative('12', REJECTED);
		expect(await poll()).toMatchObject([{ creative_id: '12', change: 'changed' }]);
	});

	it('100,000 creatives with close ids fit into the state', async () => {
		for (let n = 0; n < 100_000; n++) world.setCreative(String(20_000_000 + n), REVIEWING);
		await poll();
		world.setCreative('20000000', REJECTED);
		expect(await poll()).toMatchObject([
			{ creative_id: '20000000', change: 'changed', old: REVIEWING },
		]);
		expect(n8n.bytes).toBeLessThan(256 * 1024);
	});

	it('100,000 creatives with distant ids stay within 256 kB', async () => {
		world.time -= 30 * DAY_MS;
		for (let n = 0; n < 100_000; n++) {
			world.setCreative(farApart(n), {
				...REVIEWING,
				audit_reason: n % 100 === 0 ? `不清晰 ${n}` : '',
			});
		}
		world.time += 30 * DAY_MS;
		expect(await poll()).toEqual([]);
		expect(world.requests).toHaveLength(1_002);
		world.setCreative(farApart(0), REJECTED);
		world.setCreative(farApart(99_999), REJECTED);
		expect(await poll()).toMatchObject([
			{ creative_id: farApart(0), change: 'newOrChanged', old: null },
			{ creative_id: farApart(99_999), change: 'changed', old: REVIEWING },
		]);
		expect(await poll()).toEqual([]);
		expect(world.requests).toHaveLength(1);
		expect(n8n.bytes).toBeLessThanOrEqual(256 * 1024);
		expect(n8n.bytes).toBeGreaterThan(180 * 1024);
	});
});

const IDS = ['11', '12', '13', '18446744073709551615'];
const VALUES = ['ENABLE', 'PAUSED', 'DELETED'];

const step = fc.oneof(
	fc.record({ set: fc.constantFrom(...IDS), to: fc.constantFrom(...VALUES) }),
	fc.constant('poll' as const),
	fc.record({ failsAfter: fc.integer({ min: 0, max: 1 }) }),
	fc.constant('restart' as const),
	fc.record({ passes: fc.integer({ min: 1, max: 9 * DAY_MS }) }),
	fc.record({ clockAhead: fc.integer({ min: -DAY_MS, max: DAY_MS }) }),
);

it('each creative change is emitted exactly once over restarts', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(step, { maxLength: 40 }),
			fc.integer({ min: -11, max: 14 }),
			fc.constantFrom(undefined, 300_000, 36_000),
			async (steps, zone, budgetMs) => {
				start({ accountIds: `${ACCOUNT} ${OTHER}` });
				n8n.budgetMs = budgetMs;
				n8n.isDurable = budgetMs === 36_000;
				world.zone = zone;
				world.creatives.clear();
				world.setCreative('11', { configure_status: 'ENABLE' });
				await n8n.start();
				const known = new Map([['11', 'ENABLE']]);
				for (const one of [...steps, 'poll' as const]) {
					// Under the durable scheduler n8n has saved nothing before the first change.
					if (one === 'restart') {
						if (n8n.state !== '') n8n.restart();
					} else if (one === 'poll' || 'failsAfter' in one) {
						world.failures.clear();
						if (one !== 'poll') world.failures.set(ACCOUNT, AWAY);
						const items = await poll();
						const expected = [...world.creatives.values()].filter(
							(row) => known.get(row.creative_id) !== row.configure_status,
						);
						if (one !== 'poll') {
							expect(items).toEqual([]);
							continue;
						}
						expect(items.map((item) => item.creative_id).sort()).toEqual(
							expected.map((row) => row.creative_id).sort(),
						);
						for (const item of items) {
							const id = String(item.creative_id);
							const old = known.get(id);
							expect(item.change).toBe(old === undefined ? 'new' : 'changed');
							expect((item.old as { configure_status?: string } | null)?.configure_status).toBe(
								old,
							);
							known.set(id, String(item.configure_status));
						}
					} else if ('set' in one) world.setCreative(one.set, { configure_status: one.to });
					else if ('passes' in one) world.time += one.passes;
					else world.clockAhead = one.clockAhead;
				}
			},
		),
		{ numRuns: 500 },
	);
});
