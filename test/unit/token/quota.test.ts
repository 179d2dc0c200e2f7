import fc from 'fast-check';

import { QuotaTracker, quotaDay, quotaDayEndsAtMs } from '../../../aiclk/token/quota';

const CLIENT = 'client';
const NOON = Date.parse('2026-11-24T04:00:00Z');
const TODAY = '2026-11-24';
const DAY_MS = 86_400_000;

describe('the day of the cap', () => {
	it.each([
		['2026-11-23T15:59:59.999Z', '2026-11-23', '2026-11-23T16:00:00.000Z'],
		['2026-11-23T16:00:00.000Z', '2026-11-24', '2026-11-24T16:00:00.000Z'],
		['2026-12-31T16:00:00.000Z', '2027-01-01', '2027-01-01T16:00:00.000Z'],
		['1969-12-31T20:00:00.000Z', '1970-01-01', '1970-01-01T16:00:00.000Z'],
	])('the time %s is day %s in Shanghai, which ends at %s', (now, day, end) => {
		expect(quotaDay(Date.parse(now))).toBe(day);
		expect(new Date(quotaDayEndsAtMs(Date.parse(now))).toISOString()).toBe(end);
	});

	it('the quota day agrees with the time zone database', () => {
		const shanghai = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' });
		const times = fc.date({
			min: new Date('2000-01-01'),
			max: new Date('2100-01-01'),
			noInvalidDate: true,
		});
		fc.assert(
			fc.property(times, (time) => {
				const end = quotaDayEndsAtMs(time.getTime());
				expect(quotaDay(time.getTime())).toBe(shanghai.format(time));
				expect(quotaDay(end - 1)).toBe(quotaDay(time.getTime()));
				expect(quotaDay(end)).not.toBe(quotaDay(time.getTime()));
			}),
		);
	});
});

describe('what is known of a day', () => {
	const stored = (attempts: number, changes: object = {}) => ({
		clientKey: CLIENT,
		day: TODAY,
		attempts,
		...changes,
	});
	let nowMs = NOON;
	let tracker: QuotaTracker;
	const used = (store: ReturnType<typeof stored> | null) => {
		if (store !== null) tracker.observe(store);
		return tracker.usage(CLIENT).attempts;
	};

	beforeEach(() => {
		nowMs = NOON;
		tracker = new QuotaTracker(() => nowMs);
		tracker.markStored(stored(3));
		tracker.count(CLIENT);
		tracker.count(CLIENT);
	});

	it('without memory the stored usage counts', () => {
		tracker = new QuotaTracker(() => NOON);
		expect(tracker.usage(CLIENT)).toEqual(stored(0));
		tracker.observe(stored(7));
		expect(tracker.usage(CLIENT)).toEqual(stored(7));
	});

	it.each([
		['nothing stored', null, 5],
		['a store that saw more', stored(7), 9],
		['a store that saw less', stored(2), 5],
		['yesterday’s store', stored(7, { day: '2026-11-23' }), 5],
		['another client’s store', stored(7, { clientKey: 'another' }), 5],
	])('known usage beside %s', (_, store, expected) => {
		expect(used(store)).toBe(expected);
	});

	it('what one credential of a client holds counts for all of them', () => {
		expect(used(stored(7))).toBe(9);
		expect(used(stored(4))).toBe(9);
		expect(used(null)).toBe(9);
	});

	it('usage begins at 0 with the next day', () => {
		nowMs += DAY_MS;
		expect(used(stored(7))).toBe(0);
	});

	it('a stored attempt is not counted twice', () => {
		tracker.markStored(tracker.usage(CLIENT));
		expect(used(null)).toBe(5);
		expect(used(stored(5))).toBe(5);
	});

	it('an attempt that never reached AiClk is taken back', () => {
		tracker.uncount(CLIENT);
		expect(used(null)).toBe(4);
		tracker.uncount(CLIENT);
		tracker.uncount(CLIENT);
		tracker.uncount('another');
		expect(used(null)).toBe(3);
	});
});
