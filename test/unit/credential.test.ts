import type {
	ICredentialDataDecryptedObject,
	IHttpRequestHelper,
	IHttpRequestOptions,
} from 'n8n-workflow';

import { TokenError } from '../../aiclk/token/errors';
import { IGNORED_CHARACTERS } from '../../aiclk/token/input';
import { AiClkApi } from '../../credentials/AiClkApi.credentials';
import { answer, emptyRow, FakeAiClk, tokenOf } from './support';

const credential = new AiClkApi();
const field = (name: string) => credential.properties.find((property) => property.name === name);

/** Each test types a client id of its own: the credential's memory is that of the whole process. */
let clients = 0;
const typed = () => emptyRow({ clientId: String(++clients) }) as ICredentialDataDecryptedObject;

const helperOf = (aiclk: FakeAiClk): IHttpRequestHelper => ({
	helpers: { httpRequest: aiclk.http } as unknown as IHttpRequestHelper['helpers'],
});

describe('the fields', () => {
	it('are four that one sees', () => {
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
		'%s is hidden, masked and empty at first',
		(name) => {
			expect(field(name)).toMatchObject({
				type: 'hidden',
				default: '',
				typeOptions: { password: true },
			});
		},
	);

	it('have exactly one that n8n takes to be expirable', () => {
		const expirable = credential.properties.filter(({ typeOptions }) => typeOptions?.expirable);
		expect(expirable.map(({ name }) => name)).toEqual(['tokenRenewal']);
	});

	it('declare n8n’s domain field, so that n8n adds none to the dialog', () => {
		expect(field('allowedHttpRequestDomains')).toMatchObject({ type: 'hidden', default: 'all' });
	});
});

it('offers itself to HTTP Request, which looks for an own property `authenticate`', () => {
	expect(Object.hasOwn({ ...credential }, 'authenticate')).toBe(true);
});

describe('the hook', () => {
	it('gives n8n the fields to store, then nothing while the token is fresh', async () => {
		const aiclk = new FakeAiClk();
		const row = typed();
		const stored = await credential.preAuthentication.call(helperOf(aiclk), row);
		expect(tokenOf({ ...row, ...stored }).accessToken).toBe('access-1');
		const again = await credential.preAuthentication.call(helperOf(aiclk), { ...row, ...stored });
		expect(again).toEqual({});
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('throws what a person can read', async () => {
		const aiclk = new FakeAiClk();
		aiclk.refreshReply = () => ({ statusCode: 500, body: '<html>' });
		await expect(
			credential.preAuthentication.call(helperOf(aiclk), typed()),
		).rejects.toBeInstanceOf(TokenError);
	});

	it('knows a failed request by the credentials that it was sent with, and asks about the token', async () => {
		const aiclk = new FakeAiClk();
		const row = typed();
		Object.assign(row, await credential.preAuthentication.call(helperOf(aiclk), row));
		const options: IHttpRequestOptions = { method: 'POST', url: 'https://openapi.aiclk.com/a' };
		const sent = await (credential.authenticate as (c: object, o: object) => Promise<object>)(
			row,
			options,
		);
		expect(sent).toMatchObject({ headers: { OGW_ACCESS_TOKEN: 'access-1' } });

		expect(await credential.preAuthentication.call(helperOf(aiclk), row)).toEqual({});
		expect(aiclk.checks).toEqual(['access-1']);
		expect(aiclk.refreshes).toHaveLength(1);
	});
});

describe('an answer with a refresh token, but without a usable access token', () => {
	it('is stored, and the request is refused with the reason', async () => {
		const aiclk = new FakeAiClk();
		aiclk.refreshReply = () => answer({ code: 200, data: { refresh_token: 'rotated-1' } });
		const row = typed();
		const stored = await credential.preAuthentication.call(helperOf(aiclk), row);
		expect(stored).toMatchObject({ rotatedRefreshToken: 'rotated-1' });
		const send = credential.authenticate as (c: object, o: object) => Promise<object>;
		const sent = send(Object.assign(row, stored), { url: 'https://openapi.aiclk.com/a' });
		await expect(sent).rejects.toThrow('AiClk answered with a token that cannot be used');
	});
});

describe('the test', () => {
	it('ignores the same characters as the hook (tried on real n8n by the e2e tests)', () => {
		const { baseURL, qs } = credential.test.request;
		expect(baseURL).toContain(`.replace(/${IGNORED_CHARACTERS}/g, '')`);
		expect(qs?.account_id).toContain(`.replace(/${IGNORED_CHARACTERS}/g, '')`);
	});

	it('fails for a refused token and for an account that is not shown', () => {
		expect(credential.test.rules).toMatchObject([
			{ properties: { key: 'code', value: 401 } },
			{ properties: { key: 'data', value: null } },
		]);
	});
});
