import type { IPollFunctions, NodeApiError } from 'n8n-workflow';

import type { ApiRequest } from '../../../aiclk/api/request';
import { createApi } from '../../../nodes/AiClkTrigger/poll';
import { Lane } from '../../../nodes/shared/lane';
import { ACCOUNT, OTHER } from './support';

/** What AiClk answers a request with. */
let answer: (query: { page: number; page_size: number }, request: number) => unknown;
let requests: number;

jest.mock('../../../nodes/shared/transport', () => ({
	readCredential: async () => ({ input: { ok: true, value: {} } }),
	send: async (_sender: unknown, { query }: ApiRequest) => {
		requests++;
		return { ok: true, value: { body: {}, data: answer(query as never, requests) } };
	},
}));

const context = { getNode: () => ({ name: 'AiClk Trigger' }) } as unknown as IPollFunctions;
const REQUEST = { path: '/openapi/v1/material/get', account: ACCOUNT, query: {} };

const idsTo = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}`);
const toList = (ids: string[]) => ids.map((material_id) => ({ material_id }));
const pageOf = (ids: string[], page: number, size: number) =>
	toList(ids.slice((page - 1) * size, page * size));
const lastPage = (ids: string[], size: number) => Math.max(1, Math.ceil(ids.length / size));

async function read(): Promise<string[]> {
	const rows = await createApi(context, new Lane(null), null).readRows(REQUEST, 'material_id');
	return rows.map((row) => String(row.material_id)).sort();
}

async function errorOf(run: Promise<unknown>): Promise<NodeApiError> {
	return await run.then(
		() => {
			throw new Error('it did not fail');
		},
		(error: NodeApiError) => error,
	);
}

beforeEach(() => {
	requests = 0;
});

describe('a list in which rows move while it is read', () => {
	it.each([
		['of 101 rows, the first one is deleted', 101, '1', []],
		['of 150 rows, the last one of page 1 is deleted', 150, '100', []],
		['of 150 rows, one moves from page 2 to page 1', 150, '120', ['120']],
		['one is added before 150', 150, '', ['999']],
	])('is read again, and no row is lost: %s', async (_, count, gone, first: string[]) => {
		let ids = idsTo(count);
		answer = ({ page, page_size: size }, request) => {
			if (request === 2) ids = [...first, ...ids.filter((id) => id !== gone)];
			return { list: pageOf(ids, page, size), page_info: { total_number: ids.length } };
		};
		expect(await read()).toEqual(ids.sort());
	});

	it('fails the poll after three readings, and says why', async () => {
		let ids = idsTo(350);
		answer = ({ page, page_size: size }) => {
			if (page === 2) ids = ids.slice(1);
			return { list: pageOf(ids, page, size), page_info: { total_number: ids.length } };
		};
		const { message, description } = await errorOf(read());
		expect(message).toBe('AiClk answered with a list that may have gaps, 3 times in a row');
		expect(description).toMatch(
			/^The total changed.* Account 1000002, \/openapi.* no change is lost\.$/,
		);
		expect(requests).toBe(15);
	});
});

describe('a list that ends with a repeated page', () => {
	it.each([1, 2, 30, 100, 200, 300])(
		'is whole if the server repeats its last page for ever: %i rows',
		async (count) => {
			const ids = idsTo(count);
			answer = ({ page, page_size: size }) => ({
				list: pageOf(ids, Math.min(page, lastPage(ids, size)), size),
			});
			expect(await read()).toEqual(ids.sort());
		},
	);

	it.each([
		['ignores the page', 100],
		['ignores the page and has smaller pages', 50],
		['ignores the page and its size', null],
	])('fails the poll if the server %s', async (_, maxSize) => {
		answer = ({ page_size: size }) => ({
			list: pageOf(idsTo(150), 1, maxSize === null ? 10 : Math.min(size, maxSize)),
		});
		const { message, description } = await errorOf(read());
		expect(message).toMatch(/may have gaps/);
		expect(description).toMatch(/^A page held the same rows.*\(page 2\).* no change is lost\.$/);
	});
});

describe("an answer about another account than the request's", () => {
	const row = { material_id: '1', balance: 5 };
	const ask = async (account_id: unknown, isList: boolean) => {
		answer = ({ page }) => {
			const found = { ...row, account_id };
			return isList ? { list: page === 1 ? [found] : [] } : found;
		};
		const api = createApi(context, new Lane(null), null);
		return isList
			? await api.readRows(REQUEST, 'material_id')
			: [await api.readOne(REQUEST, 'balance')];
	};

	it.each([
		['an object', `${OTHER}`, false],
		['an object', Number(OTHER), false],
		['a row', `${OTHER}`, true],
		['a row', 3, true],
	])('fails the poll: %s about %p', async (_, account, isList) => {
		const { message, description } = await errorOf(ask(account, isList));
		expect(message).toBe(`AiClk answered about account ${account}`);
		expect(description).toMatch(/^Account 1000002, .*no change is lost\.$/);
	});

	it.each([undefined, null, '', 0, 'x', `${ACCOUNT}`, Number(ACCOUNT)])(
		'is no matter if it names no other one: %p',
		async (account_id) => {
			for (const isList of [true, false])
				expect(await ask(account_id, isList)).toEqual([{ ...row, account_id }]);
		},
	);
});
