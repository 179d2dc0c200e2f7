import type { ApiRequest } from '../../../aiclk/api/request';
import { StreamedFile } from '../../../aiclk/api/streamedFile';
import { fail, ok } from '../../../aiclk/util/result';
import { newFailure } from '../../../aiclk/util/failure';
import { hashOf, RetryMemory } from '../../../nodes/shared/retries';
import { inputOf, emptyRow } from '../support';

const done = ok([{ n: 1 }]);
const failed = (outcome: 'not-sent' | 'refused' | 'unknown') =>
	fail(newFailure({ kind: 'refused', outcome, message: 'm', description: 'd' }));

describe('RetryMemory', () => {
	it.each([
		['carried out', done, true],
		['perhaps carried out', failed('unknown'), true],
		['refused', failed('refused'), false],
		['not sent', failed('not-sent'), false],
	])(
		'remembers the result of an item only if it must not be sent again: %s',
		(_, result, stands) => {
			const memory = new RetryMemory();
			memory.forRun('run', 2)?.remember(1, 'hash', result);
			const later = memory.forRun('run', 2);
			expect(later?.recall(1, 'hash')).toEqual(stands ? result : null);
			expect(later?.recall(0, 'hash')).toBeNull();
			expect(memory.forRun('another run', 2)?.recall(1, 'hash')).toBeNull();
		},
	);

	it('a changed request is refused if the earlier one was or may have been carried out', () => {
		const run = new RetryMemory().forRun('run', 1);
		run?.remember(0, 'hash', done);
		expect(run?.recall(0, 'other')).toMatchObject({ failure: { outcome: 'unknown' } });
	});

	it('forgets a run that ended without a failure', () => {
		const memory = new RetryMemory();
		const run = memory.forRun('run', 1);
		run?.remember(0, 'hash', done);
		run?.end(true);
		expect(memory.forRun('run', 1)?.recall(0, 'hash')).toBeNull();
	});

	it('refuses more items or runs than it can remember', () => {
		const memory = new RetryMemory();
		expect(memory.forRun('large', 10_000)).not.toBeNull();
		expect(memory.forRun('larger', 10_001)).toBeNull();
		for (let n = 1; n < 1_000; n++) expect(memory.forRun(`run ${n}`, 1)).not.toBeNull();
		expect(memory.forRun('one too many', 1)).toBeNull();
		expect(memory.forRun('run 1', 1)).not.toBeNull();
	});

	it('makes room by forgetting only runs that can no longer be retried', () => {
		let now = 0;
		const memory = new RetryMemory(() => now);
		const runs = Array.from({ length: 1_000 }, (_, n) => memory.forRun(`run ${n}`, 1));
		for (const run of runs) run?.remember(0, 'hash', done);
		for (const run of runs.slice(2)) run?.end(false);
		now = 60_000;
		runs[1]?.end(false);
		now = 5 * 60_000;
		expect(memory.forRun('one too many', 1)).toBeNull();
		now += 1;
		expect(memory.forRun('one more', 1)).not.toBeNull();
		const recalled = ['run 0', 'run 1', 'run 2'].map((key) =>
			memory.forRun(key, 1)?.recall(0, 'hash'),
		);
		expect(recalled).toEqual([done, done, null]);
	});
});

describe('hashOf', () => {
	const client = inputOf(emptyRow());
	const request: ApiRequest = { method: 'POST', path: '/openapi/v1/x', effect: 'change' };
	const file = (name: string, size: number) =>
		new StreamedFile(name, 'image/png', size, () => [new Uint8Array(size)]);
	const hash = (more: Partial<ApiRequest>) => hashOf(client, { ...request, ...more });

	it('different requests and different clients have different hashes', () => {
		const hashes = [
			hash({}),
			hash({ method: 'PUT' }),
			hash({ path: '/openapi/v1/y' }),
			hash({ parameters: { a: 1n } }),
			hash({ query: { a: 1n } }),
			hash({ body: { a: 1n } }),
			hash({ body: { a: 2n ** 63n } }),
			hash({ form: { a: 'x' } }),
			hash({ form: { file: file('a', 1) } }),
			hash({ form: { file: file('b', 1) } }),
			hash({ form: { file: file('a', 2) } }),
			hashOf(inputOf(emptyRow({ clientId: 'other' })), request),
		];
		expect(new Set(hashes).size).toBe(hashes.length);
		expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
		expect(hash({ body: { a: 1n } })).toBe(hash({ body: { a: 1n } }));
	});
});
