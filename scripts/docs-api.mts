/**
 * `npm run docs:api`: writes docs/marketing-api.md. n8n-core runs each operation against the sandbox, and what goes over the wire is
 * written down. With `--check` the file is only compared.
 */
import 'reflect-metadata';

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { fastify } from 'fastify';
import type {
	IDataObject,
	INode,
	INodeExecutionData,
	INodePropertyOptions,
	INodeType,
} from 'n8n-workflow';
import { format, resolveConfig } from 'prettier';

import { parseJsonToSend } from '../aiclk/protocol/json.ts';
import { AiClk } from '../nodes/AiClk/AiClk.node.ts';
import { RESOURCES } from '../nodes/AiClk/resources/index.ts';
import { AiClkToken } from '../nodes/AiClkToken/AiClkToken.node.ts';
import { CredentialsHelper, newContext, newNode, newRow } from '../test/harness/context.ts';
import { OPERATIONS, parametersOf } from '../test/harness/operations.ts';
import { createSandbox, DEFAULT_CLIENT } from '../test/sandbox/server.ts';

const FILE = fileURLToPath(new URL('../docs/marketing-api.md', import.meta.url));
const ACCOUNT_ID = '1000002';

/** The sandbox's clock, so that its days are always the same. */
const NOW = Date.UTC(2026, 0, 31, 12);

/** One request, and its answer, as they went over the wire. */
interface Exchange {
	method: string;
	/** Path and query, percent-encoded. */
	url: string;
	headers: Record<string, string>;
	body: string;
	answer: string;
}

/** Headers that are handed on and shown, by their names in Node. */
const SHOWN: Record<string, string> = {
	accept: 'Accept',
	'content-type': 'Content-Type',
	ogw_access_token: 'OGW_ACCESS_TOKEN',
};

/** Stands before the sandbox, hands everything on and writes it down. */
async function record(target: string) {
	const exchanges: Exchange[] = [];
	const app = fastify({ forceCloseConnections: true });
	app.removeAllContentTypeParsers();
	app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
	app.all('*', async (request, reply) => {
		const { method, url, body } = request;
		const headers = Object.fromEntries(
			Object.keys(SHOWN).flatMap((name) => {
				const value = request.headers[name];
				return value === undefined ? [] : [[name, String(value)] as const];
			}),
		);
		const sent = body instanceof Buffer ? body : null;
		const answer = await fetch(`${target}${url}`, { method, headers, body: sent });
		const text = await answer.text();
		exchanges.push({ method, url, headers, body: sent?.toString() ?? '', answer: text });
		return await reply.status(answer.status).type('application/json').send(text);
	});
	return {
		url: await app.listen({ port: 0, host: '127.0.0.1' }),
		take: () => exchanges.splice(0),
		close: async () => await app.close(),
	};
}

const fence = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;

/** JSON with line breaks; whole numbers keep every digit. */
const pretty = (json: string): string =>
	JSON.stringify(
		parseJsonToSend(json),
		// Not the value handed in: something that n8n-core loads adds to bigints a `toJSON`.
		function (this: Record<string, unknown>, key, value: unknown) {
			return typeof this[key] === 'bigint' ? `\0${this[key]}` : value;
		},
		'\t',
	).replace(/"\\u0000(\d+)"/g, '$1');

/** What differs from run to run, or is a secret. */
const steady = (text: string): string =>
	text
		.replace(/"(trace_id|traceId)":"[0-9a-f]{16}"/g, '"$1":"776ac7ef9ccd2cb3"')
		.replace(/"access_token":"[0-9a-f]+"/g, '"access_token":"***"')
		.replaceAll(DEFAULT_CLIENT.refreshToken, '***');

/** Multipart bodies have another boundary each time. */
function bodyOf({ headers, body }: Exchange): string {
	const boundary = /boundary=(\S+)/.exec(headers['content-type'] ?? '')?.[1];
	if (boundary === undefined) return body === '' ? '' : fence('json', pretty(body));
	return fence('text', body.replaceAll(boundary, 'boundary').replaceAll('\r\n', '\n').trim());
}

function describeRequest(exchange: Exchange): string[] {
	const { method, url, headers } = exchange;
	const lines = Object.entries(headers).map(([name, value]) => {
		const shown = name === 'ogw_access_token' ? '***' : value.replace(/boundary=\S+/, 'boundary=…');
		return `${SHOWN[name]}: ${shown}`;
	});
	const query = new URLSearchParams(url.split('?')[1]).get('query');
	return [
		'Request:',
		fence('http', [`${method} ${url}`, ...lines].join('\n')),
		...(query === null ? [] : ['`query`, decoded:', fence('json', pretty(query))]),
		...(exchange.body === '' ? [] : ['Body:', steady(bodyOf(exchange))]),
	];
}

const describeAnswer = ({ answer }: Exchange): string[] => [
	'Answer:',
	fence('json', pretty(steady(answer))),
];

const EFFECT = {
	GET: 'A read: sent again if AiClk is busy or rejects the token.',
	POST: 'A change: sent again only if AiClk was busy and refused it for certain.',
	charge:
		'Moves money: sent once, needs _Confirm_, does not run with _Retry On Fail_ or in a retried execution.',
};

const nameOf = ({ name }: INodePropertyOptions): string => name;

/** Runs every operation, and some that fail. @returns the document, not yet formatted */
async function write(): Promise<string> {
	const sandbox = await createSandbox({ settings: { accountIds: [ACCOUNT_ID] } });
	sandbox.advance(NOW - sandbox.now());
	const recorder = await record(sandbox.url);
	const row = newRow({ ...DEFAULT_CLIENT, accountId: ACCOUNT_ID, baseUrl: recorder.url });
	const helper = new CredentialsHelper(row);
	const runNode = async (type: INodeType, parameters: IDataObject, item: INodeExecutionData) => {
		const { displayName, name } = type.description;
		const node = newNode(displayName, `n8n-nodes-aiclk.${name}`, {
			parameters: parameters as INode['parameters'],
		});
		const output = await type.execute?.call(newContext(helper, type, node, [item]));
		return (output as INodeExecutionData[][])[0] as INodeExecutionData[];
	};
	const aiClk = new AiClk();
	const run = async (name: string, changes: IDataObject = {}) => {
		const set = { ...parametersOf(name), ...changes };
		const items = await runNode(aiClk, set, OPERATIONS[name]?.item ?? { json: {} });
		return { items, exchanges: recorder.take() };
	};
	const parts = [
		'# The Marketing API, operation by operation',
		'Written by `npm run docs:api`: n8n-core runs each operation, with this credential, against the sandbox, a mock of AiClk in `test/sandbox`. Requests are as they went over the wire. Answers have the documented shape and made-up values. `***` stands for a secret. `.ci/run` fails if this page differs from what the code does.',
		'## The access token',
		'One request gets it: before the first call, and then about once in 70 days.',
	];
	try {
		const order = { operation: 'refresh', when: 'always', options: {} };
		await runNode(new AiClkToken(), order, { json: {} });
		const [refresh] = recorder.take();
		parts.push(...describeRequest(refresh as Exchange), ...describeAnswer(refresh as Exchange));
		for (const { option: resource, operations } of RESOURCES) {
			for (const { option } of operations) {
				const key = `${String(resource.value)} ${String(option.value)}`;
				const done = await run(key).catch((error: Error) => {
					throw new Error(`${key}: ${error.message}`);
				});
				const [exchange] = done.exchanges as [Exchange, ...Exchange[]];
				const kind = resource.value === 'charge' ? 'charge' : (exchange.method as 'GET' | 'POST');
				parts.push(
					`## ${nameOf(resource)}: ${nameOf(option)}`,
					`${option.description}. ${EFFECT[kind]}`,
					'Set in the node:',
					fence('json', JSON.stringify(OPERATIONS[key]?.parameters)),
					...describeRequest(exchange),
					...describeAnswer(exchange),
					done.items.length > 1 ? 'The first output item:' : 'The output item:',
					fence('json', steady(JSON.stringify(done.items[0]?.json))),
				);
			}
		}

		parts.push('## When AiClk says no', 'HTTP 200 may carry any `code`; 200 alone is success.');
		const message = await run('charge agent', { money: 2_000_000_000 }).then(
			() => 'nothing',
			(error: Error & { description?: string }) => `${error.message}\n${error.description}`,
		);
		const [refused] = recorder.take();
		parts.push(
			...describeAnswer(refused as Exchange),
			'What n8n shows:',
			fence('text', message.replace(/(trace_id:? )[0-9a-f]{16}/g, '$1776ac7ef9ccd2cb3')),
		);
	} finally {
		await recorder.close();
		await sandbox.close();
	}
	return parts.join('\n\n');
}

const config = await resolveConfig(FILE);
const document = await write().catch((error: Error) => {
	// Uncaught, it would come with the source of every file that tsx has loaded.
	console.error(error.message);
	process.exit(1);
});
const text = await format(document, { ...config, parser: 'markdown' });
if (process.argv.includes('--check')) {
	const isSame = (await readFile(FILE, 'utf8').catch(() => '')) === text;
	if (!isSame) console.error('docs/marketing-api.md is out of date: npm run docs:api');
	process.exitCode = isSame ? 0 : 1;
} else {
	await writeFile(FILE, text);
}
