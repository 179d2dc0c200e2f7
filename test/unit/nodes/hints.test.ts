import fc from 'fast-check';

import { type ItemRemark, toHints } from '../../../nodes/AiClk/hints';

const about = (text: string, detail: string, ...items: number[]): ItemRemark[] =>
	items.map((item) => [item, { text, detail }]);

describe('hints about items', () => {
	const OF_EACH = [...about('A.', 'y', 1), ...about('A.', 'x', 0, 2)];
	const TWO = [...about('B.', 'y', 1), ...about('A.', 'x', 0)];

	it.each<[string, ItemRemark[], string[]]>([
		['none', [], []],
		['one item', about('A.', 'x', 3), ['AiClk: A. [item 3: x]']],
		['items side by side', about('A.', 'x', 0, 1, 2), ['AiClk: A. [items 0-2: x]']],
		['items in any order', about('A.', 'x', 5, 1, 0), ['AiClk: A. [items 0-1, 5: x]']],
		['an item that says it twice', about('A.', 'x', 2, 2), ['AiClk: A. [item 2: x]']],
		['what is true of each', OF_EACH, ['AiClk: A. [items 0, 2: x; item 1: y]']],
		['two remarks', TWO, ['AiClk: A. [item 0: x]', 'AiClk: B. [item 1: y]']],
	])('hints about items: %s', (_, remarks, hints) => {
		expect(toHints(remarks)).toEqual(hints);
	});

	it('a hint stays short, whatever differs from item to item', () => {
		const remarks = Array.from({ length: 1_000 }, (_, n) => about('A.', `${n} rows`, 2 * n)).flat();
		expect(toHints(remarks)).toEqual([expect.stringMatching(/item 18: 9 rows; 990 more\]$/)]);
		const alike = about('A.', 'x', ...Array.from({ length: 1_000 }, (_, n) => 2 * n));
		expect(toHints(alike)).toEqual([
			'AiClk: A. [items 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 990 more: x]',
		]);
		expect(toHints(alike.slice(0, 10))).toEqual([
			'AiClk: A. [items 0, 2, 4, 6, 8, 10, 12, 14, 16, 18: x]',
		]);
	});

	it('there are as many hints as texts, however many items', () => {
		fc.assert(
			fc.property(
				fc.array(fc.tuple(fc.nat(300), fc.constantFrom('A.', 'B.', 'C.'), fc.string())),
				(all) => {
					const remarks = all.flatMap(([item, text, detail]) => about(text, detail, item));
					expect(toHints(remarks)).toHaveLength(new Set(all.map(([, text]) => text)).size);
				},
			),
		);
	});
});
