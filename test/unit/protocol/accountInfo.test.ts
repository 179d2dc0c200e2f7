import { accountInfoRequest } from '../../../aiclk/protocol/accountInfo';

describe('the request that asks about a token', () => {
	it('reads one field of the account, follows no redirect and throws for no status', () => {
		const request = accountInfoRequest('https://openapi.aiclk.com', '1000002');
		expect(request).toMatchObject({
			method: 'GET',
			url: 'https://openapi.aiclk.com/openapi/v1/account/info',
			qs: { account_id: '1000002', query: '{"fields":["account_id"]}' },
			disableFollowRedirect: true,
			ignoreHttpStatusErrors: true,
		});
		expect(request.abortSignal).toBeInstanceOf(AbortSignal);
	});

	it('names no account when there is none', () => {
		expect(accountInfoRequest('https://openapi.aiclk.com', '').qs).toEqual({
			query: '{"fields":["account_id"]}',
		});
	});
});
