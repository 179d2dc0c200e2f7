import type { Remark } from '../../aiclk/api/pagination';

/** The most groups of items that one hint names. */
const MAX_NAMED = 10;

function listOf(parts: string[], separator: string): string {
	const more = parts.length - MAX_NAMED;
	const named = parts.slice(0, MAX_NAMED);
	return [...named, ...(more > 0 ? [`${more} more`] : [])].join(separator);
}

/** `item 0` or `items 0-2, 5`. Items count from 0, as in n8n's own errors and in `$itemIndex`. */
function nameItems(all: number[]): string {
	const items = [...new Set(all)];
	const ranges: Array<[first: number, last: number]> = [];
	for (const item of items) {
		const range = ranges.at(-1);
		if (range !== undefined && range[1] === item - 1) range[1] = item;
		else ranges.push([item, item]);
	}
	const texts = ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
	return `${items.length === 1 ? 'item' : 'items'} ${listOf(texts, ', ')}`;
}

/** Groups values by a key, in the order in which the keys come. */
function groupBy<T>(values: T[], keyOf: (value: T) => string): Array<[key: string, values: T[]]> {
	const groups = new Map<string, T[]>();
	for (const value of values) {
		const group = groups.get(keyOf(value));
		if (group === undefined) groups.set(keyOf(value), [value]);
		else group.push(value);
	}
	return [...groups];
}

/** A remark, and the item that it is about. */
export type ItemRemark = [itemIndex: number, remark: Remark];

/** One hint for all items with the same remark, e.g. `AiClk: Rows came twice. [items 0-2: 1 row; item 5: 3 rows]`. */
export function toHints(remarks: ItemRemark[]): string[] {
	const inOrder = [...remarks].sort(([one], [other]) => one - other);
	return groupBy(inOrder, ([, { text }]) => text).map(([text, ofText]) => {
		const details = groupBy(ofText, ([, { detail }]) => detail).map(
			([detail, ofDetail]) => `${nameItems(ofDetail.map(([item]) => item))}: ${detail}`,
		);
		return `AiClk: ${text} [${listOf(details, '; ')}]`;
	});
}
