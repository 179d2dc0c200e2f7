import { fail, type Failure, ok, type Result } from '../util/failure';
import { MAX_PAGE_SIZE, openText, rowsOf, withRows } from '../protocol/assumptions';
import type { Envelope } from '../protocol/envelope';
import { MAX_TOGETHER } from './throttle';

/** Which rows to ask for; pages count from 1 (AiClk docs, P3, P6, P7, P9). */
export interface PageRequest {
	page: number;
	pageSize: number;
}

/** Which pages to read. */
export interface PageOptions {
	/** Rows wanted, 1 or more; null for all. */
	limit: number | null;
	/** Rows a page; the most that AiClk documents when left out. */
	pageSize?: number;
	/** The first page to read; 1 when left out. */
	firstPage?: number;
	/** The member of a row that AiClk documents as its ID; rows without one are never taken for the same. */
	idField?: string;
	/** A member that AiClk documents for each row; `idField` when left out. */
	rowField?: string;
	/** Whether asking for a page changes nothing: only then may pages be asked for together, and a second time. */
	isRead?: boolean;
}

/** What a person should know of an answer that is no failure. Remarks with the same text are about the same. */
export interface Remark {
	/** Whole sentences. */
	text: string;
	/** What differs from list to list, e.g. `248 of 250 rows`. */
	detail: string;
}

/** A remark on one list, e.g. for a line of a log. */
export const describeRemark = ({ text, detail }: Remark): string => `${text} (${detail})`;

/** What was read. */
export interface Pages {
	/** Each ID once, and no row beyond the limit. */
	rows: unknown[];
	/** The answers as they came, but with the same rows. An empty page is among them only if it is the first one. */
	envelopes: Envelope[];
	/** Most often none. */
	remarks: Remark[];
	/** Whether AiClk named more rows than came. */
	isShort: boolean;
}

/** @param isOver whether the page is no longer needed, so that it must not be sent if it still waits for its turn */
type GetPage = (request: PageRequest, isOver: () => boolean) => Promise<Result<Envelope, Failure>>;

/** Why a list could not be read to its end, and how much was read before that, each ID once. */
type Interrupted = { why: Failure; pages: number; rows: number };

/** A million rows. A server that answers every page with new rows must not be asked for ever. */
const MAX_PAGES = 10_000;

/** A number out of `page_info` (P3), which may come as text; null where there is none. */
export function pageInfo(
	data: unknown,
	name: 'total_number' | 'page_size' | 'page',
): number | null {
	const { page_info: info } = (openText(data) ?? {}) as {
		page_info?: Record<string, unknown> | null;
	};
	const value = info?.[name];
	const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
	return Number.isSafeInteger(number) && Number(number) > 0 ? Number(number) : null;
}

const rowsText = (count: number): string => (count === 1 ? '1 row' : `${count} rows`);

/** What a value is, as the end of a sentence: the names of its members, and none of its texts. */
function shapeOf(value: unknown): string {
	if (Array.isArray(value) && value.length > 0) return `is a list of ${value.length}`;
	if (typeof value === 'string') return value.trim() === '' ? 'is empty' : 'is text';
	if (typeof value !== 'object' || value === null) return `is ${value}`;
	const members = Object.keys(value).slice(0, 20);
	return members.length === 0 ? 'is empty' : `has: ${members.join(', ')}`;
}

/** Describes an answer that does not hold what AiClk's pages document. @param wanted what it does not hold */
export function describeAnswer(
	{ body, data }: Envelope,
	wanted = 'rows in data or data.list',
): string {
	const opened = openText(data);
	const list = (opened as { list?: unknown } | null | undefined)?.list;
	const inData =
		list === undefined ? `data ${shapeOf(opened)}` : `data.list ${shapeOf(openText(list))}`;
	const found = opened === undefined ? `it ${shapeOf(body)}` : inData;
	return `AiClk's answer holds no ${wanted} (${found})`;
}

/** The ID of a row; null without one. Servers may write a field that was not requested as 0 or ''. */
function rowIdOf(row: unknown, idField: string | undefined): string | null {
	const id = idField === undefined ? undefined : (row as Record<string, unknown> | null)?.[idField];
	const text = typeof id === 'string' || Number.isSafeInteger(id) ? String(id).trim() : '';
	return text === '' || text === '0' ? null : text;
}

/** Whether a page equals the one before. If all its rows are alike, such as days without costs, that proves nothing. */
function isSamePage(rows: unknown[], before: unknown[], pageSize: number): boolean {
	const textOf = (row: unknown): string => JSON.stringify(row);
	if (rows.length !== before.length) return false;
	if (!rows.every((row, index) => textOf(row) === textOf(before[index]))) return false;
	// One row where more were asked for is all that an endpoint without pages has.
	return new Set(rows.map(textOf)).size > 1 || (rows.length === 1 && pageSize > 1);
}

/** Takes in the pages of a list, in their order. */
function startReading({ limit: wanted, idField, firstPage = 1 }: PageOptions, pageSize: number) {
	const limit = wanted ?? Infinity;
	const rows: unknown[] = [];
	const envelopes: Envelope[] = [];
	const ids = new Set<string>();
	const totals = new Set<number>();
	let repeated = 0;
	let lastPage: unknown[] = [];
	/** Rows of the first page that held any. */
	let perPage = 0;
	let sameAs: number | null = null;

	/** The highest total that can be true; 0 if none was named. */
	const total = (): number => Math.max(0, ...totals);

	/**
	 * A total below what was read is none, nor is one that equals the rows of its own full page: it may count just these. Nor is any
	 * when reading began at a later page: it counts the rows before that page, too. One that is passed later was none, either.
	 */
	const noteTotal = ({ data }: Envelope, count: number): void => {
		const named = pageInfo(data, 'total_number');
		const isFull = count >= Math.min(pageSize, pageInfo(data, 'page_size') ?? Infinity);
		const isOwnCount = isFull && named === count;
		if (named === null || named < rows.length || isOwnCount || firstPage > 1) return;
		totals.add(named);
	};

	const isNew = (row: unknown): boolean => {
		const id = rowIdOf(row, idField);
		const { size } = ids;
		return id === null || ids.add(id).size > size;
	};

	return {
		rows,
		envelopes,

		/** Takes a page in. @returns whether the list ends with it */
		add(envelope: Envelope, found: unknown[], page: number): boolean {
			const fresh = found.filter(isNew);
			const isRepeat =
				found.length > 0 && (fresh.length === 0 || isSamePage(found, lastPage, pageSize));
			lastPage = found;
			if (isRepeat) {
				// It repeats page 0: AiClk counts pages from 1, so it may have taken 0 for 1.
				if (page === 1) return false;
				sameAs = page;
				return true;
			}
			const kept = fresh.slice(0, limit - rows.length);
			if (found.length > 0 || envelopes.length === 0) {
				const data = withRows(envelope.data, kept);
				const cut = { ...envelope, data, body: { ...envelope.body, data } };
				envelopes.push(kept.length === found.length ? envelope : cut);
			}
			for (const row of kept) rows.push(row);
			repeated += found.length - fresh.length;
			perPage ||= found.length;
			noteTotal(envelope, found.length);
			if (found.length === 0) return page > 0;
			return rows.length === total() || rows.length >= limit;
		},

		/** The page up to which it is likely that there are rows; a guess, never an end. */
		likelyLastPage(): number {
			const pages = perPage === 0 ? 1 : Math.ceil(Math.min(total(), limit) / perPage);
			return firstPage + Math.min(pages, MAX_PAGES) - 1;
		},

		finish(): Pages {
			const isShort = rows.length < Math.min(total(), limit);
			const remarks: Array<Remark | false> = [
				sameAs !== null && {
					text: 'A page held the same rows as those before it, so reading ended there. Either there are no more rows, or this endpoint does not support pages.',
					detail: `page ${sameAs}`,
				},
				repeated > 0 && {
					text: 'Rows came twice and are output once: rows were added or moved while the pages were read.',
					detail: rowsText(repeated),
				},
				totals.size > 1 && {
					text: 'The total changed while the pages were read: rows may be missing. Run this again if it matters.',
					detail: `first ${[...totals].join(', then ')} rows`,
				},
				isShort && {
					text: 'AiClk names more rows than came: rows may be missing. Run this again if it matters.',
					detail: `${rows.length} of ${rowsText(total())}`,
				},
			];
			return { rows, envelopes, remarks: remarks.filter((remark) => remark !== false), isShort };
		},
	};
}

/** Reads a list once, and evaluates its pages in their order. */
async function getOnce(
	options: PageOptions,
	read: GetPage,
	unusable: (message: string) => Failure,
): ReturnType<typeof getPages> {
	const { limit, firstPage = 1, isRead = false, idField, rowField = idField } = options;
	const pageSize = options.pageSize ?? Math.min(limit ?? MAX_PAGE_SIZE, MAX_PAGE_SIZE);
	const together = isRead ? MAX_TOGETHER : 1;
	const reading = startReading(options, pageSize);
	const interrupt = (why: Failure) =>
		fail({ why, pages: reading.envelopes.length, rows: reading.rows.length });
	const pending: Array<Promise<Result<Envelope, Failure>>> = [];
	/** No page behind this one is needed. */
	let last = Infinity;
	const endAt = (page: number): void => {
		last = Math.min(last, page);
	};
	const ask = (page: number): void => {
		const answer = read({ page, pageSize }, () => page > last);
		// The list has failed, but for the pages before this one. Nobody looks at pages behind the end.
		answer.then(
			({ ok: isGood }) => isGood || endAt(page),
			() => endAt(page),
		);
		pending.push(answer);
	};
	try {
		for (let page = firstPage; page < firstPage + MAX_PAGES; page++) {
			const until = Math.max(page, Math.min(reading.likelyLastPage(), last));
			while (pending.length < together && page + pending.length <= until)
				ask(page + pending.length);
			const answer = await (pending.shift() as Promise<Result<Envelope, Failure>>);
			if (!answer.ok) return interrupt(answer.failure);
			const { data } = answer.value;
			const isBehindEnd = (data === null || data === undefined) && page !== firstPage;
			const rows = isBehindEnd ? [] : rowsOf(data, rowField);
			if (rows === null) return interrupt(unusable(describeAnswer(answer.value)));
			if (reading.add(answer.value, rows, page)) return ok(reading.finish());
		}
		const endless = `AiClk still answers with rows after ${MAX_PAGES} pages: this endpoint does not seem to support pages`;
		return interrupt(unusable(endless));
	} finally {
		endAt(-1);
	}
}

/**
 * Reads pages until all rows are there, or as many as are wanted: together if the first page named a total that can be true,
 * otherwise one after the other.
 *
 * A list ends at its limit, at an empty page, at a page that only repeats rows, or when its total is reached. Nothing else is an
 * end; above all not a page with fewer rows than another, because a server may leave rows out after it has divided them. A list
 * that ends below its total is read once more if asking changes nothing, and the fuller reading counts.
 *
 * @param read gets one page; should it throw, the reading ends with that
 * @param unusable makes the failure where the answers are the reason: rows cannot be found, or never end
 */
export async function getPages(
	options: PageOptions,
	read: GetPage,
	unusable: (message: string) => Failure,
): Promise<Result<Pages, Interrupted>> {
	const first = await getOnce(options, read, unusable);
	if (!first.ok || !first.value.isShort || options.isRead !== true) return first;
	const second = await getOnce(options, read, unusable);
	return second.ok && second.value.rows.length >= first.value.rows.length ? second : first;
}
