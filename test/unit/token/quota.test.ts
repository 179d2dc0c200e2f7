import fc from 'fast-check';

import { attempts, foldUsage, quotaDay, quotaDayEndsAtMs } from '../../../aiclk/token/quota';

const CLIENT = 'client';
const NOON = Date.parse('2026-11-24T04:00:00Z');
const TODAY = '2026-11-24';

describe('the day of the cap', () => {
	it.each([
		['2026-11-23T15:59:59.999Z', '2026-11-23', '2026-11-23T16:00:00.000Z'],
		['2026-11-23T16:00:00.000Z', '2026-11-24', '2026-11-24T16:00:00.000Z'],
		['2026-12-31T16:00:00.000Z', '2027-01-01', '2027-01-01T16:00:00.000Z'],
		['1969-12-31T20:00:00.000Z', '1970-01-01', '1970-01-01T16:00:00.000Z'],
	])('at %s is %s in Shanghai and ends at %s', (now, day, end) => {
		expect(quotaDay(Date.parse(now))).toBe(day);
		expect(new Date(quotaDayEndsAtMs(Date.parse(now))).toISOString()).toBe(end);
	});

	it('agrees with the time zone database, always', () => {
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
	const stored = (changes: object = {}) => ({
		client: CLIENT,
		day: TODAY,
		attempts: 7,
		...changes,
	});

	it.each([
		['nothing', undefined, null, 0],
		['the store', undefined, stored(), 7],
		['memory', { day: TODAY, stored: 3, unstored: 2 }, null, 5],
		['both: whichever saw more', { day: TODAY, stored: 3, unstored: 2 }, stored(), 9],
		['both, memory ahead', { day: TODAY, stored: 10, unstored: 2 }, stored(), 12],
		['yesterday’s store', undefined, stored({ day: '2026-11-23' }), 0],
		['yesterday’s memory', { day: '2026-11-23', stored: 9, unstored: 9 }, stored(), 7],
		['another client’s store', undefined, stored({ client: 'another' }), 0],
	])('from %s', (_, memory, store, expected) => {
		expect(attempts(foldUsage(memory, store, CLIENT, NOON))).toBe(expected);
	});
});
