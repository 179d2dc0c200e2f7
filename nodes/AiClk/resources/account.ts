import { daysOf } from '../../shared/days';
import { list, get, type Resource } from '../operations';
import { FEN, field } from '../../shared/fields';

/** GET account/info (AiClk docs, P2). */
const getInfo = get({
	value: 'getInfo',
	name: 'Get Info',
	action: 'Get account info',
	description:
		'Get names, balances (in fen: 100 fen are 1 yuan) and review status of an advertiser account',
	path: 'account/info',
	parameters: [
		field.returned(
			'account_id username display_name balance coupon compensation configure_status refuse_reason',
			undefined,
			FEN,
		),
	],
	amounts: ['balance', 'coupon', 'compensation'],
});

const PERIODS = {
	custom: 'Between Two Dates',
	last7Days: 'Last 7 Days (up to Yesterday)',
	lastMonth: 'Last Month',
	thisMonth: 'This Month (up to Today)',
	yesterday: 'Yesterday',
};
const PERIOD = field.choice('period', 'Period', PERIODS, {
	default: 'yesterday',
	description: "Which days, in the workflow's time zone",
});
const periodDay = (name: string, label: string, which: string, example: string) =>
	field.day(name, label, `${which} day; the time of day does not matter`, example, {
		required: true,
		displayOptions: { show: { period: ['custom'] } },
	});
const START = periodDay('start_date', 'Start Date', 'First', '2026-01-01');
const END = periodDay('end_date', 'End Date', 'Last', '2026-01-31');
const FIELDS = field.returned('date cash_cost coupon_cost compensation', undefined, FEN);

/** GET account_fund/list (AiClk docs, P3). Its rows have no ID: nothing says that a day has one row only. */
const getFundRecords = list({
	value: 'getFundRecords',
	name: 'Get Fund Records',
	action: 'Get account fund records',
	description: 'Get how much an advertiser account spent on each day (in fen: 100 fen are 1 yuan)',
	path: 'account_fund/list',
	parameters: [PERIOD, START, END, FIELDS],
	read: (fields) => {
		const period = fields.read(PERIOD);
		const { start, end } =
			period === 'custom'
				? { start: fields.read(START), end: fields.read(END) }
				: daysOf(period, Date.now(), fields.context.getTimezone());
		fields.checkSpan([START, start], [END, end]);
		return { start_date: start, end_date: end, fields: fields.read(FIELDS) };
	},
	amounts: ['cash_cost', 'coupon_cost', 'compensation'],
	rowField: 'date',
});

export const account: Resource = {
	option: { name: 'Account', value: 'account' },
	defaultOperation: 'getInfo',
	operations: [getFundRecords, getInfo],
};
