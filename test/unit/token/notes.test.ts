import type { ProbeResult } from '../../../aiclk/protocol/envelope';
import { TokenNotes } from '../../../aiclk/token/notes';
import { DAY_MS, NOW, token } from '../../harness/fakes';

const TOKEN = token('abc');
const WEEK_MS = 7 * DAY_MS;

let nowMs: number;
let notes: TokenNotes;

beforeEach(() => {
	nowMs = NOW;
	notes = new TokenNotes(() => nowMs);
});

describe('what AiClk’s answers say to someone who would ask with account A', () => {
	const fresh = (result: ProbeResult) =>
		expect.objectContaining({ result, isFresh: true }) as object;
	/** A has to ask: what AiClk said to another account need not be true of it. */
	const doubtful = expect.objectContaining({ result: 'rejected', isFresh: false }) as object;

	it.each<[answers: string, expected: object | null]>([
		['', null],
		['A accepted', fresh('accepted')],
		['A rejected', fresh('rejected')],
		['A unknown', fresh('unknown')],
		['B accepted', fresh('accepted')],
		['B rejected', doubtful],
		['A rejected, B accepted', fresh('accepted')],
		['A accepted, B rejected', doubtful],
		['A rejected, B rejected', fresh('rejected')],
		['A rejected, A accepted', fresh('accepted')],
		['A accepted, A rejected', fresh('rejected')],
		['B rejected, A unknown', fresh('unknown')],
		['A unknown, B rejected', doubtful],
		['B rejected, B unknown', fresh('unknown')],
		['B accepted, A unknown', fresh('unknown')],
		['B rejected, C unknown', doubtful],
		['A rejected, C unknown', fresh('rejected')],
	])('what AiClk answered to each account, in order: %s', (answers, expected) => {
		for (const [, account = '', result] of answers.matchAll(/(\w) (\w+)/g)) {
			notes.add(account, TOKEN, result as ProbeResult);
		}
		expect(notes.answerFor('A', TOKEN)).toEqual(expected);
		expect(notes.answerFor('A', token('another'))).toBeNull();
	});

	it.each([
		[0, true],
		[29_999, true],
		[30_000, false],
		[-29_999, true],
		[-30_000, false],
	])('an answer is believed for 30 s, whichever way the clock moves: %d ms', (ms, isFresh) => {
		notes.add('A', TOKEN, 'rejected');
		nowMs += ms;
		expect(notes.answerFor('A', TOKEN)).toEqual({ result: 'rejected', atMs: NOW, isFresh });
	});

	it('of many accounts the last 256 answers are kept', () => {
		for (let account = 0; account < 300; account++) notes.add(`${account}`, TOKEN, 'unknown');
		expect(notes.of(TOKEN).answers.map(({ accountId }) => accountId)).toEqual(
			Array.from({ length: 256 }, (_, index) => `${299 - index}`),
		);
	});
});

describe('an acceptance', () => {
	it('an acceptance ends all that was held against the token, and proves the account', () => {
		Object.assign(notes.of(TOKEN), { deferredAtMs: NOW, isSuspect: true, discarded: 2 });
		notes.add('A', TOKEN, 'rejected');
		notes.add('B', TOKEN, 'unknown');
		expect(notes.of(TOKEN)).toMatchObject({ deferredAtMs: NOW, isSuspect: true, discarded: 2 });
		expect([notes.provenAccount, notes.trustIn('A'), notes.trustIn('B')]).toEqual([
			null,
			null,
			null,
		]);
		notes.add('B', TOKEN, 'accepted');
		expect(notes.of(TOKEN)).toMatchObject({ deferredAtMs: null, isSuspect: false, discarded: 0 });
		expect(notes.provenAccount).toBe('B');
		expect(notes.trustIn('B')).toEqual({ accountId: 'B', trust: 'trusted', sinceMs: NOW });
		expect(notes.trustIn('A')).toBeNull();
	});

	it('a refresh that may have invalidated the token makes only its acceptance void', () => {
		notes.add('A', TOKEN, 'accepted');
		notes.forgetAcceptance(TOKEN);
		expect(notes.answerFor('A', TOKEN)).toBeNull();
		notes.add('A', TOKEN, 'rejected');
		notes.forgetAcceptance(TOKEN);
		expect(notes.answerFor('A', TOKEN)).toMatchObject({ result: 'rejected', isFresh: true });
	});
});

describe('trust in rejections', () => {
	it('a rejection with a distrusted account says nothing, one with another account does', () => {
		notes.add('A', TOKEN, 'rejected');
		notes.setTrust('A', 'distrusted');
		expect(notes.answerFor('A', TOKEN)).toMatchObject({ result: 'unknown', isFresh: true });
		notes.add('B', TOKEN, 'rejected');
		expect(notes.answerFor('A', TOKEN)).toMatchObject({ result: 'rejected', isFresh: false });
	});

	it('an acceptance counts although the account is distrusted later', () => {
		notes.add('A', TOKEN, 'accepted');
		notes.setTrust('A', 'distrusted');
		expect(notes.answerFor('A', TOKEN)).toMatchObject({ result: 'accepted' });
	});

	it.each([
		['trusted', WEEK_MS, 'trusted'],
		['distrusted', WEEK_MS - 1, 'distrusted'],
		['distrusted', WEEK_MS, undefined],
		['distrusted', -WEEK_MS, undefined],
	] as const)('an account that is %s is, %d ms later, %s', (trust, ms, expected) => {
		notes.setTrust('A', trust);
		nowMs += ms;
		expect(notes.trustIn('A')?.trust).toBe(expected);
	});

	it('distrust that is confirmed lasts no longer, and begins anew when it is over', () => {
		notes.setTrust('A', 'distrusted');
		nowMs += WEEK_MS - 1;
		notes.setTrust('A', 'distrusted');
		expect(notes.trustIn('A')?.sinceMs).toBe(NOW);
		nowMs += 1;
		notes.setTrust('A', 'distrusted');
		expect(notes.trustIn('A')?.sinceMs).toBe(NOW + WEEK_MS);
	});

	it('the trust that was stored with a token counts unless this process knows better', () => {
		notes.observeTrust(null);
		notes.observeTrust({ accountId: 'A', trust: 'distrusted', sinceMs: NOW - 1 });
		expect(notes.trustIn('A')).toEqual({ accountId: 'A', trust: 'distrusted', sinceMs: NOW - 1 });
		expect(notes.provenAccount).toBeNull();
		notes.observeTrust({ accountId: 'B', trust: 'trusted', sinceMs: NOW - 1 });
		notes.observeTrust({ accountId: 'C', trust: 'trusted', sinceMs: NOW - 1 });
		expect(notes.provenAccount).toBe('B');
		notes.add('A', TOKEN, 'accepted');
		notes.observeTrust({ accountId: 'A', trust: 'distrusted', sinceMs: NOW });
		expect(notes.trustIn('A')?.trust).toBe('trusted');
	});
});
