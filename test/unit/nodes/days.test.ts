import fc from 'fast-check';

import { daysOf, readDay } from '../../../nodes/shared/days';

const good = <T>(value: T) => ({ ok: true, value });
const bad = (failure: unknown) => ({ ok: false, failure });

describe('readDay', () => {
	it.each<[unknown, string]>([
		['2026-01-31', '2026-01-31'],
		['2026-01-31T00:00:00', '2026-01-31'],
		['2026-01-31T23:59:59.999+08:00', '2026-01-31'],
		['2026-01-30T16:00:00.000Z', '2026-01-31'],
		['2026-01-30 16:00:00Z', '2026-01-31'],
		['2026-01-30T16:00Z', '2026-01-31'],
		['2026-01-30 16:00:00  Z', '2026-01-31'],
		['2026-01-30T16:00:00,5Z', '2026-01-31'],
		['2026-01-31T00:00:00-05:00', '2026-01-31'],
		['2026-01-31T11:00:00-0500', '2026-02-01'],
		['2026-01-31 08:00', '2026-01-31'],
		['2026-01-31 00:00:00', '2026-01-31'],
		['2024-02-29', '2024-02-29'],
		[new Date('2026-01-31T12:00:00Z'), '2026-01-31'],
		[{ toISO: () => '2026-01-31T00:00:00.000+08:00' }, '2026-01-31'],
		[{ toISO: () => '2026-01-30T17:00:00.000+01:00' }, '2026-01-31'],
	])('reads %p: a day as written, a moment as its day in the time zone', (value, day) => {
		expect(readDay(value, 'Asia/Shanghai')).toEqual(good(day));
	});

	it.each([
		['Asia/Shanghai', '2026-02-01'],
		['UTC', '2026-01-31'],
		['America/New_York', '2026-01-31'],
	])('reads a JavaScript Date as its day in %s', (timeZone, day) => {
		expect(readDay(new Date('2026-01-31T16:00:00Z'), timeZone)).toEqual(good(day));
	});

	it.each<[unknown, RegExp]>([
		['', /empty/],
		[undefined, /empty/],
		[null, /empty/],
		['2026-02-30', /does not exist/],
		['2026-13-01', /does not exist/],
		['2026-01-31T25:00:00Z', /write it as/],
		['2026-01-31T99:99', /write it as/],
		['2026-01-31 24:00', /write it as/],
		['2026-01-31T12:60:00+08:00', /write it as/],
		['0001-01-01T00:00:00Z', /write it as/],
		['0001-01-01', /write it as/],
		[new Date('0001-01-01T00:00:00Z'), /write it as/],
		['2026-01-31 tomorrow', /write it as/],
		['31.01.2026', /write it as/],
		['2026-01-311', /write it as/],
		[1_769_817_600_000, /write it as/],
		[new Date(Number.NaN), /write it as/],
		[{}, /write it as/],
	])('refuses %p', (value, failure) => {
		expect(readDay(value, 'UTC')).toEqual(bad(expect.stringMatching(failure)));
	});

	it.each(['Asia/Beijing', 'UTC+8', 'DEFAULT', ''])(
		'needs the time zone for a moment only, and names the settings if %j does not exist',
		(timeZone) => {
			expect(readDay('2026-01-31\u200b', timeZone)).toEqual(good('2026-01-31'));
			for (const read of [
				() => readDay('2026-01-31T16:00:00Z', timeZone),
				() => daysOf('yesterday', 0, timeZone),
			]) {
				expect(read).toThrow(
					expect.objectContaining({
						name: 'FailureError',
						message: `The time zone '${timeZone}' does not exist, so it is not known what day it is`,
						description: expect.stringMatching(
							/'Timezone' in the workflow's settings.*GENERIC_TIMEZONE.*Asia\/Shanghai/,
						) as string,
					}),
				);
			}
		},
	);

	it('reads every day of the calendar, written or as a moment', () => {
		const moments = fc.date({
			min: new Date('1970-01-01'),
			max: new Date('9999-12-31'),
			noInvalidDate: true,
		});
		fc.assert(
			fc.property(moments, (moment) => {
				const day = moment.toISOString().slice(0, 10);
				expect(readDay(day, 'Asia/Shanghai')).toEqual(good(day));
				expect(readDay(moment, 'UTC')).toEqual(good(day));
				expect(readDay(moment.toISOString(), 'UTC')).toEqual(good(day));
			}),
		);
	});
});

describe('daysOf', () => {
	/** 1 March, 00:30 in Shanghai; still 28 February in UTC. */
	const NOW = Date.parse('2026-02-28T16:30:00Z');

	it.each<[Parameters<typeof daysOf>[0], string, string, string]>([
		['yesterday', 'Asia/Shanghai', '2026-02-28', '2026-02-28'],
		['yesterday', 'UTC', '2026-02-27', '2026-02-27'],
		['last7Days', 'Asia/Shanghai', '2026-02-22', '2026-02-28'],
		['last7Days', 'UTC', '2026-02-21', '2026-02-27'],
		['thisMonth', 'Asia/Shanghai', '2026-03-01', '2026-03-01'],
		['thisMonth', 'UTC', '2026-02-01', '2026-02-28'],
		['lastMonth', 'Asia/Shanghai', '2026-02-01', '2026-02-28'],
		['lastMonth', 'UTC', '2026-01-01', '2026-01-31'],
	])('%s in %s: %s to %s', (period, timeZone, start, end) => {
		expect(daysOf(period, NOW, timeZone)).toEqual({ start, end });
	});

	it('counts back across the turn of the year', () => {
		const newYear = Date.parse('2027-01-01T08:00:00Z');
		expect(daysOf('lastMonth', newYear, 'UTC')).toEqual({ start: '2026-12-01', end: '2026-12-31' });
		expect(daysOf('last7Days', newYear, 'UTC')).toEqual({ start: '2026-12-25', end: '2026-12-31' });
	});
});
