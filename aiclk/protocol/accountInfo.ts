import type { IHttpRequestOptions } from 'n8n-workflow';

/** The cheapest documented read (P2, scope ads_read). */
export const ACCOUNT_INFO_PATH = '/openapi/v1/account/info';

/** The `query` parameter of the cheapest account/info request. It asks for one field, and for nothing about money. */
export const ACCOUNT_INFO_QUERY = JSON.stringify({ fields: ['account_id'] });

/** How long a whole refresh or probe may take. n8n's `timeout` limits idle time only. */
export const TOKEN_TIMEOUT_MS = 15_000;

/**
 * The request that asks AiClk whether it accepts a token. It does not throw for an HTTP status and follows no redirect. Without an
 * account id AiClk refuses the request, which says nothing against the token.
 *
 * @param baseUrl origin such as `https://openapi.aiclk.com`
 * @param accountId digits, or '' when the credential holds none
 */
export function accountInfoRequest(baseUrl: string, accountId: string): IHttpRequestOptions {
	return {
		method: 'GET',
		url: `${baseUrl}${ACCOUNT_INFO_PATH}`,
		qs: { ...(accountId !== '' && { account_id: accountId }), query: ACCOUNT_INFO_QUERY },
		json: true,
		returnFullResponse: true,
		ignoreHttpStatusErrors: true,
		disableFollowRedirect: true,
		abortSignal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
	};
}
