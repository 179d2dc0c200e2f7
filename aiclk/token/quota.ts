import { BoundedMap } from '../util/boundedMap';

/** AiClk's documented cap: refreshes per natural day ("每个自然日的刷新上限是300次"). */
export const REFRESHES_PER_DAY = 300;

/** Renewals ahead of time stop here, so that what is left serves requests that have no live token. */
export const EARLY_REFRESHES_PER_DAY = 240;

/** The day of the cap is taken to be China's (not documented): UTC+8 all year round, no summer time since 1991. */
export const QUOTA_TIME_ZONE = 'Asia/Shanghai';
const QUOTA_OFFSET_MS = 8 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/** How many refreshes a client attempted on one day; part of what is stored with the token. */
export interface QuotaUsage {
	/** `TokenInput.client` */
	client: string;
	/** YYYY-MM-DD in Asia/Shanghai */
	day: string;
	attempts: number;
}

/**
 * What this process knows of a day beyond what is stored. A failed refresh stores nothing (a hook that throws
 * cannot), so its attempt lives here until a later refresh takes it along.
 */
export interface QuotaMemory {
	day: string;
	/** The highest number seen in, or handed over for, storage. */
	stored: number;
	/** Attempts of this process since then. */
	unstored: number;
}

/** Days of the cap since 1970. */
const dayNumber = (nowMs: number): number => Math.floor((nowMs + QUOTA_OFFSET_MS) / DAY_MS);

/** The day that was asked for last, which is nearly always the one that is asked for. */
let latest = { number: NaN, day: '' };

/** The day of the cap that a time belongs to, YYYY-MM-DD in Asia/Shanghai. */
export function quotaDay(nowMs: number): string {
	const number = dayNumber(nowMs);
	if (number !== latest.number) {
		latest = { number, day: new Date(number * DAY_MS).toISOString().slice(0, 10) };
	}
	return latest.day;
}

/** When that day ends, ms since 1970. */
export const quotaDayEndsAtMs = (nowMs: number): number =>
	(dayNumber(nowMs) + 1) * DAY_MS - QUOTA_OFFSET_MS;

/**
 * Brings memory and the stored ledger together for the day of `nowMs`: whichever saw more, plus what this process
 * has attempted without a chance to store it. Another day's or another client's figures count nothing.
 */
export function foldUsage(
	memory: QuotaMemory | undefined,
	stored: QuotaUsage | null,
	client: string,
	nowMs: number,
): QuotaMemory {
	const day = quotaDay(nowMs);
	const fromStore = stored?.client === client && stored.day === day ? stored.attempts : 0;
	const known = memory?.day === day ? memory : { day, stored: 0, unstored: 0 };
	return { ...known, stored: Math.max(known.stored, fromStore) };
}

/** Attempts on that day, as far as is known here. */
export const attempts = (memory: QuotaMemory): number => memory.stored + memory.unstored;

/** An agency with more clients loses the figures of those used longest ago; what is stored still counts. */
const MOST_CLIENTS = 10_000;

/** What one process knows of the day's refreshes: by client, for AiClk counts them so, whatever the credentials. */
export class QuotaTracker {
	private readonly known = new BoundedMap<string, QuotaMemory>(MOST_CLIENTS);

	/** @param now the clock, ms since 1970 */
	constructor(private readonly now: () => number) {}

	private folded(client: string, stored: QuotaUsage | null): QuotaMemory {
		return foldUsage(this.known.get(client), stored, client, this.now());
	}

	/** The ledger of today. @param stored what the credential holds, of whatever day and client */
	of(client: string, stored: QuotaUsage | null): QuotaUsage {
		const folded = this.folded(client, stored);
		return { client, day: folded.day, attempts: attempts(folded) };
	}

	/** An attempt counts before it is sent: a lost answer may still have counted at AiClk. */
	count(client: string, stored: QuotaUsage | null): void {
		const folded = this.folded(client, stored);
		this.known.set(client, { ...folded, unstored: folded.unstored + 1 });
	}

	/** Notes that this ledger is about to be stored, and with it all attempts that could not be stored before. */
	noteStored({ client, day, attempts: stored }: QuotaUsage): void {
		this.known.set(client, { day, stored, unstored: 0 });
	}
}
