import type {
	ICredentialDataDecryptedObject,
	IHttpRequestHelper,
	INode,
	INodeTypes,
} from 'n8n-workflow';
import { NodeApiError, Workflow } from 'n8n-workflow';

import { FailureError } from '../../aiclk/util/failure';
import { IGNORED_CHARACTERS } from '../../aiclk/token/input';
import { AiClkApi } from '../../credentials/AiClkApi.credentials';
import { answer, emptyRow, FakeAiClk, tokenOf } from '../harness/fakes';

const credential = new AiClkApi();
let aiclk: FakeAiClk;

beforeEach(() => {
	aiclk = new FakeAiClk();
});

const field = (name: string) => credential.properties.find((property) => property.name === name);

const nodeOf = (name: string, type: string): INode => ({
	id: '1',
	name,
	type,
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
});

/** Each test types a client id of its own: the credential's memory is that of the whole process. */
let clients = 0;
const typed = () => emptyRow({ clientId: String(++clients) }) as ICredentialDataDecryptedObject;

/** n8n asks the hook for a token. */
const ask = async (row: ICredentialDataDecryptedObject) => {
	const helpers = { httpRequest: aiclk.http };
	return await credential.preAuthentication.call({ helpers } as unknown as IHttpRequestHelper, row);
};

/** What is thrown in place of a token. */
const failureOf = async (row = typed()): Promise<unknown> =>
	await ask(row).catch((error: unknown) => error);

const TARGET = 'https://openapi.aiclk.com/a';

/** @returns the request as it is sent */
const authenticate = credential.authenticate as unknown as (
	row: object,
	options: object,
) => Promise<Record<string, unknown>>;

describe('the fields', () => {
	it('shows four fields in the dialog of the credential', () => {
		const visible = credential.properties.filter(({ type }) => type !== 'hidden');
		expect(visible.map(({ name }) => name)).toEqual([
			'clientId',
			'refreshToken',
			'accountId',
			'baseUrl',
		]);
		expect(field('refreshToken')?.typeOptions?.password).toBe(true);
	});

	it.each(['accessToken', 'tokenState', 'rotatedRefreshToken', 'tokenRenewal'])(
		'the field %s is hidden, masked and empty by default',
		(name) => {
			expect(field(name)).toMatchObject({
				type: 'hidden',
				default: '',
				typeOptions: { password: true },
			});
		},
	);

	it('tokenRenewal is the only field that n8n treats as expirable', () => {
		const expirable = credential.properties.filter(({ typeOptions }) => typeOptions?.expirable);
		expect(expirable.map(({ name }) => name)).toEqual(['tokenRenewal']);
	});

	it('declares n8n’s domain field, so that n8n adds none to the dialog', () => {
		expect(field('allowedHttpRequestDomains')).toMatchObject({ type: 'hidden', default: 'all' });
	});
});

it('authenticate is an own property, which HTTP Request looks for', () => {
	expect(Object.hasOwn({ ...credential }, 'authenticate')).toBe(true);
});

describe('whether a request was sent', () => {
	/** @returns what n8n sends, and how often the request was marked as sent */
	async function send(options: object) {
		const row = typed();
		Object.assign(row, await ask(row));
		const onSend = jest.fn();
		const sent = await authenticate(row, { url: TARGET, onSend, ...options }).catch(() => null);
		return { sent, marks: onSend.mock.calls.length };
	}

	it('a request that leaves is marked, and n8n does not see the mark', async () => {
		const { sent, marks } = await send({});
		expect(sent).toMatchObject({ url: TARGET, headers: { OGW_ACCESS_TOKEN: 'access-1' } });
		expect(sent).not.toHaveProperty('onSend');
		expect(marks).toBe(1);
	});

	it('a request of another node, which asks for no mark, is sent', async () => {
		expect((await send({ onSend: undefined })).sent).toMatchObject({ url: TARGET });
	});

	it.each<[string, object]>([
		['to another host', { url: 'https://evil.example/' }],
		['of a run that was stopped', { abortSignal: AbortSignal.abort() }],
		['with an impossible time limit', { totalTimeoutMs: NaN }],
	])('a request %s is not marked', async (_, options) => {
		expect(await send(options)).toEqual({ sent: null, marks: 0 });
	});
});

describe('the hook', () => {
	it('the hook returns the fields to store, then {} while the token is valid', async () => {
		const row = typed();
		const stored = await ask(row);
		expect(tokenOf({ ...row, ...stored }).accessToken).toBe('access-1');
		const again = await ask({ ...row, ...stored });
		expect(again).toEqual({});
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('the hook throws an error with a text for a person', async () => {
		aiclk.refreshReply = () => ({ statusCode: 500, body: '<html>' });
		await expect(ask(typed())).rejects.toBeInstanceOf(FailureError);
	});

	it('the hook probes the token when asked again with the same credentials', async () => {
		const row = typed();
		Object.assign(row, await ask(row));
		const sent = await authenticate(row, { method: 'POST', url: TARGET });
		expect(sent).toMatchObject({ headers: { OGW_ACCESS_TOKEN: 'access-1' } });

		expect(await ask(row)).toEqual({});
		expect(aiclk.checks).toEqual(['access-1']);
		expect(aiclk.refreshes).toHaveLength(1);
	});
});

describe('what n8n shows of an error', () => {
	/** The words that n8n replaces a message for (n8n-workflow node.error.js, COMMON_ERRORS). */
	const REPLACED = [
		...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'ERRADDRINUSE', 'EADDRNOTAVAIL'],
		...['ECONNABORTED', 'EHOSTUNREACH', 'EAI_AGAIN', 'ENOENT', 'EISDIR', 'ENOTDIR', 'EACCES'],
		...['EEXIST', 'EPERM', 'GETADDRINFO'],
	];
	const WORDS = [
		...REPLACED,
		...REPLACED.map((word) => `x${word.toLowerCase()}y,`),
		...['CreativeNotFound', 'usernameExists', 'fileEnoentry', 'https://openotfound.cn'],
	];
	const SHOP = nodeOf('Call', 'n8n-nodes-base.httpRequest');
	/** n8n wraps what the hook throws (n8n-core authentication.js). */
	const shownOf = (error: unknown) => new NodeApiError(SHOP, error as never);

	it.each(WORDS)('the words of a failed refresh are shown: %s', async (word) => {
		aiclk.refreshReply = () =>
			answer({ code: 400, message: `账户 ${word} 无效`, trace_id: 'aa11' });
		const error: unknown = await failureOf();
		const { message, description } = shownOf(error);
		expect(message).toBe(
			"AiClk refused to refresh the access token: 账户 … 无效 (code 400). Check the 'Client ID' and the 'Refresh Token'.",
		);
		expect(description).toContain(`账户 ${word} 无效`);
		expect(description).toContain('aa11');
	});

	it.each(['https://enotfound.cn', 'https://api.eexist.example'])(
		'a base URL does not hide what happened: %s',
		async (baseUrl) => {
			const row = { ...typed(), baseUrl };
			aiclk.refreshReply = () => {
				throw Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
			};
			const thrown: unknown = await failureOf(row);
			expect(shownOf(thrown).message).toMatch(
				/^AiClk … could not be reached to refresh the access token: the connection was refused/,
			);
			const fresh = { ...typed(), baseUrl };
			const refused: unknown = await authenticate(fresh, { url: 'https://other.example' }).catch(
				(error: unknown) => error,
			);
			expect(shownOf(refused).message).toMatch(/^The AiClk API credential is for … only/);
			expect(shownOf(refused).description).toContain(new URL(baseUrl).host);
		},
	);

	it('a message without such words is left as it is', async () => {
		aiclk.refreshReply = () => answer({ code: 400, message: '无效' });
		const error: unknown = await failureOf();
		expect(shownOf(error).message).toContain('无效 (code 400)');
		expect(shownOf(error).description).not.toContain('无效');
	});
});

describe('a refresh token without a usable access token', () => {
	it('a refresh token alone is stored, and the request is refused', async () => {
		aiclk.refreshReply = () => answer({ code: 200, data: { refresh_token: 'rotated-1' } });
		const row = typed();
		const stored = await ask(row);
		expect(stored).toMatchObject({ rotatedRefreshToken: 'rotated-1' });
		const sent = authenticate(Object.assign(row, stored), { url: TARGET });
		await expect(sent).rejects.toThrow('AiClk answered with a token that cannot be used');
	});
});

describe('the test', () => {
	const { request, rules = [] } = credential.test;

	const node = nodeOf('Temp-Node', 'noOp');
	const nodeTypes = {
		getByNameAndVersion: () => ({ description: { properties: [] } }),
	} as unknown as INodeTypes;
	const { expression } = new Workflow({
		nodes: [node],
		connections: {},
		active: false,
		nodeTypes,
	});

	/** The value of an expression, as n8n resolves it for a test (n8n-core routing-node.js). */
	const resolve = (text: string | undefined, $credentials: ICredentialDataDecryptedObject) =>
		expression.getParameterValue(text ?? '', null, 0, 0, node.name, [], 'internal', {
			$credentials,
		});

	/** What the dialog says of a body, as n8n reads its rules; undefined for a success. */
	const saysOf = (body: unknown): string | undefined =>
		rules
			.filter((rule) => rule.type === 'responseSuccessBody')
			.find(
				({ properties: { key, value } }) =>
					(body as Record<string, unknown> | null)?.[key] === value,
			)?.properties.message;

	it('the test ignores the same characters as the hook', () => {
		expect(request.baseURL).toContain(`.replace(/${IGNORED_CHARACTERS}/g, '')`);
		expect(request.qs?.account_id).toContain(`.replace(/${IGNORED_CHARACTERS}/g, '')`);
	});

	it.each([
		['', 'arraybuffer'],
		[' \u200b', 'arraybuffer'],
		[null, 'arraybuffer'],
		['1000002', 'json'],
		[1000002, 'json'],
	])('with the Account ID %j the test asks for an answer as %s', (accountId, encoding) => {
		expect(resolve(request.encoding, { accountId } as never)).toBe(encoding);
	});

	it('the test succeeds when AiClk shows the account', () => {
		expect(saysOf({ code: 200, data: { account_id: 1000002 } })).toBeUndefined();
	});

	it('the test fails for a rejected token, with HTTP 200 and HTTP 401', () => {
		const message = expect.stringContaining('AiClk does not accept the access token');
		expect(saysOf({ code: 401, data: null })).toEqual(message);
		expect(rules.find(({ type }) => (type as string) === 'responseCode')).toMatchObject({
			properties: { value: 401, message },
		});
	});

	it('the test fails for an account that AiClk does not show', () => {
		expect(saysOf({ code: 400, data: null })).toMatch(/^The token works, but .* 'Account ID'/);
	});

	it('without an Account ID the test says that saving is fine', () => {
		const bytes = Buffer.from(JSON.stringify({ code: 400, data: null }));
		expect(saysOf(bytes)).toMatch(/^This credential works: AiClk issued an access token\. /);
	});

	it('the test fails for truncated JSON', () => {
		expect(saysOf('{"code":200,"data":{"acc')).toMatch(/^AiClk's answer broke off/);
	});

	it('the test fails for a web page in AiClk’s place', () => {
		expect(saysOf('<!doctype html>')).toMatch(/^A web page answered/);
		expect(saysOf(Buffer.from('<!doctype html>'))).toMatch(/^A web page answered/);
	});
});
