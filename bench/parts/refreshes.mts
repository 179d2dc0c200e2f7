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
import type { Section } from './figures.mts';

const DAY_MS = 86_400_000;

const TYPES: Record<'plain' | 'ours', ICredentialType> = {
	plain: new PlainCredential(),
	ours: new AiClkApi(),
};

/** The clock of this process and of the sandbox in it. */
const clock = { aheadMs: 0, real: Date.now };

/** One credential in n8n-core's own request code, against the sandbox. */
class User {
	readonly helper: CredentialsHelper;

	private readonly context;

	constructor(credentialType: ICredentialType, row: Record<string, unknown>) {
		this.helper = new CredentialsHelper(row, credentialType);
		this.context = newContext(this.helper, ANY_NODE_TYPE, ANY_NODE, [{ json: {} }]);
	}

	/** A request as HTTP Request sends it. @returns whether n8n takes it for a success */
	async request(method: IHttpRequestMethods, uri: string): Promise<boolean> {
		const { requestWithAuthentication } = this.context.helpers;
		return await requestWithAuthentication
			.call(this.context, 'aiClkApi', { method, uri, json: true })
			.then(
				() => true,
				() => false,
			);
	}

	/** A press of Test: n8n calls the hook whatever the token, then sends the test's request. */
	async test(uri: string): Promise<void> {
		const { httpRequest } = this.context.helpers;
		const credentials = await this.helper.getDecrypted();
		const hookThis = { helpers: { httpRequest } };
		await this.helper.preAuthentication(hookThis, credentials as never, 'aiClkApi', ANY_NODE, true);
		const options = await this.helper.authenticate(credentials as never, 'aiClkApi', { url: uri });
		await httpRequest(options as never);
	}
}

interface PolicyInput {
	title: string;
	settings: Partial<SandboxSettings>;
	/** What is done; the token lives when it begins. @returns how many runs failed */
	play(user: User, sandbox: Sandbox): Promise<number>;
}

const api = (sandbox: Sandbox, path: string): string => `${sandbox.url}/openapi/v1/${path}`;

const failed = (outcomes: boolean[]): number => outcomes.filter((isGood) => !isGood).length;

const atOnce = async (times: number, run: () => Promise<boolean>): Promise<number> =>
	failed(await Promise.all(Array.from({ length: times }, run)));

/** Ten requests a day, one of them for something that does not exist. */
async function dailyUse(user: User, sandbox: Sandbox): Promise<number> {
	let failures = 0;
	for (let day = 0; day < 365; day++) {
		clock.aheadMs += DAY_MS;
		for (let i = 0; i < 9; i++) {
			if (!(await user.request('GET', api(sandbox, 'sandbox/echo')))) failures++;
		}
		if (!(await user.request('GET', api(sandbox, 'sandbox/status/404')))) failures++;
	}
	return failures;
}

const atExpiry = async (user: User, sandbox: Sandbox): Promise<number> => {
	clock.aheadMs += 91 * DAY_MS;
	return await atOnce(60, async () => await user.request('GET', api(sandbox, 'sandbox/echo')));
};

const SITUATIONS: PolicyInput[] = [
	{
		title: '300 POSTs answered with HTTP 500',
		settings: {},
		play: async (user, sandbox) =>
			await atOnce(300, async () => await user.request('POST', api(sandbox, 'sandbox/status/500'))),
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
		title: 'six presses of Test',
		settings: {},
		play: async (user, sandbox) => {
			for (let i = 0; i < 6; i++) await user.test(api(sandbox, 'account/info'));
			return 0;
		},
	},
	{
		title: 'a year of ten requests a day, one of which is answered with HTTP 404',
		settings: {},
		play: dailyUse,
	},
	{
		title: 'the same, dead tokens answered with HTTP 200',
		settings: { deadTokenAnswer: 'body-401' },
		play: dailyUse,
	},
];

/** @returns refreshes, requests that came, those of them with a dead token, and failed runs */
async function play(sandbox: Sandbox, { settings, play: run }: PolicyInput, type: ICredentialType) {
	clock.aheadMs = 0;
	const { clientId, refreshToken } = newRow() as { clientId: string; refreshToken: string };
	const clients = [{ clientId, refreshToken }];
	sandbox.configure({ ...DEFAULT_SETTINGS, clients });
	const user = new User(type, newRow({ clientId, baseUrl: sandbox.url }));
	await user.request('GET', api(sandbox, 'sandbox/echo'));
	sandbox.configure(settings);
	sandbox.clearJournal();
	const failures = await run(user, sandbox);
	const journal = sandbox.journal();
	const calls = journal.filter(
		({ kind, path }) => kind === 'api' && !path.endsWith('account/info'),
	);
	return [
		journal.filter(({ kind }) => kind === 'refresh').length,
		calls.length,
		journal.filter(({ token }) => token === 'dead').length,
		failures,
	];
}

/** What is spent in the same situations with a plain credential and with ours. */
export async function measureRefreshes(): Promise<Section[]> {
	Date.now = () => clock.real() + clock.aheadMs;
	const sandbox = await createSandbox();
	const rows: string[][] = [];
	try {
		for (const situation of SITUATIONS) {
			const plain = await play(sandbox, situation, TYPES.plain);
			const ours = await play(sandbox, situation, TYPES.ours);
			rows.push([situation.title, ...plain.map((value, i) => `${value} / ${ours[i]}`)]);
		}
	} finally {
		await sandbox.close();
		Date.now = clock.real;
	}
	return [
		{
			title: 'Refreshes spent: a plain credential / AiClk API',
			how: "n8n-core's own request code (the way of HTTP Request) against the local AiClk. A failed run is one that n8n shows as failed.",
			head: ['', 'refreshes', 'requests', 'with a dead token', 'failed runs'],
			rows,
		},
	];
}
