import type { IHttpRequestOptions } from 'n8n-workflow';

import { Session } from '../../../aiclk/token/session';
import type { RefreshResult } from '../../../aiclk/token/policy';
import type { Token, TokenState } from '../../../aiclk/token/storedToken';
import { newFailure } from '../../../aiclk/util/failure';
import { FakeEnvironment } from '../../harness/fakeProcess';
import { emptyRow, inputOf, NOW, token } from '../../harness/fakes';

let environment: FakeEnvironment;
let session: Session;

beforeEach(() => {
	environment = new FakeEnvironment();
	session = new Session(environment);
});

const of = (lineage: string, generation: number, changes: Partial<TokenState> = {}): Token =>
	token(`${lineage}${generation}`, { lineage, generation, ...changes });
const A1 = of('a', 1);
const A2 = of('a', 2);
const B1 = of('b', 1);
const observe = (...tokens: Token[]) => tokens.forEach((one) => session.observe(one, '1'));
const reject = (one: Token) => session.notes.add('1', one, 'rejected');

describe('the tokens that a process remembers', () => {
	it('nothing is known at first', () => {
		expect([session.newestOf(null), session.newestOf(A1), session.alternativeTo(A1, '1')]).toEqual([
			null,
			null,
			null,
		]);
	});

	it('the newest token of a row’s own lineage counts, else the latest that was read', () => {
		observe(A1, A2, B1);
		expect(session.newestOf(A1)).toBe(A2);
		expect(session.newestOf(B1)).toBe(B1);
		expect(session.newestOf(of('c', 1))).toBe(B1);
		expect(session.newestOf(null)).toBe(B1);
	});

	it('an older token, or the same one read again, changes nothing', () => {
		observe(A2, B1, A1, A2);
		expect(session.newestOf(A1)).toBe(A2);
		expect(session.newestOf(null)).toBe(B1);
	});

	it('the lineage that was read the longest ago is forgotten when there are nine', () => {
		const lineages = Array.from({ length: 9 }, (_, index) => of(`lineage ${index}`, 1));
		observe(...lineages);
		expect(session.newestOf(lineages[1] as Token)).toBe(lineages[1]);
		expect(session.newestOf(lineages[0] as Token)).toBe(lineages[8]);
	});

	it('a successor takes a token’s place before a later token of another lineage', () => {
		observe(A2, B1);
		expect(session.alternativeTo(A1, '1')).toBe(A2);
		expect(session.alternativeTo(null, '1')).toBe(B1);
	});

	it('a token that was replaced does not come back when its successor is rejected', () => {
		observe(A1, A2);
		reject(A2);
		expect(session.alternativeTo(B1, '1')).toBeNull();
	});

	it('an expired token is no alternative', () => {
		observe(of('a', 2, { issuedAtMs: NOW - 2, expiresAtMs: NOW - 1 }));
		expect(session.alternativeTo(A1, '1')).toBeNull();
	});

	describe('two processes have made a token of the same generation', () => {
		const OURS = { ...token('ours', { lineage: 'a', generation: 2 }), rotatedRefreshToken: 'new' };
		const THEIRS = token('theirs', { lineage: 'a', generation: 2 });

		it('the stored one is in use, with the refresh token that the other one brought', () => {
			observe(OURS, THEIRS);
			expect(session.newestOf(A1)).toEqual({ ...THEIRS, rotatedRefreshToken: 'new' });
			observe({ ...OURS, rotatedRefreshToken: 'newer' });
			expect(session.newestOf(A1)).toEqual({ ...OURS, rotatedRefreshToken: 'newer' });
		});

		it('a rejected one is not', () => {
			reject(THEIRS);
			observe(OURS, THEIRS);
			expect(session.newestOf(A1)).toBe(OURS);
		});
	});

	it.each([
		['before', -1, false],
		['at', 0, false],
		['after', 1, true],
	])('a token that a peer got %s the last failure: is the backoff over?', (_, ms, isOver) => {
		const failure = newFailure({ kind: 'refused', message: '', description: '' });
		session.failedRefreshes = {
			isRenewal: false,
			count: 3,
			firstAtMs: NOW,
			lastAtMs: NOW,
			failure,
		};
		observe(of('a', 1, { issuedAtMs: NOW + ms }));
		expect(session.failedRefreshes === null).toBe(isOver);
	});
});

describe('watching for a peer’s token', () => {
	/** What happens during each step of half a second. */
	const during = (steps: Record<number, () => void>) => {
		environment.duringSleep = () => steps[environment.slept.length]?.();
	};

	it.each<[string, Token[], Record<number, () => void>, number]>([
		['none comes', [A1], {}, 6],
		['one comes in the second step', [A1], { 2: () => observe(A2) }, 2],
		['one was known before, and no other comes', [A1, B1], {}, 6],
		['the one that was known is rejected', [A1, B1], { 1: () => reject(B1) }, 6],
		['a better one comes', [A1, B1], { 3: () => observe(A2) }, 3],
	])('%s', async (_, known, steps, expected) => {
		observe(...known);
		during(steps);
		await session.watch(A1, '1');
		expect(environment.slept).toEqual(Array(expected).fill(500));
	});

	it('all who watch at the same time share it', async () => {
		await Promise.all([session.watch(A1, '1'), session.watch(A1, '1')]);
		expect(environment.slept).toHaveLength(6);
		await session.watch(A1, '1');
		expect(environment.slept).toHaveLength(12);
	});
});

describe('the refresh in flight', () => {
	it.each([
		['renewal', 'renewal-sent', 'renewal-answered'],
		['expired', 'refresh', 'refresh'],
		['rejected', 'refresh', 'refresh'],
	] as const)('%s: %s, and %s once AiClk has answered', async (reason, sent, answered) => {
		const outcome: RefreshResult = { reason, token: A1, failure: null };
		let end: (ended: RefreshResult) => void = () => undefined;
		const run = async () => await new Promise<RefreshResult>((resolve) => (end = resolve));
		session.observeAnswer();
		expect(session.inFlight).toBe('none');
		const first = session.refresh(reason, run);
		const second = session.refresh('forced', async () => await Promise.reject(new Error('second')));
		expect(session.inFlight).toBe(sent);
		session.observeAnswer();
		expect(session.inFlight).toBe(answered);
		end(outcome);
		expect(await Promise.all([first, second])).toEqual([outcome, outcome]);
		expect(session.inFlight).toBe('none');
		const next = { ...outcome, reason: 'forced' as const };
		expect(await session.refresh('forced', async () => await Promise.resolve(next))).toBe(next);
	});
});

describe('a probe', () => {
	const input = { ...inputOf(emptyRow()), accountId: '1' };
	const ACCEPTED = { statusCode: 200, body: { code: 200, data: {} } };
	const REJECTED = { statusCode: 200, body: { code: 401, data: null } };
	let asked: string[];

	beforeEach(() => {
		asked = [];
	});

	/** AiClk, which rejects these accounts. @returns n8n's HTTP helper */
	const rejecting =
		(...accounts: string[]) =>
		async ({ qs, headers }: IHttpRequestOptions) => {
			await Promise.resolve();
			const account = String(qs?.account_id);
			asked.push(`${account} ${String(headers?.OGW_ACCESS_TOKEN)}`);
			return accounts.includes(account) ? REJECTED : ACCEPTED;
		};

	it.each<[string, string | null, string[], string, string[]]>([
		['is one request', null, [], 'accepted', ['1 a1']],
		['that is rejected is one request, too', null, ['1'], 'rejected', ['1 a1']],
		['is not checked if AiClk accepts it', '2', [], 'accepted', ['1 a1']],
		[
			'that is rejected is checked with the proven account',
			'2',
			['1'],
			'accepted',
			['1 a1', '2 a1'],
		],
		['that is rejected with both is', '2', ['1', '2'], 'rejected', ['1 a1', '2 a1']],
		['is not checked with its own account', '1', ['1'], 'rejected', ['1 a1']],
	])('%s (proven: %j, rejected: %j): %s', async (_, proven, rejected, result, requests) => {
		session.notes.provenAccount = proven;
		expect(await session.probe(A1, input, rejecting(...rejected))).toBe(result);
		expect(asked).toEqual(requests);
	});

	it('all who ask about the same token with the same account at the same time share it', async () => {
		const http = rejecting();
		await Promise.all([
			session.probe(A1, input, http),
			session.probe(A1, input, http),
			session.probe(A1, { ...input, accountId: '2' }, http),
			session.probe(A2, input, http),
		]);
		expect(asked).toEqual(['1 a1', '2 a1', '1 a2']);
		await session.probe(A1, input, http);
		expect(asked).toHaveLength(4);
	});

	it('without an answer it says nothing, and does not fail', async () => {
		const cut = async () => await Promise.reject(new Error('cut'));
		expect(await session.probe(A1, input, cut)).toBe('unknown');
		expect(session.notes.answerFor('1', A1)).toEqual({
			result: 'unknown',
			atMs: NOW,
			isFresh: true,
		});
	});
});
