import fc from 'fast-check';

import {
	fromText,
	idOf,
	isSame,
	keyOf,
	type Memory,
	recall,
	remember,
	sizeOf,
	toText,
} from '../../../nodes/AiClkTrigger/memory';

const FIELDS = ['status', 'reason'];
const text = (status: unknown, reason: unknown = ''): string => toText({ status, reason }, FIELDS);
const MAX = 256 * 1024;

const memories = fc
	.array(
		fc.tuple(
			fc.constantFrom(1n, 1_000_002n, 2n ** 64n - 1n),
			fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
			fc.oneof(fc.constantFrom('ENABLE', 'PAUSED'), fc.string({ unit: 'grapheme' })),
		),
		{ maxLength: 60 },
	)
	.map((rows) => new Map(rows.map(([account, id, status]) => [keyOf(account, id), text(status)])));
const ACCOUNTS = [1n, 1_000_002n, 2n ** 64n - 1n];

describe('values as strings', () => {
	it('white space in a remembered value becomes one space', () => {
		expect(fromText(text('PASSED', '图片\n不\t清晰'), FIELDS)).toEqual({
			status: 'PASSED',
			reason: '图片 不 清晰',
		});
	});

	it.each([undefined, null, ''])('a remembered value of %p is empty', (value) => {
		expect(isSame(text(value), text(''))).toBe(true);
	});

	it.each([
		['["太暗","不清晰"]', '["不清晰","太暗"]'],
		['[10,9,null]', '[null,10,9]'],
		['[{"a":1},{"toString":2}]', '[{"toString":2},{"a":1}]'],
	])('a list is the same in any order: %s', (one, other) => {
		const [before, now] = [JSON.parse(one), JSON.parse(other)] as [unknown[], unknown[]];
		expect(isSame(text(before), text(now))).toBe(true);
		expect(isSame(text(before), text(now.slice(1)))).toBe(false);
		expect(JSON.stringify(before)).toBe(one);
	});

	it('values that join to the same words are told apart', () => {
		expect(isSame(text('a b', ''), text('a', 'b'))).toBe(false);
		expect(isSame(text({ a: 1 }), text({ a: 2 }))).toBe(false);
	});
});

it('ids of 64 bits are read back from keys', () => {
	fc.assert(
		fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), (id) => {
			expect(idOf(keyOf(1_000_002n, id))).toBe(id);
		}),
	);
});

describe('a memory', () => {
	it('a memory is read back in the order it was written', () => {
		fc.assert(
			fc.property(memories, (memory) => {
				const written = remember(memory, 0, MAX);
				expect(written?.hasForgotten).toBe(false);
				expect([...recall(written?.stored, ACCOUNTS)]).toEqual([...memory]);
			}),
		);
	});

	it('a memory fits its bytes and still recognizes changes', () => {
		fc.assert(
			fc.property(memories, fc.nat(4_000), (memory: Memory, maxBytes) => {
				const written = remember(memory, 0, maxBytes);
				const stored = written?.stored ?? { values: '', rows: '' };
				expect(sizeOf(stored) - sizeOf({ values: '', rows: '' })).toBeLessThanOrEqual(
					Math.max(0, maxBytes),
				);
				const kept = [...recall(stored, ACCOUNTS)];
				const newest = [...memory].slice(memory.size - kept.length);
				expect(kept.map(([key]) => key)).toEqual(newest.map(([key]) => key));
				for (const [index, [, value]] of kept.entries()) {
					expect(isSame(value, newest[index]?.[1] ?? '')).toBe(true);
					expect(isSame(value, text('another value'))).toBe(false);
				}
				expect(written?.hasForgotten).toBe(kept.length < memory.size);
			}),
		);
	});

	it('a memory forgets the oldest values first', () => {
		const rows = Array.from({ length: 40 }, (_, n): [string, string] => [
			keyOf(1n, n + 1),
			text('UN_PASSED', `${n} `.repeat(30)),
		]);
		const written = remember(new Map(rows), 40, 2_500);
		const known = [...recall(written?.stored, [1n]).values()].map(
			(value) => fromText(value, FIELDS) !== null,
		);
		expect(written?.hasForgotten).toBe(false);
		expect(known.indexOf(true)).toBeGreaterThan(10);
		expect(known.lastIndexOf(false)).toBe(known.indexOf(true) - 1);
	});

	it('a memory is refused if the needed rows do not fit', () => {
		const rows = Array.from({ length: 100 }, (_, n): [string, string] => [
			keyOf(1n, n + 1),
			text('ENABLE'),
		]);
		expect(remember(new Map(rows), 100, 200)).toBeNull();
		expect(remember(new Map(rows), 10, 200)?.hasForgotten).toBe(true);
	});

	it('a memory leaves out other accounts', () => {
		const memory = new Map([
			[keyOf(1n, 7), text('a')],
			[keyOf(2n, 7), text('b')],
		]);
		const { stored } = remember(memory, 2, MAX) ?? {};
		expect([...recall(stored, [2n])]).toEqual([[keyOf(2n, 7), text('b')]]);
	});
});
