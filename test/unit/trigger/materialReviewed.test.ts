import fc from 'fast-check';

import { AWAY, N8n, type World } from '../../harness/fakePolling';
import { ACCOUNT, OTHER } from '../../harness/fakes';

jest.setTimeout(60_000);

let n8n: N8n;
let world: World;

const start = (changes = {}) => {
	n8n = new N8n({ event: 'materialReviewed', accountIds: ACCOUNT, ...changes });
	({ world } = n8n);
	world.setMaterial('51', 'PASSED');
	world.setMaterial('52', 'UN_PASSED', '图片不清晰');
	world.setMaterial('53', 'UNDER_PASSING');
	world.setMaterial('54', 'DELETED');
};

/** One poll. @returns its items */
const poll = async () => (await n8n.poll()) ?? [];

/** Gives 250 materials a status, from id 100 on. */
const setMany = (status: string) => {
	for (let n = 0; n < 250; n++) world.setMaterial(String(100 + n), status);
};

beforeEach(() => {
	start();
});

describe('Material Reviewed', () => {
	it('the first look emits reviewed materials once if asked to', async () => {
		start({ options: { emitExisting: true } });
		const items = await poll();
		expect(items?.map(({ material_id: id, change }) => [id, change])).toEqual([
			['51', 'approved'],
			['52', 'rejected'],
		]);
		expect(await poll()).toEqual([]);
	});

	it('an approved material is emitted once with old and new values, what it is about first', async () => {
		expect(await poll()).toEqual([]);
		expect(await poll()).toEqual([]);
		world.setMaterial('53', 'PASSED');
		const items = await poll();
		expect(items).toEqual([
			{
				account_id: 1000002,
				material_id: '53',
				material_name: null,
				material_status: 'PASSED',
				audit_reason: '',
				change: 'approved',
				old: { material_status: 'UNDER_PASSING', audit_reason: '' },
				new: { material_status: 'PASSED', audit_reason: '' },
			},
		]);
		const names = Object.keys(items[0] ?? {}).slice(0, 3);
		expect(names).toEqual(['change', 'material_name', 'audit_reason']);
		expect(await poll()).toEqual([]);
	});

	it.each([
		['a rejection', '53', 'UN_PASSED', '太暗', 'rejected'],
		['another reason', '52', 'UN_PASSED', '太暗', 'rejected'],
		['an approval after a rejection', '52', 'PASSED', '', 'approved'],
		['a rejection after an approval', '51', 'UN_PASSED', '太暗', 'rejected'],
		['a rejection of a new one', '55', 'UN_PASSED', '太暗', 'rejected'],
		['an approval of a new one', '55', 'PASSED', '', 'approved'],
	])('a material is emitted once: %s', async (_, id, status, reason, change) => {
		await poll();
		world.setMaterial(id, status, reason);
		expect(await poll()).toMatchObject([{ material_id: id, change }]);
		expect(await poll()).toEqual([]);
	});

	it.each([
		['an upload', '55', 'UNDER_PASSING'],
		['a deletion', '53', 'DELETED'],
		['another review of a rejected one', '52', 'UNDER_PASSING'],
	])('a material is not emitted: %s', async (_, id, status) => {
		await poll();
		world.setMaterial(id, status);
		expect(await poll()).toEqual([]);
		expect(await poll()).toEqual([]);
	});

	it.each([
		['a new one with an unknown status', '55', ['AUDITING', 'AUDITING', 'PASSED']],
		['a new one without a status', '55', ['', 'UN_PASSED']],
		['an unknown status in between', '53', ['MACHINE_PASSED', 'MACHINE_PASSED', 'PASSED']],
		['an unknown status after a rejection', '52', ['APPEALED', 'PASSED']],
		['a second review of a rejected one', '52', ['UNDER_PASSING', 'PASSED']],
		['a new one that is missing from two answers', '55', ['UNDER_PASSING', null, null, 'PASSED']],
		['an open one that is missing from one answer', '53', [null, 'PASSED']],
	])('a review is emitted whatever was seen before it: %s', async (_, id, statuses) => {
		await poll();
		for (const status of statuses) {
			if (status === null) world.materials.delete(`${ACCOUNT} ${id}`);
			else world.setMaterial(id, status);
			const change = status === 'PASSED' ? 'approved' : 'rejected';
			const isReviewed = status === 'PASSED' || status === 'UN_PASSED';
			expect(await poll()).toMatchObject(isReviewed ? [{ material_id: id, change }] : []);
		}
		expect(await poll()).toEqual([]);
	});

	it('a rejection that is missing from one answer is not emitted a second time', async () => {
		await poll();
		world.materials.delete(`${ACCOUNT} 52`);
		await poll();
		world.setMaterial('52', 'UN_PASSED', '图片不清晰');
		expect(await poll()).toEqual([]);
	});

	it('a deleted material costs no request after the poll that finds it', async () => {
		await poll();
		world.setMaterial('53', 'DELETED');
		await poll();
		expect(world.requests).toHaveLength(4);
		await poll();
		expect(world.requests).toHaveLength(2);
	});

	it('materials that AiClk no longer has cost two requests a poll, however many they are', async () => {
		setMany('UNDER_PASSING');
		await poll();
		world.materials.clear();
		await poll();
		await poll();
		expect(world.requests).toHaveLength(4);
	});

	it('materials that AiClk has left out, however many they are, are known when it has them again', async () => {
		for (let n = 0; n < 900; n++) world.setMaterial(String(1_000 + n), 'UN_PASSED', '图片不清晰');
		await poll();
		world.isOdd = true;
		for (let polls = 0; polls < 3; polls++) expect(await poll()).toEqual([]);
		world.isOdd = false;
		expect(await poll()).toEqual([]);
		world.setMaterial('1000', 'PASSED');
		expect(await poll()).toMatchObject([{ material_id: '1000', change: 'approved' }]);
	});

	it('of materials that AiClk no longer has, all are asked for in turn', async () => {
		setMany('UNDER_PASSING');
		await poll();
		const gone = [...world.materials];
		world.materials.clear();
		const asked = new Set<string>();
		for (let polls = 0; polls < 4; polls++) {
			await poll();
			if (polls === 0) continue;
			for (const { query } of world.requests) {
				for (const id of (query as { material_id?: bigint[] }).material_id ?? [])
					asked.add(`${id}`);
			}
		}
		expect(asked.size).toBe(252);
		for (const [key, row] of gone) world.materials.set(key, { ...row, material_status: 'PASSED' });
		const items = [...(await poll()), ...(await poll()), ...(await poll())];
		expect(new Set(items.map(({ material_id: id }) => id)).size).toBe(252);
		expect(items).toHaveLength(252);
	});

	it.each([
		['approved', ['53']],
		['rejected', ['52']],
		['both', ['52', '53']],
	])('with Result %s, only those are emitted', async (result, ids) => {
		start({ options: { result } });
		await poll();
		world.setMaterial('52', 'UN_PASSED', '太暗');
		world.setMaterial('53', 'PASSED');
		expect((await poll()).map(({ material_id: id }) => id)).toEqual(ids);
		n8n.parameters = { ...n8n.parameters, options: {} };
		expect(await poll()).toEqual([]);
	});

	it.each([
		['both', ['52', '51']],
		['approved', ['51']],
	])('with Result %s, a run by hand shows reviewed materials', async (result, ids) => {
		start({ options: { result } });
		const items = (await n8n.poll('manual')) ?? [];
		expect(items.map(({ material_id: id }) => id)).toEqual(ids);
	});

	it('a run by hand shows any materials where none is reviewed', async () => {
		world.materials.clear();
		world.setMaterial('53', 'UNDER_PASSING');
		expect(await n8n.poll('manual')).toMatchObject([{ material_id: '53', change: null }]);
	});

	it('a poll of materials reads two pages of any account', async () => {
		for (let n = 0; n < 100_000; n++) world.setMaterial(String(20_000_000 + n), 'PASSED');
		await poll();
		expect(world.requests).toHaveLength(2);
		await poll();
		expect(world.requests).toHaveLength(2);
	});

	it('250 materials approved between two looks are emitted', async () => {
		await poll();
		setMany('PASSED');
		expect(await poll()).toHaveLength(250);
		expect(await poll()).toEqual([]);
	});

	it('250 materials that are no longer under review are asked for 100 at a time and emitted', async () => {
		setMany('UNDER_PASSING');
		await poll();
		setMany('PASSED');
		expect(await poll()).toHaveLength(250);
		const asked = world.requests.flatMap(({ query }) => {
			const { material_id: ids } = query as { material_id?: bigint[] };
			return ids === undefined ? [] : [ids.length];
		});
		expect(asked).toEqual([100, 100, 50]);
	});

	it('a deleted material that comes back is not emitted a second time', async () => {
		await poll();
		world.setMaterial('55', 'PASSED');
		expect(await poll()).toMatchObject([{ material_id: '55', change: 'approved' }]);
		world.setMaterial('55', 'DELETED');
		expect(await poll()).toEqual([]);
		world.setMaterial('55', 'PASSED');
		expect(await poll()).toEqual([]);
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
			start({ accountIds: `${ACCOUNT} ${OTHER}` });
			world.materials.clear();
			world.setMaterial('51', 'PASSED');
			await n8n.start();
			/** The result of the last review of each; one that ends as the one before may be emitted or not. */
			const results = new Map([['51', 'PASSED ']]);
			for (const one of [...steps, 'poll' as const]) {
				if (one === 'restart') n8n.restart();
				else if (one === 'poll' || 'failsAfter' in one) {
					world.failures.clear();
					world.failsAfter = one === 'poll' ? 0 : one.failsAfter;
					if (one !== 'poll') world.failures.set(ACCOUNT, AWAY);
					const items = await poll();
					const asked = world.requests.filter(({ account }) => account === ACCOUNT);
					if (one !== 'poll' && asked.length > one.failsAfter) {
						expect(items).toEqual([]);
						continue;
					}
					const emitted = items.map((item) => String(item.material_id));
					expect(new Set(emitted).size).toBe(emitted.length);
					for (const row of world.materials.values()) {
						const id = row.material_id;
						const result = `${row.material_status} ${row.audit_reason}`;
						if (!/^(PASSED|UN_PASSED)/.test(result)) {
							expect(emitted).not.toContain(id);
							// One that is there again as approved was approved before it was deleted.
							if (row.material_status === 'DELETED') results.set(id, 'PASSED ');
						} else {
							if (results.get(id) !== result) expect(emitted).toContain(id);
							results.set(id, result);
						}
					}
					world.failures.clear();
					expect(await poll()).toEqual([]);
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
