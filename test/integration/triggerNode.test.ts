import type { IDataObject, NodeApiError } from 'n8n-workflow';

import { EVENTS } from '../../nodes/AiClkTrigger/events';
import { storedToken } from '../support/storedToken';
import { DAY_MS } from '../unit/support';
import { TriggerBench } from './triggerBench';

const CREATIVES = { event: 'creativeChanged', accountIds: '', filters: {}, options: {} };
const MATERIALS = { event: 'materialReviewed', accountIds: '', options: {} };
const BALANCES = { event: 'balanceBelow', accountIds: '', balance: 100_000, options: {} };
const TOKEN = { event: 'tokenNeedsAttention', withinDays: 10, options: {} };
const ID = '18446744073709551615';

let bench: TriggerBench;

async function start(parameters: IDataObject, typed = {}): Promise<void> {
	bench = await TriggerBench.create(parameters, typed);
}

afterEach(async () => {
	await bench.sandbox.close();
});

async function errorOf(run: Promise<unknown>): Promise<NodeApiError> {
	try {
		await run;
	} catch (error) {
		return error as NodeApiError;
	}
	throw new Error('the poll did not fail');
}

const reject = (id = ID, reason = '图片不清晰') =>
	bench.sandbox.change('creative', id, { effective_status: '审核拒绝', audit_reason: reason });

describe('AiClk Trigger', () => {
	it('emits a rejected creative once, even across a restart of n8n', async () => {
		await start(CREATIVES);
		expect(await bench.poll()).toBeNull();
		bench.save();
		reject();
		const [item, ...more] = (await bench.poll()) ?? [];
		expect(more).toEqual([]);
		expect(item).toMatchObject({
			account_id: 1000002,
			creative_id: ID,
			change: 'changed',
			changed: ['effective_status', 'audit_reason'],
			old: { effective_status: '审核中', audit_reason: '' },
			new: { effective_status: '审核拒绝', audit_reason: '图片不清晰' },
		});
		bench.save();
		bench.activate();
		expect(await bench.poll()).toBeNull();
		expect(bench.requests.filter(({ token }) => token !== 'live')).toEqual([]);
		expect(bench.requests.every(({ method }) => method === 'GET')).toBe(true);
	});

	it('emits a reviewed material, a balance that fell, and a balance that recovered', async () => {
		await start(MATERIALS);
		expect(await bench.poll()).toBeNull();
		bench.sandbox.change('material', '50001', { material_status: 'PASSED' });
		expect(await bench.poll()).toMatchObject([{ material_id: 50_001, change: 'approved' }]);
		expect(await bench.poll()).toBeNull();

		bench.parameters = BALANCES;
		bench.activate();
		expect(await bench.poll()).toBeNull();
		bench.sandbox.change('account', '1000002', { balance: 99_999 });
		expect(await bench.poll()).toMatchObject([{ account_id: '1000002', change: 'below' }]);
		bench.sandbox.change('account', '1000002', { balance: 100_000 });
		expect(await bench.poll()).toMatchObject([{ change: 'recovered', balance: 100_000 }]);
		expect(await bench.poll()).toBeNull();
	});

	it('compares only with the state of the same event, filters and client', async () => {
		await start(CREATIVES);
		await bench.poll();
		bench.save();
		reject();
		bench.parameters = { ...CREATIVES, filters: { campaignId: '300000' } };
		bench.activate();
		expect(await bench.poll()).toBeNull();
		bench.parameters = MATERIALS;
		bench.activate();
		expect(await bench.poll()).toBeNull();
		bench.parameters = CREATIVES;
		bench.activate();
		expect(await bench.poll()).toHaveLength(1);
	});

	it('has a first look of its own for another client', async () => {
		await start(BALANCES);
		await bench.poll();
		bench.save();
		bench.sandbox.change('account', '1000002', { balance: 1 });
		bench.activate();
		const { clientId } = bench.helper.row;
		const { clients } = bench.sandbox.settings();
		bench.helper.row.clientId = '99';
		bench.sandbox.configure({
			clients: [
				...clients,
				{ clientId: '99', refreshToken: String(bench.helper.row.refreshToken) },
			],
		});
		expect(await bench.poll()).toBeNull();
		bench.helper.row.clientId = clientId;
		bench.activate();
		expect(await bench.poll()).toMatchObject([{ account_id: '1000002', change: 'below' }]);
	});

	it.each([
		[CREATIVES, {}],
		[CREATIVES, { days: { 1000002: '2026-11-24' }, memory: { values: 1, rows: null } }],
		[MATERIALS, { newest: null }],
		[BALANCES, { 1000002: 'much' }],
		[TOKEN, ['attention']],
	])('has a first look when its state is damaged: %j, %j', async (parameters, state) => {
		await start(parameters);
		await bench.poll();
		const written = JSON.parse(String(bench.data.state)) as object;
		bench.data.state = JSON.stringify({ ...written, state });
		expect(await bench.poll()).toBeNull();
		expect(JSON.parse(String(bench.data.state))).toEqual(written);
	});

	it('reads an account once that is typed twice', async () => {
		await start({ ...BALANCES, accountIds: '1000002, 1000002' });
		await bench.poll();
		expect(bench.requests).toHaveLength(1);
	});

	it('fails and keeps its state when there is more to remember than n8n can store', async () => {
		await start(BALANCES);
		await bench.poll();
		bench.sandbox.change('account', '1000002', { balance: 1 });
		const event = EVENTS.get('balanceBelow') as NonNullable<ReturnType<typeof EVENTS.get>>;
		const compare = jest
			.spyOn(event, 'compare')
			.mockReturnValue({ state: null, items: [{ n: 1 }] });
		expect((await errorOf(bench.poll())).message).toMatch(/more to remember than n8n can store/);
		compare.mockRestore();
		expect(await bench.poll()).toMatchObject([{ change: 'below' }]);
	});

	it('emits nothing for an account that was just added, and goes on with the others', async () => {
		await start(CREATIVES);
		bench.sandbox.configure({ accountIds: [1000002, 1000003] });
		await bench.poll();
		bench.save();
		reject();
		bench.parameters = { ...CREATIVES, accountIds: '1000002, 1000003' };
		bench.activate();
		expect(await bench.poll()).toHaveLength(1);
		bench.sandbox.change('creative', ID, { audit_reason: 'x' }, '1000003');
		expect(await bench.poll()).toMatchObject([{ account_id: 1000003, changed: ['audit_reason'] }]);
	});

	it.each([
		['HTTP 500', { kind: 'status' as const, status: 500 }, /temporarily unavailable/],
		['a cut connection', { kind: 'drop' as const }, /answer was lost/],
		['a page in HTML', { kind: 'html' as const }, /did not answer as documented/],
		[
			'rows without ids',
			{ kind: 'data' as const, data: { list: [{}] } },
			/row without 'creative_id'/,
		],
		[
			'pages that are all the same',
			{ kind: 'data' as const, data: { list: [{ creative_id: 7 }, { creative_id: 8 }] } },
			/list that may have gaps, 3 times in a row/,
		],
		[
			"another account's rows",
			{ kind: 'data' as const, data: { list: [{ creative_id: 7, account_id: 1000003 }] } },
			/answered about account 1000003/,
		],
	])('fails with %s and emits the change at the next poll', async (_, apiFault, message) => {
		await start(CREATIVES);
		await bench.poll();
		reject();
		bench.sandbox.configure({ apiFault });
		const error = await errorOf(bench.poll());
		expect(error.constructor.name).toBe('NodeApiError');
		expect(error.message).toMatch(message);
		expect(error.description).toMatch(/[Aa]ccount 1000002.*[Nn]o change is lost/);
		expect((await errorOf(bench.poll())).message).toMatch(message);
		bench.sandbox.configure({ apiFault: null });
		expect(await bench.poll()).toHaveLength(1);
	});

	it.each([{ balance: 'much' }, { balance: 1.5 }, { balance: null }, {}])(
		'fails when AiClk names no whole balance: %j',
		async (data) => {
			await start(BALANCES);
			await bench.poll();
			bench.sandbox.configure({ apiFault: { kind: 'data', data } });
			const { message } = await errorOf(bench.poll());
			expect(message).toBe("AiClk's answer holds no whole number 'balance' (outcome: unknown)");
		},
	);

	it('fails when AiClk answers about the first account whichever is asked for', async () => {
		await start({ ...BALANCES, accountIds: '1000002 1000003' });
		bench.sandbox.configure({ accountIds: [1000002, 1000003] });
		await bench.poll();
		const data = { account_id: 1000002, balance: 1 };
		bench.sandbox.configure({ apiFault: { kind: 'data', data } });
		const { message, description } = await errorOf(bench.poll());
		expect(message).toBe('AiClk answered about account 1000002 (outcome: unknown)');
		expect(description).toMatch(/^Account 1000003, .*no change is lost/);
	});

	it('a poll that fails at its second account emits nothing, and the next poll emits the change', async () => {
		await start({ ...BALANCES, accountIds: '1000002 1000003' });
		bench.sandbox.configure({ accountIds: [1000002, 1000003] });
		await bench.poll();
		bench.sandbox.change('account', '1000002', { balance: 1 });
		bench.sandbox.configure({ accountIds: [1000002] });
		const error = await errorOf(bench.poll());
		expect(error.message).toMatch(/AiClk refused this/);
		expect(error.description).toMatch(/Account 1000003/);
		bench.sandbox.configure({ accountIds: [1000002, 1000003] });
		expect(await bench.poll()).toMatchObject([{ account_id: '1000002', change: 'below' }]);
	});

	it('refreshes a rejected token in the same poll', async () => {
		await start(CREATIVES);
		await bench.poll();
		reject();
		bench.sandbox.revoke();
		expect(await bench.poll()).toHaveLength(1);
		expect(bench.sandbox.state()).toMatchObject({ refreshesInAll: 2 });
	});

	it('two polls at once emit a change once', async () => {
		await start(CREATIVES);
		await bench.poll();
		reject();
		const outputs = await Promise.all([bench.poll(), bench.poll()]);
		expect(outputs.filter((items) => items !== null)).toHaveLength(1);
		expect(await bench.poll()).toBeNull();
	});

	describe('run by hand', () => {
		it('a manual run shows what it would emit and changes no state', async () => {
			await start(CREATIVES);
			await bench.poll();
			reject();
			const bytes = bench.bytes;
			expect(await bench.poll('manual')).toMatchObject([{ creative_id: ID, change: 'changed' }]);
			expect(await bench.poll('manual')).toHaveLength(1);
			expect(bench.bytes).toBe(bytes);
			expect(await bench.poll()).toHaveLength(1);
			expect(await bench.poll('manual')).toBeNull();
		});

		it.each([
			['creatives', CREATIVES, { change: 'existing' }],
			['materials', MATERIALS, { change: expect.stringMatching(/approved|rejected/) }],
		])('a first manual run shows a few %s', async (_, parameters, item) => {
			await start(parameters);
			const items = await bench.poll('manual');
			expect(items).toHaveLength(10);
			expect(items?.[0]).toMatchObject(item);
			expect(bench.requests.length).toBeLessThanOrEqual(2);
			expect(await bench.poll()).toBeNull();
		});
	});

	describe('Token Needs Attention', () => {
		it('emits attention when AiClk refuses the refresh, and fine when it works again', async () => {
			await start(TOKEN);
			expect(await bench.poll()).toBeNull();
			const { clients } = bench.sandbox.settings();
			bench.sandbox.configure({ clients: [] });
			bench.sandbox.revoke();
			expect(await bench.poll()).toMatchObject([
				{
					change: 'attention',
					reason: 'not-renewed',
					message: expect.stringContaining('client_id'),
				},
			]);
			expect(await bench.poll()).toBeNull();
			bench.sandbox.configure({ clients });
			// A person types the refresh token again.
			bench.helper.row.refreshToken = `${String(bench.helper.row.refreshToken)}9`;
			const client = clients[0] as { clientId: string };
			bench.sandbox.configure({
				clients: [{ ...client, refreshToken: String(bench.helper.row.refreshToken) }],
			});
			expect(await bench.poll()).toMatchObject([
				{ change: 'fine', reason: null, status: 'valid', valid: true, expiresInDays: 90 },
			]);
			expect(JSON.stringify(await bench.poll('manual'))).not.toContain('access');
		});

		it('emits attention for a credential without a refresh token', async () => {
			await start({ ...TOKEN, options: { emitExisting: true } });
			bench.helper.row.refreshToken = '';
			expect(await bench.poll()).toMatchObject([
				{ change: 'attention', reason: 'credential-incomplete' },
			]);
		});

		it('an outage is an error, and a refused account emits nothing about the token', async () => {
			await start(TOKEN, { accountId: '7' });
			expect(await bench.poll()).toBeNull();
			bench.sandbox.configure({ apiFault: { kind: 'status', status: 503 } });
			expect((await errorOf(bench.poll())).message).toMatch(/temporarily unavailable/);
		});

		it.each([
			['1000002', { account_id: '1000002' }],
			['', {}],
		])('asks AiClk about the token with the account %j of the credential', async (id, account) => {
			await start(TOKEN, { accountId: id });
			await bench.poll();
			const { method, path, query } = bench.requests.at(-1) ?? {};
			expect([method, path]).toEqual(['GET', '/openapi/v1/account/info']);
			expect(query).toEqual({ ...account, query: '{"fields":["account_id"]}' });
		});

		it('a busy AiClk is an error and emits nothing about the token', async () => {
			await start(TOKEN);
			await bench.poll();
			bench.sandbox.configure({ requestsPerSecond: 0, retryAfter: '3600' });
			expect((await errorOf(bench.poll())).message).toMatch(/takes no more requests/);
		});

		it('a refresh that AiClk cannot answer is an error and emits nothing', async () => {
			await start(TOKEN);
			await bench.poll();
			bench.sandbox.configure({ tokenFault: { kind: 'status', status: 503 } });
			bench.sandbox.revoke();
			expect((await errorOf(bench.poll())).message).toMatch(/could not refresh/);
		});

		it('emits attention when all refreshes of the day are used up', async () => {
			await start({ ...TOKEN, options: { emitExisting: true } });
			const [client] = bench.sandbox.settings().clients;
			const age = { lifeMs: 90 * DAY_MS, leftMs: -DAY_MS };
			Object.assign(bench.helper.row, await storedToken(bench.sandbox, client as never, age, 300));
			expect(await bench.poll()).toMatchObject([
				{
					change: 'attention',
					reason: 'not-renewed',
					message: expect.stringContaining('300'),
				},
			]);
		});

		it('emits attention when AiClk rejects the token and each new one', async () => {
			await start(TOKEN);
			await bench.poll();
			bench.sandbox.configure({ lifeSeconds: 0 });
			bench.sandbox.revoke();
			const items = await bench.poll();
			expect(items).toMatchObject([{ change: 'attention', reason: 'rejected' }]);
		});
	});

	describe('refuses before any request', () => {
		it.each([
			[{ event: 'odd' }, /has no event 'odd'/],
			[
				{ accountIds: 'x' },
				/'Account IDs' has an entry \(number 1\) that is 'x', which is not an ID/,
			],
			[{ accountIds: '={{ undefined }}' }, /'Account IDs' is empty/],
			[{ filters: { campaignId: '' } }, /'Campaign ID' is empty/],
			[{ filters: { creativeIds: '' } }, /'Creative IDs' is empty/],
			[{ filters: { configureStatus: [] } }, /'Status' is empty/],
			[{ filters: { createdFrom: '2026-02-31' } }, /'Created From' names a day/],
			[
				{ filters: { createdFrom: '2026-02-02', createdTo: '2026-02-01' } },
				/'Created From' \(2026-02-02\) is after 'Created To' \(2026-02-01\)/,
			],
			[{ options: { emitExisting: 'perhaps' } }, /'Emit Existing' is neither true nor false/],
			[{ ...BALANCES, balance: 1.5 }, /'Balance \(Fen\)' is not a whole number/],
			[{ ...BALANCES, balance: -1 }, /'Balance \(Fen\)' is below 0/],
			[{ ...TOKEN, withinDays: 91 }, /'Within Days' is above 90/],
		])('bad settings are refused before any request: %j', async (changes, message) => {
			await start({ ...CREATIVES, ...changes });
			expect((await errorOf(bench.poll())).message).toMatch(message);
			expect(bench.sandbox.journal()).toEqual([]);
		});

		it('a trigger without an account in field or credential is refused before any request', async () => {
			await start(CREATIVES, { accountId: '' });
			expect((await errorOf(bench.poll())).message).toBe(
				"'Account IDs' is empty, here and in the AiClk API credential",
			);
		});

		it('a credential with expressions is refused on n8n before 2.34, which would overwrite them', async () => {
			await start(CREATIVES);
			bench.helper.row.clientId = '={{ $vars.client }}';
			delete bench.helper.parseJsonLeafExpressionFields;
			expect((await errorOf(bench.poll())).message).toMatch(/n8n before 2\.34 overwrites them/);
			expect(bench.sandbox.journal()).toEqual([]);
		});

		it('a credential without a client ID is refused before any request', async () => {
			await start(CREATIVES);
			bench.helper.row.clientId = '';
			expect((await errorOf(bench.poll())).message).toMatch(/has no Client ID/);
		});
	});

	it("asks for changes by the day of AiClk's clock, not of n8n's", async () => {
		await start(CREATIVES);
		bench.sandbox.advance(10 * DAY_MS);
		const dayBefore = () => new Date(bench.sandbox.now() - 2 * DAY_MS).toISOString().slice(0, 10);
		const days = [dayBefore()];
		await bench.poll();
		days.push(dayBefore());
		const asked = bench.requests.map(({ query }) => String(query.query));
		const started = asked.flatMap((query) => /"start":"([\d-]+)"/.exec(query)?.[1] ?? []);
		expect(started).toHaveLength(1);
		expect(days).toContain(started[0]);
	});

	it('sends the filters as AiClk documents them', async () => {
		await start({
			...CREATIVES,
			filters: {
				campaignId: '300000',
				creativeIds: `${ID}, 77`,
				createdFrom: '2026-01-01T00:00:00',
				configureStatus: ['ENABLE'],
			},
		});
		await bench.poll();
		expect(bench.requests[0]?.query.query).toContain(
			`{"campaign_id":300000,"creative_id":[${ID},77],"configure_status":["ENABLE"],"created_at":{"start":"2026-01-01"}`,
		);
	});
});
