import { fail, ok } from '../../aiclk/util/failure';
import { refuse } from './errors';
import { trim, dateToText, isNothing, type Read } from './values';

const DAY_MS = 86_400_000;

/**
 * The day that a moment falls on. Swedish dates are written YYYY-MM-DD.
 *
 * @throws FailureError for an unknown time zone
 */
function dayAt(moment: Date, timeZone: string): string {
	try {
		return new Intl.DateTimeFormat('sv-SE', { timeZone }).format(moment);
	} catch {
		return refuse(
			`The time zone '${timeZone}' does not exist, so it is not known what day it is`,
			"Choose a 'Timezone' in the workflow's settings, or correct GENERIC_TIMEZONE of n8n. The name for China is Asia/Shanghai.",
		);
	}
}

/** YYYY-MM-DD, a time of day or none, and a zone or none. The year 1 is no date: some programs write it for none. */
const WRITTEN =
	/^([1-9]\d{3}-\d{2}-\d{2})(?:[T ](?:[01]\d|2[0-3])(?::?[0-5]\d){0,2}(?:[.,]\d+)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

const NO_DATE = fail('is not a date: write it as 2026-01-31');

/** Of a day that does not exist, JavaScript makes no date or another one. */
const exists = (day: string): boolean =>
	String(new Date(`${day}T00:00:00Z`).toJSON()).startsWith(day);

/**
 * A day: a date picker's value, text, or a date of n8n. A day without a time zone is taken as written; a moment (a date, or
 * text with Z or an offset such as +08:00) counts as its day in the time zone.
 *
 * @param timeZone IANA name, the workflow's
 * @returns YYYY-MM-DD
 * @throws FailureError when the time zone is needed and does not exist
 */
export function readDay(value: unknown, timeZone: string): Read<string> {
	if (isNothing(value)) return fail('is empty');
	const text = trim(dateToText(value));
	const [written, day, zone] = typeof text === 'string' ? (WRITTEN.exec(text) ?? []) : [];
	if (written === undefined || day === undefined) return NO_DATE;
	if (!exists(day)) return fail(`names a day that does not exist (${day})`);
	if (zone === undefined) return ok(day);
	const moment = new Date(written.replace(' ', 'T').replace(',', '.').replace(/\s+/g, ''));
	return Number.isNaN(moment.getTime()) ? NO_DATE : ok(dayAt(moment, timeZone));
}

/** `last7Days` ends yesterday, `thisMonth` today. */
type Period = 'yesterday' | 'last7Days' | 'thisMonth' | 'lastMonth';

/** The first and the last day of a period, both included, YYYY-MM-DD. The time zone decides what day it is. */
export function daysOf(period: Period, nowMs: number, timeZone: string) {
	const today = dayAt(new Date(nowMs), timeZone);
	const before = (day: string, days: number): string =>
		new Date(Date.parse(`${day}T00:00:00Z`) - days * DAY_MS).toISOString().slice(0, 10);
	const firstOf = (day: string): string => `${day.slice(0, 8)}01`;
	const yesterday = before(today, 1);
	const endOfLastMonth = before(firstOf(today), 1);
	const spans = {
		yesterday: { start: yesterday, end: yesterday },
		last7Days: { start: before(today, 7), end: yesterday },
		thisMonth: { start: firstOf(today), end: today },
		lastMonth: { start: firstOf(endOfLastMonth), end: endOfLastMonth },
	};
	return spans[period];
}
