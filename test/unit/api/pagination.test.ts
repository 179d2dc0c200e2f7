import fc from 'fast-check';
import { sleep as pause } from 'n8n-workflow';

import { rowsOf, UPLOAD_TYPE_FIELD, withRows } from '../../../aiclk/protocol/assumptions';
import type { Envelope } from '../../../aiclk/protocol/envelope';
import {
	describeRemark,
	type PageOptions,
	type PageRequest,
	getPages,
	pageInfo,
	type Remark,
} from '../../../aiclk/api/pagination';
import { fail, type Failure, newFailure, ok } from '../../../aiclk/util/failure';

const MAX_UINT64 = '18446744073709551615';

const envelope = (data: unknown): Envelope => ({
	code: 200,
	message: 'success',
	data,
	traceId: null,
	body: { code: 200, data },
});

/** What a page fails with. */
const GONE = newFailure({ kind: 'unavailable', message: 'gone', description: '' });

const unusable = (message: string) => newFailure({ kind: 'unusable', message, description: '' });

const numbers = (length: number, from = 0) => Array.from({ length }, (_, n) => from + n);
const withIds = (length: number, from = 0) => numbers(length, from).map((id) => ({ id }));

/** Answers page after page. @param answer makes the data of a page, out of what was asked for */
const reading = async (
	answer: (request: PageRequest) => unknown,
	options: Partial<PageOptions> = {},
) => {
	const requests: PageRequest[] = [];
	const getPage = async (request: PageRequest) => {
		requests.push(request);
		return ok(envelope(answer(request)));
	};
	const result = await getPages({ limit: null, ...options }, getPage, unusable);
	return { requests, result };
};

/** Remarks as one text. */
const textOf = (remarks: Remark[]) => remarks.map(describeRemark).join(' ');

/** A failure of `getPages`, whatever was read before it. */
const failedWith = (message: unknown) =>
	fail(expect.objectContaining({ why: expect.objectContaining({ message }) }));

/** Rows, how many requests they took, and what is said of them; fails when reading fails. */
const read = async (...args: Parameters<typeof reading>) => {
	const { requests, result } = await reading(...args);
	if (!result.ok) throw new Error(result.failure.why.message);
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

describe('getPages', () => {
	it("returns exactly the rows wanted, in order, whatever the server's page size and total", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 0, max: 450 }),
				fc.option(fc.integer({ min: 1, max: 450 })),
				fc.constantFrom(Infinity, 100, 50, 7),
				fc.constantFrom('none', 'all', 'zero', 'text'),
				fc.boolean(),
				async (count, limit, cap, kind, isRead) => {
					const totals = { none: undefined, all: count, zero: 0, text: String(count) };
					const answer = server(withIds(count), { cap, total: () => totals[kind] });
					const { rows, requests, remarks } = await read(answer, {
						limit,
						idField: 'id',
						isRead,
					});
					expect(rows).toEqual(withIds(Math.min(count, limit ?? Infinity)));
					expect(remarks).toEqual([]);
					const perPage = Math.min(cap, limit ?? 100, 100);
					expect(requests.length).toBeLessThanOrEqual(Math.ceil(rows.length / perPage) + 1);
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

	it.each([1, 99, 101, 120, 199, 249])(
		'ignores a total of %d that is passed and reads all 250 rows',
		async (total) => {
			const { rows, remarks } = await read(server(withIds(250), { total: () => total }));
			expect([rows.length, remarks]).toEqual([250, []]);
		},
	);

	it('a page with as many rows as the server names as page size counts as full', async () => {
		const all = withIds(180);
		const answer = ({ page }: PageRequest) => {
			const list = all.slice(page * 50 - 50, page * 50);
			return { list, page_info: { page_size: 50, total_number: list.length } };
		};
		expect((await read(answer)).rows).toEqual(all);
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
		expect(textOf(remarks)).toMatch(/^A page held the same rows.*\(page 4\)/);
	});

	it.each([
		['pages of 100', 100],
		['pages of one row', 1],
	])(
		'rows that are all alike do not repeat: 250 days without costs, in %s',
		async (_, pageSize) => {
			const all = Array.from({ length: 250 }, () => ({ cost: 0 }));
			expect((await read(server(all), { pageSize })).rows).toHaveLength(250);
		},
	);

	it('one row that comes again where more were asked for is all that there is', async () => {
		const { rows, requests } = await read(() => [{ cost: 0 }]);
		expect([rows.length, requests.length]).toEqual([1, 2]);
	});

	const TWICE = 'Rows came twice and are output once';
	const TOTAL = 'The total changed while the pages were read';
	const FEWER = 'AiClk names more rows than came';
	const idsOf = (rows: unknown[]) => rows.map((row) => (row as { id: number }).id);

	/** Rows move after the first page of the first reading. */
	const moving = (
		before: number[],
		after: number[],
		named: (all: number[]) => unknown = (all) => all.length,
	) => {
		let all = before;
		return ({ page, pageSize }: PageRequest) => {
			const list = all.slice((page - 1) * pageSize, page * pageSize).map((id) => ({ id }));
			const info = { total_number: named(all) };
			all = after;
			return { list, page_info: info };
		};
	};

	/** Row `id` of so many moves to the front. */
	const moved = (count: number, id: number) => [
		id,
		...numbers(count).filter((other) => other !== id),
	];

	it.each<[string, number[], number[]]>([
		['a row moves to the front', numbers(200), moved(200, 150)],
		['it does, and the last page is short', numbers(150), moved(150, 120)],
		['a row is inserted', numbers(200), [999, ...numbers(200)]],
		['the first row is deleted', numbers(101), numbers(100, 1)],
		['the last one of a page is', numbers(150), [...numbers(99), ...numbers(50, 100)]],
	])(
		'a GET list that ends below its total is read again, and no row is lost: %s',
		async (_, before, after) => {
			const answer = moving(before, after);
			const options = { idField: 'id', isRead: true };
			const { rows, remarks, requests } = await read(answer, options);
			expect(idsOf(rows).sort()).toEqual([...after].sort());
			expect(textOf(remarks)).not.toContain(FEWER);
			expect(requests.filter(({ page }) => page === 1)).toHaveLength(2);
		},
	);

	it('what is said of a list that ends below its total: how many rows came, and why', async () => {
		const answer = moving(numbers(200), moved(200, 150));
		const { rows, remarks } = await read(answer, { idField: 'id' });
		expect(rows).toHaveLength(199);
		expect(remarks).toEqual([
			{ text: expect.stringContaining(TWICE), detail: '1 row' },
			{ text: expect.stringContaining(FEWER), detail: '199 of 200 rows' },
		]);
	});

	it.each([
		['the second reading is fuller', true, 3, 6, 6, ''],
		['the first one is fuller', true, 0, 9, 5, '5 of 9 rows'],
		['both are alike', true, 2, 9, 5, '5 of 9 rows'],
		['a POST is not read again', false, 3, 9, 5, '5 of 9 rows'],
	])('the fuller reading comes out: %s', async (...row) => {
		const [, isRead, second, total, count, detail] = row;
		/** Of each reading: rows of its pages. */
		const readings = [
			[3, 2],
			[3, second],
		];
		let reading = -1;
		const { rows, remarks, requests } = await read(
			({ page }) => {
				if (page === 1) reading++;
				const list = withIds(readings[reading]?.[page - 1] ?? 0, page * 10);
				return { list, page_info: { total_number: total } };
			},
			{ idField: 'id', isRead },
		);
		expect(rows).toHaveLength(count);
		expect(remarks.map((one) => one.detail).join()).toBe(detail);
		expect(reading).toBe(isRead ? 1 : 0);
		expect(requests.filter(({ page }) => page === 1)).toHaveLength(reading + 1);
	});

	it('if the second reading fails, the first one comes out, with its remark', async () => {
		let isAgain = false;
		const answer = server(withIds(248), { total: () => 250 });
		const getPage = async (request: PageRequest) => {
			if (isAgain) return fail(GONE);
			isAgain = request.page === 4;
			return ok(envelope(answer(request)));
		};
		const result = await getPages({ limit: null, idField: 'id', isRead: true }, getPage, unusable);
		expect(result).toMatchObject({ ok: true, value: { rows: withIds(248), isShort: true } });
	});

	it('a limit that is reached ends a list, whatever the total says', async () => {
		const answer = server(withIds(248), { total: () => 250 });
		const { rows, remarks, requests } = await read(answer, { limit: 240, isRead: true });
		expect([rows.length, requests.length, remarks]).toEqual([240, 3, []]);
	});

	it.each([
		[1, '1 row'],
		[2, '2 rows'],
	])('the remark about repeated rows names their number: %d', async (repeated, detail) => {
		const answer = server([...withIds(repeated, 1), ...withIds(9, 1)]);
		const { remarks } = await read(answer, { idField: 'id' });
		expect(remarks).toEqual([{ text: expect.stringContaining(TWICE), detail }]);
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
		expect(remarks.map(({ detail }) => detail)).toEqual(['page 3', '1 row', '199 of 200 rows']);
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
		[MAX_UINT64, MAX_UINT64],
		['2026-01-31', '2026-01-31'],
	])('the IDs %j and %j are the same', async (id, again) => {
		const { rows } = await read(server([{ id }, { id: again }, { id: 8 }]), { idField: 'id' });
		expect(rows).toEqual([{ id }, { id: 8 }]);
	});

	it('a total that rose is told of, and the highest counts', async () => {
		const pages = [withIds(100), withIds(100, 99), withIds(51, 199), withIds(1, 250)];
		const { rows, remarks } = await read(
			({ page }) => ({
				list: pages[page - 1] ?? [],
				page_info: { total_number: page === 1 ? 250 : 251 },
			}),
			{ idField: 'id' },
		);
		expect(rows).toEqual(withIds(251));
		expect(remarks).toEqual([
			{ text: expect.stringContaining(TWICE), detail: '1 row' },
			{ text: expect.stringContaining(TOTAL), detail: 'first 250, then 251 rows' },
		]);
	});

	it.each([
		[[], 'data or data.list', true],
		[{ list: [] }, '', true],
		[{ list: {} }, '', true],
		[{ list: '' }, '', true],
		[{ list: null }, '', true],
		[{ list: false }, '', true],
		[{ list: 'abc' }, 'data.list is text', false],
		[{ list: 5 }, 'data.list is 5', false],
		[{ rows: [1], total: 1 }, 'data has: rows, total', false],
		[{}, 'data is empty', false],
		[null, 'holds no rows in data or data.list (data is null)', false],
		[undefined, '(it has: code, data)', false],
		['', 'data is empty', false],
		['abc', 'data is text', false],
		[7, 'data is 7', false],
		['[]', '', true],
		['{"list":[]}', '', true],
		[{ list: '[]' }, '', true],
		['{"rows":[1]}', 'data has: rows', false],
	])(
		'data %j on the first page means no rows, or an error that names its members',
		async (data, text, isList) => {
			const { result } = await reading(() => data);
			if (isList) expect(result).toMatchObject({ ok: true, value: { rows: [], remarks: [] } });
			else expect(result).toEqual(failedWith(expect.stringContaining(text)));
		},
	);

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
		['the last page is short', 2, 50, 50, 3],
		['the last page is full', 2, 60, 60, 3],
		['the total is none', 2, 50, undefined, 3],
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
		expect(result).toEqual(
			failedWith(expect.stringMatching(/with rows after 10000 pages.*support pages/)),
		);
	});

	/** Notes which pages are asked for while no page of that round was answered. */
	const rounds = async (options: Partial<PageOptions>, total: unknown = 450, cap = Infinity) => {
		const asked: number[][] = [[]];
		const answer = server(withIds(450), { cap, total: () => total });
		const getPage = async (request: PageRequest) => {
			asked.at(-1)?.push(request.page);
			await pause(5);
			if (asked.at(-1)?.length !== 0) asked.push([]);
			return ok(envelope(answer(request)));
		};
		const result = await getPages({ limit: null, ...options }, getPage, unusable);
		return { asked: asked.filter((round) => round.length > 0), result };
	};

	it.each<[string, Partial<PageOptions>, unknown, number[][]]>([
		['all that the total names', { isRead: true }, 450, [[1], [2, 3, 4, 5]]],
		['no more than are wanted', { isRead: true, limit: 230 }, 450, [[1], [2, 3]]],
		['not before a total is known', { isRead: true }, null, [[1], [2], [3], [4], [5], [6]]],
		['not for a total that cannot be true', { isRead: true }, 100, [[1], [2], [3], [4], [5], [6]]],
		['unless that is not wanted', {}, 450, [[1], [2], [3], [4], [5]]],
		['not when reading begins later', { isRead: true, firstPage: 3 }, 450, [[3], [4], [5], [6]]],
	])('requests pages together: %s', async (_, options, total, expected) => {
		expect((await rounds(options, total)).asked).toEqual(expected);
	});

	it('requests no more than fifty pages together', async () => {
		const { asked } = await rounds({ isRead: true, pageSize: 5 });
		expect(Math.max(...asked.map((round) => round.length))).toBe(50);
	});

	it("counts the pages to request together by the server's page size if it is smaller", async () => {
		const { asked } = await rounds({ isRead: true }, 450, 50);
		expect(asked).toEqual([[1], [2, 3, 4, 5, 6, 7, 8, 9]]);
	});

	it('ends with the first page that fails and ignores failures of later pages', async () => {
		const getPage = async ({ page }: PageRequest) => {
			if (page === 1)
				return ok(envelope(server(withIds(450), { total: () => 450 })({ page, pageSize: 100 })));
			if (page === 2) return fail(GONE);
			throw new Error('unforeseen');
		};
		const result = await getPages({ limit: null, isRead: true }, getPage, unusable);
		expect(result).toEqual(fail({ why: GONE, pages: 1, rows: 100 }));
	});

	it.each<[string, number, () => ReturnType<typeof fail<Failure>>, number[], number]>([
		['a page fails: those behind it', 3, () => fail(GONE), [4, 5], 3],
		[
			'a page throws: those behind it',
			3,
			() => {
				throw new Error('gone');
			},
			[4, 5],
			3,
		],
		['nothing fails: none', 0, () => fail(GONE), [], 5],
	])('which pages are over when %s', async (_, failing, end, over, last) => {
		const waiting = new Map<number, () => boolean>();
		let isGone: number[] = [];
		const answer = server(withIds(450), { total: () => 450 });
		const getPage = async (request: PageRequest, isOver: () => boolean) => {
			waiting.set(request.page, isOver);
			if (request.page === failing) return end();
			// The page before the one that fails is still under way.
			await pause(request.page === last - 1 ? 20 : 5);
			if (request.page === last - 1)
				isGone = [...waiting].filter(([, isPageOver]) => isPageOver()).map(([page]) => page);
			return ok(envelope(answer(request)));
		};
		await getPages({ limit: null, isRead: true }, getPage, unusable).catch(() => {});
		expect(isGone).toEqual(over);
		expect([...waiting.values()].every((isOver) => isOver())).toBe(true);
	});

	it('no page is asked for once a page before it has failed', async () => {
		const asked: number[] = [];
		const answer = server(withIds(90), { total: () => 90 });
		const getPage = async (request: PageRequest) => {
			asked.push(request.page);
			if (request.page === 3) return fail(GONE);
			await pause(5);
			return ok(envelope(answer(request)));
		};
		await getPages({ limit: null, pageSize: 1, isRead: true }, getPage, unusable);
		// Fifty follow the first one.
		expect(asked).toEqual(numbers(51, 1));
	});

	it('the first page with rows says how many pages to ask for, whatever later ones hold', async () => {
		const sizes = [100, 1, 100, 99];
		const { rows, requests } = await read(
			({ page }) => ({
				list: withIds(sizes[page - 1] ?? 0, page * 100),
				page_info: { total_number: 300 },
			}),
			{ idField: 'id', isRead: true },
		);
		expect([rows.length, requests.length]).toEqual([300, 4]);
	});

	it('an empty last page is not among the answers, and an only one is', async () => {
		expect((await read(server(withIds(200)))).envelopes).toHaveLength(2);
		expect((await read(server([]))).envelopes).toHaveLength(1);
	});

	it.each<[string, number[], string[]]>([
		['rows that are left', [250, 150, 50], []],
		['rows so far, from the second page on', [250, 200, 250], ['first 250, then 200 rows']],
		['pages', [3, 3, 3], []],
	])('a total that counts the %s on some pages costs no row', async (_, totals, said) => {
		const answer = server(withIds(250));
		const { rows, remarks } = await read((request) => ({
			...answer(request),
			page_info: { total_number: totals[request.page - 1] },
		}));
		expect(rows).toHaveLength(250);
		// Below what was read, a total is no change.
		expect(remarks.map(({ detail }) => detail)).toEqual(said);
	});

	it.each([
		['an endpoint that counts from 0', (page: number) => page],
		['an endpoint that takes 0 for 1', (page: number) => Math.max(page, 1) - 1],
		['an endpoint that sends nothing for 0', (page: number) => page - 1],
	])('a first page of 0 reads all 250 rows of %s', async (_, indexOf) => {
		const all = withIds(250);
		for (const [idField, total] of [
			['id', 250],
			['id', null],
			[undefined, 250],
			[undefined, null],
		] as const) {
			const { rows, remarks, envelopes, requests } = await read(
				({ page }) => {
					const first = indexOf(page) * 100;
					const list = first < 0 ? [] : all.slice(first, first + 100);
					return { list, page_info: { total_number: total } };
				},
				{ firstPage: 0, idField, isRead: true },
			);
			expect([rows, remarks]).toEqual([all, []]);
			expect(requests.length).toBeLessThanOrEqual(5);
			expect(envelopes.flatMap(({ data }) => (data as { list: unknown[] }).list)).toEqual(all);
		}
	});

	it.each([
		['without pages', () => withIds(30)],
		['without rows', () => []],
	])('a first page of 0 ends at an endpoint %s', async (_, answer) => {
		const { rows, requests } = await read(answer, { firstPage: 0, idField: 'id' });
		expect(rows).toHaveLength(answer().length);
		expect(requests.length).toBeLessThanOrEqual(3);
	});

	it.each([
		['the first page fails', 1, 'gone', 0, 0],
		['a later page fails', 3, 'gone', 2, 190],
		['a later page has no rows in it', 3, "AiClk's answer holds no rows", 2, 190],
	])('a failure says how much was read before it: %s', async (...row) => {
		const [, failing, message, pages, rows] = row;
		const getPage = async (request: PageRequest) => {
			if (request.page < failing) return ok(envelope(overlapping(10)(request)));
			return message === 'gone' ? fail(GONE) : ok(envelope({ rows: [] }));
		};
		const result = await getPages({ limit: null, idField: 'id' }, getPage, unusable);
		const why = expect.objectContaining({ message: expect.stringContaining(message) });
		expect(result).toEqual(fail({ why, pages, rows }));
	});
});

describe('pageInfo', () => {
	it.each<[unknown, number | null]>([
		[250, 250],
		['250', 250],
		['25', 25],
		...['', 'a', '1a', 'a1', '1.5', '0', 0, -1, 1.5, 2 ** 53, true, null, undefined, [7]].map(
			(value): [unknown, null] => [value, null],
		),
	])('a total of %p counts as %p', (value, total) => {
		expect(pageInfo({ page_info: { total_number: value } }, 'total_number')).toBe(total);
		expect(pageInfo(JSON.stringify({ page_info: { total_number: value } }), 'total_number')).toBe(
			total,
		);
	});

	it.each([undefined, null, 'text', [], {}, { page_info: null }])('%p holds no total', (data) => {
		expect(pageInfo(data, 'total_number')).toBeNull();
	});
});

describe('without IDs, a page repeats rows only if it equals the one before', () => {
	const A = { date: 'a' };
	const B = { date: 'b' };
	const C = { date: 'c' };
	it.each<[string, unknown[][], unknown[]]>([
		['one row of three is the same', [[A, B, C], [C, B, A], []], [A, B, C, C, B, A]],
		['it has the same rows and one more', [[A, B], [A, B, C], []], [A, B, A, B, C]],
		['it has fewer rows', [[A, B, C], [A, B], []], [A, B, C, A, B]],
		['it is the same', [[A, B], [A, B], [C]], [A, B]],
	])('%s', async (_, pages, expected) => {
		const { rows } = await read(({ page }) => ({ list: pages[page - 1] ?? [] }), { pageSize: 3 });
		expect(rows).toEqual(expected);
	});
});

it('a page whose IDs are all known ends the list, also if it is not the page before', async () => {
	const pages = [[1, 2], [3, 4], [2, 1], [5]].map((ids) => ids.map((id) => ({ id })));
	const { rows } = await read(({ page }) => ({ list: pages[page - 1] ?? [] }), { idField: 'id' });
	expect(rows).toEqual([1, 2, 3, 4].map((id) => ({ id })));
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
		['JSON in a text', '{"list":[{"id":1}]}', [{ id: 1 }]],
		['a list in a text', '[{"id":1}]', [{ id: 1 }]],
		['a list in a text in list', { list: ` [{"id":${MAX_UINT64}}]` }, [{ id: MAX_UINT64 }]],
		['a text that only begins as JSON', '[{"id":1}', null],
	])('rows are found: %s', (_, data, rows) => {
		expect(rowsOf(data, 'id')).toEqual(rows);
	});

	it('an object in list is no row where no ID is known', () => {
		expect(rowsOf({ list: { id: 1 } }, undefined)).toBeNull();
	});

	it('the upload names its type material_type', () => {
		expect(UPLOAD_TYPE_FIELD).toBe('material_type');
	});
});

describe('a server as AiClk may be', () => {
	/** What a server does. Rows are hidden after it has divided them into pages, so pages have any length. */
	interface Server {
		sizes: number[];
		hasIds: boolean;
		total: 'none' | 'visible' | 'above' | 'rising' | 'zero' | 'text';
		tail: 'empty' | 'null' | 'repeats';
	}

	const servers: fc.Arbitrary<Server> = fc.record({
		sizes: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 14 }),
		hasIds: fc.boolean(),
		total: fc.constantFrom('none', 'visible', 'above', 'rising', 'zero', 'text'),
		tail: fc.constantFrom('empty', 'null', 'repeats'),
	});

	const pagesOf = ({ sizes, hasIds }: Server): Array<Array<{ id?: number; n: number }>> => {
		let n = 0;
		return sizes.map((size) =>
			Array.from({ length: size }, () => {
				n++;
				return { n, ...(hasIds && { id: n }) };
			}),
		);
	};

	const answerOf = (one: Server) => {
		const pages = pagesOf(one);
		const count = pages.flat().length;
		const totals = {
			none: () => undefined,
			visible: () => count,
			above: () => count + 3,
			rising: (page: number) => count + page,
			zero: () => 0,
			text: () => String(count),
		};
		return ({ page }: PageRequest) => {
			const found = pages[page - 1] ?? (one.tail === 'repeats' ? (pages.at(-1) ?? []) : []);
			if (one.tail === 'null' && page > Math.max(1, pages.length)) return null;
			return { list: found, page_info: { total_number: totals[one.total](page) } };
		};
	};

	it('loses no row that it shows, doubles none, and asks for each page at most twice', async () => {
		await fc.assert(
			fc.asyncProperty(
				servers,
				fc.boolean(),
				fc.option(fc.integer({ min: 1, max: 100 })),
				async (one, isRead, limit) => {
					const all = pagesOf(one).flat();
					const idField = one.hasIds ? 'id' : undefined;
					const { rows, remarks, requests, isShort } = await read(answerOf(one), {
						limit,
						pageSize: 12,
						idField,
						isRead,
					});
					expect(rows).toEqual(all.slice(0, limit ?? Infinity));
					const isBelow =
						all.length < (limit ?? Infinity) && ['above', 'rising'].includes(one.total);
					expect(isShort).toBe(isBelow);
					expect(remarks.some(({ text }) => text.startsWith('AiClk names more rows'))).toBe(
						isBelow,
					);
					const times = requests.filter(({ page }) => page === 1).length;
					expect(times).toBe(isBelow && isRead ? 2 : 1);
					// Beyond the end lies one page, or as many as go together.
					const most = Math.max(1, one.sizes.length) + (isRead ? 50 : 1);
					expect(requests.length).toBeLessThanOrEqual(most * times);
				},
			),
			{ numRuns: 400 },
		);
	});

	it('loses no row although each full page names only its own rows as the total', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 10 }),
				async (rest) => {
					const one: Server = { sizes: [12, ...rest], hasIds: true, total: 'none', tail: 'empty' };
					const pages = pagesOf(one);
					const { rows } = await read(
						({ page }) => {
							const list = pages[page - 1] ?? [];
							return { list, page_info: { total_number: list.length } };
						},
						{ pageSize: 12, idField: 'id' },
					);
					expect(rows).toEqual(pages.flat());
				},
			),
		);
	});

	it.each(['delete', 'insert', 'move'] as const)(
		'a reading in which rows change their places has all rows, or a remark: %s',
		async (kind) => {
			await fc.assert(
				fc.asyncProperty(
					fc.integer({ min: 1, max: 60 }),
					fc.array(fc.tuple(fc.integer({ min: 1, max: 14 }), fc.nat(60)), { maxLength: 3 }),
					async (count, events) => {
						let next = withIds(count, 1);
						let all = next;
						let requests = 0;
						const change = (at: number) => {
							const rest = next.filter((_, index) => index !== at % next.length);
							const moved = next[at % next.length];
							if (kind === 'delete' || moved === undefined) return rest;
							return kind === 'insert' ? [{ id: 1_000 + at }, ...next] : [moved, ...rest];
						};
						const { rows, remarks } = await read(
							({ page, pageSize }) => {
								all = next;
								requests++;
								for (const [after, at] of events) if (after === requests) next = change(at);
								const list = all.slice((page - 1) * pageSize, page * pageSize);
								return { list, page_info: { total_number: all.length } };
							},
							{ pageSize: 10, idField: 'id', isRead: true },
						);
						const found = new Set(rows.map((row) => (row as { id: number }).id));
						expect(found.size).toBe(rows.length);
						if (remarks.length === 0) {
							expect(all.filter(({ id }) => !found.has(id))).toEqual([]);
						}
					},
				),
				{ numRuns: 400 },
			);
		},
	);
});
