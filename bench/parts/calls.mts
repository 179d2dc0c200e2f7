import { createRequire } from 'node:module';
import { join } from 'node:path';
import { execa } from 'execa';
import type { IHttpRequestHelper } from 'n8n-workflow';

import { ROOT } from '../../test/harness/n8n/install.mts';
import { DAY_MS, emptyRow, inputOf, tokenState } from '../../test/harness/fakes.ts';
import { PlainCredential } from '../plainCredential.ts';
import { figure, ratio, type Section, show } from './results.mts';
import { inTurn } from './turns.mts';

const ROUNDS = 40;

/** One measurement is so many calls, so that reading the clock costs nothing. */
const CALLS = 2_000;

const REQUEST = {
	method: 'GET' as const,
	url: 'https://openapi.aiclk.com/openapi/v1/account/info',
};

/** A credential with a fresh token. */
function freshRow() {
	const row = emptyRow({ clientId: '1' });
	const { fingerprint, clientKey } = inputOf(row);
	const now = Date.now();
	const quota = { clientKey, day: '2026-11-24', attempts: 1 };
	const times = { issuedAtMs: now, expiresAtMs: now + 90 * DAY_MS };
	const state = tokenState({ fingerprint, ...times, quota });
	return { ...row, accessToken: 'access'.repeat(8), tokenState: JSON.stringify(state) };
}

/** Time of the processor that this process has had: others take none of it. */
const processorMs = (): number => process.cpuUsage().user / 1_000;

/** Builds the package, and measures what it does for one request that needs no refresh. n8n hands a copy of the stored data to each. */
export async function measureCalls(): Promise<Section> {
	await execa('npm', ['run', 'build'], { cwd: ROOT });
	// What is published, for a TypeScript loader adds costs of its own.
	const { AiClkApi } = createRequire(import.meta.url)(
		join(ROOT, 'dist', 'credentials', 'AiClkApi.credentials.js'),
	) as typeof import('../../credentials/AiClkApi.credentials.ts');
	const ours = new AiClkApi();
	const plain = new PlainCredential();
	const row = freshRow();
	type Authenticate = (credentials: object, options: object) => Promise<unknown>;
	const noRequest = (): never => {
		throw new Error('nothing was to be sent');
	};
	const hookThis = { helpers: { httpRequest: noRequest } } as unknown as IHttpRequestHelper;
	const repeated = (call: () => Promise<unknown>) => async () => {
		for (let i = 0; i < CALLS; i++) await call();
	};
	const times = await inTurn(
		{
			noOp: repeated(async () => {
				const credentials = { ...row };
				await Promise.resolve({});
				return await (plain.authenticate as Authenticate)(credentials, REQUEST);
			}),
			ours: repeated(async () => {
				const credentials = { ...row };
				await ours.preAuthentication.call(hookThis, credentials);
				return await (ours.authenticate as Authenticate)(credentials, REQUEST);
			}),
		},
		ROUNDS,
		undefined,
		processorMs,
	);
	const each = (values: number[]) =>
		show(figure(values.map((ms) => (ms / CALLS) * 1_000_000)), ' ns');
	return {
		title: 'What one request costs when no refresh is due',
		how: `${ROUNDS} rounds in turn; median (10 % to 90 %) of the processor's time. Hook and authenticate, without what n8n does around them.`,
		head: ['', 'a request', 'times the no-op hook'],
		rows: [
			['no-op hook, token header only', each(times.noOp), '1'],
			['AiClk API', each(times.ours), show(ratio(times.ours, times.noOp))],
		],
	};
}
