import type { Remark } from '../../aiclk/api/pagination';

/** The most groups of items that one hint names. */
const MAX_NAMED = 10;

function listOf(parts: string[], separator: string): string {
	const more = parts.length - MAX_NAMED;
	const named = parts.slice(0, MAX_NAMED);
	return [...named, ...(more > 0 ? [`${more} more`] : [])].join(separator);
}

/** `item 0` or `items 0-2, 5`. Items count from 0, as in n8n's own errors and in `$itemIndex`. */
function nameItems(items: Set<number>): string {
	const ranges: Array<[first: number, last: number]> = [];
	for (const item of items) {
		const range = ranges.at(-1);
		if (range !== undefined && range[1] === item - 1) range[1] = item;
		else ranges.push([item, item]);
	}
	const texts = ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
	return `${items.size === 1 ? 'item' : 'items'} ${listOf(texts, ', ')}`;
}

/** A remark, and the item that it is about. */
export type ItemRemark = [itemIndex: number, remark: Remark];

/** One hint for all items with the same remark, e.g. `AiClk: Rows came twice. [items 0-2: 1 row; item 5: 3 rows]`. */
export function toHints(remarks: ItemRemark[]): string[] {
	const byText = new Map<string, Map<string, Set<number>>>();
	for (const [item, { text, detail }] of [...remarks].sort(([one], [other]) => one - other)) {
		const byDetail = byText.get(text) ?? new Map<string, Set<number>>();
		const items = byDetail.get(detail) ?? new Set();
		byText.set(text, byDetail.set(detail, items.add(item)));
	}
	return [...byText].map(([text, byDetail]) => {
		const details = [...byDetail].map(([detail, items]) => `${nameItems(items)}: ${detail}`);
		return `AiClk: ${text} [${listOf(details, '; ')}]`;
	});
}
