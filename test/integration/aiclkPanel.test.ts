import type { IDataObject, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { RESOURCES } from '../../nodes/AiClk/resources';
import { onApi, onRefresh, success, type Reply } from '../harness/nocks';
import { CALL, FUND, INFO, jsonOf, newHelper, runNode, set, TOOL } from '../harness/runNode';
import { parametersOf } from '../harness/operations';

const mockSleeps: number[] = [];

jest.mock('n8n-workflow', () => ({
	...jest.requireActual<object>('n8n-workflow'),
	// As if the time had passed: the clock of the lane is performance.now.
	sleep: async (ms: number) => {
		mockSleeps.push(ms);
		const now = performance.now.bind(performance);
		jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
	},
}));

afterEach(() => {
	jest.restoreAllMocks();
});

describe('bad input', () => {
	const messageOf = async (parameters: IDataObject, more: IDataObject = {}) => {
		const helper = newHelper(more);
		const calls = onApi();
		const { error } = await runNode(parameters, [{}], { helper });
		expect(calls).toEqual([]);
		return error?.message ?? '';
	};

	it('is shown with at most 60 characters, on one line', async () => {
		const message = await messageOf({ ...INFO, accountId: 'not an id\n'.repeat(50) });
		const [, value = ''] = /^'Account ID' is '(.*)', which/.exec(message) ?? [];
		expect(value).toMatch(/^not an id not an id.*…$/);
		expect(value.length).toBeLessThanOrEqual(60);
	});

	it.each<[string, IDataObject]>([
		['a password', { ...parametersOf('advertiser create'), password: 'hunter2' }],
		[
			'a password that is changed',
			set('advertiser', 'update', { advertiserId: '7', updateFields: { password: 'hunter2' } }),
		],
		['JSON', { ...CALL, query: '{"password":"hunter2"' }],
		['an object', { ...INFO, accountId: '={{ ({ password: "hunter2" }) }}' }],
		['a list', { ...INFO, accountId: '={{ ["hunter2"] }}' }],
	])('is not shown where it is %s', async (_, parameters) => {
		const message = await messageOf(parameters);
		expect(message).toMatch(/^'[\w ]+' /);
		expect(message).not.toContain('hunter2');
	});

	it.each<[string, IDataObject]>([
		['a new advertiser', parametersOf('advertiser create')],
		[
			'an advertiser that is changed',
			set('advertiser', 'update', { advertiserId: '7', updateFields: { password: 'Abcdef1' } }),
		],
		[
			'a custom call',
			{ ...CALL, method: 'POST', bodyType: 'json', body: '{"password":"Abcdef1"}' },
		],
	])('is not shown where AiClk repeats the password of %s', async (_, parameters) => {
		onRefresh();
		onApi(() => [200, { code: 400, message: 'password Abcdef1 无效' }]);
		const { error } = await runNode(parameters);
		expect(error?.message).toMatch(/^AiClk refused this: password \*\*\* 无效/);
		expect(JSON.stringify([error, error?.message])).not.toContain('Abcdef1');
	});

	it.each<[string, IDataObject]>([
		['an ID', { ...INFO, accountId: '7 kept.secret.of.the.client' }],
		['a list of IDs', set('creative', 'getAll', { filters: { creativeIds: '7, kept.secret' } })],
		['a choice', { ...INFO, fields: '={{ [["kept.secret"]] }}' }],
		['a long text', { ...FUND, startDate: `${'x '.repeat(25)}kept.secret and more` }],
	])('never shows the refresh token, typed as %s', async (_, parameters) => {
		const message = await messageOf(parameters, { refreshToken: 'kept.secret' });
		expect(message).toMatch(/^'[\w ]+' holds the refresh token of the credential/);
		expect(message).not.toContain('kept');
	});

	it('never shows anything long enough to be a token', async () => {
		const token = 'a1b2c3d4'.repeat(5);
		expect(await messageOf({ ...INFO, accountId: token })).toMatch(
			/^'Account ID' is '\*\*\*', which/,
		);
	});

	it("never shows the credential's account", async () => {
		const message = await messageOf(INFO, { accountId: '99999999999999999999' });
		expect(message).toBe('The account in the AiClk API credential is no ID');
	});
});

const find = (resource: string, operation: string) => {
	const operations = RESOURCES.find(({ option }) => option.value === resource)?.operations ?? [];
	const found = operations.find(({ option }) => option.value === operation);
	if (found === undefined) throw new Error(`no ${resource} ${operation}`);
	return found;
};

const OPERATIONS = RESOURCES.flatMap(({ option: resource, operations }) =>
	operations.map((one) => ({ name: `${resource.name}: ${one.option.name}`, resource, ...one })),
);

describe('Amounts in Yuan', () => {
	const IN_YUAN = { options: { amountsInYuan: true } };
	const accountWith = (data: IDataObject): Reply => {
		return () => [200, success(data)];
	};

	it('converts the amounts of an account and nothing else', async () => {
		onApi(accountWith({ balance: '10249', coupon: 7, account_id: 100, display_name: '100' }));
		const { items, error } = await runNode({ ...INFO, ...IN_YUAN });
		expect(error).toBeNull();
		expect(jsonOf(items)).toEqual([
			{ balance: 102.49, coupon: 0.07, account_id: 100, display_name: '100' },
		]);
	});

	it('converts each day of fund records, page after page, and adds nothing', async () => {
		const list = [
			{ date: '2026-01-01', cash_cost: 10249, coupon_cost: 100 },
			{ date: '2026-01-02', cash_cost: 1, compensation: 250 },
		];
		onApi(() => [200, success({ list })]);
		const { items } = await runNode({ ...FUND, ...IN_YUAN });
		expect(jsonOf(items)).toEqual([
			{ account_id: 1000002, date: '2026-01-01', cash_cost: 102.49, coupon_cost: 1 },
			{ account_id: 1000002, date: '2026-01-02', cash_cost: 0.01, compensation: 2.5 },
		]);
	});

	it('is off by default, and may differ from item to item', async () => {
		onApi(accountWith({ balance: 10249 }));
		const off = await runNode(INFO);
		expect(jsonOf(off.items)[0]?.balance).toBe(10249);
		const each = { ...INFO, options: { amountsInYuan: '={{ $json.yuan }}' } };
		const { items } = await runNode(each, [{ yuan: true }, { yuan: false }]);
		expect(jsonOf(items).map(({ balance }) => balance)).toEqual([102.49, 10249]);
	});

	it("leaves AiClk's whole answer as it is", async () => {
		onApi(accountWith({ balance: 10249 }));
		const whole = { ...INFO, ...IN_YUAN, simplify: false };
		const { items } = await runNode(whole);
		expect(jsonOf(items)[0]?.data).toEqual({ balance: 10249 });
	});

	it('fails for what is no whole number of fen, rather than mix units', async () => {
		onApi(accountWith({ balance: '102.49' }));
		const { error } = await runNode({ ...INFO, ...IN_YUAN });
		expect(error?.message).toMatch(/^AiClk's 'balance' is no whole number of fen/);
	});

	/** Reads that return amounts, by their names: of what AiClk calls so, everything is in fen (P2, P3). */
	const MONEY = /balance|coupon|compensation|cost|budget|bid|price|amount|money/;
	const fieldsOf = ({ properties }: { properties: INodeProperties[] }) => {
		const fields = properties.find(({ name }) => name === 'fields');
		const options = (fields?.options ?? []) as INodePropertyOptions[];
		return { names: options.map(({ value }) => String(value)), hint: fields?.hint };
	};

	it.each(OPERATIONS)(
		'converts what $name returns in fen, and says the unit',
		async (operation) => {
			const { names, hint } = fieldsOf(operation);
			const amounts = names.filter((name) => MONEY.test(name));
			const has = JSON.stringify(operation.properties).includes('amountsInYuan');
			expect(has).toBe(amounts.length > 0);
			if (!has) return;
			expect(operation.option.description).toMatch(/in fen: 100 fen are 1 yuan/);
			expect(hint).toMatch(/fen.*'Amounts in Yuan'/);
			const row = Object.fromEntries(names.map((name) => [name, 700]));
			onApi(() => [200, success({ list: [row] })]);
			const { resource, option } = operation;
			const parameters = set(String(resource.value), String(option.value), IN_YUAN);
			const [item = {}] = jsonOf((await runNode(parameters)).items);
			expect(names.filter((name) => item[name] === 7)).toEqual(amounts);
		},
	);
});

describe('the panel', () => {
	it.each(OPERATIONS)('$name chooses at most ten fields', ({ properties }) => {
		const chosen = properties.find(({ name }) => name === 'fields')?.default ?? [];
		expect((chosen as string[]).length).toBeLessThanOrEqual(10);
	});

	it.each(OPERATIONS)('the action of $name names its resource', ({ option, resource }) => {
		const names = [resource.name, `${resource.name}s`].map((name) => name.toLowerCase());
		expect(names.some((name) => option.action?.toLowerCase().includes(name))).toBe(true);
	});

	it.each(OPERATIONS)('$name has Options last, but for Sort', ({ properties }) => {
		const names = properties.map(({ name }) => name);
		expect(names.slice(names.indexOf('options') + 1)).toEqual(
			names.includes('sort') ? ['sort'] : [],
		);
	});

	it('Sort sends an order only where it was added', async () => {
		const calls = onApi();
		const materials = set('material', 'getAll');
		await runNode(materials);
		await runNode({ ...materials, sort: { materialId: 'asc' } });
		expect(calls.map(({ url }) => /"order_by":(.*?\]\])/.exec(url)?.[1])).toEqual([
			undefined,
			'[["material_id","asc"]]',
		]);
	});

	it('Period is yesterday by default, so that no date is missing at first sight', () => {
		const { properties } = find('account', 'getFundRecords');
		const shown = (property: INodeProperties) =>
			property.displayOptions?.show?.period?.includes('yesterday') !== false;
		expect(properties.filter((one) => one.required && shown(one)).map(({ name }) => name)).toEqual([
			'fields',
		]);
	});

	it("an advertiser's operations say whose account their first field is", () => {
		for (const operation of ['create', 'update']) {
			const [first] = find('advertiser', operation).properties;
			expect([first?.name, first?.displayName]).toEqual([
				'accountId',
				'Agent or Sub-Manager Account ID',
			]);
		}
	});

	it.each<[string, unknown]>([
		['nothing', {}],
		['its fields', { link: 'a' }],
	])('an updated advertiser comes out with its ID, where AiClk answers %s', async (_, data) => {
		onApi(() => [200, success(data)]);
		const update = { advertiserId: '1928316', updateFields: { link: 'a' } };
		const { items } = await runNode(set('advertiser', 'update', update));
		const [item] = jsonOf(items);
		expect(item).toMatchObject({ advertiserId: '1928316' });
		expect(item?.link ?? item?.success).toBeTruthy();
	});
});

describe('the outcome in the message', () => {
	it.each([
		['a workflow', {}],
		['an agent', TOOL],
	])('of a read is left out, and of a change it is there: for %s', async (_, options) => {
		onApi(() => [500, 'oops']);
		const read = await runNode(CALL, [{}], options);
		expect(read.error?.message).toMatch(/account 1000002\)$/);
		expect(read.error?.message).not.toMatch(/outcome/);
		expect(read.error?.context.data).toMatchObject({ outcome: 'unknown' });
		const change = await runNode({ ...CALL, method: 'POST' }, [{}], options);
		expect(change.error?.message).toMatch(/\(outcome: unknown/);
	});
});

describe('a busy AiClk', () => {
	const busyFor = (seconds: number): Reply => {
		return (_, n) =>
			n === 1 ? [429, '', { 'retry-after': String(seconds) }] : [200, success({ balance: 1 })];
	};

	it('that kept requests waiting is told in one hint and in the log', async () => {
		onApi(busyFor(38));
		const { hints, log, error } = await runNode(INFO, [{}, {}]);
		expect(error).toBeNull();
		const told = hints.filter((hint) => /busy/.test(hint));
		expect(told).toEqual([
			expect.stringMatching(/^AiClk was busy: requests waited (3[89]|4\d) s$/),
		]);
		expect(log).toEqual(expect.arrayContaining(told));
	});

	it('for 4 s is not worth a hint', async () => {
		onApi(busyFor(4));
		expect((await runNode(INFO)).hints).toEqual([]);
	});

	it('is not told of waits for one’s batch', async () => {
		onApi();
		const options = { batching: { batch: { batchSize: 1, batchInterval: 9_000 } } };
		expect((await runNode({ ...INFO, options }, [{}, {}])).hints).toEqual([]);
		expect(Math.max(...mockSleeps)).toBeGreaterThan(8_000);
	});
});
