import fc from 'fast-check';

import { materialReviewed } from '../../../nodes/AiClkTrigger/events/materialReviewed';
import { ACCOUNT, OTHER, Poller, settings, World } from './support';

jest.setTimeout(60_000);

let world: World;
let poller: Poller<unknown, unknown>;

const start = (changes = {}, maxBytes?: number) => {
	poller = new Poller(materialReviewed as never, world, settings(changes), maxBytes);
};

/** Gives 250 materials a status, from id 100 on. */
const setMany = (status: string) => {
	for (let n = 0; n < 250; n++) world.setMaterial(String(100 + n), status);
};

beforeEach(() => {
	world = new World();
	world.setMaterial('51', 'PASSED');
	world.setMaterial('52', 'UN_PASSED', '图片不清晰');
	world.setMaterial('53', 'UNDER_PASSING');
	world.setMaterial('54', 'DELETED');
	start();
});

describe('Material Reviewed', () => {
	it('the first look at materials emits nothing', async () => {
		expect(await poller.poll()).toEqual([]);
		expect(await poller.poll()).toEqual([]);
	});

	it('the first look emits reviewed materials once if asked to', async () => {
		start({ emitExisting: true });
		const items = await poller.poll();
		expect(items?.map(({ material_id: id, change }) => [id, change])).toEqual([
			['52', 'rejected'],
			['51', 'approved'],
		]);
		expect(await poller.poll()).toEqual([]);
	});

	it('an approved material is emitted once with old and new values', async () => {
		await poller.poll();
		world.setMaterial('53', 'PASSED');
		expect(await poller.poll()).toEqual([
			{
				account_id: '1000002',
				material_id: '53',
				material_status: 'PASSED',
				audit_reason: '',
				change: 'approved',
				old: { material_status: 'UNDER_PASSING', audit_reason: '' },
				oldForgotten: false,
				new: { material_status: 'PASSED', audit_reason: '' },
			},
		]);
		expect(await poller.poll()).toEqual([]);
	});

	it.each([
		['a rejection', '53', 'UN_PASSED', '太暗', 'rejected'],
		['another reason', '52', 'UN_PASSED', '太暗', 'rejected'],
		['an approval after a rejection', '52', 'PASSED', '', 'approved'],
		['a rejection after an approval', '51', 'UN_PASSED', '太暗', 'rejected'],
		['a rejection of a new one', '55', 'UN_PASSED', '太暗', 'rejected'],
		['an approval of a new one', '55', 'PASSED', '', 'approved'],
	])('a material is emitted once: %s', async (_, id, status, reason, change) => {
		await poller.poll();
		world.setMaterial(id, status, reason);
		expect(await poller.poll()).toMatchObject([{ material_id: id, change }]);
		expect(await poller.poll()).toEqual([]);
	});

	it.each([
		['an upload', '55', 'UNDER_PASSING'],
		['a deletion', '53', 'DELETED'],
		['another review of a rejected one', '52', 'UNDER_PASSING'],
	])('a material is not emitted: %s', async (_, id, status) => {
		await poller.poll();
		world.setMaterial(id, status);
		expect(await poller.poll()).toEqual([]);
		expect(await poller.poll()).toEqual([]);
	});

	it('a material approved in a second review is emitted', async () => {
		await poller.poll();
		world.setMaterial('52', 'UNDER_PASSING');
		await poller.poll();
		world.setMaterial('52', 'PASSED');
		expect(await poller.poll()).toMatchObject([{ material_id: '52', change: 'approved' }]);
	});

	it.each([
		['a new one with an unknown status', '55', ['AUDITING', 'AUDITING', 'PASSED']],
		['a new one without a status', '55', ['', 'UN_PASSED']],
		['an unknown status in between', '53', ['MACHINE_PASSED', 'MACHINE_PASSED', 'PASSED']],
		['an unknown status after a rejection', '52', ['APPEALED', 'PASSED']],
		['a new one that is missing from two answers', '55', ['UNDER_PASSING', null, null, 'PASSED']],
		['an open one that is missing from one answer', '53', [null, 'PASSED']],
	])('a review is emitted whatever was seen before it: %s', async (_, id, statuses) => {
		await poller.poll();
		for (const status of statuses) {
			if (status === null) world.materials.delete(`${ACCOUNT} ${id}`);
			else world.setMaterial(id, status);
			const change = status === 'PASSED' ? 'approved' : 'rejected';
			const isReviewed = status === 'PASSED' || status === 'UN_PASSED';
			expect(await poller.poll()).toMatchObject(isReviewed ? [{ material_id: id, change }] : []);
		}
		expect(await poller.poll()).toEqual([]);
	});

	it('a rejection that is missing from one answer is not emitted a second time', async () => {
		await poller.poll();
		world.materials.delete(`${ACCOUNT} 52`);
		await poller.poll();
		world.setMaterial('52', 'UN_PASSED', '图片不清晰');
		expect(await poller.poll()).toEqual([]);
	});

	it('a deleted material costs no request after the poll that finds it', async () => {
		await poller.poll();
		world.setMaterial('53', 'DELETED');
		await poller.poll();
		expect(world.requests).toHaveLength(4);
		await poller.poll();
		expect(world.requests).toHaveLength(2);
	});

	it('materials that AiClk no longer has cost two requests a poll, however many they are', async () => {
		setMany('UNDER_PASSING');
		await poller.poll();
		world.materials.clear();
		await poller.poll();
		await poller.poll();
		expect(world.requests).toHaveLength(4);
	});

	it('of the materials that AiClk no longer has, the latest stay known', async () => {
		setMany('UNDER_PASSING');
		await poller.poll();
		world.materials.clear();
		world.setMaterial('53', 'UNDER_PASSING');
		await poller.poll();
		world.materials.clear();
		await poller.poll();
		world.setMaterial('53', 'PASSED');
		expect(await poller.poll()).toMatchObject([{ material_id: '53', change: 'approved' }]);
	});

	it('materials that AiClk no longer has are forgotten where there is little room', async () => {
		for (let n = 0; n < 40; n++) world.setMaterial(String(900 + n ** 3), 'UNDER_PASSING');
		start({}, 350);
		await poller.poll();
		world.materials.clear();
		for (let n = 0; n < 40; n++) world.setMaterial(String(90_000 + n ** 3), 'UNDER_PASSING');
		expect(await poller.poll()).toEqual([]);
	});

	it('a poll of materials reads two pages of any account', async () => {
		for (let n = 0; n < 100_000; n++) world.setMaterial(String(20_000_000 + n), 'PASSED');
		await poller.poll();
		expect(world.requests).toHaveLength(2);
		await poller.poll();
		expect(world.requests).toHaveLength(2);
	});

	it('250 materials approved between two looks are emitted', async () => {
		await poller.poll();
		setMany('PASSED');
		expect(await poller.poll()).toHaveLength(250);
		expect(await poller.poll()).toEqual([]);
	});

	it('250 materials that are no longer under review are asked for 100 at a time and emitted', async () => {
		setMany('UNDER_PASSING');
		await poller.poll();
		setMany('PASSED');
		expect(await poller.poll()).toHaveLength(250);
		const asked = world.requests.flatMap(({ query }) => {
			const { material_id: ids } = query as { material_id?: bigint[] };
			return ids === undefined ? [] : [ids.length];
		});
		expect(asked).toEqual([100, 100, 50]);
	});

	it('a deleted material that comes back is not emitted a second time', async () => {
		await poller.poll();
		world.setMaterial('55', 'PASSED');
		expect(await poller.poll()).toMatchObject([{ material_id: '55', change: 'approved' }]);
		world.setMaterial('55', 'DELETED');
		expect(await poller.poll()).toEqual([]);
		world.setMaterial('55', 'PASSED');
		expect(await poller.poll()).toEqual([]);
	});

	it('a failed second account leaves the material state unchanged', async () => {
		start({ accounts: [ACCOUNT, OTHER] });
		await poller.poll();
		world.setMaterial('53', 'PASSED');
		world.failsAfter = 3;
		expect(await poller.poll()).toBeNull();
		world.failsAfter = null;
		expect(await poller.poll()).toHaveLength(1);
	});
});

const step = fc.oneof(
	fc.record({
		/** Of the materials that are there; one more is a new one, with a higher id. */
		set: fc.nat(5),
		to: fc.constantFrom('PASSED', 'UN_PASSED', 'UNDER_PASSING', 'AUDITING', 'DELETED'),
		reason: fc.constantFrom('', '太暗'),
	}),
	fc.constant('poll' as const),
	fc.record({ failsAfter: fc.integer({ min: 0, max: 3 }) }),
	fc.constant('restart' as const),
);

it('each review is emitted exactly once over restarts', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
			world = new World();
			world.setMaterial('51', 'PASSED');
			start({ accounts: [ACCOUNT, OTHER] });
			await poller.poll();
			/** The result of the last review of each; one that ends as the one before may be emitted or not. */
			const results = new Map([['51', 'PASSED ']]);
			for (const one of [...steps, 'poll' as const]) {
				if (one === 'restart') poller.restart();
				else if (one === 'poll' || 'failsAfter' in one) {
					world.failsAfter = one === 'poll' ? null : one.failsAfter;
					const items = await poller.poll();
					if (items === null) continue;
					const emitted = items.map((item) => String(item.material_id));
					expect(new Set(emitted).size).toBe(emitted.length);
					for (const row of world.materials.values()) {
						const id = row.material_id;
						const result = `${row.material_status} ${row.audit_reason}`;
						if (!/^(PASSED|UN_PASSED)/.test(result)) expect(emitted).not.toContain(id);
						else {
							if (results.get(id) !== result) expect(emitted).toContain(id);
							results.set(id, result);
						}
					}
					world.failsAfter = null;
					expect(await poller.poll()).toEqual([]);
				} else {
					const isThere = one.set < world.materials.size;
					const id = 51 + Math.min(one.set, world.materials.size);
					const reason = one.to === 'UN_PASSED' ? one.reason : '';
					world.setMaterial(`${id}`, isThere || one.to !== 'DELETED' ? one.to : 'PASSED', reason);
				}
			}
		}),
		{ numRuns: 500 },
	);
});
