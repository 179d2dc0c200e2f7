import fc from 'fast-check';

import { creativeChanged } from '../../../nodes/AiClkTrigger/events/creativeChanged';
import { ACCOUNT, DAY_MS, OTHER, Poller, settings, World } from './support';

const REVIEWING = { configure_status: 'ENABLE', effective_status: '审核中', audit_reason: '' };
const REJECTED = { effective_status: '审核拒绝', audit_reason: '图片不清晰' };

/** Ids that are not next to each other. */
const farApart = (n: number): string => String(20_000_000 + n * 7_919);

jest.setTimeout(60_000);

let world: World;
let poller: Poller<unknown, unknown>;

const start = (changes = {}, maxBytes?: number) => {
	poller = new Poller(creativeChanged as never, world, settings(changes), maxBytes);
};

beforeEach(() => {
	world = new World();
	for (const id of ['11', '12'])
		world.setCreative(id, { creative_name: `创意 ${id}`, ...REVIEWING });
	start();
});

describe('Creative Changed', () => {
	it('the first look at creatives emits nothing', async () => {
		expect(await poller.poll()).toEqual([]);
	});

	it('the first look emits all creatives once if asked to', async () => {
		start({ emitExisting: true });
		const items = await poller.poll();
		expect(items).toMatchObject([
			{ creative_id: '11', change: 'existing', old: null, oldForgotten: false, new: REVIEWING },
			{ creative_id: '12', change: 'existing' },
		]);
		expect(await poller.poll()).toEqual([]);
	});

	it('a changed creative is emitted once with old and new values', async () => {
		await poller.poll();
		world.setCreative('12', REJECTED);
		expect(await poller.poll()).toEqual([
			{
				account_id: '1000002',
				creative_id: '12',
				creative_name: '创意 12',
				...REVIEWING,
				...REJECTED,
				change: 'changed',
				changed: ['effective_status', 'audit_reason'],
				old: { ...REVIEWING, unable_reason: '' },
				oldForgotten: false,
				new: { ...REVIEWING, ...REJECTED, unable_reason: '' },
			},
		]);
		expect(await poller.poll()).toEqual([]);
	});

	it.each(['configure_status', 'effective_status', 'unable_reason', 'audit_reason'])(
		'a change of %s emits the creative',
		async (field) => {
			await poller.poll();
			world.setCreative('11', { [field]: 'another' });
			expect(await poller.poll()).toMatchObject([{ creative_id: '11', changed: [field] }]);
		},
	);

	it('a change of other fields of a creative emits nothing', async () => {
		await poller.poll();
		world.setCreative('11', { creative_name: '另一个' });
		expect(await poller.poll()).toEqual([]);
	});

	it('a new creative is emitted as new', async () => {
		await poller.poll();
		world.setCreative('13', REVIEWING);
		expect(await poller.poll()).toMatchObject([
			{ creative_id: '13', change: 'new', changed: null, old: null, oldForgotten: false },
		]);
	});

	it('the second look asks for creatives by day of change', async () => {
		await poller.poll();
		expect(world.requests.map(({ query }) => query.updated_at)).toEqual([
			undefined,
			{ start: '2026-11-22' },
		]);
		world.time += 5 * DAY_MS;
		await poller.poll();
		expect(world.requests.map(({ query }) => query.updated_at)).toEqual([{ start: '2026-11-22' }]);
		await poller.poll();
		expect(world.requests.map(({ query }) => query.updated_at)).toEqual([{ start: '2026-11-27' }]);
	});

	it('each request for creatives carries the filters', async () => {
		const filters = { campaign_id: 7n };
		start({ filters });
		await poller.poll();
		await poller.poll();
		expect(world.requests).toMatchObject([{ query: filters }]);
	});

	it('changes of a month without polls are emitted', async () => {
		await poller.poll();
		world.setCreative('12', REJECTED);
		world.time += 30 * DAY_MS;
		poller.restart();
		expect(await poller.poll()).toMatchObject([{ creative_id: '12', change: 'changed' }]);
	});

	it.each([-400, 400])('no creative is lost when the clock jumps by %i days', async (days) => {
		world.namesTime = false;
		await poller.poll();
		world.clockAhead = days * DAY_MS;
		expect(await poller.poll()).toEqual([]);
		world.clockAhead = 0;
		world.setCreative('12', REJECTED);
		expect(await poller.poll()).toMatchObject([{ creative_id: '12' }]);
	});

	it('an added account has a first look of its own', async () => {
		world.setCreative('11', REJECTED, OTHER);
		await poller.poll();
		poller.settings = settings({ accounts: [ACCOUNT, OTHER] });
		world.setCreative('11', REJECTED);
		expect(await poller.poll()).toMatchObject([{ account_id: '1000002', creative_id: '11' }]);
		world.setCreative('11', REVIEWING, OTHER);
		expect(await poller.poll()).toMatchObject([{ account_id: '1000003', creative_id: '11' }]);
	});

	it('a failed second account leaves the creative state unchanged', async () => {
		start({ accounts: [ACCOUNT, OTHER] });
		await poller.poll();
		world.setCreative('11', REJECTED);
		world.failsAfter = 1;
		expect(await poller.poll()).toBeNull();
		world.failsAfter = null;
		expect(await poller.poll()).toHaveLength(1);
	});

	it('100,000 creatives with close ids fit into the state', async () => {
		for (let n = 0; n < 100_000; n++) world.setCreative(String(20_000_000 + n), REVIEWING);
		await poller.poll();
		world.setCreative('20000000', REJECTED);
		expect(await poller.poll()).toMatchObject([
			{ creative_id: '20000000', change: 'changed', old: REVIEWING },
		]);
		expect(poller.bytes).toBeLessThan(256 * 1024);
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
		expect(await poller.poll()).toEqual([]);
		expect(world.requests).toHaveLength(1_002);
		world.setCreative(farApart(0), REJECTED);
		world.setCreative(farApart(99_999), REJECTED);
		expect(await poller.poll()).toMatchObject([
			{ creative_id: farApart(0), change: 'newOrChanged', old: null, oldForgotten: true },
			{ creative_id: farApart(99_999), change: 'changed', old: REVIEWING, oldForgotten: false },
		]);
		expect(await poller.poll()).toEqual([]);
		expect(world.requests).toHaveLength(1);
		expect(poller.bytes).toBeLessThanOrEqual(256 * 1024);
		expect(poller.bytes).toBeGreaterThan(200 * 1024);
	});

	it('10,000 creatives with unique reasons lose some old values', async () => {
		for (let n = 0; n < 10_000; n++) {
			world.setCreative(String(20_000_000 + n), { ...REVIEWING, audit_reason: `不清晰 ${n}` });
		}
		await poller.poll();
		world.setCreative('20000000', REJECTED);
		world.setCreative('20009999', REJECTED);
		expect(await poller.poll()).toMatchObject([
			{ creative_id: '20000000', change: 'changed', changed: null, old: null, oldForgotten: true },
			{ creative_id: '20009999', change: 'changed', oldForgotten: false },
		]);
		expect(poller.bytes).toBeLessThanOrEqual(256 * 1024);
	});

	it('a poll fails when three days of changes do not fit', async () => {
		await poller.poll();
		for (let n = 0; n < 100_000; n++) world.setCreative(farApart(n), REVIEWING);
		await expect(poller.poll()).rejects.toThrow('too much to remember');
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
	fc.record({ clockAhead: fc.integer({ min: -400 * DAY_MS, max: 400 * DAY_MS }) }),
);

it('each creative change is emitted exactly once over restarts', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(step, { maxLength: 40 }),
			fc.integer({ min: -11, max: 14 }),
			async (steps, zone) => {
				world = new World();
				world.zone = zone;
				start({ accounts: [ACCOUNT, OTHER] });
				world.setCreative('11', { configure_status: 'ENABLE' });
				await poller.poll();
				const known = new Map([['11', 'ENABLE']]);
				for (const one of [...steps, 'poll' as const]) {
					if (one === 'restart') poller.restart();
					else if (one === 'poll' || 'failsAfter' in one) {
						world.failsAfter = one === 'poll' ? null : one.failsAfter;
						const items = await poller.poll();
						expect(items === null).toBe(one !== 'poll');
						const expected = [...world.creatives.values()].filter(
							(row) => known.get(row.creative_id) !== row.configure_status,
						);
						if (items === null) continue;
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

it('that creatives were forgotten is remembered over later polls', async () => {
	world.time -= 30 * DAY_MS;
	for (let n = 0; n < 60; n++) world.setCreative(farApart(n), { configure_status: 'ENABLE' });
	world.time += 30 * DAY_MS;
	start({}, 420);
	for (let polls = 0; polls < 5; polls++) await poller.poll();
	world.setCreative(farApart(0), { configure_status: 'PAUSED' });
	expect(await poller.poll()).toMatchObject([{ change: 'newOrChanged', oldForgotten: true }]);
});

it('with little room no creative change is lost or doubled', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.tuple(fc.nat(59), fc.constantFrom(...VALUES)), { maxLength: 40 }),
			async (changes) => {
				world = new World();
				world.time -= 30 * DAY_MS;
				for (let n = 0; n < 60; n++) world.setCreative(farApart(n), { configure_status: 'ENABLE' });
				world.time += 30 * DAY_MS;
				start({}, 420);
				await poller.poll();
				const known = new Map<string, string>();
				for (const [n, status] of changes) {
					// One change every two days: more than are in four days would not fit.
					world.time += DAY_MS;
					const id = farApart(n);
					const isChange = (known.get(id) ?? 'ENABLE') !== status;
					world.setCreative(id, { configure_status: status });
					known.set(id, status);
					const items = (await poller.poll()) ?? [];
					if (isChange)
						expect(items).toMatchObject([{ creative_id: id, configure_status: status }]);
					// What was forgotten may be emitted when AiClk says that it was changed; nothing else is.
					for (const item of items) expect(isChange || item.oldForgotten).toBe(true);
					expect(await poller.poll()).toEqual([]);
				}
			},
		),
		{ numRuns: 200 },
	);
});
