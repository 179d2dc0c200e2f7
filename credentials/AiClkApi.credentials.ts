import type {
	IAuthenticate,
	IAuthenticateRuleResponseSuccessBody,
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	IHttpRequestHelper,
	INodeProperties,
	Icon,
} from 'n8n-workflow';

import { ACCOUNT_INFO_PATH, ACCOUNT_INFO_QUERY } from '../aiclk/protocol/accountInfo';
import { CODE_TOKEN_REJECTED } from '../aiclk/protocol/envelope';
import {
	type AnyRequestOptions,
	authenticateRequest,
	mayResend,
} from '../aiclk/token/authenticate';
import { DEFAULT_BASE_URL, IGNORED_CHARACTERS } from '../aiclk/token/input';
import { FailureError } from '../aiclk/util/failure';
import { toHookError } from './hookError';
import { tokenManager } from './tokenManager';

/** An n8n expression for a field of the credential, cleaned as `readInput` cleans it. */
const cleaned = (field: string): string =>
	`String($credentials.${field} ?? '').replace(/${IGNORED_CHARACTERS}/g, '')`;

const TOKEN_REJECTED =
	"AiClk does not accept the access token. Run an AiClk Token node with the operation 'Refresh', or check 'Client ID' and 'Refresh Token'.";

/** The first byte of an answer as bytes, or the first character of one as text. No object of AiClk's has this member. */
const FIRST = '0';

const byteOf = (character: string): number => character.charCodeAt(0);

const WEB_PAGE = "A web page answered in AiClk's place. Check the 'Base URL' and the proxy of n8n.";

const bodyRule = (
	key: string,
	value: unknown,
	message: string,
): IAuthenticateRuleResponseSuccessBody => ({
	type: 'responseSuccessBody',
	properties: { key, value, message },
});

/**
 * What the dialog says about an answer. If no rule matches, it says that the connection works. n8n accepts both kinds of rules in
 * one list, although its types do not (n8n credentials-tester.service.js).
 */
const TEST_RULES = [
	{ type: 'responseCode', properties: { value: CODE_TOKEN_REJECTED, message: TOKEN_REJECTED } },
	bodyRule('code', CODE_TOKEN_REJECTED, TOKEN_REJECTED),
	bodyRule(
		'data',
		null,
		"The token works, but AiClk did not show this account. Check the 'Account ID' and that your application may read it (ads_read).",
	),
	bodyRule(
		FIRST,
		byteOf('{'),
		"This credential works: AiClk issued an access token. It is shown in red only because there is no 'Account ID' to test it with.",
	),
	bodyRule(FIRST, byteOf('<'), WEB_PAGE),
	bodyRule(FIRST, '<', WEB_PAGE),
	bodyRule(FIRST, '{', "AiClk's answer broke off. Test again in a few minutes."),
] as IAuthenticateRuleResponseSuccessBody[];

/**
 * A field that the hook writes. It is masked, because n8n sends unmasked hidden fields to the browser and takes them back when the
 * credential is saved (n8n credentials.service.js).
 */
const hidden = (displayName: string, name: string): INodeProperties => ({
	displayName,
	name,
	type: 'hidden',
	typeOptions: { password: true },
	default: '',
});

export class AiClkApi implements ICredentialType {
	name = 'aiClkApi';

	displayName = 'AiClk API';

	icon: Icon = { light: 'file:../icons/aiclk.svg', dark: 'file:../icons/aiclk.dark.svg' };

	documentationUrl = 'https://github.com/n8n-nodes-aiclk/n8n-nodes-aiclk/blob/main/README.md';

	properties: INodeProperties[] = [
		{
			displayName: 'Client ID',
			name: 'clientId',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. 1000000000000001',
			description: 'The ID of your application, as AiClk shows it (client_id)',
		},
		{
			displayName: 'Refresh Token',
			name: 'refreshToken',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			description:
				'The refresh token of your application, which gets all access tokens. Spaces and line breaks from copying do no harm.',
		},
		{
			displayName: 'Account ID',
			name: 'accountId',
			type: 'string',
			default: '',
			placeholder: 'e.g. 1000002',
			description:
				'An advertiser account that your application may read. Optional. Without it, the test of this credential is always shown in red.',
			hint: "AiClk nodes use this account where their own 'Account ID' is empty",
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: DEFAULT_BASE_URL,
			description:
				'The only address that ever receives the token. Keep it unless AiClk tells you otherwise.',
		},
		hidden('Access Token', 'accessToken'),
		hidden('Token State', 'tokenState'),
		hidden('Rotated Refresh Token', 'rotatedRefreshToken'),
		// Always empty: n8n calls the hook whenever the expirable field is empty (n8n credentials-helper.js).
		{
			...hidden('Token Renewal', 'tokenRenewal'),
			typeOptions: { password: true, expirable: true },
		},
		// Declared so that n8n does not add its two domain fields to the dialog. `authenticate` is stricter anyway.
		{
			displayName: 'Allowed HTTP Request Domains',
			name: 'allowedHttpRequestDomains',
			type: 'hidden',
			default: 'all',
		},
	];

	/**
	 * n8n calls it before every request and again after a failed one. `{}` means: use what is stored, write nothing and, after a
	 * failure, send nothing again (n8n-core authentication.js).
	 */
	async preAuthentication(
		this: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
	): Promise<ICredentialDataDecryptedObject> {
		const ensured = await tokenManager.ensureToken(
			credentials,
			async (options): Promise<unknown> => await this.helpers.httpRequest(options),
		);
		if (!ensured.ok) throw toHookError(new FailureError(ensured.failure));
		return { ...ensured.value };
	}

	/** A class field, because n8n copies credential types by spreading, which loses methods. */
	authenticate: IAuthenticate = async (credentials, requestOptions) => {
		const { onSend, ...options } = requestOptions as AnyRequestOptions;
		try {
			const failure = tokenManager.failureOf(credentials);
			// The hook returned a new refresh token for storing, but without a valid access token.
			if (failure !== null) throw new FailureError(failure);
			const authenticated = authenticateRequest(credentials, options);
			tokenManager.observeRequest(credentials, mayResend(options));
			// Last of all: n8n sends what is returned here, and nothing before that.
			onSend?.();
			return authenticated;
		} catch (error) {
			throw toHookError(error as Error);
		}
	};

	test: ICredentialTestRequest = {
		request: {
			baseURL: `={{ ${cleaned('baseUrl')}.replace(/\\/$/, '') }}`,
			url: ACCOUNT_INFO_PATH,
			// Rules cannot look at a field, but they can tell bytes from an object.
			encoding: `={{ ${cleaned('accountId')} === '' ? 'arraybuffer' : 'json' }}` as 'json',
			qs: {
				account_id: `={{ ${cleaned('accountId')} }}`,
				query: ACCOUNT_INFO_QUERY,
			},
		},
		rules: TEST_RULES,
	};
}
