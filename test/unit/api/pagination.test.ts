import fc from 'fast-check';
import { sleep as pause } from 'n8n-workflow';

import { rowsOf, toBody, UPLOAD_TYPE_FIELD, withRows } from '../../../aiclk/protocol/assumptions';
import type { Envelope } from '../../../aiclk/protocol/envelope';
import { type PageOptions, type PageRequest, readPages } from '../../../aiclk/api/pagination';
import { fail, ok } from '../../../aiclk/util/result';

const envelope = (data: unknown): Envelope => ({
	code: 200,
	message: 'success',
	data,
	traceId: null,
	body: { code: 200, data },
});

const numbers = (length: number, from = 0) => Array.from({ length }, (_, n) => from + n);
const withIds = (length: number, from = 0) => numbers(length, from).map((id) => ({ id }));

/** Answers page after page. @param answer makes the data of a page, out of what was asked for */
const reading = async (
	answer: (request: PageRequest) => unknown,
	options: Partial<PageOptions> = {},
) => {
	const requests: PageRequest[] = [];
	const result = await readPages({ limit: null, ...options }, async (request) => {
		requests.push(request);
		return ok(envelope(answer(request)));
	});
	return { requests, result };
};

/** A failure of `readPages`, whatever was read before it. */
const failedWith = (reason: unknown) => fail(expect.objectContaining({ reason }));

/** Rows, how many requests they took, and what is said of them; fails when reading fails. */
const read = async (...args: Parameters<typeof reading>) => {
	const { requests, result } = await reading(...args);
	if (!result.ok) throw new Error(String(result.failure.reason));
	return { ...result.value, requests };
};

/** A server with so many rows. @param cap the most rows a page that it sends; `total` makes what it names */
const server =
	(
		all: unknown[],
		{ cap = Infinity, total }: { cap?: number; total?: (page: unknown[]) => unknown } = {},
	) =>
	({ page, pageSize }: PageRequest) => {
		const size = Math.min(cap, pageSize);
		const list = all.slice((page - 1) * size, page * size);
		const named = total?.(list);
		return { list, ...(named !== undefined && { page_info: { total_number: named } }) };
	};

describe('readPages', () => {
	it("returns exactly the rows wanted, in order, whatever the server's page size and total", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 0, max: 450 }),
				fc.option(fc.integer({ min: 1, max: 450 })),
				fc.constantFrom(Infinity, 100, 50, 7),
				fc.constantFrom('none', 'all', 'zero', 'text'),
				fc.constantFrom(1, 3, 50),
				async (count, limit, cap, kind, together) => {
					const totals = { none: undefined, all: count, zero: 0, text: String(count) };
					const answer = server(withIds(count), { cap, total: () => totals[kind] });
					const { rows, requests, remarks } = await read(answer, {
						limit,
						idField: 'id',
						together,
					});
					expect(rows).toEqual(withIds(Math.min(count, limit ?? Infinity)));
					expect(remarks).toEqual([]);
					const perPage = Math.min(cap, limit ?? 100, 100);
					expect(requests.length).toBeLessThanOrEqual(Math.floor(rows.length / perPage) + 2);
				},
			),
			{ numRuns: 300 },
		);
	});

	it.each([
		['all rows are on a page that is not full', 3, 3, 1],
		['the last page is full', 200, 200, 2],
		['the last page is not full', 250, 250, 3],
		['the first page is full, and the total is just that', 100, 100, 2],
	])(
		'%s: requests no more pages than needed when a total is named',
		async (_, count, total, pages) => {
			const { requests } = await read(server(numbers(count), { total: () => total }));
			expect(requests).toHaveLength(pages);
		},
	);

	it.each<[string, unknown]>([
		['0', 0],
		['an empty text', ''],
		['false', false],
		['null', null],
		['a list', []],
		['a negative number', -1],
		['a fraction', 2.5],
		['no number', 'many'],
	])('ignores a total of %s beside a full page and reads all 250 rows', async (_, total) => {
		const { rows } = await read(server(withIds(250), { total: () => total }));
		expect(rows).toHaveLength(250);
	});

	it('ignores a total that counts only the rows of the page and reads all 250 rows', async () => {
		const { rows } = await read(server(withIds(250), { total: (list) => list.length }));
		expect(rows).toHaveLength(250);
	});

	it('a page with as many rows as the server names as page size counts as full', async () => {
		const answer = ({ page }: PageRequest) => ({
			list: withIds(page === 4 ? 30 : 50, page * 50),
			page_info: { page_size: 50, total_number: page === 4 ? 30 : 50 },
		});
		expect((await read(answer)).rows).toHaveLength(180);
	});

	it.each([
		[50, 180, 4],
		[10, 30, 4],
		[99, 99, 2],
	])(
		'a server that sends at most %d rows per page and names no total: reads all %d rows',
		async (cap, count, n) => {
			const { rows, requests } = await read(server(withIds(count), { cap }));
			expect([rows.length, requests.length]).toEqual([count, n]);
		},
	);

	it('stops at a page that repeats the one before, with a remark', async () => {
		const { rows, requests, remarks } = await read(() => withIds(100), { limit: 250 });
		expect([rows.length, requests.length]).toEqual([100, 2]);
		expect(remarks).toEqual([expect.stringMatching(/^Page 2 held the same rows/)]);
	});

	it('stops at a last page that the server repeats for ever', async () => {
		const all = withIds(250);
		const answer = ({ page, pageSize }: PageRequest) => {
			const first = Math.min(page - 1, 2) * pageSize;
			return all.slice(first, first + pageSize).length < 100
				? all.slice(150)
				: all.slice(first, first + pageSize);
		};
		const { rows, remarks } = await read(answer, { idField: 'id' });
		expect(rows).toEqual(all);
		expect(remarks.join()).toMatch(/held the same rows.*came twice/);
	});

	it('does not take pages of equal rows for repeated pages', async () => {
		const answer = ({ page }: PageRequest) => ({
			list: Array.from({ length: page < 3 ? 100 : 50 }, () => ({ cost: 0 })),
		});
		expect((await read(answer)).rows).toHaveLength(250);
	});

	it('drops an ID that came twice, with a remark that the total changed', async () => {
		const pages = [withIds(100), withIds(100, 99), withIds(51, 199)];
		const answer = ({ page }: PageRequest) => ({
			list: pages[page - 1],
			page_info: { total_number: page === 1 ? 250 : 251 },
		});
		const { rows, remarks } = await read(answer, { idField: 'id' });
		expect(rows).toEqual(withIds(250));
		expect(remarks.join()).toMatch(/1 row came twice.*total changed.*\(250, 251\)/);
	});

	const TWICE = '1 row came twice and is output once: rows were added or moved';
	const FEWER = (total: number) =>
		`Only ${total - 1} of the ${total} rows that AiClk names came: rows may be missing`;

	it.each<[string, number, number[], number, string[]]>([
		[
			'a row moves to the front',
			200,
			[150, ...numbers(149, 1), ...numbers(50, 151)],
			3,
			[FEWER(200)],
		],
		[
			'it does, and the last page is short',
			150,
			[120, ...numbers(119, 1), ...numbers(30, 121)],
			2,
			[FEWER(150)],
		],
		['a row is inserted', 200, [999, ...numbers(200, 1)], 3, []],
	])(
		'reads on until as many different rows came as the total names: %s after the first page',
		async (_, total, moved, requests, doubt) => {
			const answer = ({ page }: PageRequest) => ({
				list: (page === 1 ? numbers(total, 1) : moved)
					.slice(page * 100 - 100, page * 100)
					.map((id) => ({ id })),
				page_info: { total_number: total },
			});
			const ran = await read(answer, { idField: 'id', together: 50 });
			expect(new Set(ran.rows.map((row) => (row as { id: number }).id)).size).toBe(ran.rows.length);
			expect([ran.rows.length, ran.requests.length]).toEqual([total - doubt.length, requests]);
			expect(ran.remarks).toEqual(
				[TWICE, ...doubt].map((remark) => expect.stringContaining(remark)),
			);
		},
	);

	it.each([
		[1, '1 row came twice and is output once'],
		[2, '2 rows came twice and are output once'],
	])('the remark about repeated rows names their number: %d', async (repeated, remark) => {
		const answer = server([...withIds(repeated, 1), ...withIds(9, 1)]);
		const { remarks } = await read(answer, { idField: 'id' });
		expect(remarks).toEqual([expect.stringContaining(remark)]);
	});

	it.each([
		[1, 0, 'AiClk names 1 row but sent 0'],
		[2, 1, 'AiClk names 2 rows but sent 1'],
	])('the error about %d rows of which %d came', async (total, count, text) => {
		const { result } = await reading(server(withIds(count), { total: () => total }));
		expect(result).toEqual(failedWith(expect.stringContaining(`${text}, then an empty page`)));
	});

	it('counts each row once where pages overlap', async () => {
		const all = withIds(200, 1);
		const answer = ({ page }: PageRequest) => ({
			list: all.slice(page * 50 - 50, page * 50 + 50),
			page_info: { total_number: 200 },
		});
		const { rows, requests } = await read(answer, { idField: 'id' });
		expect([rows, requests.length]).toEqual([all, 3]);
	});

	it('a last page that is repeated because a row moved is no error', async () => {
		const pages = [withIds(100, 1), [{ id: 100 }, ...withIds(99, 102)]];
		const { rows, remarks } = await read(
			({ page }) => ({ list: pages[page - 1] ?? pages[1], page_info: { total_number: 200 } }),
			{ idField: 'id' },
		);
		expect(rows).toHaveLength(199);
		expect(remarks.join()).toMatch(
			/^Page 3 held the same rows.*1 row came twice.*Only 199 of the 200/,
		);
	});

	it.each<[unknown]>([[0], [''], ['0'], [' '], [null], [false], [{}], [[7]], [1.5], [2 ** 53]])(
		'rows whose ID field holds %j have no ID: all of them are read',
		async (id) => {
			const all = numbers(250).map((n) => ({ id, n }));
			const { rows, remarks } = await read(server(all), { idField: 'id' });
			expect([rows, remarks]).toEqual([all, []]);
		},
	);

	it.each<[unknown, unknown]>([
		[7, '7'],
		['18446744073709551615', '18446744073709551615'],
		['2026-01-31', '2026-01-31'],
	])('the IDs %j and %j are the same', async (id, again) => {
		const { rows } = await read(server([{ id }, { id: again }, { id: 8 }]), { idField: 'id' });
		expect(rows).toEqual([{ id }, { id: 8 }]);
	});

	it('adds a remark when the total changed because a row was removed', async () => {
		const pages = [withIds(100), withIds(100, 101), withIds(49, 201)];
		const answer = ({ page }: PageRequest) => ({
			list: pages[page - 1],
			page_info: { total_number: page === 1 ? 250 : 249 },
		});
		const { rows, remarks } = await read(answer, { idField: 'id' });
		expect(rows).toHaveLength(249);
		expect(remarks).toEqual([expect.stringMatching(/total changed.*\(250, 249\)/)]);
	});

	it('fails when fewer rows come than the total names', async () => {
		const short = await reading(server(withIds(150), { total: () => 250 }));
		expect(short.result).toEqual(failedWith(expect.stringMatching(/names 250 rows but sent 150/)));
		const ignored = await reading(() => ({ list: withIds(100), page_info: { total_number: 250 } }));
		expect(ignored.result).toEqual(
			failedWith(expect.stringMatching(/sent 100, then page 2 repeated/)),
		);
		expect(ignored.requests).toHaveLength(2);
	});

	it('goes on after a short page as long as the named total is not reached', async () => {
		const answer = ({ page }: PageRequest) => ({
			list: page <= 5 ? withIds(2, page * 2) : [],
			page_info: { total_number: '10' },
		});
		expect((await read(answer)).rows).toHaveLength(10);
	});

	it.each([
		[[], 'data or data.list', true],
		[{ list: [] }, '', true],
		[{ list: {} }, '', true],
		[{ list: '' }, '', true],
		[{ list: null }, '', true],
		[{ list: false }, '', true],
		[{ list: 'abc' }, 'data has: list', false],
		[{ rows: [1], total: 1 }, 'data has: rows, total', false],
		[{}, 'data has: nothing', false],
		[null, 'holds no data (it has: code, data)', false],
		[undefined, 'holds no data', false],
		['', 'data has: nothing', false],
	])(
		'data %j on the first page means no rows, or an error that names its members',
		async (data, text, isList) => {
			const { result } = await reading(() => data);
			if (isList) expect(result).toMatchObject({ ok: true, value: { rows: [], remarks: [] } });
			else expect(result).toEqual(failedWith(expect.stringContaining(text)));
		},
	);

	it('a later page without data is the end', async () => {
		const { rows } = await read(({ page }) => (page === 1 ? withIds(100) : null));
		expect(rows).toHaveLength(100);
	});

	it('reads all rows of an endpoint that does not support pages', async () => {
		const list = numbers(130);
		expect((await read(() => list)).rows).toEqual(list);
		expect((await read(() => list, { limit: 20 })).rows).toEqual(list.slice(0, 20));
	});

	/** A second page that begins with so many rows of the first one. */
	const overlapping = (repeated: number) => (request: PageRequest) => ({
		list: withIds(300, 1).slice(
			...(request.page === 1 ? [0, 100] : [100 - repeated, 200 - repeated]),
		),
		more: request.page,
	});

	it.each([
		['rows beyond the limit', 0, 150, 100, 50],
		['repeated rows', 10, 190, 100, 90],
		['both', 10, 150, 100, 50],
		['repeated rows, which leaves just the limit', 50, 150, 100, 50],
	])("an answer is kept without %s, with AiClk's other members", async (...row) => {
		const [, repeated, limit, first, second] = row;
		const { rows, envelopes } = await read(overlapping(repeated), { limit, idField: 'id' });
		expect(rows).toEqual(withIds(limit, 1));
		const data = [
			{ list: withIds(first, 1), more: 1 },
			{ list: withIds(second, 101), more: 2 },
		];
		expect(envelopes.map((one) => one.data)).toEqual(data);
		expect(envelopes.map(({ body }) => body.data)).toEqual(data);
	});

	it('an answer from which nothing is dropped is kept as it came', async () => {
		const data = { list: { id: 1 } };
		const { envelopes } = await read(({ page }) => (page === 1 ? data : null), { idField: 'id' });
		expect(envelopes[0]?.data).toBe(data);
		expect(withRows([1, 2], [1])).toEqual([1]);
	});

	it.each([
		['the last page is short', 2, 50, 50, 2],
		['the last page is full', 2, 60, 60, 3],
		['the total is none', 2, 50, undefined, 2],
		['the total is no more than the rows that are left', 3, 80, 40, 3],
		['the first page is the last one', 3, 50, 50, 2],
		['there is no such page', 4, 50, 50, 1],
	])(
		"begins at the user's page, with the user's page size, and counts no total: %s",
		async (_, firstPage, count, total, requests) => {
			const answer = server(withIds(count), { total: () => total });
			const ran = await read(answer, { firstPage, pageSize: 20 });
			expect(ran.requests[0]).toEqual({ page: firstPage, pageSize: 20 });
			const before = (firstPage - 1) * 20;
			expect(ran.rows).toEqual(withIds(Math.max(0, count - before), before));
			expect([ran.requests.length, ran.remarks]).toEqual([requests, []]);
		},
	);

	it('fails after 10,000 pages of new rows', async () => {
		const { result } = await reading(({ page }) => withIds(1, page), { pageSize: 1 });
		expect(result).toEqual(failedWith(expect.stringMatching(/after 10000 pages.*support pages/)));
	});

	/** Notes which pages are asked for while no page of that round was answered. */
	const rounds = async (options: Partial<PageOptions>, total: unknown = 450, cap = Infinity) => {
		const asked: number[][] = [[]];
		const answer = server(withIds(450), { cap, total: () => total });
		const result = await readPages({ limit: null, ...options }, async (request) => {
			asked.at(-1)?.push(request.page);
			await pause(5);
			if (asked.at(-1)?.length !== 0) asked.push([]);
			return ok(envelope(answer(request)));
		});
		return { asked: asked.filter((round) => round.length > 0), result };
	};

	it.each<[string, Partial<PageOptions>, unknown, number[][]]>([
		['all that the total names', { together: 50 }, 450, [[1], [2, 3, 4, 5]]],
		['no more than are wanted', { together: 50, limit: 230 }, 450, [[1], [2, 3]]],
		['not before a total is known', { together: 50 }, null, [[1], [2], [3], [4], [5]]],
		['not for a total that cannot be true', { together: 50 }, 100, [[1], [2], [3], [4], [5]]],
		['unless that is not wanted', {}, 450, [[1], [2], [3], [4], [5]]],
		['not when reading begins later', { together: 50, firstPage: 3 }, 450, [[3], [4], [5]]],
	])('requests pages together: %s', async (_, options, total, expected) => {
		expect((await rounds(options, total)).asked).toEqual(expected);
	});

	it('requests no more pages together than allowed', async () => {
		expect((await rounds({ together: 2 })).asked.every((round) => round.length <= 2)).toBe(true);
	});

	it("counts the pages to request together by the server's page size if it is smaller", async () => {
		const { asked } = await rounds({ together: 50 }, 450, 50);
		expect(asked).toEqual([[1], [2, 3, 4, 5, 6, 7, 8, 9]]);
	});

	it('ends with the first page that fails and ignores failures of later pages', async () => {
		const result = await readPages({ limit: null, together: 50 }, async ({ page }) => {
			if (page === 1)
				return ok(envelope(server(withIds(450), { total: () => 450 })({ page, pageSize: 100 })));
			if (page === 2) return fail('gone');
			throw new Error('unforeseen');
		});
		expect(result).toEqual(fail({ reason: 'gone', pages: 1, rows: 100 }));
	});

	it.each([
		['the first page fails', 1, 'gone', 0, 0],
		['a later page fails', 3, 'gone', 2, 190],
		['a later page has no rows in it', 3, "AiClk's answer holds no rows", 2, 190],
	])('a failure says how much was read before it: %s', async (...row) => {
		const [, failing, reason, pages, rows] = row;
		const result = await readPages({ limit: null, idField: 'id' }, async (request) => {
			if (request.page < failing) return ok(envelope(overlapping(10)(request)));
			return reason === 'gone' ? fail(reason) : ok(envelope({ rows: [] }));
		});
		expect(result).toEqual(fail({ reason: expect.stringContaining(reason), pages, rows }));
	});
});

describe('where AiClk contradicts itself', () => {
	it.each([
		['an array in list', { list: [1, 2] }, [1, 2]],
		['one row in list', { list: { id: 1, name: 'a' } }, [{ id: 1, name: 'a' }]],
		['one row with lists', { list: { id: 1, image: [{ a: 1 }] } }, [{ id: 1, image: [{ a: 1 }] }]],
		['a row for each name', { list: { 77: { id: 77 }, 78: { id: 78 } } }, null],
		['a list for each name', { list: { day: [{ id: 1 }] } }, null],
		['a frame around rows', { list: { rows: [{ id: 1 }], total: 250 } }, null],
		['a frame around nothing', { list: { rows: null, total: 0 } }, null],
		['a bare array', [1], [1]],
		['no list', {}, null],
		['null in list', { list: null }, []],
		['an empty object in list', { list: {} }, []],
		['null', null, null],
		['a text', 'abc', null],
	])('rows are found: %s', (_, data, rows) => {
		expect(rowsOf(data, 'id')).toEqual(rows);
	});

	it('an object in list is no row where no ID is known', () => {
		expect(rowsOf({ list: { id: 1 } }, undefined)).toBeNull();
	});

	it('a body is one object, and the upload names its type material_type', () => {
		expect(toBody({ a: 1 })).toEqual({ a: 1 });
		expect(UPLOAD_TYPE_FIELD).toBe('material_type');
	});
});
