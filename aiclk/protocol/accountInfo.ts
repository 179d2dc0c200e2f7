import type { IHttpRequestOptions } from 'n8n-workflow';

/** AiClk, "advertiser account details": the cheapest documented read (scope ads_read). */
export const ACCOUNT_INFO_PATH = '/openapi/v1/account/info';

/** One field, so nothing about money is read. */
const QUERY = { fields: ['account_id'] };

/** The `query` of the cheapest account/info request, as it stands in the URL. */
export const ACCOUNT_INFO_QUERY = JSON.stringify(QUERY);

/** How long a refresh or a probe may take in all, in ms: `timeout` would only limit the time without a byte. */
export const TOKEN_TIMEOUT_MS = 15_000;

const parametersOf = (accountId: string): Record<string, string> =>
	accountId === '' ? {} : { account_id: accountId };

/**
 * The request that asks AiClk whether it accepts a token. It never throws for an HTTP status and follows
 * no redirect; without an account id AiClk refuses the account, which still says nothing against the token.
 *
 * @param baseUrl origin such as `https://openapi.aiclk.com`
 * @param accountId digits, or '' when the credential holds none
 */
export function accountInfoRequest(baseUrl: string, accountId: string): IHttpRequestOptions {
	return {
		method: 'GET',
		url: `${baseUrl}${ACCOUNT_INFO_PATH}`,
		qs: {
			...parametersOf(accountId),
			query: ACCOUNT_INFO_QUERY,
		},
		json: true,
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		disableFollowRedirect: true,
		abortSignal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
	};
}
