import fastify from 'fastify';

import type { Workflow } from '../harness/n8n/rest.mts';
import type { Rig } from './rig.mts';

type Json = Record<string, unknown>;
type Node = Workflow['nodes'][number];

/** What a chat model is asked, as far as it counts here. */
export interface Question {
	messages: Array<{ role: string; content: unknown }>;
	tools?: Array<{ function: { name: string; parameters: { properties: Json } } }>;
}

/** A call of a tool, by its name, with its arguments. */
export type ToolCall = [tool: string, args: Json];

/** What the tools have answered so far. */
export const answersOf = ({ messages }: Question): string[] =>
	messages.filter(({ role }) => role === 'tool').map(({ content }) => JSON.stringify(content));

/**
 * Plays a chat model in the place of DeepSeek.
 *
 * @param decide which tools to call; without any it says that it is done
 * @param happen given its address
 */
export async function withModel<T>(
	decide: (question: Question) => ToolCall[],
	happen: (url: string) => Promise<T>,
): Promise<T> {
	let answers = 0;
	const app = fastify({ bodyLimit: 16 * 1024 * 1024 });
	app.post('/chat/completions', ({ body }) => {
		const number = ++answers;
		const calls = decide(body as Question).map(([name, args], index) => ({
			id: `call_${number}_${index}`,
			type: 'function',
			function: { name, arguments: JSON.stringify(args) },
		}));
		const isDone = calls.length === 0;
		const message = isDone
			? { role: 'assistant', content: 'Done' }
			: { role: 'assistant', content: null, tool_calls: calls };
		return {
			id: `answer-${number}`,
			object: 'chat.completion',
			created: 0,
			model: 'deepseek-chat',
			choices: [{ index: 0, message, finish_reason: isDone ? 'stop' : 'tool_calls' }],
			usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
		};
	});
	try {
		return await happen(await app.listen({ port: 0, host: '127.0.0.1' }));
	} finally {
		await app.close();
	}
}

/**
 * Puts a question to an AI agent.
 *
 * @param example the example of one, or a part of it
 * @param url the address of its model
 * @param change what else differs in a node
 * @returns the agent's answer
 */
export async function askAgent(
	rig: Rig,
	example: Workflow,
	url: string,
	change: (node: Node) => Node = (node) => node,
): Promise<unknown> {
	const id = await rig.n8n.createCredential({ apiKey: 'none', url }, 'Model', 'deepSeekApi');
	const chat = `chat-${rig.client.clientId}-${id}`;
	const nodes = example.nodes.map((node) => {
		if (node.name === 'Chat model')
			return { ...node, credentials: { deepSeekApi: { id, name: 'Model' } } };
		if (node.name !== 'Chat') return change(node);
		return { ...node, webhookId: chat, parameters: { ...node.parameters, public: true } };
	});
	const agent = await rig.n8n.importWorkflow({ ...example, nodes }, rig.credential);
	await rig.n8n.activate(agent);
	const asked = { action: 'sendMessage', sessionId: 'one', chatInput: 'How is the account?' };
	return (await rig.n8n.callWebhook(`${chat}/chat`, asked)).data;
}
