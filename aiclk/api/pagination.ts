import { MAX_PAGE_SIZE, rowsOf } from '../protocol/assumptions';
import type { Envelope } from '../protocol/envelope';

/** Which rows to ask for; pages count from 1 (AiClk docs, P3, P6, P7, P9). */
export interface PageRequest {
	page: number;
	pageSize: number;
}

/** The number of all rows that AiClk names (P3), or null where it names none. */
function totalOf(data: unknown): number | null {
	const { page_info: info } = (data ?? {}) as { page_info?: { total_number?: unknown } | null };
	const total = Number(info?.total_number ?? Number.NaN);
	return Number.isSafeInteger(total) && total >= 0 ? total : null;
}

/** A million rows; whoever answers a full page to everything would else be asked for ever. */
const MOST_PAGES = 10_000;

/** The pages that were read, and the rows in them. */
export interface Pages {
	rows: unknown[];
	envelopes: Envelope[];
}

/**
 * Reads pages one after the other until all rows are there, or as many as are wanted.
 *
 * The end is where `page_info.total_number` says it is; where none is named (monitor links, custom calls), a page that does
 * not hold just as many rows as were asked for: one with less is the last one, one with more knows no pages.
 *
 * @param limit rows wanted, 1 or more; null for all
 * @param read gets one page; what it throws ends the reading
 * @throws Error when there is no end
 */
export async function readPages(
	limit: number | null,
	read: (request: PageRequest) => Promise<Envelope>,
): Promise<Pages> {
	const pageSize = Math.min(limit ?? MAX_PAGE_SIZE, MAX_PAGE_SIZE);
	const rows: unknown[] = [];
	const envelopes: Envelope[] = [];
	for (let page = 1; page <= MOST_PAGES; page++) {
		const envelope = await read({ page, pageSize });
		const found = rowsOf(envelope.data);
		envelopes.push(envelope);
		for (const row of found) rows.push(row);
		const total = totalOf(envelope.data);
		const isLast = total === null ? found.length !== pageSize : rows.length >= total;
		if (isLast || found.length === 0 || rows.length >= (limit ?? Infinity)) {
			return { rows: rows.slice(0, limit ?? undefined), envelopes };
		}
	}
	throw new Error(
		`AiClk still answers full pages after ${MOST_PAGES} of them: this endpoint seems to know no pages`,
	);
}
