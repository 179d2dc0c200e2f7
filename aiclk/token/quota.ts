import { BoundedMap } from '../util/boundedMap';

/** AiClk's documented cap: refreshes per natural day (P1, "每个自然日的刷新上限是300次"). */
export const REFRESHES_PER_DAY = 300;

/** The last refreshes of a day are reserved for requests without a valid token. */
export const RESERVED_REFRESHES = 60;

/** The day is assumed to be China's (P1 names no time zone): UTC+8 all year, no summer time since 1991. */
export const QUOTA_TIME_ZONE = 'Asia/Shanghai';
const QUOTA_OFFSET_MS = 8 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/** How many refreshes were attempted for a client on one day. Stored with the token. */
export interface QuotaUsage {
	/** `TokenInput.clientKey` */
	clientKey: string;
	/** YYYY-MM-DD in Asia/Shanghai */
	day: string;
	attempts: number;
}

/** Days since 1970, in China. */
const dayNumber = (nowMs: number): number => Math.floor((nowMs + QUOTA_OFFSET_MS) / DAY_MS);

/** The day that a time belongs to, YYYY-MM-DD in Asia/Shanghai. */
export const quotaDay = (nowMs: number): string =>
	new Date(dayNumber(nowMs) * DAY_MS).toISOString().slice(0, 10);

/** When that day ends. */
export const quotaDayEndsAtMs = (nowMs: number): number =>
	(dayNumber(nowMs) + 1) * DAY_MS - QUOTA_OFFSET_MS;

/** Beyond this many clients, the least recently used ones are forgotten. What is stored still counts. */
const MAX_CLIENTS = 10_000;

/** Counts this process's refreshes of the day by client, as AiClk does, whatever the credential. */
export class QuotaTracker {
	/**
	 * By client: the highest number of a day that was read from the store or returned for storing, and the attempts of this process
	 * since. A hook that throws can store nothing, so a failed attempt is kept here until a later refresh stores it.
	 */
	private readonly byClient = new BoundedMap<
		string,
		{ day: string; stored: number; unstored: number }
	>(MAX_CLIENTS);

	constructor(private readonly now: () => number) {}

	private today(clientKey: string) {
		const day = quotaDay(this.now());
		const known = this.byClient.get(clientKey);
		return known?.day === day ? known : { day, stored: 0, unstored: 0 };
	}

	/** Takes note of what a credential holds, of any day and client. The highest figure of the day counts. */
	observe({ clientKey, day, attempts }: QuotaUsage): void {
		const today = this.today(clientKey);
		if (day !== today.day) return;
		this.byClient.set(clientKey, { ...today, stored: Math.max(today.stored, attempts) });
	}

	/** Today's usage, as far as this process knows. */
	usage(clientKey: string): QuotaUsage {
		const { day, stored, unstored } = this.today(clientKey);
		return { clientKey, day, attempts: stored + unstored };
	}

	/** Counts an attempt before it is sent: AiClk may count it even if its answer is lost. */
	count(clientKey: string): void {
		const today = this.today(clientKey);
		this.byClient.set(clientKey, { ...today, unstored: today.unstored + 1 });
	}

	/** Takes back the last attempt, which certainly never reached AiClk. */
	uncount(clientKey: string): void {
		const known = this.byClient.get(clientKey);
		if (known === undefined || known.unstored === 0) return;
		this.byClient.set(clientKey, { ...known, unstored: known.unstored - 1 });
	}

	/** n8n is about to store this usage, which covers all attempts so far. */
	markStored({ clientKey, day, attempts }: QuotaUsage): void {
		this.byClient.set(clientKey, { day, stored: attempts, unstored: 0 });
	}
}
