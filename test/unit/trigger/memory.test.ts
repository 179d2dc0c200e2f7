import fc from 'fast-check';

import {
	fit,
	fromValue,
	type Known,
	MAX_STATE_BYTES,
	processMemoryOf,
	decodeRows,
	readState,
	type ValuesById,
	sizeOf,
	type State,
	toValue,
	encodeRows,
	writeState,
} from '../../../nodes/AiClkTrigger/memory';

const FIELDS = ['status', 'reason'];
const value = (status: unknown, reason: unknown = ''): string =>
	toValue({ status, reason }, FIELDS);

const rowsOf = (count: number, step = 1, reason = ''): ValuesById =>
	new Map(
		Array.from({ length: count }, (_, n) => [
			`${20_000_000 + n * step}`,
			value('ENABLE', reason && `${reason} ${n}`),
		]),
	);

const stateOf = (accounts: Record<string, Known>): State => ({
	at: '2026-11-24T02:00:00.000Z',
	configuration: 'x',
	accounts,
	reports: {},
});

describe('values', () => {
	it('white space becomes one space', () => {
		expect(fromValue(value('PASSED', '图片\n不\t清晰'), FIELDS)).toEqual({
			status: 'PASSED',
			reason: '图片 不 清晰',
		});
	});

	it.each([undefined, null, ''])('%p is empty', (empty) => {
		expect(value(empty)).toBe(value(''));
	});

	it.each([
		['["太暗","不清晰"]', '["不清晰","太暗"]'],
		['[10,9,null]', '[null,10,9]'],
		['[{"a":1},{"toString":2}]', '[{"toString":2},{"a":1}]'],
	])('a list is the same in any order: %s', (one, other) => {
		const [before, now] = [JSON.parse(one), JSON.parse(other)] as [unknown[], unknown[]];
		expect(value(before)).toBe(value(now));
		expect(value(before)).not.toBe(value(now.slice(1)));
		expect(JSON.stringify(before)).toBe(one);
	});

	it('that join to the same words are told apart', () => {
		expect(value('a b', '')).not.toBe(value('a', 'b'));
		expect(value({ a: 1 })).not.toBe(value({ a: 2 }));
	});
});

describe('rows', () => {
	it('are read back in the order in which they were written', () => {
		const rows = fc
			.array(
				fc.tuple(
					fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
					fc.oneof(fc.constantFrom('ENABLE', 'PAUSED'), fc.string({ unit: 'grapheme' })),
				),
				{ maxLength: 60 },
			)
			.map((all): ValuesById => new Map(all.map(([id, status]) => [`${id}`, value(status)])));
		fc.assert(
			fc.property(rows, (memory) => {
				const written = JSON.parse(JSON.stringify(encodeRows(memory))) as Known;
				expect([...decodeRows(written)]).toEqual([...memory]);
			}),
		);
	});

	it('are text that a person can read', () => {
		const rows: ValuesById = new Map([
			['20000001', value('ENABLE')],
			['20000002', value('ENABLE')],
			['20000007', value('PAUSED', '太暗')],
			['20000005', value('ENABLE')],
		]);
		expect(encodeRows(rows)).toEqual({
			values: [
				['ENABLE', ''],
				['PAUSED', '太暗'],
			],
			rows: '20000001:0 1 5:1 -2:0',
		});
	});
});

describe('a state', () => {
	const text = writeState(stateOf({ 1: { is: 'below' } }));

	it('is read back', () => {
		expect(readState(text)).toEqual(stateOf({ 1: { is: 'below' } }));
	});

	it.each([
		['nothing', undefined],
		['one other letter', text.replace('below', 'belov')],
		['a missing part', text.replace(/,"reports":\{\}/, '')],
		['a cut text', text.slice(0, -1)],
		['JSON of something else', 'null'],
	])('is none if it is %s', (_, damaged) => {
		expect(readState(damaged)).toBeNull();
	});
});

describe('a state that is too large', () => {
	const watched = new Set(['1', '2', '3']);
	const fits = (state: State) =>
		expect(sizeOf(writeState(state))).toBeLessThanOrEqual(2 * MAX_STATE_BYTES);

	it('is left alone if it is not', () => {
		const state = stateOf({ 1: { ...encodeRows(rowsOf(20_000)), keepLast: 3 } });
		expect(fit(state, watched)).toEqual({ state, tooLarge: [] });
	});

	it('forgets all accounts that are no longer watched before anything else', () => {
		const large = { ...encodeRows(rowsOf(30_000, 7_919)), keepLast: 3 };
		const { state } = fit(stateOf({ 1: large, 4: large, 5: { is: 'fine' } }), watched);
		expect(Object.keys(state.accounts)).toEqual(['1']);
		expect(state.accounts['1']).toEqual(large);
		fits(state);
	});

	it('forgets the oldest rows of the account with the most, and says so', () => {
		const small = { ...encodeRows(rowsOf(100, 7_919)), keepLast: 3 };
		const large = { ...encodeRows(rowsOf(90_000, 7_919)), keepLast: 3 };
		const result = fit(stateOf({ 1: small, 2: large, 3: { is: 'fine' } }), watched);
		const { accounts } = result.state;
		expect([accounts['1'], accounts['3']]).toEqual([small, { is: 'fine' }]);
		const kept = [...decodeRows(accounts['2'] ?? {}).keys()];
		expect(kept.length).toBeGreaterThan(35_000);
		expect(kept).toEqual([...decodeRows(large).keys()].slice(-kept.length));
		expect(accounts['2']).toMatchObject({ hasForgotten: true, keepLast: 3 });
		fits(result.state);
	});

	it('names the account whose rows must all be kept', () => {
		const large = { ...encodeRows(rowsOf(90_000, 7_919)), keepLast: 90_000 };
		const small = { ...encodeRows(rowsOf(100)), keepLast: 100 };
		expect(fit(stateOf({ 1: small, 2: large }), watched).tooLarge).toEqual(['2']);
	});

	it('names accounts that are too many, and that soon', () => {
		const accounts = Array.from({ length: 20_000 }, (_, n) => `${1_000_000 + n}`);
		const state = stateOf(Object.fromEntries(accounts.map((one) => [one, { is: 'fine' }])));
		const { tooLarge } = fit(state, new Set(accounts));
		expect(tooLarge.length).toBeGreaterThan(8_000);
		for (const account of tooLarge) delete state.accounts[account];
		expect(fit(state, new Set(accounts)).tooLarge).toEqual([]);
	});

	it('always fits or is refused', () => {
		const known = fc.record({
			count: fc.nat(300),
			step: fc.integer({ min: 1, max: 100_000 }),
			reason: fc.constantFrom('', '不清晰'),
			keepLast: fc.nat(300),
		});
		fc.assert(
			fc.property(
				fc.array(known, { maxLength: 5 }),
				fc.integer({ min: 300, max: 9_000 }),
				(all, max) => {
					const accounts = Object.fromEntries(
						all.map(({ count, step, reason, keepLast }, index): [string, Known] => [
							`${index}`,
							{ ...encodeRows(rowsOf(count, step, reason)), keepLast: Math.min(keepLast, count) },
						]),
					);
					const { state, tooLarge } = fit(stateOf(accounts), watched, max);
					for (const account of tooLarge) delete state.accounts[account];
					const stored = JSON.stringify({ state: writeState(state) });
					expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(max);
					for (const [account, after] of Object.entries(state.accounts)) {
						const before = [...decodeRows(accounts[account] ?? {})];
						const rows = [...decodeRows(after)];
						expect(rows).toEqual(before.slice(before.length - rows.length));
						expect(rows.length).toBeGreaterThanOrEqual(after.keepLast ?? 0);
					}
				},
			),
			{ numRuns: 300 },
		);
	});
});

it('a process remembers each trigger by workflow and node', () => {
	processMemoryOf('w', 'n').text = 'x';
	expect([
		processMemoryOf('w', 'n').text,
		processMemoryOf('w', 'm').text,
		processMemoryOf('v', 'n').text,
	]).toEqual(['x', null, null]);
});
