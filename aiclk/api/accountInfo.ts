import type { IHttpRequestOptions } from 'n8n-workflow';

/** AiClk, "advertiser account details": the cheapest documented read (scope ads_read). */
export const ACCOUNT_INFO_PATH = '/openapi/v1/account/info';

/** The `query` of the cheapest account/info request: one field, so nothing about money is read. */
export const ACCOUNT_INFO_QUERY = JSON.stringify({ fields: ['account_id'] });

/** How long one request to AiClk may take, in ms. */
export const REQUEST_TIMEOUT_MS = 15_000;

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
			...(accountId === '' ? {} : { account_id: accountId }),
			query: ACCOUNT_INFO_QUERY,
		},
		json: true,
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		disableFollowRedirect: true,
		timeout: REQUEST_TIMEOUT_MS,
	};
}
