import { BoundedMap, memoize } from '../../../aiclk/util/boundedMap';

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

	it('keeps as many as its limit, and never more than twice as many', () => {
		const keys = Array.from({ length: 1_000 }, (_, i) => i + 1);
		const map = new BoundedMap<number, number>(10);
		for (const key of keys) map.set(key, key);
		const kept = keys.filter((key) => map.get(key) !== undefined);
		expect(kept.slice(-10)).toEqual(keys.slice(-10));
		expect(kept.length).toBeLessThanOrEqual(20);
	});

	it('forgets on request', () => {
		const map = new BoundedMap<string, number>(2);
		map.set('a', 1);
		map.set('b', 2);
		map.set('b', 3);
		map.delete('a');
		map.delete('b');
		expect([map.get('a'), map.get('b')]).toEqual([undefined, undefined]);
	});
});

describe('memoize', () => {
	it('works a text out once, and again when it has been forgotten', () => {
		const compute = jest.fn((text: string) => ({ length: text.length }));
		const lengthOf = memoize(2, compute);
		expect([lengthOf('a'), lengthOf('bb'), lengthOf('a')]).toEqual([
			{ length: 1 },
			{ length: 2 },
			{ length: 1 },
		]);
		expect(compute).toHaveBeenCalledTimes(2);
		lengthOf('ccc');
		lengthOf('bb');
		expect(compute.mock.calls.flat()).toEqual(['a', 'bb', 'ccc', 'bb']);
	});
});
