import type { IDataObject, NodeApiError } from 'n8n-workflow';
import nock from 'nock';

import { RESOURCES } from '../../nodes/AiClk/resources';
import { file, newBench, onApi, PAYER, PERSON, success } from '../harness/runNode';
import { REJECTED } from '../harness/nocks';

// A new token that is rejected is left to another process for a while, and a renewed one is checked after a while. Here every
// operation does both, so waiting only puts the clock forward.
let mockWaitedMs = 0;
jest.mock('n8n-workflow', () => ({
	...jest.requireActual<object>('n8n-workflow'),
	sleep: async (ms: number) => {
		mockWaitedMs += ms;
	},
}));
const now = Date.now;
jest.spyOn(Date, 'now').mockImplementation(() => now() + mockWaitedMs);

beforeAll(() => {
	nock.disableNetConnect();
});
afterEach(() => {
	nock.cleanAll();
});
afterAll(() => {
	nock.restore();
});

const CHARGE = { ...PAYER, subAgentUser: '3', targetUser: '4', money: 1, coupon: 1, confirm: true };

/** What must be filled in, by resource and operation; nothing for the others. */
const FILLED_IN: Record<string, IDataObject> = {
	'account getFundRecords': { period: 'yesterday' },
	'advertiser create': PERSON,
	'advertiser update': { advertiserId: '1', updateFields: { contacter: 'x' } },
	'api call': { path: 'v1/x' },
	'charge agent': CHARGE,
	'charge agentCoupon': CHARGE,
	'charge subAgent': CHARGE,
	'charge subAgentCoupon': CHARGE,
};

const OPERATIONS = RESOURCES.flatMap(({ option: { value: resource }, operations }) =>
	operations.map(({ option: { value: operation } }) => ({
		name: `${String(resource)} ${String(operation)}`,
		parameters: { resource, operation } as IDataObject,
	})),
);
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const CASES = OPERATIONS.flatMap(({ name, parameters }) =>
	(name === 'api call' ? METHODS : ['']).map(
		(method) =>
			[
				`${name} ${method}`.trim(),
				{ ...parameters, ...FILLED_IN[name], ...(method && { method }) },
			] as const,
	),
);

describe('every operation', () => {
	it.each(CASES)(
		'%s is sent again after a rejected token if and only if it is a GET',
		async (_, parameters) => {
			const { bench, refreshes } = newBench();
			const calls = onApi(({ token, url }) => {
				if (token === 'access-1') return [200, REJECTED];
				return [200, success(url.includes('account/info') ? { balance: 1 } : [])];
			});
			const ended = await bench.runAiClk(parameters, file('x')).then(
				() => 'done',
				({ context, message }: NodeApiError) =>
					(context.data as IDataObject | undefined)?.outcome === 'not-sent' ? 'not-sent' : message,
			);
			const own = calls.filter(
				({ url }) => !/account\/info/.test(url) || /getInfo/.test(JSON.stringify(parameters)),
			);
			const isRead = own[0]?.method === 'GET';
			// Not sent: FILLED_IN lacks a required field.
			expect(ended).not.toBe('not-sent');
			expect(refreshes).toHaveLength(2);
			if (isRead) expect(ended).toBe('done');
			else {
				expect(ended).toMatch(/outcome: refused/);
				expect(own).toHaveLength(1);
			}
		},
	);

	it.each(CASES)(
		'%s is sent once after HTTP 500, and only what is no GET has the outcome unknown',
		async (_, parameters) => {
			const { bench } = newBench();
			const calls = onApi(() => [500, 'oops']);
			const message = await bench
				.runAiClk(parameters, file('x'))
				.then(String, ({ message: text }: Error) => text);
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
