import '../harness/fakeTime';

import type { IDataObject, NodeApiError } from 'n8n-workflow';
import nock from 'nock';

import { RESOURCES } from '../../nodes/AiClk/resources';
import { API, type Call, onApi, onRefresh, REJECTED, success } from '../harness/nocks';
import { OPERATIONS, parametersOf } from '../harness/operations';
import { file, jsonOf, newHelper, runNode, set } from '../harness/runNode';

const NAMES = RESOURCES.flatMap(({ option: { value: resource }, operations }) =>
	operations.map(({ option: { value: operation } }) => `${String(resource)} ${String(operation)}`),
);

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const CASES = NAMES.flatMap((name) =>
	(name === 'api call' ? METHODS : ['']).map(
		(method) =>
			[`${name} ${method}`.trim(), { ...parametersOf(name), ...(method && { method }) }] as const,
	),
);

/** Not the question whether a token is alive, which reads nothing but the account's ID. */
const isOwn = ({ url }: Call): boolean => !url.includes('query={"fields":["account_id"]}');

describe('the request of each operation', () => {
	it('the table of operations has a row for each, and no other', () => {
		expect(Object.keys(OPERATIONS).sort()).toEqual([...NAMES].sort());
	});

	it.each(Object.entries(OPERATIONS))(
		'%s is sent as AiClk documents it',
		async (name, { request, body, item }) => {
			const refreshes = onRefresh();
			const calls = onApi();
			const { error } = await runNode(parametersOf(name), item && [item]);
			expect(error).toBeNull();
			expect(calls).toHaveLength(1);
			const [method, url] = request.split(' ');
			expect(calls[0]).toMatchObject({ method, url: `/openapi/v1/${url}`, token: 'access-1' });
			if (body !== undefined) {
				expect(calls[0]).toMatchObject({ body, contentType: 'application/json' });
			}
			expect(refreshes).toHaveLength(1);
		},
	);

	it('material upload is sent as a multipart form', async () => {
		const calls = onApi(() => [200, success({ id: 24198456, pid: 0, cover: { id: 24198455 } })]);
		const parameters = set('material', 'upload', {
			additionalFields: { materialType: 'IMAGE', pid: 'p1' },
		});
		const { items } = await runNode(parameters, file('the picture'));
		expect(calls[0]?.contentType).toMatch(/^multipart\/form-data; boundary=/);
		const body = calls[0]?.body;
		expect(body).toMatch(/name="material_type"\r\n\r\nIMAGE\r\n/);
		expect(body).toMatch(/name="pid"\r\n\r\np1\r\n/);
		expect(body).toMatch(
			/name="file"; filename="图 1.png"\r\nContent-Type: image\/png\r\n\r\nthe picture\r\n/,
		);
		expect(jsonOf(items)).toEqual([
			{ account_id: 1000002, id: '24198456', pid: '0', cover: { id: '24198455' } },
		]);
	});

	it('characters that could start another URL parameter are percent-encoded', async () => {
		const raw: string[] = [];
		nock(API)
			.get(/.*/)
			.reply((uri) => {
				raw.push(uri);
				return [200, success([])];
			});
		await runNode(set('monitorLink', 'getAll', { filters: { keywords: '&account_id=1#?+ 下载' } }));
		expect(raw[0]).toContain(
			'&keywords=%26account_id%3D1%23%3F%2B%20%E4%B8%8B%E8%BD%BD&page=1&page_size=50',
		);
	});
});

describe('every operation', () => {
	it.each(CASES)(
		'%s is sent again after a rejected token if and only if it is a GET',
		async (_, parameters) => {
			const helper = newHelper();
			const refreshes = onRefresh();
			const calls = onApi((call) => {
				if (call.token === 'access-1') return [200, REJECTED];
				return [200, success(call.url.includes('account/info') ? { balance: 1 } : [])];
			});
			const { error } = await runNode(parameters, file('x'), { helper });
			const own = calls.filter(isOwn);
			// Not sent: the row lacks a required field.
			expect((error?.context.data as IDataObject | undefined)?.outcome).not.toBe('not-sent');
			expect(refreshes).toHaveLength(2);
			if (own[0]?.method === 'GET') expect(error).toBeNull();
			else {
				expect(error?.message).toMatch(/outcome: refused/);
				expect(own).toHaveLength(1);
			}
		},
	);

	it.each(CASES)(
		'%s is sent once after HTTP 500, and only what is no GET has the outcome unknown',
		async (_, parameters) => {
			const calls = onApi(() => [500, 'oops']);
			const { message } = (await runNode(parameters, file('x'))).error as NodeApiError;
			expect(message).toMatch(/HTTP 500/);
			expect(calls).toHaveLength(1);
			const isRead = calls[0]?.method === 'GET';
			expect(/may have been carried out.*outcome: unknown/.test(message)).toBe(!isRead);
			expect(/outcome/.test(message)).toBe(!isRead);
		},
	);

	it('every charge names its payer and asks for Confirm', () => {
		const charges = RESOURCES.find(({ option: { value } }) => value === 'charge')?.operations ?? [];
		for (const { properties } of charges) {
			const payer = properties.find(({ name }) => name === 'accountId');
			expect([payer?.required, payer?.default]).toEqual([true, '']);
			expect(payer?.displayName).toMatch(/^(Payer|Authorized Account)$/);
			expect(properties.find(({ name }) => name === 'confirm')?.default).toBe(false);
			expect(properties[0]?.type).toBe('notice');
		}
		expect(charges).toHaveLength(4);
	});

	it("no operation is called Custom API Call, which is n8n's own entry in every list", () => {
		const options = RESOURCES.flatMap(({ option, operations }) => [
			option,
			...operations.map((one) => one.option),
		]);
		expect(options.filter(({ name }) => name === 'Custom API Call')).toEqual([]);
	});
});
