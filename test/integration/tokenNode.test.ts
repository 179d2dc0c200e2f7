import type { IDataObject, INodeExecutionData, NodeApiError } from 'n8n-workflow';
import { sleep } from 'n8n-workflow';
import nock from 'nock';

import { quotaDay } from '../../aiclk/token/quota';
import { readToken } from '../../aiclk/token/storedToken';
import { errorItem, failureOf, newRow, rowWithToken } from '../harness/context';
import { DAY_MS, inputOf, TYPED } from '../harness/fakes';
import {
	ACCEPTED,
	API,
	issued,
	networkError,
	onAccountInfo,
	onRefresh,
	REJECTED,
} from '../harness/nocks';
import { TokenRig } from '../harness/tokenRig';

const REFRESH = { operation: 'refresh', when: 'always' };
const WHEN_EXPIRING = { operation: 'refresh', when: 'whenExpiring', withinDays: 30 };
const STATUS = { operation: 'status', verify: false };
const VERIFY = { operation: 'status', verify: true };

beforeEach(() => {
	onRefresh();
	onAccountInfo();
});

const outputOf = (items: INodeExecutionData[]) => items[0]?.json as IDataObject;

const TRUSTED = { probeTrust: { accountId: '1000002', trust: 'trusted', sinceMs: 0 } } as const;

/** AiClk has accepted a probe of its token. */
const rigWithToken = (ageMs = 0): TokenRig => new TokenRig(rowWithToken(ageMs, TRUSTED));

/** All that n8n would store or show of an error. */
const shown = (error: Error) =>
	JSON.stringify([error.message, { ...error }, JSON.parse(JSON.stringify(error))]);

describe('refresh', () => {
	it('sends the documented form, stores the token through n8n and says what happened, without the token', async () => {
		const rig = new TokenRig();
		const refreshes = onRefresh();
		const checks = onAccountInfo();
		const items = await rig.run(REFRESH);
		expect(refreshes).toHaveLength(1);
		const { clientId, refreshToken } = rig.helper.row;
		expect(refreshes[0]?.match(/name="([^"]+)"\r\n\r\n([^\r]+)/g)).toEqual([
			`name="client_id"\r\n\r\n${clientId as string}`,
			`name="refresh_token"\r\n\r\n${refreshToken as string}`,
		]);
		expect(checks).toEqual(['access-1']);
		expect(rig.helper.row).toMatchObject({ accessToken: 'access-1', tokenRenewal: '' });
		expect(items).toHaveLength(1);
		expect(outputOf(items)).toMatchObject({
			status: 'valid',
			valid: true,
			refreshed: true,
			reason: 'forced',
			expiresInDays: 89,
			expirySource: 'answer',
			refreshesToday: 1,
			refreshesLeftToday: 299,
			traceId: '776ac7ef9ccd2cb3',
			tokenType: 'OGW_ACCESS_TOKEN',
		});
		expect(JSON.stringify(items)).not.toContain('access-1');
		expect(JSON.stringify(items)).not.toContain(refreshToken as string);
	});

	it('runs once for 20 items, and its one item is paired with the first of them', async () => {
		const rig = new TokenRig();
		const refreshes = onRefresh();
		const twenty = Array.from({ length: 20 }, () => ({ json: {} }));
		const items = await rig.run(REFRESH, twenty);
		expect(refreshes).toHaveLength(1);
		expect(items).toHaveLength(1);
		expect(items[0]?.pairedItem).toEqual({ item: 0 });
	});

	it('outputs the access token only if Include Access Token is on', async () => {
		const rig = new TokenRig();
		const options = { includeAccessToken: true };
		const items = await rig.run({ ...REFRESH, options });
		expect(outputOf(items)).toMatchObject({ accessToken: 'access-1' });
	});

	it('reports a failed check of the new token, and keeps the token', async () => {
		const rig = new TokenRig();
		onAccountInfo(() => [200, REJECTED]);
		expect(outputOf(await rig.run(REFRESH))).toMatchObject({
			status: 'rejected',
			valid: false,
			refreshed: true,
			message: 'AiClk does not accept the access token: access_token 无效 (trace_id: bb22)',
		});
		expect(rig.helper.row.accessToken).toBe('access-1');
	});

	it.each([
		['HTTP 500 with HTML', [500, '<html>'], 'AiClk is temporarily unavailable: HTTP 500'],
		[
			'an account that is not shown',
			[200, { code: 403, message: '无权限' }],
			'AiClk refused this: 无权限',
		],
	] as Array<[string, [number, nock.Body], string]>)(
		'is a success even if the check meets %s',
		async (_, reply, message) => {
			const rig = new TokenRig();
			onAccountInfo(() => reply);
			expect(outputOf(await rig.run(REFRESH))).toMatchObject({
				valid: true,
				refreshed: true,
				message,
			});
		},
	);

	it('is a success even if nobody answers the check', async () => {
		const rig = new TokenRig();
		nock.cleanAll();
		onRefresh();
		nock(API)
			.get(/account/)
			.query(true)
			.replyWithError(networkError('ECONNRESET'));
		const output = outputOf(await rig.run(REFRESH));
		expect(output).toMatchObject({ valid: true, refreshed: true });
		expect(output.message).toEqual(expect.stringMatching(/./));
		expect(rig.helper.row.accessToken).toBe('access-1');
	});
});

describe('a refresh', () => {
	it('a refresh that n8n does not store is an error', async () => {
		const rig = rigWithToken();
		onRefresh(() => [200, issued('access-2')]);
		rig.helper.failWrites('SQLITE_BUSY: database is locked');
		const error = await failureOf<NodeApiError>(rig.run(REFRESH));
		expect(error.message).toBe('AiClk refreshed the access token, but n8n did not store it');
		expect(error.description).toMatch(/database is locked.*run this again/);
		expect(rig.helper.row.accessToken).toBe('access-1');
	});

	it.each([REFRESH, VERIFY])(
		'no secret that AiClk quotes reaches the error: %j',
		async (parameters) => {
			const rig = rigWithToken();
			onRefresh(() => [200, issued('access-2')]);
			onAccountInfo((token) => [200, { code: 403, message: `no ${token} ${TYPED.refreshToken}` }]);
			const output = outputOf(await rig.run(parameters));
			expect(output.message).toMatch(/AiClk refused this: no \*\*\* \*\*\*/);
		},
	);
});

describe('refresh only when expiring', () => {
	it('refreshes nothing while the token is valid for long enough', async () => {
		const rig = rigWithToken(59 * DAY_MS);
		const refreshes = onRefresh();
		expect(outputOf(await rig.run(WHEN_EXPIRING))).toMatchObject({
			status: 'valid',
			refreshed: false,
			reason: 'not-due',
		});
		expect(refreshes).toEqual([]);
	});

	it.each([
		['expires within 30 days', 61 * DAY_MS, 'expiring'],
		['is dead', 91 * DAY_MS, 'not-valid'],
	])('refreshes a token that %s', async (_, ageMs, reason) => {
		const rig = rigWithToken(ageMs);
		const refreshes = onRefresh(() => [200, issued('access-2')]);
		expect(outputOf(await rig.run(WHEN_EXPIRING))).toMatchObject({
			status: 'valid',
			refreshed: true,
			reason,
		});
		expect(refreshes).toHaveLength(1);
		expect(rig.helper.row.accessToken).toBe('access-2');
	});

	it('refreshes when there is no token yet', async () => {
		const rig = new TokenRig();
		expect(outputOf(await rig.run(WHEN_EXPIRING))).toMatchObject({
			refreshed: true,
			reason: 'not-valid',
		});
	});
});

describe('status', () => {
	it('Get Status makes no request', async () => {
		const rig = rigWithToken();
		const [refreshes, checks] = [onRefresh(), onAccountInfo()];
		expect(outputOf(await rig.run(STATUS))).toMatchObject({
			status: 'valid',
			refreshed: false,
			reason: 'stored',
		});
		expect(outputOf(await new TokenRig().run(STATUS))).toMatchObject({
			status: 'missing',
			valid: false,
		});
		expect([refreshes, checks]).toEqual([[], []]);
	});

	it('Get Status with Verify asks AiClk once', async () => {
		const rig = rigWithToken();
		const checks = onAccountInfo(() => [200, ACCEPTED]);
		const output = outputOf(await rig.run(VERIFY));
		expect(output).toMatchObject({ status: 'valid', refreshed: false, reason: 'accepted' });
		expect(output).not.toHaveProperty('message');
		expect(checks).toEqual(['access-1']);
	});

	it('Get Status with Verify refreshes a token that AiClk rejects in an HTTP 200 body', async () => {
		const rig = rigWithToken(DAY_MS);
		const refreshes = onRefresh(() => [200, issued('access-2')]);
		onAccountInfo((token) => [200, token === 'access-2' ? ACCEPTED : REJECTED]);
		expect(outputOf(await rig.run(VERIFY))).toMatchObject({
			status: 'valid',
			valid: true,
			refreshed: true,
			reason: 'rejected',
		});
		expect(refreshes).toHaveLength(1);
		expect(rig.helper.row.accessToken).toBe('access-2');
	}, 10_000);

	it.each([
		['', TRUSTED],
		[', also while it is not known whether AiClk’s rejections can be believed', {}],
	])(
		'Get Status with Verify says that a rejected token could not be refreshed%s',
		async (_, trust) => {
			const rig = new TokenRig(rowWithToken(DAY_MS, trust));
			onRefresh(() => [500, '<html>']);
			onAccountInfo(() => [200, REJECTED]);
			expect(outputOf(await rig.run(VERIFY))).toMatchObject({
				status: 'rejected',
				valid: false,
				refreshed: false,
				message: 'AiClk could not refresh the access token: HTTP 500. Try again in a few minutes.',
			});
			expect(rig.helper.row.accessToken).toBe('access-1');
		},
		10_000,
	);

	it('Get Status with Verify outputs why there is no token and does not fail', async () => {
		const rig = new TokenRig();
		onRefresh(() => [200, { code: 400, message: '参数错误' }]);
		expect(outputOf(await rig.run(VERIFY))).toMatchObject({
			status: 'missing',
			valid: false,
			reason: 'refused',
			message:
				"AiClk refused to refresh the access token: 参数错误 (code 400). Check the 'Client ID' and the 'Refresh Token'.",
		});
	});
});

describe('a refresh that fails', () => {
	it("a refused refresh shows AiClk's words and what to do, and stores nothing", async () => {
		const rig = new TokenRig();
		const before = { ...rig.helper.row };
		onRefresh(() => [200, { code: 400, message: '参数错误', trace_id: 'cc33' }]);
		const error = await failureOf<NodeApiError>(rig.run(REFRESH));
		expect(error.message).toMatch(
			/^AiClk refused to refresh the access token: 参数错误 \(code 400\)/,
		);
		expect(error.description).toMatch(/^If both are as AiClk shows them.*trace_id: cc33\.$/);
		expect(error.failure).toMatchObject({ cause: 'credential-invalid' });
		expect(rig.helper.row).toEqual(before);
		expect(shown(error)).not.toContain(before.refreshToken);
	});

	it('a new refresh token without an access token is stored, and Refresh says that it failed', async () => {
		const rig = rigWithToken(DAY_MS);
		onRefresh(() => [200, issued('', { refresh_token: 'rotated-9' })]);
		const sent = onAccountInfo();
		const error = await failureOf<NodeApiError>(rig.run(REFRESH));
		expect(error.message).toMatch(/^AiClk answered with a token that cannot be used/);
		expect(rig.helper.row).toMatchObject({
			accessToken: 'access-1',
			rotatedRefreshToken: 'rotated-9',
		});
		expect(sent).toEqual([]);
	});

	it('a Refresh that shares a refresh lost in a collision says so', async () => {
		const rig = new TokenRig(rowWithToken(DAY_MS));
		onRefresh(() => [200, issued('access-2')]);
		onAccountInfo(() => [200, REJECTED]);
		const verify = rig.run(VERIFY);
		await sleep(4_500);
		const error = await failureOf<NodeApiError>(rig.run(REFRESH));
		expect(error.message).toMatch(/^Another n8n process refreshed the AiClk access token/);
		await verify;
	}, 40_000);

	it('an unreachable AiClk is named in the error, which holds nothing of the request', async () => {
		const rig = new TokenRig();
		nock.cleanAll();
		nock(API).post('/oauth2/token').replyWithError(networkError('ECONNREFUSED'));
		const error = await failureOf<NodeApiError>(rig.run(REFRESH));
		expect(error.message).toBe(
			"AiClk (https://openapi.aiclk.com) could not be reached to refresh the access token: the connection was refused. Check the 'Base URL', and the network and proxy of n8n.",
		);
		expect(error.failure).toMatchObject({ cause: 'temporarily-unavailable' });
		expect(shown(error)).not.toContain(rig.helper.row.refreshToken);
	});

	it('a redirect of the token endpoint is not followed', async () => {
		const rig = new TokenRig();
		nock.cleanAll();
		const elsewhere = nock('https://evil.example').post(/.*/).reply(200, issued('evil'));
		nock(API)
			.post('/oauth2/token')
			.reply(307, '', { location: 'https://evil.example/oauth2/token' });
		const error = await failureOf<NodeApiError>(rig.run(REFRESH));
		expect(error.message).toContain('HTTP 307');
		expect(elsewhere.isDone()).toBe(false);
	});

	it('the 301st refresh of a day is refused without a request, and the error says when the day ends', async () => {
		const rig = rigWithToken();
		const state = JSON.parse(rig.helper.row.tokenState as string) as IDataObject;
		const { clientKey } = inputOf(rig.helper.row);
		const quota = { clientKey, day: quotaDay(Date.now()), attempts: 300 };
		rig.helper.row.tokenState = JSON.stringify({ ...state, quota });
		const refreshes = onRefresh();
		const error = await failureOf<NodeApiError>(rig.run(REFRESH));
		expect(error.message).toMatch(/^All 300 refreshes.* Wait until \d{4}-\d\d-\d\dT16:00:00\.000Z/);
		expect(error.failure).toMatchObject({
			cause: 'quota-exhausted',
			resetsAtEpochMs: expect.any(Number) as number,
		});
		expect(refreshes).toEqual([]);
	});

	it('a failed refresh outputs an error item if the node continues on error', async () => {
		const rig = new TokenRig();
		onRefresh(() => [500, '']);
		const items = await rig.run(REFRESH, undefined, {
			onError: 'continueRegularOutput',
		});
		expect(items).toEqual([
			errorItem(0, {
				message: 'AiClk could not refresh the access token: HTTP 500. Try again in a few minutes.',
				description: expect.stringMatching(/^Nothing of this answer was stored/),
			}),
		]);
	});
});

describe('bad input is a clear error before any request', () => {
	it.each<[string, IDataObject, string]>([
		['an unknown operation', { operation: 'destroy' }, 'operation'],
		['an unknown time', { operation: 'refresh', when: 'never' }, 'when'],
		['days below 0', { ...WHEN_EXPIRING, withinDays: -1 }, 'Within Days'],
		[
			'days above 90',
			{ ...WHEN_EXPIRING, withinDays: 91 },
			"'Within Days' is '91', which is above 90",
		],
		['no days', { ...WHEN_EXPIRING, withinDays: null }, 'Within Days'],
		['a verify that is no boolean', { ...STATUS, verify: 'yes' }, 'Verify'],
		[
			'an option that is no boolean',
			{ ...STATUS, options: { includeAccessToken: 'yes' } },
			'Include Access Token',
		],
	])('%s is an error that names the field', async (_, parameters, field) => {
		const error = await failureOf<NodeApiError>(new TokenRig().run(parameters));
		expect(error.constructor.name).toBe('NodeOperationError');
		expect(error.message.toLowerCase()).toContain(field.toLowerCase());
		expect(error.description).toEqual(expect.any(String));
	});

	it('a missing credential is an error before any request', async () => {
		const run = new TokenRig().run(STATUS, undefined, { credentials: undefined });
		expect((await failureOf<NodeApiError>(run)).message).toContain('credentials');
	});

	it('an incomplete credential is an error before any request', async () => {
		const rig = new TokenRig(newRow({ refreshToken: ' ' }));
		const error = await failureOf<NodeApiError>(rig.run(REFRESH));
		expect(error.message).toMatch(/^The AiClk API credential has no 'Refresh Token'/);
		expect(error.failure).toMatchObject({ cause: 'configuration-invalid' });
	});
});

describe('as a tool of an AI agent', () => {
	const TOOL = { type: 'n8n-nodes-aiclk.aiClkTokenTool' };

	it.each<[string, IDataObject, RegExp]>([
		[
			'the access token is not shown',
			{ ...STATUS, options: { includeAccessToken: true } },
			/never shown the access token/,
		],
		['the token is not refreshed at any age', REFRESH, /only when it expires soon/],
	])('for an AI agent, %s', async (_, parameters, message) => {
		const refreshes = onRefresh();
		const error = await failureOf<NodeApiError>(new TokenRig().run(parameters, undefined, TOOL));
		expect(error.message).toMatch(message);
		expect(refreshes).toEqual([]);
	});

	it('for an AI agent, a token that expires soon is refreshed', async () => {
		const refreshes = onRefresh();
		const rig = new TokenRig();
		const items = await rig.run(WHEN_EXPIRING, undefined, TOOL);
		expect(outputOf(items)).toMatchObject({ refreshed: true, valid: true });
		expect(refreshes).toHaveLength(1);
	});
});

describe('a credential that differs from item to item', () => {
	it('a credential that differs between items is refused with a text that names Loop Over Items', async () => {
		const rig = new TokenRig();
		let reads = 0;
		rig.helper.getDecrypted = async () => ({
			...rig.helper.row,
			clientId: String(++reads),
		});
		const refreshes = onRefresh();
		const error = await failureOf<NodeApiError>(rig.run(REFRESH, [{ json: {} }, { json: {} }]));
		expect(error.message).toBe('The credential of item 1 differs from that of item 0');
		expect(error.description).toContain('Loop Over Items');
		expect(refreshes).toEqual([]);
	});

	it('a credential with expressions is refused on n8n before 2.34, which would overwrite them', async () => {
		const rig = new TokenRig(newRow({ clientId: '={{ $json.client }}' }));
		delete rig.helper.parseJsonLeafExpressionFields;
		const refreshes = onRefresh();
		const error = await failureOf<NodeApiError>(rig.run(REFRESH));
		expect(error.message).toMatch(/n8n before 2\.34 overwrites them/);
		expect(refreshes).toEqual([]);
	});
});

describe('the refreshes on record', () => {
	it('the recorded refresh names the workflow of the AiClk Token node', async () => {
		const [item] = await new TokenRig().run(REFRESH);
		expect(item?.json.recentRefreshes).toEqual([
			{
				at: expect.any(String) as string,
				reason: 'forced',
				workflowId: 'w1',
				workflowName: 'Rotation',
			},
		]);
	});
});

it('a token that n8n could run as an expression is not stored', async () => {
	const rig = new TokenRig();
	onRefresh(() => [200, issued('={{ $env.PATH }}')]);
	const error = await failureOf<NodeApiError>(rig.run(REFRESH));
	expect(error.message).toMatch(/^AiClk answered with a token that cannot be used/);
	expect(readToken(rig.helper.row)).toBeNull();
});
