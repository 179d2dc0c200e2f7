import { fail, ok, type Result } from '../util/result';
import { MAX_PAGE_SIZE, rowsOf, withRows } from '../protocol/assumptions';
import type { Envelope } from '../protocol/envelope';

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
	/** Pages to ask for together once a total is known; 1 when left out. */
	together?: number;
}

/** What was read. */
interface Pages {
	/** Each ID once, and no row beyond the limit. */
	rows: unknown[];
	/** The answers as they came, but with the same rows. */
	envelopes: Envelope[];
	/** What a person should know of the rows, in whole sentences; most often nothing. */
	remarks: string[];
}

/** Why a list could not be read to its end, and what was read before that. */
export interface Interruption<R> {
	/** What a page failed with, or a text: rows cannot be found, are fewer than the total, or never end. */
	reason: R;
	pages: number;
	/** How many rows, each ID once. */
	rows: number;
}

/** A million rows. A server that answers every page with new rows must not be asked for ever. */
const MAX_PAGES = 10_000;

/** A number out of `page_info` (P3), which may come as text; null where there is none. */
function numberIn(data: unknown, name: 'total_number' | 'page_size'): number | null {
	const { page_info: info } = (data ?? {}) as { page_info?: Record<string, unknown> | null };
	const value = info?.[name];
	const isNumber = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value));
	return isNumber && Number.isSafeInteger(Number(value)) && Number(value) > 0
		? Number(value)
		: null;
}

const rowsText = (count: number | null): string => (count === 1 ? '1 row' : `${count} rows`);

/** The names of members, for an error about a missing one. */
export const membersOf = (value: unknown): string =>
	typeof value === 'object' && value !== null && Object.keys(value).length > 0
		? Object.keys(value).slice(0, 20).join(', ')
		: 'nothing';

/** Describes an answer without rows where AiClk's pages document them. */
export function describeAnswer({ body, data }: Envelope): string {
	if (data === undefined || data === null) {
		return `AiClk's answer holds no data (it has: ${membersOf(body)})`;
	}
	const { list } = data as { list?: unknown };
	const [place, value] = typeof list === 'object' ? ['data.list', list] : ['data', data];
	return `AiClk's answer holds no rows in data or data.list (${place} has: ${membersOf(value)})`;
}

/** The ID of a row; null without one. Servers may write a field that was not requested as 0 or ''. */
function idOf(row: unknown, idField: string | undefined): string | null {
	const id = idField === undefined ? undefined : (row as Record<string, unknown> | null)?.[idField];
	const text = typeof id === 'string' || Number.isSafeInteger(id) ? String(id).trim() : '';
	return text === '' || text === '0' ? null : text;
}

/**
 * Whether a page repeats the one before. Pages whose rows are all alike, such as days without costs, prove nothing.
 */
function isSamePage(rows: unknown[], before: unknown[]): boolean {
	if (rows.length === 0 || rows.length !== before.length) return false;
	const texts = rows.map((row) => JSON.stringify(row));
	const isTelling = texts.length === 1 || new Set(texts).size > 1;
	return isTelling && texts.every((text, index) => text === JSON.stringify(before[index]));
}

/** An answer with these rows in place of its own. */
function withRowsOnly(envelope: Envelope, rows: unknown[]): Envelope {
	const data = withRows(envelope.data, rows);
	return { ...envelope, data, body: { ...envelope.body, data } };
}

/** What is known of a list after some of its pages. */
class Reading {
	readonly rows: unknown[] = [];

	readonly envelopes: Envelope[] = [];

	private readonly ids = new Set<string>();

	private readonly totals = new Set<number>();

	/** Rows that came, with repeated ones. */
	private received = 0;

	private repeated = 0;

	private lastPage: unknown[] = [];

	/** The most rows that a page held: the server's own page size, if it is smaller than the requested one. */
	private fullest = 0;

	/** The latest total that can be true. */
	private total: number | null = null;

	private sameAs: number | null = null;

	constructor(
		private readonly options: PageOptions,
		private readonly pageSize: number,
	) {}

	/** Takes a page in. @returns whether it is certain that there is nothing more to read */
	add(envelope: Envelope, found: unknown[], page: number): boolean {
		const fresh = found.filter((row) => this.isNew(row));
		const isRepeat = isSamePage(found, this.lastPage) || (found.length > 0 && fresh.length === 0);
		if (isRepeat) {
			this.sameAs = page;
			return true;
		}
		const kept = fresh.slice(0, (this.options.limit ?? Infinity) - this.rows.length);
		this.envelopes.push(kept.length === found.length ? envelope : withRowsOnly(envelope, kept));
		for (const row of kept) this.rows.push(row);
		this.received += found.length;
		this.repeated += found.length - fresh.length;
		const { data } = envelope;
		const full = Math.min(this.pageSize, numberIn(data, 'page_size') ?? this.pageSize);
		this.noteTotal(numberIn(data, 'total_number'), found.length >= full);
		const isShort = found.length < this.fullest;
		this.fullest = Math.max(this.fullest, found.length);
		this.lastPage = found;
		if (found.length === 0) return true;
		// A short page is the last one unless a total says that there are more.
		return (isShort && this.missing === 0) || this.rows.length >= (this.total ?? Infinity);
	}

	/**
	 * Beside a full page, a total that is not above what was read tells nothing, unless a higher one was named before. Nor does
	 * any total when reading began at a later page: it counts the rows before that page, too.
	 */
	private noteTotal(named: number | null, isFull: boolean): void {
		const { firstPage = 1 } = this.options;
		if (named === null || firstPage > 1) return;
		const wasNamed = this.total !== null;
		const isReached = named === this.rows.length && (wasNamed || !isFull);
		if (named > this.rows.length || isReached) this.total = named;
		else if (wasNamed) this.total = isFull ? null : named;
		if (wasNamed || this.total !== null) this.totals.add(named);
	}

	private isNew(row: unknown): boolean {
		const id = idOf(row, this.options.idField);
		if (id === null) return true;
		const isNew = !this.ids.has(id);
		this.ids.add(id);
		return isNew;
	}

	get isEnough(): boolean {
		return this.rows.length >= (this.options.limit ?? Infinity);
	}

	/** How many pages the rows that are wanted fill, as far as a total says; 0 without one. */
	get pages(): number {
		if (this.total === null) return 0;
		return Math.ceil(Math.min(this.total, this.options.limit ?? Infinity) / this.fullest);
	}

	/** How many rows of the total did not come; 0 if none are missing or no total can be true. */
	get missing(): number {
		return this.total === null || this.isEnough ? 0 : Math.max(0, this.total - this.received);
	}

	/** The error about rows that are missing. */
	describeMissing(): string {
		const cause =
			this.sameAs === null ? 'then an empty page' : `then page ${this.sameAs} repeated rows`;
		return `AiClk names ${rowsText(this.total)} but sent ${this.rows.length}, ${cause}`;
	}

	/** Why rows may be missing although none are for certain; null if nothing suggests it. */
	private describeDoubt(): string | null {
		if (this.totals.size > 1) {
			return `The total changed while the pages were read (${[...this.totals].join(', ')})`;
		}
		return this.isEnough || this.rows.length >= (this.total ?? 0)
			? null
			: `Only ${this.rows.length} of the ${this.total} rows that AiClk names came`;
	}

	interrupt<R>(reason: R): { ok: false; failure: Interruption<R> } {
		return fail({ reason, pages: this.envelopes.length, rows: this.rows.length });
	}

	finish(): Pages {
		const remarks: string[] = [];
		if (this.sameAs !== null) {
			remarks.push(
				`Page ${this.sameAs} held the same rows as those before it, so reading ended there. Either there are no more rows, or this endpoint does not support pages.`,
			);
		}
		if (this.repeated > 0) {
			const are = this.repeated === 1 ? 'is' : 'are';
			remarks.push(
				`${rowsText(this.repeated)} came twice and ${are} output once: rows were added or moved while the pages were read.`,
			);
		}
		const doubt = this.describeDoubt();
		if (doubt !== null) {
			remarks.push(`${doubt}: rows may be missing. Run this again if it matters.`);
		}
		return { rows: this.rows, envelopes: this.envelopes, remarks };
	}
}

/**
 * Reads pages until all rows are there, or as many as are wanted: together if the first page named a total that can be true,
 * otherwise one after the other. In both cases they are evaluated in their order.
 *
 * Reading ends where the end is certain: at an empty page, when as many different rows came as the total names, at a page
 * shorter than an earlier one, or at a page that only repeats rows. A first page with fewer rows than requested is not the end
 * unless a total says so: the server may have its own page size.
 *
 * @param read gets one page; should it throw, the reading ends with that
 */
export async function readPages<F>(
	options: PageOptions,
	read: (request: PageRequest) => Promise<Result<Envelope, F>>,
): Promise<Result<Pages, Interruption<F | string>>> {
	const { limit, firstPage = 1, together = 1 } = options;
	const pageSize = options.pageSize ?? Math.min(limit ?? MAX_PAGE_SIZE, MAX_PAGE_SIZE);
	const reading = new Reading(options, pageSize);
	const asked: Array<Promise<Result<Envelope, F>>> = [];
	const ask = (page: number) => {
		const answer = read({ page, pageSize });
		// Nobody looks at pages that were asked for beyond the end.
		answer.catch(() => {});
		asked.push(answer);
	};
	for (let page = firstPage; page < firstPage + MAX_PAGES; page++) {
		const last = Math.max(page, firstPage + Math.min(reading.pages, MAX_PAGES) - 1);
		while (asked.length < together && page + asked.length <= last) ask(page + asked.length);
		const answer = await (asked.shift() as Promise<Result<Envelope, F>>);
		if (!answer.ok) return reading.interrupt(answer.failure);
		const isFirst = page === firstPage;
		const hasNoData = answer.value.data === null || answer.value.data === undefined;
		const rows = hasNoData && !isFirst ? [] : rowsOf(answer.value.data, options.idField);
		if (rows === null) return reading.interrupt(describeAnswer(answer.value));
		const isEnd = reading.add(answer.value, rows, page);
		if (!isEnd && !reading.isEnough) continue;
		return reading.missing > 0
			? reading.interrupt(reading.describeMissing())
			: ok(reading.finish());
	}
	return reading.interrupt(
		`AiClk still answers with new rows after ${MAX_PAGES} pages: this endpoint does not seem to support pages`,
	);
}
