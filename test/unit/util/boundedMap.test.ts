import { BoundedMap } from '../../../aiclk/util/boundedMap';

describe('a bounded map', () => {
	it('forgets what was used longest ago, and keeps what is used', () => {
		const map = new BoundedMap<string, number>(2);
		map.set('a', 1);
		map.set('b', 2);
		map.get('a');
		map.set('c', 3);
		expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
	});

	it('replaces without forgetting', () => {
		const map = new BoundedMap<string, number>(2);
		map.set('a', 1);
		map.set('b', 2);
		map.set('a', 3);
		expect([map.get('a'), map.get('b')]).toEqual([3, 2]);
	});

	it('keeps as many as its limit, and no more', () => {
		const keys = Array.from({ length: 1_000 }, (_, i) => i);
		const map = new BoundedMap<number, number>(10);
		for (const key of keys) map.set(key, key);
		expect(keys.filter((key) => map.get(key) !== undefined)).toEqual(keys.slice(-10));
	});

	it('creates what is missing, once', () => {
		const map = new BoundedMap<string, number>(2);
		const create = jest.fn(() => 0);
		expect([map.ensure('a', create), map.ensure('a', create)]).toEqual([0, 0]);
		expect(create).toHaveBeenCalledTimes(1);
	});
});
