import fc from 'fast-check';

import { type Failure, newFailure } from '../../../aiclk/util/failure';
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
/** A successor that brings a refresh token. */
const ROTATED = { ...NEWER, rotatedRefreshToken: 'rotated' };
/** Of another row with the same input. */
const OTHER = token('other', { lineage: 'other', issuedAtMs: NOW + 1 });
const EDITED = token('for another input', { fingerprint: 'another' });

/** Where most tests are: a day after the token was issued. */
const TODAY = NOW + DAY_MS;
/** Later than any probe. */
const WATCHED = Number.MAX_SAFE_INTEGER;
const EXPIRED_AT = NOW + LIFE_MS - 60_000;
const RENEWAL_AT = NOW + 75 * DAY_MS;

type Facts = Partial<PolicyInput>;

/** What is remembered about a token that this process has seen for a day or more. */
const noted = (changes: Partial<NonNullable<PolicyInput['note']>> = {}): Facts => ({
	note: { seenAtMs: NOW - DAY_MS, deferredAtMs: null, isSuspect: false, ...changes },
});
const SUSPECT = noted({ isSuspect: true });

const failureOf = (kind: Failure['kind']) => newFailure({ kind, message: '', description: '' });

/** A refresh has failed once. @param isRenewal whether it was one, of a token that is still valid */
const failed = (kind: Failure['kind'], atMs = TODAY, isRenewal = false): Facts => ({
	failedRefreshes: {
		isRenewal,
		count: 1,
		firstAtMs: atMs,
		lastAtMs: atMs,
		failure: failureOf(kind),
	},
});

const input = (changes: Facts = {}): PolicyInput => ({
	cause: 'before-request',
	mayResend: false,
	readAtMs: changes.nowMs ?? TODAY,
	nowMs: TODAY,
	random: 0,
	fingerprint: OURS,
	stored: STORED,
	alternative: null,
	storedProbe: null,
	alternativeProbe: null,
	probeTrust: 'trusted',
	note: null,
	...noted(),
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
	{ atMs = TODAY, isFresh = true } = {},
): ProbeAnswer => ({ result, atMs, isFresh });

const refreshed = (reason: string) => ({ action: 'refresh', reason });
const renewal = refreshed('renewal');
const expired = refreshed('expired');
const rejected = refreshed('rejected');
const kept = (reason: string) => ({ action: 'keep', reason });
const notDue = kept('renewal-not-due');
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

/** What AiClk said a while ago, so that it has to be asked again. */
const saidBefore = (result: ProbeAnswer['result']) => said(result, { isFresh: false });

const ACCEPTED_NEWER = { alternative: NEWER, alternativeProbe: said('accepted') };
const UNKNOWN_NEWER = { alternative: NEWER, alternativeProbe: said('unknown') };

type Row = [name: string, changes: Facts, expected: object];

describe('before a request', () => {
	it.each<Row>([
		['no token', { stored: null }, refreshed('no-token')],
		['a token of another input', { stored: EDITED }, refreshed('input-changed')],
		['no token, and one is known here', { stored: null, alternative: STORED }, adopted(STORED)],
		['another input’s, one is known', { stored: EDITED, alternative: STORED }, adopted(STORED)],
		['no token, quota spent', { stored: null, refreshesToday: 300 }, failedFor('quota-spent')],
		['a valid token', {}, notDue],
		['a valid token, jittered just now', { jitteredAtMs: TODAY - 299_999 }, kept('fresh')],
		['jittered 5 minutes ago', { jitteredAtMs: TODAY - 300_000 }, notDue],
		['jittered by a clock since corrected', { jitteredAtMs: TODAY + DAY_MS }, notDue],
		['the last moment before renewal', { nowMs: RENEWAL_AT - 1 }, notDue],
		['a renewal that AiClk has answered', { inFlight: 'renewal-answered' }, renewal],
		['a refresh under way', { inFlight: 'refresh' }, renewal],
		['issued in the future', { nowMs: NOW - 300_001 }, expired],
		['issued a little in the future', { nowMs: NOW - 300_000 }, notDue],
		['a token of another lineage is known', { alternative: OTHER }, notDue],
		['a token of the same generation is known', { alternative: token('sibling') }, notDue],
		['a successor is known', { alternative: NEWER }, probed('known-here', NEWER)],
		[
			'a successor that brings a refresh token is known',
			{ alternative: ROTATED },
			adopted(ROTATED),
		],
		['an accepted successor is known', ACCEPTED_NEWER, adopted(NEWER)],
		['rejected a while ago', { storedProbe: saidBefore('rejected') }, probed('rejected-before')],
		['suspect after a renewal', SUSPECT, probed('suspect')],
		['suspect, accepted since', { ...SUSPECT, storedProbe: said('accepted') }, notDue],
		[
			'suspect, accepted before',
			{ ...SUSPECT, storedProbe: saidBefore('accepted') },
			probed('suspect'),
		],
		['suspect, AiClk does not say', { ...SUSPECT, storedProbe: said('unknown') }, notDue],
		['suspect, refresh under way', { ...SUSPECT, inFlight: 'refresh' }, renewal],
	])('before a request: %s', (_, changes, expected) => {
		expect(decide(input(changes))).toEqual(expected);
	});

	it.each<Row>([
		['just now', {}, renewal],
		['jittered just now', { jitteredAtMs: RENEWAL_AT - 1 }, kept('fresh')],
		['the rest reserved', { refreshesToday: UNRESERVED }, kept('quota-reserved')],
		['last before the reserve', { refreshesToday: UNRESERVED - 1 }, renewal],
		['failed 59 s ago', failed('unavailable', RENEWAL_AT - 59_000, true), kept('renewal-failed')],
		['failed 60 s ago', failed('unavailable', RENEWAL_AT - 60_000, true), renewal],
		['AiClk has not answered it', { inFlight: 'renewal-sent' }, kept('renewal-under-way')],
	])('before a request, renewal is due: %s', (_, changes, expected) => {
		expect(decide(input({ nowMs: RENEWAL_AT, ...changes }))).toEqual(expected);
	});

	it.each<Row>([
		['a moment before', { nowMs: EXPIRED_AT - 1, jitteredAtMs: EXPIRED_AT - 1 }, kept('fresh')],
		['just now', {}, expired],
		['renewal under way', { inFlight: 'renewal-sent' }, expired],
		['last of the quota', { refreshesToday: 299 }, expired],
		['quota spent', { refreshesToday: 300 }, failedFor('quota-spent')],
		['quota spent, refresh under way', { refreshesToday: 300, inFlight: 'refresh' }, expired],
		['another one is known', { alternative: OTHER }, probed('known-here', OTHER)],
		[
			'another one was probed',
			{ alternative: OTHER, alternativeProbe: said('unknown') },
			adopted(OTHER),
		],
		['failed 9 s ago', failed('unavailable', EXPIRED_AT - 9_999), failedFor('backing-off')],
		['failed 10 s ago', failed('unavailable', EXPIRED_AT - 10_000), expired],
		['renewal failed just now', failed('unavailable', EXPIRED_AT, true), expired],
		['refused 4 minutes ago', failed('refused', EXPIRED_AT - 299_999), failedFor('backing-off')],
		['left to a peer just now', noted({ deferredAtMs: EXPIRED_AT - 1 }), watched],
		[
			'left to a peer just now, watched',
			{ ...noted({ deferredAtMs: EXPIRED_AT - 5_999 }), watchedAtMs: WATCHED },
			deferred,
		],
		['left to a peer 6 s before it was read', noted({ deferredAtMs: EXPIRED_AT - 6_000 }), expired],
	])('before a request, the token has expired: %s', (_, changes, expected) => {
		expect(decide(input({ nowMs: EXPIRED_AT, ...changes }))).toEqual(expected);
	});

	const DEFERRED_LATE = { nowMs: NOW + LIFE_MS * 0.6, ...noted({ deferredAtMs: NOW }) };
	it.each<Row>([
		['just now', {}, watched],
		['another one is known', { alternative: OTHER }, probed('known-here', OTHER)],
		['quota spent', { refreshesToday: 300 }, failedFor('quota-spent')],
		['backing off', failed('refused'), failedFor('backing-off')],
		['refresh under way', { inFlight: 'renewal-sent' }, rejected],
		['suspect after a renewal', SUSPECT, rejected],
		['after three fifths of its life, deferred before', DEFERRED_LATE, rejected],
	])('before a request, the token is rejected: %s', (_, changes, expected) => {
		const { nowMs: atMs = TODAY } = changes;
		expect(decide(input({ storedProbe: said('rejected', { atMs }), ...changes }))).toEqual(
			expected,
		);
	});

	const LATE_MS = LIFE_MS * 0.6;
	it.each<[string, number, Facts, object]>([
		['a day after its issue', DAY_MS, {}, rejected],
		['within 40 s of its issue', 39_999, {}, deferred],
		['within 40 s, clock behind', -39_999, {}, deferred],
		['after 40 s', 40_000, {}, rejected],
		['before AiClk’s servers knew it', 2_999, {}, probed('rejected-before')],
		['when they must have known it', 3_000, {}, deferred],
		['before they knew it, and again since', 2_999, { watchedAtMs: NOW + 2_999 }, deferred],
		['before three fifths of its life', LATE_MS - 1, {}, rejected],
		['after three fifths', LATE_MS, {}, deferred],
		['then, new here', LATE_MS, noted({ seenAtMs: NOW + LATE_MS - 9_999 }), rejected],
		['then, seen here for 10 s', LATE_MS, noted({ seenAtMs: NOW + LATE_MS - 10_000 }), deferred],
	])('before a request, a rejected token was watched: %s', (_, ageMs, changes, expected) => {
		const nowMs = NOW + ageMs;
		const storedProbe = said('rejected', { atMs: nowMs });
		const facts = input({ nowMs, storedProbe, watchedAtMs: WATCHED, ...changes });
		expect(decide(facts)).toEqual(expected);
	});

	it.each([
		[0.5, Math.LN2],
		[0.9, Math.LN10],
		[0.99, 2 * Math.LN10],
	])('a random number of %d makes the jitter %d days', (random, days) => {
		const nowMs = Math.ceil(RENEWAL_AT - days * DAY_MS);
		expect(decide(input({ random, nowMs: nowMs - 1_000 }))).toEqual(notDue);
		expect(decide(input({ random, nowMs: nowMs + 1_000 }))).toEqual(renewal);
	});
});

describe('after a failed request', () => {
	/** A GET whose token AiClk rejects. */
	const read = (changes: Facts = {}): PolicyInput =>
		input({
			cause: 'after-failure',
			mayResend: true,
			storedProbe: said('rejected'),
			watchedAtMs: WATCHED,
			...changes,
		});
	/** A POST, or a form: it must not be sent again. */
	const post = (changes: Facts = {}): PolicyInput => read({ mayResend: false, ...changes });

	it.each<Row>([
		['AiClk is asked', { storedProbe: null }, probed('after-failure')],
		['AiClk is asked again', { storedProbe: saidBefore('accepted') }, probed('after-failure')],
		['the token is accepted', { storedProbe: said('accepted') }, kept('not-rejected')],
		['AiClk does not say', { storedProbe: said('unknown') }, kept('not-rejected')],
		['the token expired meanwhile', { nowMs: EXPIRED_AT }, kept('expired-meanwhile')],
		['there is no token', { stored: null }, kept('input-changed')],
		['the input was edited', { stored: EDITED }, kept('input-changed')],
	])('after a failed request of any kind: %s', (_, changes, expected) => {
		expect(decide(read(changes))).toEqual(expected);
		expect(decide(post(changes))).toEqual(expected);
	});

	it.each<[string, Facts]>([
		['the token is rejected', {}],
		['a peer may have renewed it', { watchedAtMs: null }],
		['another token is known', ACCEPTED_NEWER],
		['a refresh is under way', { inFlight: 'refresh' }],
		['quota spent', { refreshesToday: 300 }],
	])('after one that must not be sent again, nothing is returned: %s', (_, changes) => {
		expect(decide(post(changes))).toEqual(kept('left-to-next-request'));
	});

	const readHalfASecondAgo = (deferredAtMs: number): Facts => ({
		readAtMs: TODAY - 500,
		...noted({ deferredAtMs }),
	});
	it.each<Row>([
		['the token is rejected', {}, rejected],
		['a peer may have renewed it', { watchedAtMs: null }, watched],
		['probes are not proven', { probeTrust: null }, rejected],
		['another token is known', { alternative: NEWER }, probed('known-here', NEWER)],
		['the other one is accepted', ACCEPTED_NEWER, adopted(NEWER)],
		[
			'the other one brings a refresh token, and the row may hold a newer one by now',
			{ alternative: ROTATED, alternativeProbe: said('accepted') },
			adopted(NEWER),
		],
		['AiClk says nothing of the other one', UNKNOWN_NEWER, adopted(NEWER)],
		['quota spent', { refreshesToday: 300 }, failedFor('quota-spent')],
		['backing off', failed('refused'), failedFor('backing-off')],
		['left to a peer 6 s before it was read', readHalfASecondAgo(TODAY - 6_500), rejected],
		['left to a peer a little later', readHalfASecondAgo(TODAY - 6_499), deferred],
		['left to a peer, clock set back', noted({ deferredAtMs: TODAY + 60_001 }), rejected],
		['left to a peer, clock set back a little', noted({ deferredAtMs: TODAY + 60_000 }), deferred],
	])('after a failed request that may be sent again: %s', (_, changes, expected) => {
		expect(decide(read(changes))).toEqual(expected);
	});

	const UNPROVEN = { probeTrust: null };
	it.each<[string, PolicyInput, Failure['kind'], boolean]>([
		['before a request', input(), 'quota', true],
		['before a request', input(), 'superseded', true],
		['before a request, probes not proven', input(UNPROVEN), 'superseded', false],
		['before a request, probes not proven', input(UNPROVEN), 'refused', true],
		['expired, not proven', input({ ...UNPROVEN, nowMs: EXPIRED_AT }), 'superseded', true],
		['forced', input({ cause: 'forced' }), 'refused', true],
		['forced, not proven', input({ ...UNPROVEN, cause: 'forced' }), 'superseded', true],
		['after a safe request whose token is rejected', read(), 'refused', true],
		['after a safe one', read({ storedProbe: said('unknown') }), 'refused', false],
		['after a safe request, probes not proven', read(UNPROVEN), 'refused', false],
		['after one that is not safe', post(), 'refused', false],
	])('the exit gate %s: is %s shown? %s', (_, facts, kind, expected) => {
		expect(isFailureShown(facts, failureOf(kind))).toBe(expected);
	});
});

describe('when a refresh has ended', () => {
	const failure = failureOf('unavailable');
	const ended = (changes: Partial<RefreshResult> = {}): Facts => ({
		refreshResult: { reason: 'rejected', token: NEWER, failure: null, ...changes } as RefreshResult,
	});
	const stored = (beside: object | null = null) => ({
		action: 'adopt',
		reason: 'refreshed',
		token: NEWER,
		failure: beside,
	});
	const FAILED = ended({ token: null, failure });
	const FAILED_RENEWAL = ended({ reason: 'renewal', token: null, failure });
	/** A refresh token without an access token. */
	const ALONE = ended({ failure });

	it.each<Row>([
		['its token is used', ended(), stored()],
		[
			'its token is used after a failed request',
			{ ...ended(), cause: 'after-failure', mayResend: true },
			stored(),
		],
		['its failure counts', { ...FAILED, nowMs: EXPIRED_AT }, failedFor('refresh-failed')],
		['its failure takes no usable token away', FAILED, notDue],
		[
			'its failure counts for whoever asked for it',
			{ ...FAILED, cause: 'forced' },
			failedFor('refresh-failed'),
		],
		['a failed renewal leaves all as it was', { ...FAILED_RENEWAL, nowMs: EXPIRED_AT }, expired],
		['a refresh token alone is stored beside a usable token', ALONE, stored()],
		['a refresh token alone hides no failure', { ...ALONE, nowMs: EXPIRED_AT }, stored(failure)],
		['nor beside a rejected token', { ...ALONE, storedProbe: said('rejected') }, stored(failure)],
		['nor from whoever asked for a refresh', { ...ALONE, cause: 'forced' }, stored(failure)],
	])('when a refresh has ended, %s', (_, changes, expected) => {
		expect(decide(input(changes))).toEqual(expected);
	});
});

describe('forced', () => {
	const forced = refreshed('forced');
	it.each<Row>([
		['a valid token', {}, forced],
		['a valid token, last before the reserve', { refreshesToday: UNRESERVED - 1 }, forced],
		['the rest reserved', { refreshesToday: UNRESERVED }, failedFor('quota-reserved')],
		['no token, last of the quota', { stored: null, refreshesToday: 299 }, forced],
		['another input’s, last of the quota', { stored: EDITED, refreshesToday: 299 }, forced],
		['rejected, last of it', { storedProbe: said('rejected'), refreshesToday: 299 }, forced],
		['expired, last of the quota', { nowMs: EXPIRED_AT, refreshesToday: 299 }, forced],
		['expired, quota spent', { nowMs: EXPIRED_AT, refreshesToday: 300 }, failedFor('quota-spent')],
		['while backing off', failed('refused'), forced],
		['while a refresh is under way', { refreshesToday: 300, inFlight: 'refresh' }, forced],
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
	const FIRST_HOLDING = holding(FIRST, 'r');
	const SECOND = token('second', { generation: 3 });
	const SIBLING = token('sibling', { generation: 2 });
	const UNRELATED = token('unrelated', { fingerprint: 'another', lineage: 'other' });
	const STRANGER = token('stranger', { generation: 9, lineage: 'other' });

	it.each<[string, Token, Token | null, boolean, boolean]>([
		['nothing', FIRST, null, false, true],
		['another input’s', FIRST, holding(UNRELATED, 'r'), false, true],
		['its predecessor', SECOND, FIRST, true, true],
		['its predecessor, which holds a refresh token', SECOND, FIRST_HOLDING, true, true],
		['its successor', FIRST, SECOND, false, true],
		['its successor, which holds a refresh token', FIRST, holding(SECOND, 'r'), false, false],
		['its successor, though it holds a refresh token', FIRST_HOLDING, SECOND, false, true],
		['itself', FIRST, FIRST, false, false],
		['one of its generation', SIBLING, FIRST, false, true],
		['one of its generation without its refresh token', holding(SIBLING, 'r'), FIRST, true, true],
		['one of its generation, which holds one', SIBLING, FIRST_HOLDING, false, false],
		['one of its generation, both hold one', holding(SIBLING, 's'), FIRST_HOLDING, false, false],
		['one of another lineage', STRANGER, FIRST, false, true],
		['one of another lineage, which holds one', STRANGER, FIRST_HOLDING, false, false],
		['one of another lineage, both hold one', holding(STRANGER, 's'), FIRST_HOLDING, false, false],
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
		isRenewal: fc.boolean(),
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
