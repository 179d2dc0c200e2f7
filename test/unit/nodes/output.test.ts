import fc from 'fast-check';

import type { ApiRequest } from '../../../aiclk/api/request';
import { type Envelope, readEnvelope } from '../../../aiclk/protocol/envelope';
import {
	remarksOnFailures,
	remarksOnPage,
	toCallItems,
	toMaterialItem,
	toReadItem,
	toRowItems,
	toTransferItem,
	toWholeItem,
	toWriteItem,
	toYuan,
} from '../../../nodes/AiClk/output';

/** An answer that says success. */
const answerOf = (data: unknown, more: object = {}): Envelope =>
	readEnvelope({ code: 200, message: 'success', data, trace_id: 't1', ...more }) as Envelope;

const good = (...value: unknown[]) => ({ ok: true, value });

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Fen as yuan, by moving the decimal point. */
const byHand = (fen: number): string => {
	const digits = String(Math.abs(fen)).padStart(3, '0');
	return `${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

describe('toYuan', () => {
	it('every amount of up to 15 digits keeps both decimals, and comes back', () => {
		fc.assert(
			fc.property(fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }), (fen) => {
				const output = toYuan([{ balance: fen }], ['balance']);
				const [item] = output.ok ? output.value : [];
				const yuan = Number(item?.balance);
				expect(yuan.toFixed(2).replace('-0.00', '0.00')).toBe(byHand(fen));
				expect(Math.round(yuan * 100)).toBe(fen);
			}),
		);
	});

	it('changes nothing but the amounts, and not the row itself', () => {
		const row = { account_id: 100, balance: 250, date: '2026-01-01' };
		expect(toYuan([row], ['balance', 'coupon'])).toEqual({
			ok: true,
			value: [{ account_id: 100, balance: 2.5, date: '2026-01-01' }],
		});
		expect(row.balance).toBe(250);
	});
});

describe('toYuan refuses', () => {
	it.each<[string, unknown]>([
		['text', 'much'],
		['a part of a fen', 0.5],
		['more digits than a number keeps', 1e15],
		['as many below 0', -1e15],
	])('%s', (_, balance) => {
		const failure = expect.stringContaining("'balance'");
		expect(toYuan([{ balance: balance as string }], ['balance'])).toEqual({ ok: false, failure });
	});

	it.each([[null], [''], [undefined]])('not what AiClk left out: %j', (balance) => {
		expect(toYuan([{ balance }], ['balance'])).toEqual(good({ balance }));
	});
});

describe('an item has no member `error`, because n8n would take it for a failed one', () => {
	const BOTH = { error: 'x', error_: 'y' };
	it.each<[object, object]>([
		[{ a: 1 }, { a: 1 }],
		[{ error: 'x' }, { error_: 'x' }],
		[BOTH, { error_: 'y', error__: 'x' }],
	])('%j', (row, item) => {
		expect(toRowItems([row], null)).toStrictEqual([item]);
		expect(toWriteItem(answerOf(row))).toStrictEqual(good(item));
	});

	it('nor has the whole answer', () => {
		expect(toWholeItem(answerOf(1, { error: 'x' }))).toMatchObject({ data: 1, error_: 'x' });
	});
});

describe('the account of a row', () => {
	it.each([[undefined], [null], [''], [0], ['0'], [' 00 '], [false], ['false'], [{}], [[]]])(
		'is added where AiClk wrote %j',
		(account) => {
			expect(toRowItems([{ account_id: account, a: 1 }], 7n)).toEqual([{ account_id: 7, a: 1 }]);
		},
	);

	it.each([[5], ['5'], ['10'], ['x0'], ['0x'], [true], [{ id: 0 }]])(
		'stays as it is: %j',
		(own) => {
			expect(toRowItems([{ account_id: own }], 7n)).toEqual([{ account_id: own }]);
		},
	);

	it('stays out without an account', () => {
		expect(toRowItems([{ a: 1 }, { account_id: 0 }], null)).toEqual([{ a: 1 }, { account_id: 0 }]);
	});

	it('comes first, as a number where that is exact', () => {
		expect(Object.keys(toRowItems([{ a: 1 }], 7n)[0] ?? {})).toEqual(['account_id', 'a']);
		expect(toRowItems([{}], MAX_SAFE)).toEqual([{ account_id: Number.MAX_SAFE_INTEGER }]);
		expect(toRowItems([{}], MAX_SAFE + 1n)).toEqual([{ account_id: '9007199254740992' }]);
	});

	it('is added to a row that is no object, too', () => {
		expect(toRowItems([3, null, [1]], 7n)).toEqual([
			{ account_id: 7, value: 3 },
			{ account_id: 7, value: null },
			{ account_id: 7, value: [1] },
		]);
	});
});

describe('a read of one object', () => {
	it.each<[string, unknown]>([
		['as it is', { balance: 1 }],
		['as JSON text', '{"balance":1}'],
		['as the only row of a list', { list: [{ balance: 1 }] }],
		['as the only row of a list in JSON text', { list: '[{"balance":1}]' }],
		['as the only row', [{ balance: 1 }]],
	])('%s', (_, data) => {
		expect(toReadItem(answerOf(data), 7n)).toEqual(good({ account_id: 7, balance: 1 }));
	});

	it('a member that is called list and holds no rows belongs to it', () => {
		expect(toReadItem(answerOf({ list: 'x', a: 1 }), 7n)).toEqual(
			good({ account_id: 7, list: 'x', a: 1 }),
		);
	});

	const TWO = [{ a: 1 }, { a: 2 }];
	it.each([[null], [undefined], [{}], [[]], [[{}]], [[1]], [3], [{ list: [] }], [TWO]])(
		'fails without one: %j',
		(data) => {
			const failure = expect.stringContaining('data in the form of one object');
			expect(toReadItem(answerOf(data), 7n)).toEqual({ ok: false, failure });
		},
	);
});

describe('the output of a change', () => {
	const about = { account_id: '7' };
	const SUCCESS = { success: true, ...about };
	const ROWS = [
		{ ...about, id: 1 },
		{ ...about, value: 2 },
	];
	it.each<[string, unknown, object, object[]]>([
		['nothing', null, {}, [SUCCESS]],
		['an empty object', {}, {}, [SUCCESS]],
		['an empty list', [], {}, [SUCCESS]],
		['an empty object as text', '{}', {}, [SUCCESS]],
		['an object', { id: 1 }, {}, [{ ...about, id: 1 }]],
		['an object as text', '{"id":1}', {}, [{ ...about, id: 1 }]],
		['a value', 5, {}, [{ ...about, value: 5 }]],
		['rows', [{ id: 1 }, 2], {}, ROWS],
		['a member beside it', null, { task: 3 }, [{ ...SUCCESS, task: 3 }]],
		['a failure beside it', null, { fail_list: [1] }, [{ ...about, fail_list: [1] }]],
	])('AiClk returned %s', (_, data, more, items) => {
		expect(toWriteItem(answerOf(data, more), about)).toStrictEqual({ ok: true, value: items });
	});

	it.each<[string, Envelope, object]>([
		['nothing', answerOf(null), { success: true, traceId: 't1' }],
		['no data', answerOf(undefined), { success: true, traceId: 't1' }],
		['0', answerOf(0), { success: true, data: 0, traceId: 't1' }],
		['an object', answerOf({ a: 1 }), { success: true, data: { a: 1 }, traceId: 't1' }],
		['a member beside it', answerOf(null, { b: 1 }), { success: true, traceId: 't1' }],
		['a failure beside it', answerOf(null, { error: 'x' }), { error_: 'x', traceId: 't1' }],
		['a failure in it', answerOf({ fail: 1 }), { data: { fail: 1 }, traceId: 't1' }],
	])('a transfer says what was moved: AiClk returned %s', (_, answer, item) => {
		expect(toTransferItem(answer, { money: 1 })).toStrictEqual(good({ ...item, money: 1 }));
	});
});

describe('the output of a custom call', () => {
	const ROWS = [
		{ account_id: 7, a: 1 },
		{ account_id: 7, value: 2 },
	];
	it.each<[string, unknown, object[]]>([
		['rows', [{ a: 1 }, 2], ROWS],
		['rows as text', '[{"a":1}]', [{ account_id: 7, a: 1 }]],
		['no row', [], []],
		['an object', { a: 1 }, [{ account_id: 7, a: 1 }]],
		['a value', 3, [{ account_id: 7, value: 3 }]],
		['a list that stays whole', { list: [{ a: 1 }] }, [{ list: [{ a: 1 }] }]],
	])('a read returns %s', (_, data, items) => {
		expect(toCallItems(answerOf(data), true, 7n)).toEqual({ ok: true, value: items });
	});

	it.each([[null], [undefined], [''], [{}]])('a read without data fails: %j', (data) => {
		const failure = expect.stringMatching(/^AiClk's answer holds no/);
		expect(toCallItems(answerOf(data), true, 7n)).toEqual({ ok: false, failure });
	});

	it('a change gets no account, and may return nothing', () => {
		expect(toCallItems(answerOf(null), false, 7n)).toEqual(good({ success: true }));
		expect(toCallItems(answerOf({ a: 1 }), false, 7n)).toEqual(good({ a: 1 }));
	});
});

describe('failures that an answer names although it says success', () => {
	const detailOf = (data: unknown, more: object = {}, isRead = false) =>
		remarksOnFailures(answerOf(data, more), isRead).map(({ detail }) => detail);

	it.each<[string, unknown, object]>([
		['data.fail_list', { fail_list: [1] }, {}],
		['data.failList', { failList: [1] }, {}],
		['data.FailList', { FailList: [1] }, {}],
		['data.errors', { errors: { a: 1 } }, {}],
		['data.error', { error: 'bad' }, {}],
		['data.err_msg', { err_msg: 'bad' }, {}],
		['data.errMsg', { errMsg: 'bad' }, {}],
		['data.err', { err: 1 }, {}],
		['data.errno', { errno: 7 }, {}],
		['data.error_code', { error_code: 7 }, {}],
		['data.errorMessage', { errorMessage: 'bad' }, {}],
		['data.error_note', { error_note: 200 }, {}],
		['data.invalid_ids', { invalid_ids: [1] }, {}],
		['data.rejected', { rejected: 2 }, {}],
		['data.illegal2', { illegal2: 'x' }, {}],
		['data.\u5931\u8d25', { '\u5931\u8d25': 1 }, {}],
		['data.\u9519\u8bef\u4fe1\u606f', { '\u9519\u8bef\u4fe1\u606f': 'bad' }, {}],
		['data.success', { success: false }, {}],
		['data.is_success', { is_success: 0 }, {}],
		['data.isOk', { isOk: 'FALSE' }, {}],
		['data.succeeded', { succeeded: '0' }, {}],
		['data.rows.fail', { rows: [{ fail: 1 }, { fail: 2 }] }, {}],
		['data.a.b.c.fail', { a: { b: { c: { fail: 1 } } } }, {}],
		['data.fail_list', '{"fail_list":[1]}', {}],
		['data.fail_list', { fail_list: '[1]' }, {}],
		['fail, data.fail', { fail: 1 }, { fail: 1 }],
	])('%s: %j', (detail, data, more) => {
		// Members of the body come in its order: `data` before what was added.
		expect(detailOf(data, more).join().split(', ').sort()).toEqual(detail.split(', ').sort());
	});

	it.each([
		[{ fail_list: [] }],
		[{ fail_list: {} }],
		[{ fail_list: '[]' }],
		[{ fail: 0 }],
		[{ fail: ' 0 ' }],
		[{ fail: false }],
		[{ error: null }],
		[{ error: '' }],
		[{ error: 'OK' }],
		[{ error: 'none' }],
		[{ error: 'Success' }],
		[{ error: '\u6210\u529f' }],
		[{ error_code: 200 }],
		[{ errno: '200' }],
		[{ success: true }],
		[{ success: 1 }],
		[{ success: '10' }],
		[{ success: '05' }],
		[{ unsuccess: false }],
		[{ terror: 1, errand: 1, unfailing: 1 }],
		[{ a: { b: { c: { d: { fail: 1 } } } } }],
		['error'],
		[null],
	])('none: %j', (data) => {
		expect(detailOf(data)).toStrictEqual([]);
	});

	it.each<[unknown, string]>([
		['10', 'as a part of a word'],
		['not ok', 'at the end'],
		['ok?', 'at the beginning'],
		[200, 'as a number of failures'],
	])('a value is fine only as a whole: %j (%s)', (fail) => {
		expect(detailOf({ fail })).toEqual(['data.fail']);
	});

	it('what the rows of a read hold is no matter of the call', () => {
		expect(detailOf([{ fail: 1 }], {}, true)).toEqual([]);
		expect(detailOf([{ fail: 1 }], { error: 'x' }, true)).toEqual(['error']);
	});

	it('says where to look', () => {
		const [remark] = remarksOnFailures(answerOf({ fail: 1 }), false);
		expect(remark?.text).toMatch(/says success but names failures/);
	});
});

describe('a first page of more rows', () => {
	const page = (total: unknown, more: object = {}) =>
		answerOf({ list: [1, 2], page_info: { total_number: total, ...more } });
	const asked = (request: object): ApiRequest =>
		({ method: 'GET', path: 'x', ...request }) as never;
	const GET = asked({});

	const SECOND = asked({ query: { page: 2 } });

	it.each<[string, Envelope, ApiRequest]>([
		['without a number', page(3), GET],
		['by its own number', page(3, { page: 1 }), GET],
		['by its own number, whatever was asked for', page(3, { page: 1 }), SECOND],
		['that was asked for', page(3), asked({ query: { page: 1 } })],
	])('is remarked %s', (_, answer, request) => {
		expect(remarksOnPage(answer, request)).toEqual([
			{ text: expect.stringMatching(/this is page 1/), detail: '2 of 3 rows' },
		]);
	});

	it.each<[string, Envelope, ApiRequest]>([
		['all rows came', page(2), GET],
		['more rows came', page(1), GET],
		['there is no total', answerOf({ list: [1, 2] }), GET],
		['there are no rows', answerOf({ page_info: { total_number: 3 } }), GET],
		['it is page 2', page(3, { page: 2 }), GET],
		['page 2 was asked for in the query', page(3), SECOND],
		['page 2 was asked for in the parameters', page(3), asked({ parameters: { page: 2 } })],
		['page 2 was asked for in the body', page(3), asked({ body: { page: '2' } })],
	])('is not remarked if %s', (_, answer, request) => {
		expect(remarksOnPage(answer, request)).toEqual([]);
	});
});

describe('an uploaded material', () => {
	it('has its IDs as text, also in its cover, and its account', () => {
		const material = { id: 1, pid: 2, width: 3, cover: { id: 4, pid: '5', width: 6 } };
		expect(toMaterialItem(answerOf(material), 7n)).toEqual(
			good({
				account_id: 7,
				id: '1',
				pid: '2',
				width: 3,
				cover: { id: '4', pid: '5', width: 6 },
			}),
		);
	});

	it.each([[null], ['x'], [[1]]])('keeps a cover that is no object: %j', (cover) => {
		expect(toMaterialItem(answerOf({ id: 'a', cover }), 7n)).toEqual(
			good({ account_id: 7, id: 'a', cover }),
		);
	});
});
