import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ICredentialDataDecryptedObject, IHttpRequestHelper } from 'n8n-workflow';
import { Bench } from 'tinybench';

import { loadBuilt } from './package.mts';
import { DAY_MS, emptyRow, inputOf, type Row, tokenState } from '../../test/harness/fakes.ts';
import { PlainCredential } from '../plainCredential.ts';
import { figure, type Section, show } from './figures.mts';

const ROUNDS = 30;
/** One sample of the harness is so many calls, so that reading the clock costs nothing. */
const BATCH = 100;
const SAMPLE_MS = 40;

const REQUEST = {
	method: 'GET' as const,
	url: 'https://openapi.aiclk.com/openapi/v1/account/info',
};

const noRequest = (): never => {
	throw new Error('nothing was to be sent');
};
const hookThis = { helpers: { httpRequest: noRequest } } as unknown as IHttpRequestHelper;

/** A credential with a fresh token. */
function freshRow(clientId: number): Row {
	const row = emptyRow({ clientId: String(clientId) });
	const { fingerprint, client } = inputOf(row);
	const now = Date.now();
	const quota = { client, day: '2026-11-24', attempts: 1 };
	const state = tokenState({
		fingerprint,
		issuedAtMs: now,
		expiresAtMs: now + 90 * DAY_MS,
		quota,
	});
	return { ...row, accessToken: `access${clientId}`.repeat(8), tokenState: JSON.stringify(state) };
}

const noOpHook = async () => await Promise.resolve({});

type Call = () => Promise<unknown>;

// What is published, for a TypeScript loader adds costs of its own.
const { AiClkApi, TokenManager, authenticateRequest, readSafety } = await loadBuilt();
const ours = new AiClkApi();
const plain = new PlainCredential();
const row = freshRow(1) as ICredentialDataDecryptedObject;

type Authenticate = (credentials: object, options: object) => Promise<unknown>;

/** What happens for one request that needs no refresh. n8n hands a copy of the stored data to each. */
const CALLS: Record<string, Call> = {
	'no-op hook, token header only': async () => {
		const credentials = { ...row };
		await noOpHook();
		return await (plain.authenticate as Authenticate)(credentials, REQUEST);
	},
	// n8n does not call its hook: the token field is not empty.
	'plain credential': async () => await (plain.authenticate as Authenticate)({ ...row }, REQUEST),
	'AiClk API': async () => {
		const credentials = { ...row };
		await ours.preAuthentication.call(hookThis, credentials);
		return await (ours.authenticate as Authenticate)(credentials, REQUEST);
	},
};

/** A process that knows so many credentials, asked about one after the other. */
function knowing(count: number): Call {
	const manager = new TokenManager({
		now: () => Date.now(),
		random: () => 0,
		sleep: async () => await Promise.resolve(),
		log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
	});
	// Through JSON, so that texts are stored flat from the beginning.
	const rows = JSON.parse(
		JSON.stringify(Array.from({ length: count }, (_, i) => freshRow(i + 1))),
	) as Row[];
	let next = 0;
	return async () => {
		const credentials = { ...(rows[next++ % count] as Row) };
		await manager.ensureToken(credentials, noRequest);
		manager.noteSent(credentials, readSafety(REQUEST));
		return authenticateRequest(credentials, REQUEST);
	};
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Measures all calls in turn, again and again. @returns ns a call, by round */
async function inTurn(calls: Record<string, Call>): Promise<Record<string, number[]>> {
	const rounds: Record<string, number[]> = {};
	for (let round = 0; round < ROUNDS; round++) {
		const bench = new Bench({ time: SAMPLE_MS, warmup: round === 0, warmupTime: 500 });
		for (const [name, call] of Object.entries(calls)) {
			const batch = async () => {
				for (let i = 0; i < BATCH; i++) await call();
			};
			// Nobody pays for another one's garbage.
			bench.add(name, batch, { beforeAll: collectGarbage });
		}
		await bench.run();
		for (const { name, result } of bench.tasks) {
			if (result.state !== 'completed') throw new Error(`${name} could not be measured`);
			(rounds[name] ??= []).push((result.latency.p50 * 1e6) / BATCH);
		}
	}
	return rounds;
}

const ratios = (values: number[], base: number[]) =>
	figure(values.map((value, i) => value / (base[i] as number)));

const heapBytes = (): number => process.memoryUsage().heapUsed;

/** Bytes that a call allocates, garbage included. */
async function allocated(call: Call): Promise<number> {
	const calls = 2_000;
	const rounds: number[] = [];
	for (let round = 0; round < 9; round++) {
		collectGarbage();
		const before = heapBytes();
		for (let i = 0; i < calls; i++) await call();
		rounds.push((heapBytes() - before) / calls);
	}
	return figure(rounds).median;
}

/** Bytes that the manager keeps for so many credentials that it was asked about. */
async function kept(count: number): Promise<number> {
	const call = knowing(count);
	collectGarbage();
	const before = heapBytes();
	for (let i = 0; i < count; i++) await call();
	collectGarbage();
	const bytes = heapBytes() - before;
	// Its rows must not be collected before.
	await call();
	return bytes;
}

export async function measureCalls(): Promise<Section[]> {
	const counts = [1, 100, 10_000];
	const memory: number[] = [];
	for (const count of counts) memory.push(await kept(count));

	const rounds = await inTurn(CALLS);
	const noOp = Object.values(rounds)[0] as number[];
	const callRows: string[][] = [];
	for (const [name, values] of Object.entries(rounds)) {
		const bytes = await allocated(CALLS[name] as Call);
		callRows.push([
			name,
			show(figure(values), ' ns'),
			show(ratios(values, noOp)),
			Math.round(bytes).toLocaleString('en'),
		]);
	}

	const byCount = await inTurn(Object.fromEntries(counts.map((count) => [count, knowing(count)])));
	const one = byCount['1'] as number[];
	const countRows: string[][] = [];
	for (const [i, count] of counts.entries()) {
		const values = byCount[count] as number[];
		countRows.push([
			count.toLocaleString('en'),
			show(figure(values), ' ns'),
			show(ratios(values, one)),
			`${Math.round((memory[i] as number) / 1024).toLocaleString('en')} kB`,
		]);
	}
	const pairs = `${ROUNDS} rounds in turn; median (10 % to 90 %). `;
	return [
		{
			title: 'What one request costs when no refresh is due',
			how: `${pairs}Hook and authenticate, without what n8n does around them.`,
			head: ['', 'a request', 'times the no-op hook', 'bytes allocated'],
			rows: callRows,
		},
		{
			title: 'The same by the number of credentials that the process knows',
			how: `${pairs}Credentials are used one after the other; a process remembers 10,000, and never more than 20,000.`,
			head: ['credentials', 'a request', 'times one credential', 'memory kept'],
			rows: countRows,
		},
	];
}
