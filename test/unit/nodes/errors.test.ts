import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';

import { type Failure, FailureError, newFailure } from '../../../aiclk/util/failure';
import { ofThrown, refuse, toError, toErrorItem } from '../../../nodes/shared/errors';

const contextOf = (type: string, more: object = {}): IExecuteFunctions =>
	({ getNode: () => ({ type, name: 'AiClk' }), ...more }) as never;

const NODE = contextOf('n8n-nodes-aiclk.aiClk');
/** How n8n 1 and 2 run the node as an agent's tool. */
const TOOLS: Array<[string, IExecuteFunctions]> = [
	['by its type', contextOf('n8n-nodes-aiclk.aiClkTool')],
	['by its context', contextOf('n8n-nodes-aiclk.aiClk', { isToolExecution: () => true })],
];

const failureOf = (failure: Partial<Failure>): Failure =>
	newFailure({ kind: 'unusable', message: 'AiClk said', description: 'Do this.', ...failure });

describe('the cause that n8n reads', () => {
	it.each<[Partial<Failure>, unknown]>([
		[{ kind: 'input' }, { cause: 'configuration-invalid' }],
		[
			{ kind: 'quota', resetsAtMs: 7 },
			{ cause: 'quota-exhausted', resetsAtEpochMs: 7 },
		],
		[{ kind: 'quota' }, { cause: 'quota-exhausted', resetsAtEpochMs: undefined }],
		[
			{ kind: 'busy', retryAfterMs: 0 },
			{ cause: 'rate-limited', retryAfterMs: 0 },
		],
		[{ kind: 'busy' }, { cause: 'rate-limited' }],
		[{ kind: 'unavailable' }, { cause: 'temporarily-unavailable' }],
		[{ kind: 'unavailable', outcome: 'refused' }, { cause: 'temporarily-unavailable' }],
		[{ kind: 'unavailable', outcome: 'unknown' }, undefined],
		[{ kind: 'refused' }, { cause: 'credential-invalid' }],
		[{ kind: 'refused', outcome: 'refused' }, undefined],
		[{ kind: 'rejected', outcome: 'refused' }, undefined],
		[{ kind: 'superseded' }, undefined],
		[{ kind: 'aborted' }, undefined],
		[{ kind: 'unusable' }, undefined],
	])('%j', (failure, cause) => {
		expect(toError(NODE, failureOf(failure)).failure).toStrictEqual(cause);
	});
});

describe('the facts in a message', () => {
	const traced = { traceId: 't1', accountId: '7' };
	it.each<[Partial<Failure>, string]>([
		[{}, 'AiClk said'],
		[traced, 'AiClk said (trace_id: t1, account 7)'],
		[{ outcome: 'unknown' }, 'AiClk said (outcome: unknown)'],
		[{ ...traced, outcome: 'refused' }, 'AiClk said (outcome: refused, trace_id: t1, account 7)'],
		[{ ...traced, outcome: 'unknown', isRead: true }, 'AiClk said (trace_id: t1, account 7)'],
		[{ accountId: '7', message: 'Account 7 is closed' }, 'Account 7 is closed'],
	])('%j', (failure, message) => {
		expect(toError(NODE, failureOf(failure)).message).toBe(message);
		expect(toErrorItem(NODE, failureOf(failure)).error).toMatchObject({ message });
	});

	it.each(TOOLS)('an agent also reads that nothing was sent: %s', (_, context) => {
		expect(toError(context, failureOf({})).message).toBe('AiClk said (outcome: not-sent)');
		expect(toError(context, failureOf({ isRead: true })).message).toBe('AiClk said');
	});

	it('a node is no tool if n8n says so', () => {
		const context = contextOf('n8n-nodes-aiclk.aiClk', { isToolExecution: () => false });
		expect(toError(context, failureOf({})).message).toBe('AiClk said');
	});
});

describe('the data of an error and of an error item', () => {
	const facts = { code: 400, httpCode: '200', traceId: 't1', outcome: 'refused', accountId: '7' };
	it.each<[string, Partial<Failure>, object]>([
		['a refusal', {}, facts],
		['a transfer', { details: { money: 100 } }, { ...facts, money: 100 }],
		[
			'a busy AiClk',
			{ kind: 'busy', retryAfterMs: 1_000 },
			{ ...facts, cause: 'rate-limited', retryAfterMs: 1_000 },
		],
		['wrong input', { kind: 'input' }, facts],
	])('%s', (_, more, data) => {
		const failure = failureOf({ kind: 'refused', ...facts, ...more } as Partial<Failure>);
		expect(toError(NODE, failure).context.data).toStrictEqual(data);
		const { message, description, ...rest } = toErrorItem(NODE, failure).error as IDataObject;
		expect([message, description, rest]).toStrictEqual([expect.anything(), 'Do this.', data]);
	});
});

describe('the class of an error', () => {
	it.each<[string, IExecuteFunctions, Partial<Failure>, unknown]>([
		['of wrong input', NODE, { kind: 'input' }, NodeOperationError],
		['of AiClk', NODE, { kind: 'refused' }, NodeApiError],
		['of a tool', contextOf('n8n-nodes-aiclk.aiClkTool'), { kind: 'refused' }, NodeOperationError],
	])('%s', (_, context, failure, constructor) => {
		const error = toError(context, failureOf(failure), 3);
		expect(error).toBeInstanceOf(constructor);
		expect([error.description, error.context.itemIndex]).toEqual(['Do this.', 3]);
	});

	it.each([
		['200', null],
		['204', null],
		['403', '403'],
		[null, null],
	])('HTTP %s is shown as the code %s', (httpCode, shown) => {
		const { httpCode: code } = toError(NODE, failureOf({ httpCode })) as NodeApiError;
		expect(code ?? null).toBe(shown);
	});
});

describe('what was thrown', () => {
	it('a refusal of ours stays as it is', () => {
		const failure = failureOf({ kind: 'quota' });
		expect(ofThrown(new FailureError(failure), 'unknown')).toBe(failure);
		expect(() => refuse('No', 'Do that.')).toThrow(
			expect.objectContaining({
				failure: newFailure({ kind: 'input', message: 'No', description: 'Do that.' }),
			}),
		);
	});

	it.each([
		['before the request', 'not-sent', 'input'],
		['after it', 'unknown', 'aborted'],
	] as const)('%s', (_, outcome, kind) => {
		const error = { message: 'a', description: 'b' };
		expect(ofThrown(error, outcome)).toMatchObject({ kind, outcome, ...error });
	});

	it('an error without words gets some', () => {
		const { message, description } = ofThrown({}, 'unknown');
		expect([message, description]).toEqual([
			expect.stringMatching(/unexpected/),
			expect.stringMatching(/^Correct/),
		]);
	});
});
