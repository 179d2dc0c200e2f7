import type { IPollFunctions } from 'n8n-workflow';

import type { ApiRequest } from '../../../aiclk/api/request';
import { fail, newFailure, ok } from '../../../aiclk/util/failure';
import { createApi } from '../../../nodes/AiClkTrigger/api';
import { Lane } from '../../../nodes/shared/lane';
import { ACCOUNT, emptyRow, inputOf, OTHER } from '../../harness/fakes';

/** AiClk takes no requests for an hour. */
const BUSY = newFailure({
	kind: 'busy',
	outcome: 'refused',
	message: 'AiClk takes no more requests at the moment: 请求过快',
	description: 'Run this again later.',
	retryAfterMs: 3_600_000,
});

/** AiClk has rejected the token, and cannot be asked about it. */
const NOT_PROBED = newFailure({
	kind: 'unavailable',
	outcome: 'refused',
	message: 'AiClk does not accept the access token: no',
	description: 'Run this again later.',
	code: 401,
});

/** What AiClk answers a request with. */
let answer: (query: { page: number; page_size: number }, request: number) => unknown;
let requests: ApiRequest[];
const logs: string[] = [];

jest.mock('../../../nodes/shared/transport', () => ({
	accountInfoCall: () => ({}),
	readCredential: async () => ({ credentials: {} }),
	send: async (_sender: unknown, request: ApiRequest) => {
		requests.push(request);
		const data = answer(request.query as never, requests.length);
		if (data === BUSY) return fail(BUSY);
		if (data === NOT_PROBED) return fail(NOT_PROBED);
		return data instanceof Error
			? fail(newFailure({ kind: 'refused', message: data.message, description: '' }))
			: ok({ body: {}, data, code: 200, message: '', traceId: null });
	},
}));

const context = {
	logger: { warn: (text: string) => logs.push(text) },
} as unknown as IPollFunctions;
const REQUEST = { path: '/openapi/v1/material/get', account: ACCOUNT, query: {} };
const { signal } = new AbortController();
const apiOf = (input = ok(inputOf(emptyRow()))) =>
	createApi({ context, input, lane: new Lane(null), signal });

const idsTo = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}`);
const pageOf = (ids: string[], page: number, size: number) =>
	ids.slice((page - 1) * size, page * size).map((material_id) => ({ material_id }));

const errorOf = async (run: Promise<unknown>): Promise<string> =>
	await run.then(
		() => 'no error',
		(error: Error) => error.message,
	);

beforeEach(() => {
	requests = [];
	logs.length = 0;
});

describe('a list', () => {
	it.each([1, 100, 250])('of %i rows is read to its end', async (count) => {
		const ids = idsTo(count);
		answer = ({ page, page_size: size }) => ({
			list: pageOf(ids, page, size),
			page_info: { total_number: count },
		});
		const rows = await apiOf().getRows(REQUEST, 'material_id');
		expect(rows.map(({ material_id: id }) => id)).toEqual(ids);
		expect(requests[0]?.parameters).toEqual({ account_id: 1_000_002n });
	});

	it('says in the log what is odd about it', async () => {
		answer = ({ page }) => ({ list: pageOf(idsTo(2), Math.min(page, 1), 100) });
		await apiOf().getRows(REQUEST, 'material_id');
		expect(logs).toEqual([
			expect.stringMatching(/^AiClk Trigger, account 1000002: .*held the same rows/),
		]);
	});

	it('fails with a row that has no id', async () => {
		answer = () => ({ list: [{}] });
		expect(await errorOf(apiOf().getRows(REQUEST, 'material_id'))).toBe(
			"AiClk's answer holds a row without 'material_id'",
		);
	});

	it.each([
		['AiClk refuses it', () => new Error('no'), 'no'],
		['there is no list', () => ({ rows: [] }), /holds no rows/],
	])('fails if %s', async (_, data, message) => {
		answer = data;
		expect(await errorOf(apiOf().getRows(REQUEST, 'material_id'))).toMatch(message);
	});
});

describe('an amount', () => {
	it.each([
		[99_999, 99_999],
		['99999', 99_999],
		['-5', -5],
		[0, 0],
	])('of %j is %j', async (balance, number) => {
		answer = () => ({ balance });
		expect(await apiOf().getBalance(ACCOUNT)).toEqual({ balance: number });
	});

	it.each([99_999.5, '99999.5', 'much', '', null, undefined, true, 2 ** 60])(
		'of %j is none',
		async (balance) => {
			answer = () => ({ balance });
			expect(await errorOf(apiOf().getBalance(ACCOUNT))).toBe(
				"AiClk's answer holds no whole number 'balance'",
			);
		},
	);
});

describe("an answer about another account than the request's", () => {
	const row = { material_id: '1', balance: 5 };
	const ask = async (account_id: unknown, isList: boolean) => {
		const found = { ...row, account_id };
		answer = ({ page }) => (isList ? { list: page === 1 ? [found] : [] } : found);
		return isList
			? await apiOf().getRows(REQUEST, 'material_id')
			: [await apiOf().getBalance(ACCOUNT)];
	};

	it.each([
		['an object', OTHER, false],
		['an object', Number(OTHER), false],
		['a row', OTHER, true],
		['a row', 3, true],
	])('fails: %s about %p', async (_, account, isList) => {
		expect(await errorOf(ask(account, isList))).toBe(`AiClk answered about account ${account}`);
	});

	it.each([undefined, null, '', 0, 'x', ACCOUNT, Number(ACCOUNT)])(
		'is no matter if it names no other one: %p',
		async (account_id) => {
			for (const isList of [true, false])
				expect(await ask(account_id, isList)).toEqual([{ ...row, account_id }]);
		},
	);
});

it('without a client nothing is sent', async () => {
	const input = fail(newFailure({ kind: 'input', message: 'no client', description: '' }));
	expect(await errorOf(apiOf(input as never).getBalance(ACCOUNT))).toBe('no client');
	expect(requests).toEqual([]);
});

describe('while AiClk takes no requests, as it has said', () => {
	const of = (clientId: string) => apiOf(ok(inputOf(emptyRow({ clientId }))));
	const ask = async (clientId = '501') => await errorOf(of(clientId).getBalance(ACCOUNT));

	afterEach(() => {
		jest.useRealTimers();
	});

	it('none is sent for that client, in whatever poll, and the next one as soon as the time is over', async () => {
		jest.useFakeTimers({ now: 1_000_000_000_000 });
		answer = () => BUSY;
		expect(await ask()).toBe(BUSY.message);
		answer = () => ({ balance: 5 });
		for (const minutes of [1, 29, 29]) {
			jest.advanceTimersByTime(minutes * 60_000);
			expect(await ask()).toBe(BUSY.message);
			expect(await errorOf(of('501').getRows(REQUEST, 'material_id'))).toBe(BUSY.message);
		}
		expect(requests).toHaveLength(1);
		expect(await ask('502')).toBe('no error');
		jest.advanceTimersByTime(60_000);
		expect(await ask()).toBe('no error');
	});

	it('says how much of the time is left', async () => {
		jest.useFakeTimers({ now: 1_000_000_000_000 });
		answer = () => BUSY;
		await ask('503');
		jest.advanceTimersByTime(60_000);
		await expect(of('503').getBalance(ACCOUNT)).rejects.toMatchObject({
			failure: { retryAfterMs: 59 * 60_000 },
		});
	});
});

it('nothing is said of a token that AiClk rejects while it cannot be asked about it: an alarm stays as it is', async () => {
	answer = () => NOT_PROBED;
	expect(await errorOf(apiOf().getToken())).toBe(NOT_PROBED.message);
});
