import nock from 'nock';

export const API = 'https://openapi.aiclk.com';

/** Nothing else is reached, and nothing that a test has answered is left for the next one. */
beforeAll(() => {
	nock.disableNetConnect();
});
afterEach(() => {
	nock.cleanAll();
});
afterAll(() => {
	nock.restore();
});

type Part = 'token' | 'api' | 'account info';

const standing = new Map<Part, nock.Interceptor[]>();

/** Answers a part of AiClk from now on, in place of what answered it before. */
function answer(part: Part, ...interceptors: nock.Interceptor[]): void {
	for (const one of standing.get(part) ?? []) nock.removeInterceptor(one);
	standing.set(part, interceptors);
}

/** What the token endpoint answers: without a reply access-1, access-2 and so on. @returns the bodies that came */
export function onRefresh(reply?: (body: string) => [number, nock.Body?]): string[] {
	const calls: string[] = [];
	const endpoint = nock(API).persist().post('/oauth2/token');
	answer('token', endpoint);
	endpoint.reply((_uri, body) => {
		calls.push(String(body));
		return reply?.(String(body)) ?? [200, issued(`access-${calls.length}`)];
	});
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

/** What account/info answers to a token. @returns every token that it was asked with */
export function onAccountInfo(
	reply: (accessToken: string) => [number, nock.Body?] = () => [200, ACCEPTED],
): string[] {
	const tokens: string[] = [];
	const endpoint = nock(API).persist().get('/openapi/v1/account/info').query(true);
	answer('account info', endpoint);
	endpoint.reply(function () {
		const accessToken = String(this.req.headers.ogw_access_token);
		tokens.push(accessToken);
		return reply(accessToken);
	});
	return tokens;
}

export interface Call {
	method: string;
	/** The path with its query, percent-decoded. */
	url: string;
	body: string;
	token: string;
	contentType: string;
	/** Bytes that were announced. */
	announced: number;
}

export type Answer = [status: number, body: unknown, headers?: Record<string, string>];

export type Reply = (call: Call, n: number) => Answer | Promise<Answer>;

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

export const success = (data: unknown) => ({
	code: 200,
	message: 'success',
	data,
	trace_id: 'cc44',
});

/** What AiClk's pages document: an object for an account, rows for a list, nothing for a change. */
const answerWell: Reply = ({ method, url }) => {
	const list = url.includes('monitor') ? [] : { list: [] };
	const data = url.includes('account/info') ? { balance: 1 } : list;
	return [200, { code: 200, data: method === 'GET' ? data : null, message: 'success' }];
};

/** Answers everything below /openapi/. @returns what came */
export function onApi(reply: Reply = answerWell): Call[] {
	const calls: Call[] = [];
	async function respond(this: nock.ReplyFnContext, uri: string) {
		const { method, headers } = this.req;
		// As it came: nock would hand out a parsed body, with rounded ids.
		const { requestBodyBuffers } = this.req as unknown as { requestBodyBuffers: Buffer[] };
		const call = {
			method,
			url: decodeURIComponent(uri),
			body: Buffer.concat(requestBodyBuffers).toString(),
			token: String(headers.ogw_access_token),
			contentType: String(headers['content-type']),
			announced: Number(headers['content-length']),
		};
		calls.push(call);
		const [status, content, more] = await reply(call, calls.length);
		const text = typeof content === 'string' ? content : JSON.stringify(content);
		return [status, text, { 'content-type': 'application/json', ...more }] as const;
	}
	const endpoints = METHODS.map((method) =>
		nock(API)
			.persist()
			.intercept(/^\/openapi\//, method),
	);
	answer('api', ...endpoints);
	for (const endpoint of endpoints) endpoint.reply(respond as never);
	return calls;
}

/** Every POST to the API ends with this error of Node's. @returns how many there were */
export function onLostAnswers(code: string): () => number {
	let count = 0;
	const endpoint = nock(API)
		.persist()
		.post(/^\/openapi\//);
	answer('api', endpoint);
	endpoint.replyWithError(networkError(code));
	(endpoint as unknown as { scope: nock.Scope }).scope.on('request', () => count++);
	return () => count;
}

/** What Node's sockets throw. */
export const networkError = (code: string) => Object.assign(new Error(code), { code });
