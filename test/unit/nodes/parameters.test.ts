import type { IDataObject, IExecuteFunctions, IPollFunctions } from 'n8n-workflow';

import { field, filters, LIMIT, RETURN_ALL } from '../../../nodes/shared/fields';
import { Parameters } from '../../../nodes/shared/parameters';
import { emptyRow, inputOf } from '../../harness/fakes';

const NODE = {
	getNode: () => ({ name: 'AiClk', type: 'n8n-nodes-aiclk.aiClk' }),
	getTimezone: () => 'UTC',
};

/** What n8n has in a field; `typed` are those that hold expressions. */
const valueOf =
	(values: IDataObject, typed: IDataObject) =>
	(name: string, fallback: unknown, { rawExpressions = false } = {}): unknown =>
		(rawExpressions ? typed[name] : undefined) ?? values[name] ?? fallback;

/** The fields of one item, as n8n hands them over. */
const fieldsOf = (values: IDataObject, typed: IDataObject = {}, accountId = ''): Parameters => {
	const get = valueOf(values, typed);
	const context = {
		...NODE,
		getNodeParameter: (name: string, item: number, fallback: unknown, options?: object) =>
			item === 3 ? get(name, fallback, options) : fallback,
	};
	const client = inputOf(emptyRow({ accountId }));
	return new Parameters(context as unknown as IExecuteFunctions, 3, client);
};

/** The fields of a poll, as n8n hands them over. */
const pollFieldsOf = (values: IDataObject, typed: IDataObject = {}, accountId = ''): Parameters => {
	const context = { ...NODE, getNodeParameter: valueOf(values, typed) };
	const client = inputOf(emptyRow({ accountId }));
	return new Parameters(context as unknown as IPollFunctions, null, client);
};

describe('the batching that counts', () => {
	it.each([
		['none where it was not added', {}, null],
		['50 items, then a second, without values', { batching: {} }, [50, 1_000]],
		['50 items, then a second, without members', { batching: { batch: {} } }, [50, 1_000]],
		['a second with a size only', { batching: { batch: { batchSize: 7 } } }, [7, 1_000]],
		['50 items with an interval only', { batching: { batch: { batchInterval: 0 } } }, [50, 0]],
		[
			'what is typed, also as text',
			{ batching: { batch: { batchSize: '7', batchInterval: '60' } } },
			[7, 60],
		],
		['one item a batch for a size of 0', { batching: { batch: { batchSize: 0 } } }, [1, 1_000]],
		['none for a size of -1', { batching: { batch: { batchSize: -1 } } }, null],
	])('is %s', (_, options, expected) => {
		const batching = fieldsOf({ options } as IDataObject).readBatching();
		expect(batching && [batching.size, batching.intervalMs]).toEqual(expected);
	});

	it.each([
		['Items per Batch', { batchSize: undefined }],
		['Items per Batch', { batchSize: null }],
		['Items per Batch', { batchSize: '' }],
		['Batch Interval (Ms)', { batchInterval: undefined }],
	])("is refused if '%s' was typed as an expression that yields nothing: %j", (label, yields) => {
		const fields = fieldsOf({ options: { batching: { batch: yields } } } as IDataObject);
		expect(() => fields.readBatching()).toThrow(`'${label}' is not a whole number`);
	});
});

describe('a field', () => {
	it('that is refused says what is wrong with it', () => {
		const read = () => fieldsOf({ returnAll: 'perhaps' }).read(RETURN_ALL);
		expect(read).toThrow(
			expect.objectContaining({
				name: 'FailureError',
				message: "'Return All' is 'perhaps', which is neither true nor false",
				description: 'Correct the field or its expression.',
			}),
		);
	});
});

describe.each([
	['of an item', fieldsOf],
	['of a poll', pollFieldsOf],
])('the fields %s', (_, read) => {
	const ACCOUNTS = field.ids('account_ids', 'Account IDs');

	it('are read: single ones, limits and collections', () => {
		const rows = [field.day('created_at.start', 'From', undefined, undefined, { name: 'from' })];
		const fields = read({ returnAll: false, limit: 7, filters: { from: '2026-01-31T08:00:00' } });
		expect(fields.readLimit()).toBe(7);
		expect(fields.read(LIMIT)).toBe(7);
		expect(fields.readAdded(filters(rows))).toEqual({ created_at: { start: '2026-01-31' } });
	});

	it('name a member of a collection that was added but is empty', () => {
		const rows = [field.day('created_at.start', 'From', undefined, undefined, { name: 'from' })];
		const fields = read({ filters: { from: undefined } }, { filters: { from: '={{ $json.x }}' } });
		expect(() => fields.readAdded(filters(rows))).toThrow(
			"'From' was added to 'Filters' but is empty",
		);
	});

	it("use the credential's account where the field was left empty", () => {
		expect(read({}, {}, '1000002').readAccount(field.account('The account'))).toBe(1_000_002n);
		expect(read({ accountIds: ' ' }, {}, '1000002').readAccounts(ACCOUNTS)).toEqual([1_000_002n]);
		expect(read({ accountIds: '' }, { accountIds: '=' }, '7').readAccounts(ACCOUNTS)).toEqual([7n]);
	});

	it('name each account once', () => {
		expect(read({ accountIds: '8, 7, 8' }, {}, '9').readAccounts(ACCOUNTS)).toEqual([8n, 7n]);
	});

	it.each([
		['no account anywhere', '', '', "'Account IDs' is empty, here and in the AiClk API credential"],
		[
			'an expression that yields nothing',
			'={{ $json.ids }}',
			'7',
			"'Account IDs' holds an expression that yields nothing",
		],
	])('are refused for %s', (_what, typed, accountId, message) => {
		const fields = read({ accountIds: '' }, { accountIds: typed }, accountId);
		expect(() => fields.readAccounts(ACCOUNTS)).toThrow(message);
	});
});
