import { newFailure } from '../../../aiclk/util/failure';
import fc from 'fast-check';

import type { FailedRefreshes } from '../../../aiclk/token/backoff';
import { ageOf, expiredAtMs, renewsAtMs } from '../../../aiclk/token/age';
import type { ProbeAnswer } from '../../../aiclk/token/notes';
import {
	decide,
	isFailureShown,
	isSuccessor,
	mayReplace,
	type PolicyInput,
	type RefreshResult,
} from '../../../aiclk/token/policy';
import { REFRESHES_PER_DAY, RESERVED_REFRESHES } from '../../../aiclk/token/quota';
import type { Token } from '../../../aiclk/token/storedToken';
import { DAY_MS, NOW, token, tokenState } from '../../harness/fakes';

const OURS = tokenState().fingerprint;
const LIFE_MS = 90 * DAY_MS;
const UNRESERVED = REFRESHES_PER_DAY - RESERVED_REFRESHES;
const STORED = token('stored');
const NEWER = token('newer', {
	generation: 2,
	issuedAtMs: NOW + 10 * DAY_MS,
	expiresAtMs: NOW + 100 * DAY_MS,
});
/** Of another row with the same input. */
const OTHER = token('other', { lineage: 'other', issuedAtMs: NOW + 1 });
const EDITED = token('for another input', { fingerprint: 'another' });

/** What is remembered about a token that this process has seen for a day or more. */
const noted = (changes: Partial<NonNullable<PolicyInput['note']>> = {}): PolicyInput['note'] => ({
	seenAtMs: NOW - DAY_MS,
	deferredAtMs: null,
	isSuspect: false,
	...changes,
});

const input = (changes: Partial<PolicyInput> = {}): PolicyInput => ({
	cause: 'before-request',
	mayResend: false,
	readAtMs: changes.nowMs ?? NOW + DAY_MS,
	nowMs: NOW + DAY_MS,
	random: 0,
	fingerprint: OURS,
	stored: STORED,
	alternative: null,
	storedProbe: null,
	alternativeProbe: null,
	probeTrust: 'trusted',
	note: noted(),
	watchedAtMs: null,
	jitteredAtMs: null,
	inFlight: 'none',
	refreshResult: null,
	failedRefreshes: null,
	refreshesToday: 0,
	...changes,
});

/** AiClk's answer to a probe, a day after the token was issued unless said otherwise. */
const said = (
	result: ProbeAnswer['result'],
	{ atMs = NOW + DAY_MS, isFresh = true } = {},
): ProbeAnswer => ({ result, atMs, isFresh });

const failed = (
	kind: 'unavailable' | 'refused',
	{ early = false, count = 1, lastAtMs = NOW + DAY_MS } = {},
): FailedRefreshes => ({
	early,
	count,
	firstAtMs: lastAtMs,
	lastAtMs,
	failure: newFailure({ kind, message: '', description: '' }),
});

const refreshed = (reason: string) => ({ action: 'refresh', reason });
const renewal = refreshed('renewal');
const kept = (reason: string) => ({ action: 'keep', reason });
const adopted = (one: Token) => ({
	action: 'adopt',
	reason: 'known-here',
	token: one,
	failure: null,
});
const probed = (reason: string, one = STORED) => ({ action: 'probe', reason, token: one });
const watched = { action: 'watch', reason: 'peer-may-have-renewed' };
const deferred = {
	action: 'defer',
	reason: 'peer-has-renewed',
	failure: expect.objectContaining({ kind: 'superseded' }) as object,
};
const failedFor = (reason: string) => ({
	action: 'fail',
	reason,
	failure: expect.objectContaining({ message: expect.any(String) as string }) as object,
});

/** Later than any probe. */
const WATCHED = Number.MAX_SAFE_INTEGER;
const EXPIRED_AT = NOW + LIFE_MS - 60_000;
const RENEWAL_AT = NOW + 75 * DAY_MS;

describe('before a request', () => {
	const rejected = (changes: Partial<PolicyInput> = {}): Partial<PolicyInput> => ({
		storedProbe: said('rejected', { atMs: changes.nowMs ?? NOW + DAY_MS }),
		...changes,
	});

	it.each<[string, Partial<PolicyInput>, object]>([
		['no token', { stored: null }, refreshed('no-token')],
		['a token of another input', { stored: EDITED }, refreshed('input-changed')],
		['no token, and one is known here', { stored: null, alternative: STORED }, adopted(STORED)],
		[
			'another input’s, and one is known here',
			{ stored: EDITED, alternative: STORED },
			adopted(STORED),
		],
		['no token, quota spent', { stored: null, refreshesToday: 300 }, failedFor('quota-spent')],
		['a valid token', {}, kept('renewal-not-due')],
		['a valid token, jittered just now', { jitteredAtMs: NOW + DAY_MS - 299_999 }, kept('fresh')],
		['jittered 5 minutes ago', { jitteredAtMs: NOW + DAY_MS - 300_000 }, kept('renewal-not-due')],
		[
			'jittered by a clock since corrected',
			{ jitteredAtMs: NOW + 2 * DAY_MS },
			kept('renewal-not-due'),
		],
		['the last moment before renewal', { nowMs: RENEWAL_AT - 1 }, kept('renewal-not-due')],
		['the first moment of renewal', { nowMs: RENEWAL_AT }, renewal],
		[
			'renewal, jittered just now',
			{ nowMs: RENEWAL_AT, jitteredAtMs: RENEWAL_AT - 1 },
			kept('fresh'),
		],
		[
			'renewal, the rest reserved',
			{ nowMs: RENEWAL_AT, refreshesToday: UNRESERVED },
			kept('quota-reserved'),
		],
		[
			'renewal, last before the reserve',
			{ nowMs: RENEWAL_AT, refreshesToday: UNRESERVED - 1 },
			renewal,
		],
		[
			'renewal, failed 59 s ago',
			{
				nowMs: RENEWAL_AT,
				failedRefreshes: failed('unavailable', { early: true, lastAtMs: RENEWAL_AT - 59_000 }),
			},
			kept('renewal-failed'),
		],
		[
			'renewal, failed 60 s ago',
			{
				nowMs: RENEWAL_AT,
				failedRefreshes: failed('unavailable', { early: true, lastAtMs: RENEWAL_AT - 60_000 }),
			},
			renewal,
		],
		[
			'a renewal that AiClk has not answered',
			{ nowMs: RENEWAL_AT, inFlight: 'renewal-sent' },
			kept('renewal-under-way'),
		],
		['a renewal that AiClk has answered', { inFlight: 'renewal-answered' }, renewal],
		['a refresh under way', { inFlight: 'refresh' }, renewal],
		[
			'the last moment alive',
			{ nowMs: EXPIRED_AT - 1, jitteredAtMs: EXPIRED_AT - 1 },
			kept('fresh'),
		],
		['expired', { nowMs: EXPIRED_AT }, refreshed('expired')],
		[
			'expired, renewal under way',
			{ nowMs: EXPIRED_AT, inFlight: 'renewal-sent' },
			refreshed('expired'),
		],
		[
			'expired, last of the quota',
			{ nowMs: EXPIRED_AT, refreshesToday: 299 },
			refreshed('expired'),
		],
		['expired, quota spent', { nowMs: EXPIRED_AT, refreshesToday: 300 }, failedFor('quota-spent')],
		[
			'expired, quota spent, refresh under way',
			{ nowMs: EXPIRED_AT, refreshesToday: 300, inFlight: 'refresh' },
			refreshed('expired'),
		],
		[
			'expired, and another one is known',
			{ nowMs: EXPIRED_AT, alternative: OTHER },
			probed('known-here', OTHER),
		],
		[
			'expired, and another one was probed',
			{ nowMs: EXPIRED_AT, alternative: OTHER, alternativeProbe: said('unknown') },
			adopted(OTHER),
		],
		['issued in the future', { nowMs: NOW - 300_001 }, refreshed('expired')],
		['issued a little in the future', { nowMs: NOW - 300_000 }, kept('renewal-not-due')],
		[
			'expired, refresh failed 9 s ago',
			{
				nowMs: EXPIRED_AT,
				failedRefreshes: failed('unavailable', { lastAtMs: EXPIRED_AT - 9_999 }),
			},
			failedFor('backing-off'),
		],
		[
			'expired, refresh failed 10 s ago',
			{
				nowMs: EXPIRED_AT,
				failedRefreshes: failed('unavailable', { lastAtMs: EXPIRED_AT - 10_000 }),
			},
			refreshed('expired'),
		],
		[
			'expired, renewal failed just now',
			{
				nowMs: EXPIRED_AT,
				failedRefreshes: failed('unavailable', { early: true, lastAtMs: EXPIRED_AT }),
			},
			refreshed('expired'),
		],
		[
			'expired, refused 4 minutes ago',
			{ nowMs: EXPIRED_AT, failedRefreshes: failed('refused', { lastAtMs: EXPIRED_AT - 299_999 }) },
			failedFor('backing-off'),
		],
		[
			'expired, left to a peer just now',
			{ nowMs: EXPIRED_AT, note: noted({ deferredAtMs: EXPIRED_AT - 1 }) },
			watched,
		],
		[
			'expired, left to a peer just now, watched',
			{
				nowMs: EXPIRED_AT,
				note: noted({ deferredAtMs: EXPIRED_AT - 5_999 }),
				watchedAtMs: WATCHED,
			},
			deferred,
		],
		[
			'expired, left to a peer 6 s before it was read',
			{ nowMs: EXPIRED_AT, note: noted({ deferredAtMs: EXPIRED_AT - 6_000 }) },
			refreshed('expired'),
		],
		['a successor is known', { alternative: NEWER }, probed('known-here', NEWER)],
		[
			'a successor that brings a refresh token is known',
			{ alternative: { ...NEWER, rotatedRefreshToken: 'rotated' } },
			adopted({ ...NEWER, rotatedRefreshToken: 'rotated' }),
		],
		[
			'an accepted successor is known',
			{ alternative: NEWER, alternativeProbe: said('accepted') },
			adopted(NEWER),
		],
		['a token of another lineage is known', { alternative: OTHER }, kept('renewal-not-due')],
		[
			'a token of the same generation is known',
			{ alternative: token('sibling') },
			kept('renewal-not-due'),
		],
		[
			'rejected a while ago',
			{ storedProbe: said('rejected', { isFresh: false }) },
			probed('rejected-before'),
		],
		[
			'rejected, and another one is known',
			rejected({ alternative: OTHER }),
			probed('known-here', OTHER),
		],
		['rejected, quota spent', rejected({ refreshesToday: 300 }), failedFor('quota-spent')],
		[
			'rejected, backing off',
			rejected({ failedRefreshes: failed('refused') }),
			failedFor('backing-off'),
		],
		['rejected, refresh under way', rejected({ inFlight: 'renewal-sent' }), refreshed('rejected')],
		['rejected', rejected(), watched],
		['rejected, watched', rejected({ watchedAtMs: WATCHED }), refreshed('rejected')],
		[
			'rejected within 40 s of its issue',
			rejected({ nowMs: NOW + 39_999, watchedAtMs: WATCHED }),
			deferred,
		],
		[
			'rejected within 40 s, clock behind',
			rejected({ nowMs: NOW - 39_999, watchedAtMs: WATCHED }),
			deferred,
		],
		[
			'rejected after 40 s',
			rejected({ nowMs: NOW + 40_000, watchedAtMs: WATCHED }),
			refreshed('rejected'),
		],
		[
			'rejected before AiClk’s servers knew it',
			rejected({ nowMs: NOW + 2_999, watchedAtMs: WATCHED }),
			probed('rejected-before'),
		],
		[
			'rejected when they must have known it',
			rejected({ nowMs: NOW + 3_000, watchedAtMs: WATCHED }),
			deferred,
		],
		[
			'rejected again, after the watch',
			rejected({ nowMs: NOW + 2_999, watchedAtMs: NOW + 2_999 }),
			deferred,
		],
		[
			'rejected before three fifths of its life',
			rejected({ nowMs: NOW + LIFE_MS * 0.6 - 1, watchedAtMs: WATCHED }),
			refreshed('rejected'),
		],
		[
			'rejected after three fifths',
			rejected({ nowMs: NOW + LIFE_MS * 0.6, watchedAtMs: WATCHED }),
			deferred,
		],
		[
			'rejected after three fifths, new here',
			rejected({
				nowMs: NOW + LIFE_MS * 0.6,
				watchedAtMs: WATCHED,
				note: noted({ seenAtMs: NOW + LIFE_MS * 0.6 - 9_999 }),
			}),
			refreshed('rejected'),
		],
		[
			'rejected after three fifths, seen here for 10 s',
			rejected({
				nowMs: NOW + LIFE_MS * 0.6,
				watchedAtMs: WATCHED,
				note: noted({ seenAtMs: NOW + LIFE_MS * 0.6 - 10_000 }),
			}),
			deferred,
		],
		[
			'rejected, suspect after a renewal',
			rejected({ note: noted({ isSuspect: true }) }),
			refreshed('rejected'),
		],
		[
			'rejected after three fifths, deferred before',
			rejected({ nowMs: NOW + LIFE_MS * 0.6, note: noted({ deferredAtMs: NOW }) }),
			refreshed('rejected'),
		],
		['suspect after a renewal', { note: noted({ isSuspect: true }) }, probed('suspect')],
		[
			'suspect, accepted since',
			{ note: noted({ isSuspect: true }), storedProbe: said('accepted') },
			kept('renewal-not-due'),
		],
		[
			'suspect, accepted before',
			{ note: noted({ isSuspect: true }), storedProbe: said('accepted', { isFresh: false }) },
			probed('suspect'),
		],
		[
			'suspect, AiClk does not say',
			{ note: noted({ isSuspect: true }), storedProbe: said('unknown') },
			kept('renewal-not-due'),
		],
		[
			'suspect, refresh under way',
			{ note: noted({ isSuspect: true }), inFlight: 'refresh' },
			renewal,
		],
	])('before a request: %s', (_, changes, expected) => {
		expect(decide(input(changes))).toEqual(expected);
	});

	it.each([
		[0.5, Math.LN2],
		[0.9, Math.LN10],
		[0.99, 2 * Math.LN10],
	])('a random number of %d makes the jitter %d days', (random, days) => {
		const nowMs = Math.ceil(RENEWAL_AT - days * DAY_MS);
		expect(decide(input({ random, nowMs: nowMs - 1_000 }))).toEqual(kept('renewal-not-due'));
		expect(decide(input({ random, nowMs: nowMs + 1_000 }))).toEqual(renewal);
	});
});

describe('after a failed request', () => {
	const nowMs = NOW + DAY_MS;
	/** A GET whose token AiClk rejects. */
	const read = (changes: Partial<PolicyInput> = {}): PolicyInput =>
		input({
			cause: 'after-failure',
			mayResend: true,
			storedProbe: said('rejected'),
			watchedAtMs: WATCHED,
			...changes,
		});
	/** A POST, or a form: it must not be sent again. */
	const post = (changes: Partial<PolicyInput> = {}): PolicyInput =>
		read({ mayResend: false, ...changes });

	it.each<[string, Partial<PolicyInput>, object]>([
		['AiClk is asked', { storedProbe: null }, probed('after-failure')],
		[
			'AiClk is asked again',
			{ storedProbe: said('accepted', { isFresh: false }) },
			probed('after-failure'),
		],
		['the token is accepted', { storedProbe: said('accepted') }, kept('not-rejected')],
		['AiClk does not say', { storedProbe: said('unknown') }, kept('not-rejected')],
		['the token expired meanwhile', { nowMs: EXPIRED_AT }, kept('expired-meanwhile')],
		['there is no token', { stored: null }, kept('input-changed')],
		['the input was edited', { stored: EDITED }, kept('input-changed')],
	])('after a failed request of any kind: %s', (_, changes, expected) => {
		expect(decide(read(changes))).toEqual(expected);
		expect(decide(post(changes))).toEqual(expected);
	});

	it.each<[string, Partial<PolicyInput>]>([
		['the token is rejected', {}],
		['a peer may have renewed it', { watchedAtMs: null }],
		['another token is known', { alternative: NEWER, alternativeProbe: said('accepted') }],
		['a refresh is under way', { inFlight: 'refresh' }],
		['quota spent', { refreshesToday: 300 }],
	])('after one that must not be sent again, nothing is returned: %s', (_, changes) => {
		expect(decide(post(changes))).toEqual(kept('left-to-next-request'));
	});

	it.each<[string, PolicyInput, object]>([
		['the token is rejected', read(), refreshed('rejected')],
		['a peer may have renewed it', read({ watchedAtMs: null }), watched],
		['probes are not proven', read({ probeTrust: null }), refreshed('rejected')],
		['another token is known', read({ alternative: NEWER }), probed('known-here', NEWER)],
		[
			'the other one is accepted',
			read({ alternative: NEWER, alternativeProbe: said('accepted') }),
			adopted(NEWER),
		],
		[
			'the other one brings a refresh token, and the row may hold a newer one by now',
			read({
				alternative: { ...NEWER, rotatedRefreshToken: 'new' },
				alternativeProbe: said('accepted'),
			}),
			adopted(NEWER),
		],
		[
			'AiClk says nothing of the other one',
			read({ alternative: NEWER, alternativeProbe: said('unknown') }),
			adopted(NEWER),
		],
		['quota spent', read({ refreshesToday: 300 }), failedFor('quota-spent')],
		['backing off', read({ failedRefreshes: failed('refused') }), failedFor('backing-off')],
		[
			'left to a peer 6 s before it was read',
			read({ readAtMs: nowMs - 500, note: noted({ deferredAtMs: nowMs - 6_500 }) }),
			refreshed('rejected'),
		],
		[
			'left to a peer a little later',
			read({ readAtMs: nowMs - 500, note: noted({ deferredAtMs: nowMs - 6_499 }) }),
			deferred,
		],
		[
			'left to a peer by a clock that has jumped back',
			read({ note: noted({ deferredAtMs: nowMs + 60_001 }) }),
			refreshed('rejected'),
		],
		[
			'left to a peer by a clock that has jumped back a little',
			read({ note: noted({ deferredAtMs: nowMs + 60_000 }) }),
			deferred,
		],
	])('after a failed request that may be sent again: %s', (_, facts, expected) => {
		expect(decide(facts)).toEqual(expected);
	});

	const SUPERSEDED = 'superseded';
	it.each<[string, PolicyInput, FailedRefreshes['failure']['kind'], boolean]>([
		['before a request', input(), 'quota', true],
		['before a request', input(), SUPERSEDED, true],
		['before a request, probes not proven', input({ probeTrust: null }), SUPERSEDED, false],
		['before a request, probes not proven', input({ probeTrust: null }), 'refused', true],
		[
			'expired, probes not proven',
			input({ probeTrust: null, nowMs: EXPIRED_AT }),
			SUPERSEDED,
			true,
		],
		['forced', input({ cause: 'forced' }), 'refused', true],
		['forced, probes not proven', input({ cause: 'forced', probeTrust: null }), SUPERSEDED, true],
		['after a safe request whose token is rejected', read(), 'refused', true],
		[
			'after a safe request whose token is not',
			read({ storedProbe: said('unknown') }),
			'refused',
			false,
		],
		['after a safe request, probes not proven', read({ probeTrust: null }), 'refused', false],
		['after one that is not safe', post(), 'refused', false],
	])('the exit gate %s: is %s shown? %s', (_, facts, kind, expected) => {
		expect(isFailureShown(facts, newFailure({ kind, message: '', description: '' }))).toBe(
			expected,
		);
	});
});

describe('when a refresh has ended', () => {
	const { failure } = failed('unavailable');
	const outcome = (changes: Partial<RefreshResult> = {}): RefreshResult =>
		({ reason: 'rejected', token: NEWER, failure: null, ...changes }) as RefreshResult;
	const stored = (beside: object | null = null) => ({
		action: 'adopt',
		reason: 'refreshed',
		token: NEWER,
		failure: beside,
	});
	const FAILED = outcome({ token: null, failure });
	const WITHOUT = outcome({ failure });

	it.each<[string, Partial<PolicyInput>, object]>([
		['its token is used', { refreshResult: outcome() }, stored()],
		[
			'its token is used after a failed request',
			{ cause: 'after-failure', mayResend: true, refreshResult: outcome() },
			stored(),
		],
		[
			'its failure counts',
			{ refreshResult: FAILED, nowMs: EXPIRED_AT },
			failedFor('refresh-failed'),
		],
		['its failure takes no usable token away', { refreshResult: FAILED }, kept('renewal-not-due')],
		[
			'its failure counts for whoever asked for it',
			{ refreshResult: FAILED, cause: 'forced' },
			failedFor('refresh-failed'),
		],
		[
			'a failed renewal leaves everything as it was',
			{ refreshResult: outcome({ reason: 'renewal', token: null, failure }), nowMs: EXPIRED_AT },
			refreshed('expired'),
		],
		[
			'a refresh token without an access token is stored beside a usable one',
			{ refreshResult: WITHOUT },
			stored(),
		],
		[
			'a refresh token without an access token does not hide the failure',
			{ refreshResult: WITHOUT, nowMs: EXPIRED_AT },
			stored(failure),
		],
		[
			'nor beside a rejected one',
			{ refreshResult: WITHOUT, storedProbe: said('rejected') },
			stored(failure),
		],
		[
			'nor from whoever asked for a refresh',
			{ refreshResult: WITHOUT, cause: 'forced' },
			stored(failure),
		],
	])('when a refresh has ended, %s', (_, changes, expected) => {
		expect(decide(input(changes))).toEqual(expected);
	});
});

describe('forced', () => {
	it.each<[string, Partial<PolicyInput>, object]>([
		['a valid token', {}, refreshed('forced')],
		[
			'a valid token, last before the reserve',
			{ refreshesToday: UNRESERVED - 1 },
			refreshed('forced'),
		],
		[
			'a valid token, the rest reserved',
			{ refreshesToday: UNRESERVED },
			failedFor('quota-reserved'),
		],
		['no token, last of the quota', { stored: null, refreshesToday: 299 }, refreshed('forced')],
		[
			'another input’s, last of the quota',
			{ stored: EDITED, refreshesToday: 299 },
			refreshed('forced'),
		],
		[
			'rejected, last of the quota',
			{ storedProbe: said('rejected'), refreshesToday: 299 },
			refreshed('forced'),
		],
		['expired, last of the quota', { nowMs: EXPIRED_AT, refreshesToday: 299 }, refreshed('forced')],
		['expired, quota spent', { nowMs: EXPIRED_AT, refreshesToday: 300 }, failedFor('quota-spent')],
		['while backing off', { failedRefreshes: failed('refused') }, refreshed('forced')],
		[
			'while a refresh is under way',
			{ refreshesToday: 300, inFlight: 'refresh' },
			refreshed('forced'),
		],
	])('forced: %s', (_, changes, expected) => {
		expect(decide(input({ cause: 'forced', ...changes }))).toEqual(expected);
	});
});

describe('the age of a token', () => {
	it.each([
		['90 days', LIFE_MS, LIFE_MS - 60_000, 75 * DAY_MS],
		['an hour', 3_600_000, 3_600_000 - 36_000, 3_000_000],
		['a second', 1_000, 990, 833],
	])('the age of a token that is %s', (_, lifeMs, expired, renews) => {
		const state = tokenState({ expiresAtMs: NOW + lifeMs });
		expect(expiredAtMs(state)).toBe(NOW + expired);
		expect(renewsAtMs(state)).toBe(NOW + renews);
		expect(ageOf(state, NOW)).toBe('valid');
		expect(ageOf(state, NOW + renews - 1)).toBe('valid');
		expect(ageOf(state, NOW + renews)).toBe('renewal-due');
		expect(ageOf(state, NOW + Math.ceil(expired) - 1)).toBe('renewal-due');
		expect(ageOf(state, NOW + Math.ceil(expired))).toBe('expired');
		expect(ageOf(state, NOW - 300_000)).toBe('valid');
		expect(ageOf(state, NOW - 300_001)).toBe('expired');
	});
});

describe('what may replace what', () => {
	const holding = (one: Token, rotatedRefreshToken: string): Token => ({
		...one,
		rotatedRefreshToken,
	});
	const FIRST = token('first', { generation: 2 });
	const SECOND = token('second', { generation: 3 });
	const SIBLING = token('sibling', { generation: 2 });
	const UNRELATED = token('unrelated', { fingerprint: 'another', lineage: 'other' });
	const STRANGER = token('stranger', { generation: 9, lineage: 'other' });

	it.each<[string, Token, Token | null, boolean, boolean]>([
		['nothing', FIRST, null, false, true],
		['another input’s', FIRST, holding(UNRELATED, 'r'), false, true],
		['its predecessor', SECOND, FIRST, true, true],
		['its predecessor, which holds a refresh token', SECOND, holding(FIRST, 'r'), true, true],
		['its successor', FIRST, SECOND, false, true],
		['its successor, which holds a refresh token', FIRST, holding(SECOND, 'r'), false, false],
		['its successor, though it holds a refresh token', holding(FIRST, 'r'), SECOND, false, true],
		['itself', FIRST, FIRST, false, false],
		['one of its generation', SIBLING, FIRST, false, true],
		['one of its generation without its refresh token', holding(SIBLING, 'r'), FIRST, true, true],
		['one of its generation, which holds one', SIBLING, holding(FIRST, 'r'), false, false],
		[
			'one of its generation, both hold one',
			holding(SIBLING, 's'),
			holding(FIRST, 'r'),
			false,
			false,
		],
		['one of another lineage', STRANGER, FIRST, false, true],
		['one of another lineage, which holds one', STRANGER, holding(FIRST, 'r'), false, false],
		[
			'one of another lineage, which holds one, as it does itself',
			holding(STRANGER, 's'),
			holding(FIRST, 'r'),
			false,
			false,
		],
	])('a token and %s', (_, one, stored, isLater, mayTakeItsPlace) => {
		expect(stored !== null && isSuccessor(one, stored)).toBe(isLater);
		expect(mayReplace(one, stored)).toBe(mayTakeItsPlace);
	});
});

describe('over all states and clocks', () => {
	const anyTime = fc.integer({ min: NOW - 2 * LIFE_MS, max: NOW + 2 * LIFE_MS });
	const anyToken: fc.Arbitrary<Token> = fc
		.record({
			issuedAtMs: anyTime,
			lifeMs: fc.oneof(
				fc.integer({ min: 1, max: 2 * LIFE_MS }),
				fc.constantFrom(1_000, 3_600_000, LIFE_MS),
			),
			generation: fc.integer({ min: 1, max: 4 }),
			lineage: fc.constantFrom('one', 'two'),
			fingerprint: fc.constantFrom(OURS, OURS, OURS, 'another'),
		})
		.map(({ issuedAtMs, lifeMs, ...rest }) =>
			token('any', { issuedAtMs, expiresAtMs: issuedAtMs + lifeMs, ...rest }),
		);
	const anyProbe: fc.Arbitrary<ProbeAnswer> = fc.record({
		result: fc.constantFrom('accepted', 'rejected', 'unknown'),
		atMs: anyTime,
		isFresh: fc.boolean(),
	});
	const anyFailure = fc.record({
		early: fc.boolean(),
		count: fc.integer({ min: 1, max: 30 }),
		firstAtMs: anyTime,
		lastAtMs: anyTime,
		failure: fc
			.constantFrom('unavailable', 'refused', 'unusable')
			.map((kind) => ({ kind, message: '', description: '' }) as FailedRefreshes['failure']),
	});
	const anyInput: fc.Arbitrary<PolicyInput> = fc
		.record({
			cause: fc.constantFrom<PolicyInput['cause']>('before-request', 'after-failure', 'forced'),
			mayResend: fc.boolean(),
			readAtMs: anyTime,
			nowMs: anyTime,
			random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
			fingerprint: fc.constant(OURS),
			stored: fc.option(anyToken),
			alternative: fc.option(anyToken),
			storedProbe: fc.option(anyProbe),
			alternativeProbe: fc.option(anyProbe),
			probeTrust: fc.constantFrom('trusted', 'distrusted', null),
			note: fc.option(
				fc.record({
					seenAtMs: anyTime,
					deferredAtMs: fc.option(anyTime),
					isSuspect: fc.boolean(),
				}),
			),
			watchedAtMs: fc.option(anyTime),
			jitteredAtMs: fc.option(anyTime),
			inFlight: fc.constantFrom<PolicyInput['inFlight']>(
				'none',
				'renewal-sent',
				'renewal-answered',
				'refresh',
			),
			refreshResult: fc.constant(null),
			failedRefreshes: fc.option(anyFailure),
			refreshesToday: fc.integer({ min: 0, max: 400 }),
		})
		// What is known is alive: the session sees to it.
		.map((any) =>
			any.alternative !== null && ageOf(any.alternative.state, any.nowMs) === 'expired'
				? { ...any, alternative: null }
				: any,
		);
	const always = (property: (facts: PolicyInput) => void) => {
		fc.assert(fc.property(anyInput, property), { numRuns: 2_000 });
	};
	const isOurs = ({ stored, fingerprint }: PolicyInput) =>
		stored?.state.fingerprint === fingerprint;
	const isStoredAlive = (facts: PolicyInput) =>
		isOurs(facts) && ageOf((facts.stored as Token).state, facts.nowMs) !== 'expired';
	const isRejected = ({ storedProbe }: PolicyInput) => storedProbe?.result === 'rejected';

	it('no refresh exceeds the quota, only needed ones touch the reserve', () => {
		always((facts) => {
			const decision = decide(facts);
			if (decision.action !== 'refresh' || facts.inFlight !== 'none') return;
			const isNeeded = !isStoredAlive(facts) || isRejected(facts);
			expect(facts.refreshesToday).toBeLessThan(isNeeded ? REFRESHES_PER_DAY : UNRESERVED);
		});
	});

	it('a valid token that was not rejected is only ever renewed', () => {
		always((facts) => {
			if (facts.cause === 'forced' || !isStoredAlive(facts) || isRejected(facts)) return;
			const decision = decide(facts);
			expect(['fail', 'defer']).not.toContain(decision.action);
			if (decision.action === 'refresh') expect(decision).toEqual(renewal);
		});
	});

	it('only a rejected token makes n8n send a failed request again', () => {
		always((any) => {
			const facts: PolicyInput = { ...any, cause: 'after-failure' };
			const { action } = decide(facts);
			if (action !== 'refresh' && action !== 'adopt') return;
			expect(facts.storedProbe).toMatchObject({ result: 'rejected', isFresh: true });
		});
	});

	it('after a request that must not be sent again, no token is ever returned', () => {
		always((any) => {
			const { action } = decide({ ...any, cause: 'after-failure', mayResend: false });
			expect(['keep', 'probe']).toContain(action);
		});
	});

	it('no time is spent on watching while no refresh may be sent', () => {
		always((any) => {
			const { action } = decide({ ...any, inFlight: 'none', refreshesToday: REFRESHES_PER_DAY });
			expect(['watch', 'defer', 'refresh']).not.toContain(action);
		});
	});

	it('a known token is adopted only over a bad one or its predecessor', () => {
		always((facts) => {
			const decision = decide(facts);
			if (decision.action !== 'adopt') return;
			expect(decision.token.accessToken).toBe(facts.alternative?.accessToken);
			expect(decision.token.state).toBe(facts.alternative?.state);
			if (!isStoredAlive(facts) || isRejected(facts)) return;
			expect(isSuccessor(decision.token, facts.stored as Token)).toBe(true);
		});
	});

	it('an expired token is never kept before a request', () => {
		always((facts) => {
			if (facts.cause !== 'before-request' || isStoredAlive(facts)) return;
			expect(decide(facts).action).not.toBe('keep');
		});
	});

	it('no probe or watch is decided twice', () => {
		always((facts) => {
			const decision = decide(facts);
			if (decision.action === 'watch') expect(facts.watchedAtMs).toBeNull();
			if (decision.action !== 'probe') return;
			const answer = decision.token === facts.stored ? facts.storedProbe : facts.alternativeProbe;
			const isBeforeWatch =
				answer !== null && facts.watchedAtMs !== null && answer.atMs < facts.watchedAtMs;
			if (!isBeforeWatch) expect(answer?.isFresh).not.toBe(true);
		});
	});

	it('a stored refresh token is replaced by a successor only', () => {
		fc.assert(
			fc.property(anyToken, anyToken, (one, other) => {
				const stored = { ...other, accessToken: 'stored', rotatedRefreshToken: 'rotated' };
				const isOurs = stored.state.fingerprint === one.state.fingerprint;
				if (!mayReplace(one, stored) || !isOurs) return;
				expect(isSuccessor(one, stored)).toBe(true);
			}),
		);
	});
});
