import type { ICredentialType, IHttpRequestMethods } from 'n8n-workflow';

import { AiClkApi } from '../../credentials/AiClkApi.credentials.ts';
import {
	ANY_NODE,
	ANY_NODE_TYPE,
	CredentialsHelper,
	newContext,
	newRow,
} from '../../test/harness/context.ts';
import { createSandbox, type Sandbox, type SandboxSettings } from '../../test/sandbox/server.ts';
import { DEFAULT_SETTINGS } from '../../test/sandbox/settings.ts';
import { PlainCredential } from '../plainCredential.ts';
import type { Section } from './results.mts';

const DAY_MS = 86_400_000;

/** How far the clock of this process, and of the sandbox in it, is ahead. */
let aheadMs = 0;

/** Sends a request to a path of the sandbox as HTTP Request sends it. @returns whether n8n takes it for a success */
type Request = (method: IHttpRequestMethods, path: string) => Promise<boolean>;

interface Situation {
	title: string;
	settings: Partial<SandboxSettings>;
	/** What is done; the token lives when it begins. @returns which runs succeeded */
	play(request: Request): Promise<boolean[]>;
}

const atOnce = async (times: number, run: () => Promise<boolean>): Promise<boolean[]> =>
	await Promise.all(Array.from({ length: times }, run));

const atExpiry = async (request: Request): Promise<boolean[]> => {
	aheadMs += 91 * DAY_MS;
	return await atOnce(60, async () => await request('GET', 'echo'));
};

/** Ten requests a day, one of them for something that does not exist. */
async function dailyUse(request: Request): Promise<boolean[]> {
	const runs: boolean[] = [];
	for (let day = 0; day < 365; day++) {
		aheadMs += DAY_MS;
		for (let i = 0; i < 9; i++) runs.push(await request('GET', 'echo'));
		runs.push(await request('GET', 'status/404'));
	}
	return runs;
}

const SITUATIONS: Situation[] = [
	{
		title: '300 POSTs answered with HTTP 500',
		settings: {},
		play: async (request) => await atOnce(300, async () => await request('POST', 'status/500')),
	},
	{
		title:
			'60 runs at once after expiry, strict, a refresh takes 0.4 s, dead tokens answered with HTTP 401',
		settings: { mode: 'strict', tokenDelayMs: 400 },
		play: atExpiry,
	},
	{
		title: 'the same, dead tokens answered with HTTP 200',
		settings: { mode: 'strict', tokenDelayMs: 400, deadTokenAnswer: 'body-401' },
		play: atExpiry,
	},
	{
		title: 'a year of ten requests a day, one of which is answered with HTTP 404',
		settings: {},
		play: dailyUse,
	},
];

/** @returns refreshes, requests that came, those of them with a dead token, and failed runs */
async function play(sandbox: Sandbox, situation: Situation, type: ICredentialType) {
	aheadMs = 0;
	const row = newRow({ baseUrl: sandbox.url });
	const clients = [{ clientId: String(row.clientId), refreshToken: String(row.refreshToken) }];
	sandbox.configure({ ...DEFAULT_SETTINGS, clients });
	// n8n-core's own request code, with this credential.
	const helper = new CredentialsHelper(row, type);
	const context = newContext(helper, ANY_NODE_TYPE, ANY_NODE, [{ json: {} }]);
	const request: Request = async (method, path) => {
		const uri = `${sandbox.url}/openapi/v1/sandbox/${path}`;
		const { requestWithAuthentication } = context.helpers;
		return await requestWithAuthentication
			.call(context, 'aiClkApi', { method, uri, json: true })
			.then(
				() => true,
				() => false,
			);
	};
	await request('GET', 'echo');
	sandbox.configure(situation.settings);
	sandbox.clearJournal();
	const runs = await situation.play(request);
	const journal = sandbox.journal();
	return [
		journal.filter(({ kind }) => kind === 'refresh'),
		journal.filter(({ kind, path }) => kind === 'api' && !path.endsWith('account/info')),
		journal.filter(({ token }) => token === 'dead'),
		runs.filter((isGood) => !isGood),
	].map(({ length }) => length);
}

/** What is spent in the same situations with a plain credential and with ours. */
export async function measureRefreshes(): Promise<Section> {
	const { now } = Date;
	Date.now = () => now() + aheadMs;
	const sandbox = await createSandbox();
	const rows: string[][] = [];
	try {
		for (const situation of SITUATIONS) {
			const plain = await play(sandbox, situation, new PlainCredential());
			const ours = await play(sandbox, situation, new AiClkApi());
			rows.push([situation.title, ...plain.map((value, i) => `${value} / ${ours[i]}`)]);
		}
	} finally {
		await sandbox.close();
		Date.now = now;
	}
	return {
		title: 'Refreshes spent: a plain credential / AiClk API',
		how: "n8n-core's own request code (the way of HTTP Request) against the local AiClk. A failed run is one that n8n shows as failed.",
		head: ['', 'refreshes', 'requests', 'with a dead token', 'failed runs'],
		rows,
	};
}
