import { BoundedMap, remembering } from '../../aiclk/boundedMap';

describe('a bounded map', () => {
	it('drops what was used longest ago', () => {
		const map = new BoundedMap<string, number>(2);
		map.set('a', 1);
		map.set('b', 2);
		map.get('a');
		map.set('c', 3);
		expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
	});

	it('replaces without dropping', () => {
		const map = new BoundedMap<string, number>(2);
		map.set('a', 1);
		map.set('b', 2);
		map.set('a', 3);
		expect([map.get('a'), map.get('b'), map.size]).toEqual([3, 2, 2]);
	});

	it('forgets on request', () => {
		const map = new BoundedMap<string, number>(2);
		map.set('a', 1);
		map.delete('a');
		expect([map.get('a'), map.size]).toEqual([undefined, 0]);
	});
});

describe('remembering', () => {
	it('works a text out once, and again when it has been forgotten', () => {
		const compute = jest.fn((text: string) => ({ length: text.length }));
		const lengthOf = remembering(2, compute);
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
