import nock from 'nock';

export const API = 'https://openapi.aiclk.com';

/** What the token endpoint answers next; every call is noted in `calls`. */
export function onRefresh(
	reply: (body: string) => [number, nock.Body?] = () => [200, issued('access-1')],
) {
	const calls: string[] = [];
	nock(API)
		.post('/oauth2/token')
		.reply((_uri, body) => {
			calls.push(String(body));
			return reply(String(body));
		})
		.persist();
	return calls;
}

/** The documented answer with a token. */
export const issued = (accessToken: string, data: object = {}) => ({
	code: 200,
	data: {
		access_token: accessToken,
		expires_in: 7_776_000,
		token_type: 'OGW_ACCESS_TOKEN',
		...data,
	},
	message: 'Success',
	trace_id: '776ac7ef9ccd2cb3',
});

export const ACCEPTED = { code: 200, data: { list: [] }, message: 'success', trace_id: 'aa11' };
export const REJECTED = { code: 401, data: null, message: 'access_token 无效', trace_id: 'bb22' };

/** What account/info answers to a token; every token that it was asked with is noted. */
export function onAccountInfo(
	reply: (accessToken: string) => [number, nock.Body?] = () => [200, ACCEPTED],
) {
	const tokens: string[] = [];
	nock(API)
		.get('/openapi/v1/account/info')
		.query(true)
		.reply(function () {
			const accessToken = String(this.req.headers.ogw_access_token);
			tokens.push(accessToken);
			return reply(accessToken);
		})
		.persist();
	return tokens;
}

/** What Node's sockets throw. */
export const networkError = (code: string) => Object.assign(new Error(code), { code });
