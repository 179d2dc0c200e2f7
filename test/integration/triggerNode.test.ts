import { type IDataObject, type NodeApiError, sleep } from 'n8n-workflow';

import { failureOf } from '../harness/context';
import { DAY_MS } from '../harness/fakes';
import { storedToken } from '../harness/storedToken';
import { TriggerRig } from '../harness/triggerRig';

const CREATIVES = { event: 'creativeChanged', accountIds: '', filters: {}, options: {} };
const MATERIALS = { event: 'materialReviewed', accountIds: '', options: {} };
const BALANCES = { event: 'balanceBelow', accountIds: '', balance: 100_000, options: {} };
const TOKEN = { event: 'tokenNeedsAttention', withinDays: 10, options: {} };
const ID = '18446744073709551615';

let rig: TriggerRig;

async function start(parameters: IDataObject, typed = {}): Promise<void> {
	rig = await TriggerRig.create(parameters, typed);
}

afterEach(async () => {
	await rig.sandbox.close();
});

const reject = (id = ID, reason = '图片不清晰') =>
	rig.sandbox.change('creative', id, { effective_status: '审核拒绝', audit_reason: reason });

describe('AiClk Trigger', () => {
	it('emits a rejected creative once, even across a restart of n8n', async () => {
		await start(CREATIVES);
		expect(await rig.poll()).toBeNull();
		rig.save();
		reject();
		const [item, ...more] = (await rig.poll()) ?? [];
		expect(more).toEqual([]);
		expect(item).toMatchObject({
			account_id: 1000002,
			creative_id: ID,
			change: 'changed',
			changed: ['effective_status', 'audit_reason'],
			old: { effective_status: '审核中', audit_reason: '' },
			new: { effective_status: '审核拒绝', audit_reason: '图片不清晰' },
		});
		rig.save();
		rig.activate();
		expect(await rig.poll()).toBeNull();
		expect(rig.requests.filter(({ token }) => token !== 'live')).toEqual([]);
		expect(rig.requests.every(({ method }) => method === 'GET')).toBe(true);
	});

	it('emits a reviewed material, a balance that fell, and a balance that recovered', async () => {
		await start(MATERIALS);
		expect(await rig.poll()).toBeNull();
		rig.sandbox.change('material', '50001', { material_status: 'PASSED' });
		expect(await rig.poll()).toMatchObject([{ material_id: 50_001, change: 'approved' }]);
		expect(await rig.poll()).toBeNull();

		rig.parameters = BALANCES;
		rig.activate();
		expect(await rig.poll()).toBeNull();
		rig.sandbox.change('account', '1000002', { balance: 99_999 });
		expect(await rig.poll()).toMatchObject([{ account_id: 1000002, change: 'below' }]);
		rig.sandbox.change('account', '1000002', { balance: 100_000 });
		expect(await rig.poll()).toMatchObject([{ change: 'recovered', balance: 100_000 }]);
		expect(await rig.poll()).toBeNull();
	});

	it('compares only with the state of the same event, filters and client', async () => {
		await start(CREATIVES);
		await rig.poll();
		rig.save();
		reject();
		rig.parameters = { ...CREATIVES, filters: { campaignId: '300000' } };
		rig.activate();
		expect(await rig.poll()).toBeNull();
		rig.parameters = MATERIALS;
		rig.activate();
		expect(await rig.poll()).toBeNull();
		rig.parameters = CREATIVES;
		rig.activate();
		expect(await rig.poll()).toHaveLength(1);
	});

	it('goes on with what the process remembers when its state is damaged', async () => {
		await start(CREATIVES);
		await rig.poll();
		const written = JSON.parse(String(rig.data.state)) as { accounts: object };
		rig.data.state = JSON.stringify({ ...written, accounts: {} });
		expect(await rig.poll()).toBeNull();
		const after = JSON.parse(String(rig.data.state)) as { accounts: object };
		expect(after.accounts).toEqual(written.accounts);
	});

	it.each([
		['HTTP 500', { kind: 'status' as const, status: 500 }, /temporarily unavailable/],
		[
			"another account's rows",
			{ kind: 'data' as const, data: { list: [{ creative_id: 7, account_id: 1000003 }] } },
			/answered about account 1000003/,
		],
	])('reports %s once, and emits the change when it is over', async (_, apiFault, message) => {
		await start(CREATIVES);
		await rig.poll();
		reject();
		rig.sandbox.configure({ apiFault });
		for (let polls = 0; polls < 3; polls++) expect(await rig.poll()).toBeNull();
		expect(rig.errors).toHaveLength(1);
		const [error] = rig.errors;
		expect(error?.constructor.name).toBe('NodeApiError');
		expect(error?.message).toMatch(message);
		expect(error?.message).toMatch(/^Account 1000002: /);
		expect(error?.description).toMatch(/What is known is kept.*reported again after an hour/);
		expect(error?.context.data).toMatchObject({ accountId: '1000002' });
		rig.sandbox.configure({ apiFault: null });
		expect(await rig.poll()).toHaveLength(1);
	});

	it('sends all requests of a poll for the client of its start, or none', async () => {
		await start(CREATIVES);
		const { clientId, refreshToken } = rig.helper.row;
		const others = [{ clientId: '99', refreshToken: String(refreshToken) }];
		const clients = [...rig.sandbox.settings().clients, ...others];
		rig.sandbox.configure({ clients, creatives: 500, apiDelayMs: 50 });
		await rig.poll();
		rig.activate();
		rig.sandbox.clearJournal();
		const { row } = rig.helper;
		rig.parameters = { ...CREATIVES, filters: { createdFrom: '2020-01-01' } };
		rig.activate();
		const run = failureOf<NodeApiError>(rig.poll());
		await sleep(70);
		row.clientId = '99';
		const { message } = await run;
		expect(message).toMatch(/credential has changed/);
		expect(new Set(rig.requests.map(({ client }) => client))).toEqual(new Set([clientId]));
	});

	it('nothing is sent after the time of a poll is over', async () => {
		await start({ ...BALANCES, accountIds: '1000002 1000003' });
		rig.sandbox.configure({ accountIds: [1000002, 1000003] });
		await rig.poll();
		rig.budgetMs = 300;
		rig.sandbox.configure({ apiDelayMs: 2_000 });
		rig.sandbox.clearJournal();
		const began = performance.now();
		expect(await rig.poll()).toBeNull();
		expect(performance.now() - began).toBeLessThan(1_500);
		const sent = rig.requests.length;
		await sleep(2_500);
		expect(rig.requests).toHaveLength(sent);
		expect(rig.errors.map((error) => error.message)).toEqual([
			'Accounts 1000002, 1000003: AiClk did not answer within the 0 s that a poll has',
		]);
	});

	it('a refresh that takes longer than the poll ends with it, and its request is not sent', async () => {
		await start(BALANCES);
		await rig.poll();
		rig.budgetMs = 300;
		rig.sandbox.revoke();
		rig.sandbox.configure({ tokenDelayMs: 1_000 });
		rig.sandbox.clearJournal();
		expect(await rig.poll()).toBeNull();
		await sleep(1_500);
		const isLive = rig.requests.filter(({ token }) => token === 'live');
		expect(isLive).toEqual([]);
		expect(rig.errors).toHaveLength(1);
	});

	it('a busy AiClk that names more time than the poll has is told as such, with the time', async () => {
		await start(BALANCES);
		rig.budgetMs = 2_000;
		rig.sandbox.configure({ requestsPerSecond: 0, retryAfter: '50' });
		const began = performance.now();
		const error = await failureOf<NodeApiError>(rig.poll());
		expect(performance.now() - began).toBeLessThan(4_000);
		expect(error.message).toMatch(/^Account 1000002: AiClk takes no more requests/);
		expect(error.failure).toMatchObject({ cause: 'rate-limited' });
		const { retryAfterMs } = error.failure as { retryAfterMs: number };
		expect(retryAfterMs).toBeGreaterThan(40_000);
		expect(retryAfterMs).toBeLessThan(55_000);
	});

	it('what a poll without changes has seen survives a save of the workflow', async () => {
		await start(CREATIVES);
		await rig.poll();
		rig.activate();
		reject();
		expect(await rig.poll()).toMatchObject([{ change: 'changed' }]);
	});

	it('refreshes a rejected token in the same poll', async () => {
		await start(CREATIVES);
		await rig.poll();
		reject();
		rig.sandbox.revoke();
		expect(await rig.poll()).toHaveLength(1);
		expect(rig.sandbox.state()).toMatchObject({ refreshesInAll: 2 });
	});

	describe('run by hand', () => {
		it.each([
			['creatives', CREATIVES, 1, { change: 'existing', changed: [] }],
			['materials', MATERIALS, 5, { change: expect.stringMatching(/approved|rejected/) }],
			['balances', BALANCES, 1, { change: 'recovered', account_id: 1000002 }],
			['the token', TOKEN, 1, { change: 'fine', status: 'valid' }],
		])(
			'a run by hand shows %s, before and after the first poll',
			async (_, parameters, count, item) => {
				await start(parameters);
				for (let runs = 0; runs < 2; runs++) {
					rig.sandbox.clearJournal();
					const items = await rig.poll('manual');
					expect(items?.length).toBeGreaterThanOrEqual(count);
					expect(items?.[0]).toMatchObject(item);
					expect(rig.requests.length).toBeLessThanOrEqual(4);
					expect(await rig.poll()).toBeNull();
				}
			},
		);
	});

	describe('Token Needs Attention', () => {
		it('emits attention when AiClk refuses the refresh, and fine when it works again', async () => {
			await start(TOKEN);
			expect(await rig.poll()).toBeNull();
			const { clients } = rig.sandbox.settings();
			rig.sandbox.configure({ clients: [] });
			rig.sandbox.revoke();
			expect(await rig.poll()).toMatchObject([
				{
					change: 'attention',
					reason: 'not-renewed',
					message: expect.stringContaining('client_id'),
				},
			]);
			expect(await rig.poll()).toBeNull();
			rig.sandbox.configure({ clients });
			// A person types the refresh token again.
			rig.helper.row.refreshToken = `${String(rig.helper.row.refreshToken)}9`;
			const client = clients[0] as { clientId: string };
			rig.sandbox.configure({
				clients: [{ ...client, refreshToken: String(rig.helper.row.refreshToken) }],
			});
			expect(await rig.poll()).toMatchObject([
				{ change: 'fine', reason: null, status: 'valid', valid: true, expiresInDays: 90 },
			]);
			expect(JSON.stringify(await rig.poll('manual'))).not.toContain('access');
		});

		it('emits attention for a credential without a refresh token', async () => {
			await start(TOKEN);
			rig.helper.row.refreshToken = '';
			expect(await rig.poll()).toMatchObject([
				{ change: 'attention', reason: 'credential-incomplete' },
			]);
		});

		it('a wrong value is shown where the credential has no refresh token', async () => {
			await start({ ...TOKEN, withinDays: 91 });
			rig.helper.row.refreshToken = '';
			await expect(rig.poll()).rejects.toThrow("'Within Days' is '91', which is above 90");
		});

		it('an outage is an error, and a refused account emits nothing about the token', async () => {
			await start(TOKEN, { accountId: '7' });
			expect(await rig.poll()).toBeNull();
			rig.sandbox.configure({ apiFault: { kind: 'status', status: 503 } });
			expect(await rig.poll()).toBeNull();
			expect(rig.errors[0]?.message).toMatch(/^AiClk is temporarily unavailable/);
		});

		it.each([
			['1000002', { account_id: '1000002' }],
			['', {}],
		])('asks AiClk about the token with the account %j of the credential', async (id, account) => {
			await start(TOKEN, { accountId: id });
			await rig.poll();
			const { method, path, query } = rig.requests.at(-1) ?? {};
			expect([method, path]).toEqual(['GET', '/openapi/v1/account/info']);
			expect(query).toEqual({ ...account, query: '{"fields":["account_id"]}' });
		});

		it('a busy AiClk is an error and emits nothing about the token', async () => {
			await start(TOKEN);
			await rig.poll();
			rig.sandbox.configure({ requestsPerSecond: 0, retryAfter: '3600' });
			expect(await rig.poll()).toBeNull();
			expect(rig.errors[0]?.message).toMatch(/takes no more requests/);
		});

		it('a refresh that AiClk cannot answer is an error and emits nothing', async () => {
			await start(TOKEN);
			await rig.poll();
			rig.sandbox.configure({ tokenFault: { kind: 'status', status: 503 } });
			rig.sandbox.revoke();
			expect(await rig.poll()).toBeNull();
			expect(rig.errors[0]?.message).toMatch(/could not refresh/);
		});

		it('emits attention when all refreshes of the day are used up', async () => {
			await start(TOKEN);
			const [client] = rig.sandbox.settings().clients;
			const age = { lifeMs: 90 * DAY_MS, leftMs: -DAY_MS };
			Object.assign(rig.helper.row, await storedToken(rig.sandbox, client as never, age, 300));
			expect(await rig.poll()).toMatchObject([
				{
					change: 'attention',
					reason: 'not-renewed',
					message: expect.stringContaining('300'),
				},
			]);
		});

		it('emits attention when AiClk rejects the token and each new one', async () => {
			await start(TOKEN);
			await rig.poll();
			rig.sandbox.configure({ lifeSeconds: 0 });
			rig.sandbox.revoke();
			const items = await rig.poll();
			expect(items).toMatchObject([{ change: 'attention', reason: 'rejected' }]);
		});
	});

	describe('refuses before any request', () => {
		it.each([
			[{ event: 'odd' }, /has no event 'odd'/],
			[{ accountIds: 'x' }, /has an entry \(number 1\) that is 'x', which is not an ID/],
			[{ accountIds: '={{ undefined }}' }, /'Account IDs' holds an expression that yields nothing/],
			[{ filters: { campaignId: '' } }, /'Campaign ID' was added to 'Filters' but is empty/],
			[
				{ filters: { createdFrom: '2026-02-02', createdTo: '2026-02-01' } },
				/'Created From' \(2026-02-02\) is after 'Created To' \(2026-02-01\)/,
			],
			[
				{ options: { emitExisting: 'perhaps' } },
				/'Emit Existing' is 'perhaps', which is neither true nor false/,
			],
			[
				{ options: { onlyNewReasons: 1 } },
				/'Only With a New Rejection Reason' is '1', which is neither/,
			],
			[{ ...MATERIALS, options: { result: 'odd' } }, /'Result' holds 'odd'/],
			[{ ...BALANCES, balance: -1 }, /'Balance \(Fen\)' is '-1', which is below 0/],
			[{ ...TOKEN, withinDays: 91 }, /'Within Days' is '91', which is above 90/],
		])('bad settings are refused before any request: %j', async (changes, message) => {
			await start({ ...CREATIVES, ...changes });
			await expect(rig.poll()).rejects.toThrow(message);
			expect(rig.sandbox.journal()).toEqual([]);
		});

		it('a credential with expressions is refused on n8n before 2.34, which would overwrite them', async () => {
			await start(CREATIVES);
			rig.helper.row.clientId = '={{ $vars.client }}';
			delete rig.helper.parseJsonLeafExpressionFields;
			await expect(rig.poll()).rejects.toThrow(/n8n before 2\.34 overwrites them/);
			expect(rig.sandbox.journal()).toEqual([]);
		});

		it('a credential without a client ID is refused before any request', async () => {
			await start(CREATIVES);
			rig.helper.row.clientId = '';
			await expect(rig.poll()).rejects.toThrow(/has no 'Client ID'/);
		});
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
		await rig.poll();
		expect(rig.requests[0]?.query.query).toContain(
			`{"campaign_id":300000,"creative_id":[${ID},77],"configure_status":["ENABLE"],"created_at":{"start":"2026-01-01"}`,
		);
	});
});
