import fc from 'fast-check';

import { rowsOf, toBody, UPLOAD_TYPE_FIELD } from '../../../aiclk/protocol/assumptions';
import type { Envelope } from '../../../aiclk/protocol/envelope';
import { type PageRequest, readPages } from '../../../aiclk/api/pagination';

const envelope = (data: unknown): Envelope => ({
	code: 200,
	message: 'success',
	data,
	traceId: null,
});

/** A list of so many rows, numbered from 0. */
const listOf = (total: number, { namesTotal }: { namesTotal: boolean }) => {
	const requests: PageRequest[] = [];
	const read = async ({ page, pageSize }: PageRequest) => {
		requests.push({ page, pageSize });
		const first = (page - 1) * pageSize;
		const length = Math.max(0, Math.min(pageSize, total - first));
		return envelope({
			list: Array.from({ length }, (_, n) => first + n),
			...(namesTotal && { page_info: { total_number: total } }),
		});
	};
	return { requests, read };
};

describe('readPages', () => {
	it('gives exactly the rows wanted, in order, with no more requests than needed', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 0, max: 450 }),
				fc.option(fc.integer({ min: 1, max: 450 })),
				fc.boolean(),
				async (total, limit, namesTotal) => {
					const { requests, read } = listOf(total, { namesTotal });
					const { rows } = await readPages(limit, read);
					const wanted = Math.min(total, limit ?? Infinity);
					expect(rows).toEqual(Array.from({ length: wanted }, (_, n) => n));
					const pageSize = Math.min(limit ?? 100, 100);
					const full = Math.max(1, Math.ceil(wanted / pageSize));
					// Where no total is named, only a page that is not full tells the end.
					const one =
						namesTotal || wanted % pageSize > 0 || wanted === limit || wanted === 0 ? 0 : 1;
					expect(requests).toHaveLength(full + one);
					expect(new Set(requests.map((request) => request.pageSize))).toEqual(new Set([pageSize]));
				},
			),
			{ numRuns: 300 },
		);
	});

	it('goes on behind a page that AiClk made shorter than asked, as long as it names a total', async () => {
		const { rows } = await readPages(null, async ({ page }) =>
			envelope({ list: page <= 5 ? [page, page] : [], page_info: { total_number: '10' } }),
		);
		expect(rows).toHaveLength(10);
	});

	it('ends at an empty page, whatever the total says', async () => {
		let calls = 0;
		const { rows } = await readPages(null, async () => {
			calls++;
			return envelope({ list: [], page_info: { total_number: 7 } });
		});
		expect([calls, rows]).toEqual([1, []]);
	});

	it('takes rows that are all alike', async () => {
		const { rows } = await readPages(null, async ({ page }) =>
			envelope({ list: Array.from({ length: page < 3 ? 100 : 50 }, () => ({ cost: 0 })) }),
		);
		expect(rows).toHaveLength(250);
	});

	it('takes all rows of an endpoint that knows no pages', async () => {
		const list = Array.from({ length: 130 }, (_, n) => n);
		expect((await readPages(null, async () => envelope(list))).rows).toEqual(list);
		expect((await readPages(20, async () => envelope(list))).rows).toEqual(list.slice(0, 20));
	});

	it('does not ask for ever', async () => {
		const list = Array.from({ length: 100 }, (_, n) => n);
		await expect(readPages(null, async () => envelope(list))).rejects.toThrow(/knows? no pages/);
	});

	it('passes on what reading throws', async () => {
		const read = async () => await Promise.reject(new Error('gone'));
		await expect(readPages(null, read)).rejects.toThrow('gone');
	});
});

describe('where AiClk contradicts itself', () => {
	it.each([
		['an array in list', { list: [1, 2] }, [1, 2]],
		['one object in list', { list: { a: 1 } }, [{ a: 1 }]],
		['a bare array', [1], [1]],
		['no list', {}, []],
		['null in list', { list: null }, []],
		['null', null, []],
	])('rows are found: %s', (_, data, rows) => {
		expect(rowsOf(data)).toEqual(rows);
	});

	it('a body is one object, and the upload names its type material_type', () => {
		expect(toBody({ a: 1 })).toEqual({ a: 1 });
		expect(UPLOAD_TYPE_FIELD).toBe('material_type');
	});
});
