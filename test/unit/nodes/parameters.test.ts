import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import { RETURN_ALL } from '../../../nodes/shared/fields';
import { Parameters } from '../../../nodes/shared/parameters';
import { emptyRow, inputOf } from '../support';

/** The fields of one item, as n8n hands them over; `typed` are those that hold expressions. */
const fieldsOf = (values: IDataObject, typed: IDataObject = {}): Parameters => {
	const context = {
		getNode: () => ({ name: 'AiClk', type: 'n8n-nodes-aiclk.aiClk' }),
		getTimezone: () => 'UTC',
		getNodeParameter: (
			name: string,
			_item: number,
			fallback: unknown,
			{ rawExpressions = false } = {},
		) => (rawExpressions ? typed[name] : undefined) ?? values[name] ?? fallback,
	};
	return new Parameters(context as unknown as IExecuteFunctions, 3, inputOf(emptyRow()));
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
				message: "'Return All' is neither true nor false",
				description: 'Correct the field or its expression.',
			}),
		);
	});
});
