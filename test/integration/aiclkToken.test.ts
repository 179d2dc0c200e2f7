import '../harness/fakeTime';

import { CredentialsHelper, rowWithToken } from '../harness/context';
import { DAY_MS, tokenOf } from '../harness/fakes';
import {
	issued,
	onAccountInfo,
	onApi,
	onRefresh,
	REJECTED,
	type Reply,
	success,
} from '../harness/nocks';
import { CHARGE, CONTINUE, INFO, jsonOf, newHelper, runNode, set } from '../harness/runNode';

/** The first token is rejected, the one after it is not. */
const rejectFirst =
	(status: number, data: unknown): Reply =>
	({ token }) =>
		token === 'access-1' ? [status, REJECTED] : [200, success(data)];

const HUNDRED = Array.from({ length: 100 }, () => ({}));

describe('a token that AiClk rejects', () => {
	it.each([
		['in an HTTP-200 body', 200, DAY_MS],
		['with HTTP 401', 401, DAY_MS],
		['soon after it was issued', 200, 0],
	])(
		'a token rejected %s costs one refresh for 100 items, and every item gets its answer',
		async (_, status, ageMs) => {
			const helper = new CredentialsHelper(rowWithToken(ageMs));
			const refreshes = onRefresh(() => [200, issued('access-2')]);
			const calls = onApi(rejectFirst(status, { n: 1 }));
			const { items } = await runNode(INFO, HUNDRED, { helper });
			expect(items).toHaveLength(100);
			expect(refreshes).toHaveLength(1);
			expect(helper.row.accessToken).toBe('access-2');
			const dead = calls.filter(({ token }) => token === 'access-1');
			// The calls that were under way together, and the probe of their token. A token that was issued just now is probed again,
			// and left to a peer for 6 s. Until AiClk has accepted a probe, it is used meanwhile.
			expect(dead.length).toBeLessThan(ageMs > 0 ? 60 : 200);
			// The new token is probed before it is stored.
			expect(calls.length - dead.length).toBe(100 + 1);
		},
	);

	it('a token rejected by one endpoint only (a missing permission) costs no refresh', async () => {
		const refreshes = onRefresh();
		const calls = onApi(({ url }) =>
			url.includes('account/info') ? [200, success({ balance: 1 })] : [200, REJECTED],
		);
		const { items } = await runNode(set('creative', 'getAll'), HUNDRED, CONTINUE);
		expect(refreshes).toHaveLength(1);
		expect(items).toHaveLength(100);
		expect(items[0]?.json.error).toMatchObject({
			message: expect.stringMatching(/^AiClk refused this, although .*: access_token 无效/),
		});
		// AiClk is asked once, and that is remembered for a while.
		expect(calls).toHaveLength(101);
	});

	it('a token rejected on a read while AiClk cannot be asked about it ends in an error that says so', async () => {
		const helper = new CredentialsHelper(rowWithToken(DAY_MS));
		const refreshes = onRefresh();
		const calls = onApi(({ url }) => (url.includes('account/info') ? [502, ''] : [401, REJECTED]));
		const { error } = await runNode(set('creative', 'getAll'), [{}], { helper });
		expect(error?.message).toMatch(/^AiClk does not accept the access token/);
		expect(error?.description).toMatch(/Whether the token is the cause could not be found out/);
		expect(calls).toHaveLength(2);
		expect(refreshes).toEqual([]);
	});

	it.each([
		['1000002', 'account_id=1000002&'],
		['', ''],
	])(
		"after a rejected charge the credential's account is read, so that a new token is requested: '%s'",
		async (accountId, account) => {
			const calls = onApi(rejectFirst(200, null));
			await runNode(CHARGE, [{}], { helper: newHelper({ accountId }) });
			const url = `/openapi/v1/account/info?${account}query={"fields":["account_id"]}`;
			expect(new Set(calls.slice(1).map((call) => call.url))).toEqual(new Set([url]));
		},
	);

	it.each([
		[200, /^AiClk does not accept the access token: access_token 无效\. .*trace_id: bb22/],
		[401, /^AiClk does not accept the access token/],
	])(
		'a token rejected on a charge (HTTP %d) is refreshed in the same run, and the charge is sent again only by the next run',
		async (status, message) => {
			const helper = newHelper();
			const refreshes = onRefresh();
			const calls = onApi(rejectFirst(status, null));
			const { error } = await runNode(CHARGE, [{}], { helper });
			expect(error?.message).toMatch(message);
			expect(error?.description).toMatch(
				/^Nothing was carried out. If the token was the cause, a new one has been requested/,
			);
			expect(JSON.stringify([error, error?.message, error?.description])).not.toContain('access-1');
			expect(helper.row.accessToken).toBe('access-2');
			await runNode(CHARGE, [{}], { helper });
			const charges = calls.filter(({ url }) => url.includes('charge'));
			expect(charges.map(({ token }) => token)).toEqual(['access-1', 'access-2']);
			expect(refreshes).toHaveLength(2);
		},
	);

	it('a token rejected on the first of four charges fails that charge only, if the node continues on error', async () => {
		const refreshes = onRefresh();
		const calls = onApi(rejectFirst(200, null));
		const { items } = await runNode(CHARGE, HUNDRED.slice(0, 4), CONTINUE);
		expect(jsonOf(items).map(({ success: done }) => done)).toEqual([undefined, true, true, true]);
		expect(calls.filter(({ url }) => url.includes('charge'))).toHaveLength(4);
		expect(refreshes).toHaveLength(2);
	});

	it('a token rejected again after its refresh ends in an error, with two refreshes', async () => {
		const refreshes = onRefresh();
		onApi(() => [200, REJECTED]);
		const { error } = await runNode(INFO);
		expect(error?.message).toMatch(/^AiClk does not accept the access token/);
		expect(refreshes).toHaveLength(2);
	});

	it.each([
		['read', INFO],
		['charge', CHARGE],
	])(
		"a %s whose refresh lost against a peer is sent once, with the peer's token",
		async (_, parameters) => {
			const row = rowWithToken(91 * DAY_MS);
			const { state } = tokenOf(row);
			const refreshes = onRefresh(() => {
				const times = { issuedAtMs: Date.now(), expiresAtMs: Date.now() + 90 * DAY_MS };
				row.accessToken = 'peer-1';
				row.tokenState = JSON.stringify({ ...state, ...times, generation: state.generation + 1 });
				return [200, issued('access-2')];
			});
			const calls = onApi((call) =>
				call.token === 'peer-1' ? [200, success({ balance: 2 })] : [200, REJECTED],
			);
			const helper = new CredentialsHelper(row);
			const [item] = (await runNode(parameters, [{}], { helper })).items;
			expect(item?.json).not.toHaveProperty('error');
			// Two probes of the token that lost, and the request itself.
			expect(calls.map((call) => call.token)).toEqual(['access-2', 'access-2', 'peer-1']);
			expect(refreshes).toHaveLength(1);
		},
	);
});

describe('without a valid token', () => {
	it('a refused refresh is shown with the text that AiClk Token shows, and no charge is sent', async () => {
		onRefresh(() => [200, { code: 400, data: null, message: '参数错误', trace_id: 'dd55' }]);
		const calls = onApi();
		const { error } = await runNode(CHARGE);
		expect(error?.message).toBe(
			"AiClk refused to refresh the access token: 参数错误 (code 400). Check the 'Client ID' and the 'Refresh Token'. (account 1000002)",
		);
		expect(error?.description).toMatch(/trace_id: dd55/);
		expect(calls).toEqual([]);
	});

	it('an incomplete credential is named in the error', async () => {
		onAccountInfo();
		const { error } = await runNode(INFO, [{}], { helper: newHelper({ refreshToken: '' }) });
		expect(error?.message).toMatch(/has no 'Refresh Token'/);
	});
});
