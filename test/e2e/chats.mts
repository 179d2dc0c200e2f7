import fastify, { type FastifyInstance } from 'fastify';

/** The group chats whose robots the examples write to. */
export const CHATS = ['wecom', 'dingtalk', 'feishu'] as const;

export type Chat = (typeof CHATS)[number];

type Body = Record<string, unknown>;

/** Local robots that take and refuse messages as the real ones do: always with HTTP 200. */
export interface Chats {
	url(chat: Chat): string;
	/** The texts that were taken, oldest first. */
	texts(chat: Chat): string[];
	/** What is refused from now on, and why. */
	refuse(reason: string | null): void;
	close(): Promise<void>;
}

const MAX_WECOM_BYTES = 2_048;
const MAX_FEISHU_BYTES = 20 * 1024;
const MAX_DINGTALK_A_MINUTE = 20;

/** The text of a message in the shape of its chat, or null. */
function textOf(chat: Chat, body: Body): string | null {
	const isFeishu = chat === 'feishu';
	const type = isFeishu ? body.msg_type : body.msgtype;
	const { text, content } = ((isFeishu ? body.content : body.text) ?? {}) as Body;
	const found = isFeishu ? text : content;
	return type === 'text' && typeof found === 'string' && found !== '' ? found : null;
}

/**
 * Starts the three robots.
 *
 * @param keyword that DingTalk and Feishu want in each message
 */
export async function startChats(keyword: string): Promise<Chats> {
	const app: FastifyInstance = fastify({ bodyLimit: 1024 * 1024 });
	const taken: Record<Chat, string[]> = { wecom: [], dingtalk: [], feishu: [] };
	let refusal: string | null = null;

	const refusalOf = (chat: Chat, body: Body, contentType = ''): string | null => {
		const text = textOf(chat, body);
		if (refusal !== null) return refusal;
		if (!contentType.startsWith('application/json') || text === null) return 'Bad Request';
		if (chat === 'wecom' && Buffer.byteLength(text) > MAX_WECOM_BYTES) return 'content too long';
		if (chat === 'feishu' && Buffer.byteLength(JSON.stringify(body)) > MAX_FEISHU_BYTES) {
			return 'body too long';
		}
		if (chat === 'dingtalk' && taken.dingtalk.length >= MAX_DINGTALK_A_MINUTE) {
			return 'send too fast';
		}
		return chat !== 'wecom' && !text.includes(keyword) ? 'keywords not in content' : null;
	};

	for (const chat of CHATS) {
		app.post(`/${chat}`, async ({ body, headers }) => {
			const reason = refusalOf(chat, body as Body, headers['content-type']);
			if (reason === null) taken[chat].push(textOf(chat, body as Body) ?? '');
			if (chat === 'feishu') {
				return { code: reason === null ? 0 : 9499, msg: reason ?? 'success', data: {} };
			}
			return { errcode: reason === null ? 0 : 310_000, errmsg: reason ?? 'ok' };
		});
	}
	const address = await app.listen({ port: 0, host: '127.0.0.1' });
	return {
		url: (chat) => `${address}/${chat}`,
		texts: (chat) => [...taken[chat]],
		refuse: (reason) => {
			refusal = reason;
		},
		close: async () => await app.close(),
	};
}
