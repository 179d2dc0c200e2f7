import { createSandbox, DEFAULT_CLIENT, type Fault, type Sandbox } from './server';

let sandbox: Sandbox;

beforeEach(async () => {
	sandbox = await createSandbox();
});

afterEach(async () => {
	await sandbox.close();
});

interface Body {
	code: number;
	message: string;
	data: Record<string, unknown> | null;
	trace_id: string;
}

function form(fields: Record<string, string>): FormData {
	const body = new FormData();
	for (const [name, value] of Object.entries(fields)) body.append(name, value);
	return body;
}

const CREDENTIALS = {
	client_id: DEFAULT_CLIENT.clientId,
	refresh_token: DEFAULT_CLIENT.refreshToken,
};

async function refresh(fields: Record<string, string> = CREDENTIALS): Promise<Body> {
	const response = await fetch(`${sandbox.url}/oauth2/token`, {
		method: 'POST',
		body: form(fields),
	});
	return (await response.json()) as Body;
}

const newToken = async (): Promise<string> => String((await refresh()).data?.access_token);

async function call(path: string, token?: string, init: RequestInit = {}) {
	const response = await fetch(`${sandbox.url}${path}`, {
		redirect: 'manual',
		...init,
		headers: { ...init.headers, ...(token !== undefined && { OGW_ACCESS_TOKEN: token }) },
	});
	const text = await response.text();
	return {
		status: response.status,
		retryAfter: response.headers.get('retry-after'),
		text,
		body: (text.endsWith('}') ? JSON.parse(text) : null) as Body,
	};
}

/** A path with the JSON object that most lists take. */
const withQuery = (path: string, query: object) =>
	`/openapi/v1/${path}?account_id=1000002&query=${encodeURIComponent(JSON.stringify(query))}`;

const postOf = (body: object): RequestInit => ({
	method: 'POST',
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(body),
});

const accountInfo = (accountId = '1000002', query = '{"fields":["account_id","balance"]}') =>
	`/openapi/v1/account/info?account_id=${accountId}&query=${encodeURIComponent(query)}`;

describe('POST /oauth2/token', () => {
	it('answers as documented', async () => {
		expect(await refresh()).toEqual({
			code: 200,
			message: 'Success',
			data: {
				access_token: expect.stringMatching(/^[0-9a-f]{64}$/),
				expires_in: 7778159,
				token_type: 'OGW_ACCESS_TOKEN',
			},
			trace_id: expect.stringMatching(/^[0-9a-f]{16}$/),
		});
	});

	it.each([
		['an unknown client', { ...CREDENTIALS, client_id: '7' }, 'client_id 不存在'],
		['another refresh token', { ...CREDENTIALS, refresh_token: 'x' }, 'refresh_token 无效'],
		['a third field', { ...CREDENTIALS, grant_type: 'refresh_token' }, /只接受/],
		['a missing field', { client_id: DEFAULT_CLIENT.clientId }, /只接受/],
	])('refuses %s', async (_, fields, message) => {
		const body = await refresh(fields as Record<string, string>);
		expect(body).toMatchObject({ code: 400, data: null });
		expect(body.message).toMatch(message);
	});

	it('takes multipart only', async () => {
		const { body } = await call('/oauth2/token', undefined, {
			method: 'POST',
			body: new URLSearchParams(CREDENTIALS),
		});
		expect(body).toMatchObject({ code: 400, data: null });
	});

	it('refuses what goes beyond the cap of a day in China, until the next day', async () => {
		sandbox.configure({ refreshCap: 2 });
		const codes = [];
		for (let i = 0; i < 3; i++) codes.push((await refresh()).code);
		expect(codes).toEqual([200, 200, 429]);
		expect(sandbox.state()).toMatchObject({ refreshesToday: 3, refreshesInAll: 3 });
		sandbox.advance(86_400_000);
		expect((await refresh()).code).toBe(200);
		expect(sandbox.state()).toMatchObject({ refreshesToday: 1, refreshesInAll: 4 });
	});

	it('rotates refresh tokens when told to: the old one dies', async () => {
		sandbox.configure({ rotateRefreshToken: true });
		const { data } = await refresh();
		expect((await refresh()).message).toBe('refresh_token 无效');
		const rotated = { ...CREDENTIALS, refresh_token: String(data?.refresh_token) };
		expect((await refresh(rotated)).code).toBe(200);
	});

	it.each([
		['lenient', 'live'],
		['strict', 'dead'],
	] as const)('in %s mode leaves older tokens %s', async (mode, kind) => {
		sandbox.configure({ mode });
		const old = await newToken();
		await newToken();
		await call(accountInfo(), old);
		expect(sandbox.journal().at(-1)?.token).toBe(kind);
	});
});

describe('access tokens', () => {
	it('die by the clock, which can be moved', async () => {
		const token = await newToken();
		sandbox.advance(7_778_159_000 - 5_000);
		expect((await call(accountInfo(), token)).body.code).toBe(200);
		sandbox.advance(5_000);
		expect((await call(accountInfo(), token)).body.code).toBe(401);
		expect(sandbox.state()).toMatchObject({ callsWithDeadToken: 1, liveAccessTokens: 0 });
	});

	it.each([
		['http-401', 401],
		['body-401', 200],
	] as const)('that are dead are answered %s', async (deadTokenAnswer, status) => {
		sandbox.configure({ deadTokenAnswer });
		const token = await newToken();
		sandbox.revoke(token);
		for (const candidate of [token, 'unknown', undefined]) {
			const answer = await call(accountInfo(), candidate);
			expect(answer).toMatchObject({ status, body: { code: 401, data: null } });
		}
		const kinds = sandbox.journal().map(({ token: kind }) => kind);
		expect(kinds.slice(-3)).toEqual(['dead', 'unknown', 'missing']);
	});
});

describe('the API', () => {
	it('reads an account, with the fields asked for', async () => {
		const { body } = await call(accountInfo(), await newToken());
		expect(body.data).toEqual({ account_id: 1000002, balance: 10000032 });
	});

	it.each([
		[accountInfo('7'), 200, 400],
		['/openapi/v1/account/info', 200, 400],
		[accountInfo('1000002', '{"fields":[]}'), 200, 400],
		[accountInfo('1000002', '{'), 200, 400],
		['/openapi/v1/nothing', 404, 404],
		['/openapi/v1/sandbox/status/503', 503, 503],
	])('answers %s with HTTP %i and code %i', async (path, status, code) => {
		const answer = await call(path, await newToken());
		expect(answer).toMatchObject({ status, body: { code, data: null } });
	});

	it('pages through 250 days of spending', async () => {
		const token = await newToken();
		const days = { fields: ['date'], start_date: '2000-01-01', end_date: '2999-12-31' };
		const pages = [];
		for (const page of [1, 2, 3, 4]) {
			const path = withQuery('account_fund/list', { ...days, page, page_size: 100 });
			const { body } = await call(path, token);
			pages.push((body.data?.list as unknown[]).length);
			expect(body.data?.page_info).toMatchObject({ total_number: 250 });
		}
		expect(pages).toEqual([100, 100, 50, 0]);
	});

	const listOf = async (path: string, query: object) => {
		const { body } = await call(withQuery(path, query), await newToken());
		return body.data?.list as Array<Record<string, unknown>>;
	};

	it.each([
		['creative/get', { configure_status: ['PAUSED'] }, 'configure_status', ['PAUSED']],
		['creative/get', { campaign_id: 300001 }, 'campaign_id', [300001]],
		[
			'creative/get',
			{ created_at: { start: '2026-01-05', end: '2026-01-05' } },
			'created_at',
			['2026-01-05 12:00:00'],
		],
		['material/get', { material_id: [50001, 50002] }, 'material_id', [50001, 50002]],
		['material/get', { material_id: [50003] }, 'material_id', []],
		['material/get', { material_status: ['DELETED'] }, 'material_status', ['DELETED']],
		['material/get', { page_size: 1, order_by: [['material_id', 'desc']] }, 'material_id', [50249]],
	])('filters %s by %j', async (path, query, field, values) => {
		const rows = await listOf(path, { page_size: 100, ...query, fields: [field] });
		expect([...new Set(rows.map((row) => row[field]))].sort()).toEqual(values);
	});

	it('lists monitor links as a bare array, by plain parameters', async () => {
		const path = '/openapi/v1/conv/targeturl_monitor/list?account_id=1000002&adgroup_id=20195331';
		const { body } = await call(`${path}&page_size=100`, await newToken());
		expect(body.data).toHaveLength(12);
	});

	it('gives no more rows a page than maxPageSize, and names the size it used', async () => {
		sandbox.configure({ maxPageSize: 20, creatives: 30 });
		const token = await newToken();
		const read = async (page: number) => {
			const query = { fields: ['creative_name'], page, page_size: 100 };
			const { data } = (await call(withQuery('creative/get', query), token)).body;
			return { rows: (data?.list as unknown[]).length, info: data?.page_info };
		};
		const info = { page_size: 20, total_number: 30 };
		expect(await read(1)).toEqual({ rows: 20, info: { page: 1, ...info } });
		expect(await read(2)).toEqual({ rows: 10, info: { page: 2, ...info } });
		const links = '/openapi/v1/conv/targeturl_monitor/list?account_id=1000002&page_size=100';
		expect((await call(links, token)).body.data).toHaveLength(20);
	});

	it('moves money as long as there is some, and takes it back', async () => {
		const token = await newToken();
		const charge = async (money: number) => {
			const path = '/openapi/v1/charge/agent?account_id=1000002';
			return (await call(path, token, postOf({ target_user: 1, money }))).body.message;
		};
		const messages = [await charge(50_000_000), await charge(1), await charge(-1), await charge(1)];
		expect(messages).toEqual(['success', '账户余额不足', 'success', 'success']);
	});

	it.each(['adaccount/customer/create', 'adaccount/customer/update', 'charge/agent-coupon'])(
		'refuses a body without what %s needs',
		async (path) => {
			const url = `/openapi/v1/${path}?account_id=1000002`;
			const { body } = await call(url, await newToken(), postOf({}));
			expect(body).toMatchObject({ code: 400, message: expect.stringMatching('缺少参数') });
		},
	);

	it('takes a file', async () => {
		const file = new FormData();
		file.append('file', new Blob(['abc']), 'a.png');
		const init = { method: 'POST', body: file };
		const path = '/openapi/v1/material/upload?account_id=1000002';
		const { body } = await call(path, await newToken(), init);
		expect(body.data).toMatchObject({ id: 24198456, name: 'a.png', pid: 0 });
		const [entry] = sandbox.journal().slice(-1);
		expect(entry?.bodyFields).toEqual(['file']);
	});

	it('redirects to where a test wants it', async () => {
		const path = `/openapi/v1/sandbox/redirect?to=${encodeURIComponent('http://127.0.0.1:1/')}`;
		expect((await call(path, await newToken())).status).toBe(302);
	});

	it('reads and writes ids beyond 2^53 with every digit', async () => {
		const query = '{"creative_id":[18446744073709551614],"fields":["creative_id"]}';
		const path = `/openapi/v1/creative/get?account_id=1000002&query=${encodeURIComponent(query)}`;
		const { text } = await call(path, await newToken());
		expect(text).toContain('"list":[{"creative_id":18446744073709551614}]');
	});
});

describe('throttling', () => {
	/** Sends this many requests at once. */
	const burst = async (count: number, token?: string) =>
		await Promise.all(Array.from({ length: count }, async () => await call(accountInfo(), token)));

	it('is off by default', async () => {
		const answers = await burst(50, await newToken());
		expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
	});

	it('refuses what exceeds the limit of a second, until the second is over', async () => {
		sandbox.configure({ requestsPerSecond: 3 });
		const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now());
		const token = await newToken();
		const statuses = async () => (await burst(5, token)).map(({ status }) => status).sort();
		expect(await statuses()).toEqual([200, 200, 200, 429, 429]);
		expect(await statuses()).toEqual([429, 429, 429, 429, 429]);
		sandbox.advance(999);
		expect(await statuses()).toEqual([429, 429, 429, 429, 429]);
		sandbox.advance(1);
		expect(await statuses()).toEqual([200, 200, 200, 429, 429]);
		clock.mockRestore();
	});

	it.each(['1', 'Wed, 21 Oct 2026 07:28:00 GMT', null])(
		'refuses with HTTP 429 and Retry-After %s',
		async (retryAfter) => {
			sandbox.configure({ requestsPerSecond: 0, retryAfter });
			const answer = await call(accountInfo(), await newToken());
			expect(answer).toMatchObject({ status: 429, body: { code: 429, data: null }, retryAfter });
			const [entry] = sandbox.journal().slice(-1);
			expect(entry).toMatchObject({ kind: 'api', token: 'live', status: 429, code: 429 });
		},
	);

	it('comes before the token check and the delay', async () => {
		sandbox.configure({ requestsPerSecond: 0, apiDelayMs: 5_000 });
		const before = Date.now();
		expect((await call(accountInfo(), 'unknown')).status).toBe(429);
		expect(Date.now() - before).toBeLessThan(2_000);
		expect(sandbox.state()).toMatchObject({ apiCalls: 0, callsWithDeadToken: 0 });
	});

	it('leaves the token endpoint alone', async () => {
		sandbox.configure({ requestsPerSecond: 0 });
		expect((await refresh()).code).toBe(200);
	});
});

describe('faults', () => {
	const faults: Array<[Fault, number, string | RegExp]> = [
		[{ kind: 'status', status: 500 }, 500, /"code":500/],
		[{ kind: 'html' }, 200, /^<!doctype html>/],
		[{ kind: 'broken-json' }, 200, /^\{"code":200.*[^}]$/],
		[{ kind: 'empty' }, 200, ''],
		[{ kind: 'raw', status: 418, body: 'x' }, 418, 'x'],
		[{ kind: 'data', data: { access_token: '={{1}}' } }, 200, /=\{\{1\}\}/],
	];

	it.each(faults)(
		'%j is answered by the token endpoint and by the API',
		async (fault, status, text) => {
			const token = await newToken();
			sandbox.configure({ tokenFault: fault, apiFault: fault });
			const init = { method: 'POST', body: form(CREDENTIALS) };
			for (const answer of [
				await call('/oauth2/token', undefined, init),
				await call(accountInfo(), token),
			]) {
				expect(answer.status).toBe(status);
				expect(answer.text).toMatch(text);
			}
			expect(sandbox.state().refreshesInAll).toBe(2);
		},
	);

	it('can cut the connection', async () => {
		sandbox.configure({ tokenFault: { kind: 'drop' } });
		await expect(refresh()).rejects.toThrow();
		expect(sandbox.journal().at(-1)).toMatchObject({ kind: 'refresh', status: 0 });
	});

	it('end by themselves', async () => {
		sandbox.configure({ tokenFault: { kind: 'status', status: 500, times: 2 } });
		const codes = [];
		for (let i = 0; i < 3; i++) codes.push((await refresh()).code);
		expect(codes).toEqual([500, 500, 200]);
		expect(sandbox.settings().tokenFault).toBeNull();
	});

	it('do not hide a dead token', async () => {
		sandbox.configure({ apiFault: { kind: 'status', status: 500 } });
		expect((await call(accountInfo(), 'unknown')).status).toBe(401);
	});

	it('include being slow', async () => {
		const token = await newToken();
		const elapsed = async (request: () => Promise<unknown>) => {
			const before = Date.now();
			await request();
			return Date.now() - before;
		};
		sandbox.configure({ tokenDelayMs: 60, apiDelayMs: 120 });
		expect(await elapsed(refresh)).toBeGreaterThanOrEqual(55);
		expect(await elapsed(() => call(accountInfo(), token))).toBeGreaterThanOrEqual(115);
		expect(await elapsed(() => call('/openapi/v1/sandbox/echo', token))).toBeGreaterThanOrEqual(
			115,
		);
	});
});

describe('the journal', () => {
	it('tells what arrived, and whether twice the same, without a secret', async () => {
		const token = await newToken();
		const init = postOf({ a: 1 });
		await call('/openapi/v1/sandbox/echo?x=1', token, init);
		await call('/openapi/v1/sandbox/echo?x=1', token, init);
		const [first, second, third] = sandbox.journal();
		const bodyFields = ['client_id', 'refresh_token'];
		expect(first).toMatchObject({ kind: 'refresh', status: 200, code: 200, bodyFields });
		const posted = { kind: 'api', method: 'POST', token: 'live', query: { x: '1' }, code: 200 };
		expect(second).toMatchObject(posted);
		expect(third?.bodySha256).toBe(second?.bodySha256);
		const text = JSON.stringify(sandbox.journal());
		expect(text).not.toContain(token);
		expect(text).not.toContain(DEFAULT_CLIENT.refreshToken);
		sandbox.clearJournal();
		expect(sandbox.journal()).toEqual([]);
	});
});

describe('control over HTTP', () => {
	const control = async (method: string, path: string, body?: unknown) => {
		const response = await fetch(`${sandbox.url}/__sandbox/${path}`, {
			method,
			...(body !== undefined && {
				body: JSON.stringify(body),
				headers: { 'content-type': 'application/json' },
			}),
		});
		return { status: response.status, body: (await response.json()) as unknown };
	};

	it('shows and changes what the sandbox does', async () => {
		const token = await newToken();
		await control('PATCH', 'settings', { mode: 'strict', tokenDelayMs: 1 });
		expect(sandbox.settings()).toMatchObject({ mode: 'strict', tokenDelayMs: 1 });
		expect((await control('GET', 'journal')).body).toHaveLength(1);
		expect((await control('GET', 'state')).body).toMatchObject({ liveAccessTokens: 1 });
		await control('POST', 'revoke', { accessToken: token });
		expect((await control('GET', 'state')).body).toMatchObject({ liveAccessTokens: 0 });
		await newToken();
		await control('POST', 'clock', { advanceMs: 90 * 86_400_000 + 3_600_000 });
		expect((await control('GET', 'state')).body).toMatchObject({
			liveAccessTokens: 0,
			refreshesToday: 0,
		});
		await control('DELETE', 'journal');
		expect(sandbox.journal()).toEqual([]);
	});

	it('changes and adds rows, and lets balances move', async () => {
		const token = await newToken();
		const read = async (path: string, query: object) => {
			return (await call(withQuery(path, query), token)).body.data as Record<string, unknown>;
		};
		const today = new Date(sandbox.now() + 8 * 3_600_000).toISOString().slice(0, 10);
		const changed = { fields: ['creative_id', 'audit_reason'], updated_at: { start: today } };
		expect((await read('creative/get', changed)).list).toEqual([]);
		const [id, audit_reason] = ['77777', '图片不清晰'];
		await control('POST', 'change', { kind: 'creative', id, fields: { audit_reason } });
		const row = { creative_id: 77_777, audit_reason };
		expect((await read('creative/get', changed)).list).toEqual([row]);

		const material = { material_id: [50_000], fields: ['material_id', 'material_status'] };
		const fields = { material_status: 'UN_PASSED' };
		await control('POST', 'change', { kind: 'material', id: '50000', fields });
		expect((await read('material/get', material)).list).toEqual([
			{ material_id: 50_000, ...fields },
		]);

		const move = { kind: 'account', id: '1000002', fields: { balance: 7 } };
		await control('POST', 'change', move);
		expect(await read('account/info', { fields: ['balance'] })).toEqual({ balance: 7 });
		sandbox.reset();
		expect(await read('account/info', { fields: ['balance'] })).toEqual({ balance: 10_000_032 });
	});

	it.each([
		['change', 'POST', { kind: 'odd', id: '1', fields: {} }, /'kind'/],
		['change', 'POST', { kind: 'creative', id: 'x', fields: {} }, /'kind'/],
		['settings', 'PATCH', { nonsense: 1 }, /no setting 'nonsense'/],
		['settings', 'PATCH', { mode: 'odd' }, /'mode' cannot be "odd"/],
		['settings', 'PATCH', { requestsPerSecond: 0.5 }, /'requestsPerSecond' cannot be 0.5/],
		['settings', 'PATCH', { retryAfter: 1 }, /'retryAfter' cannot be 1/],
		['settings', 'PATCH', { maxPageSize: 0 }, /'maxPageSize' cannot be 0/],
		['settings', 'PATCH', { tokenFault: { kind: 'odd' } }, /'tokenFault' cannot be/],
		['clock', 'POST', { advanceMs: 'x' }, /advanceMs/],
	])('%s refuses what it does not understand', async (path, method, body, error) => {
		const answer = await control(method, path, body);
		expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(error) } });
	});
});

it('says so when its port is taken', async () => {
	await expect(createSandbox({ port: sandbox.port })).rejects.toThrow(/Port \d+ is taken/);
});
