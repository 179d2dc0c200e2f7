import { newFailure } from '../../../aiclk/util/failure';
import fc from 'fast-check';

import type { FailedRefreshes } from '../../../aiclk/token/backoff';
import {
	ageOf,
	type Cause,
	decide,
	decideOnNewToken,
	expiredAtMs,
	isFailureShown,
	isSuccessor,
	type NewTokenInput,
	type PolicyInput,
	type RefreshOutcome,
	renewsAtMs,
} from '../../../aiclk/token/policy';
import type { ProbeAnswer } from '../../../aiclk/token/probeCache';
import { REFRESHES_PER_DAY, RESERVED_REFRESHES } from '../../../aiclk/token/quota';
import type { Token } from '../../../aiclk/token/storedToken';
import { DAY_MS, NOW, token, tokenState } from '../support';

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

const input = (changes: Partial<PolicyInput> = {}): PolicyInput => ({
	cause: 'before-request',
	askedAtMs: changes.nowMs ?? NOW + DAY_MS,
	readAtMs: changes.nowMs ?? NOW + DAY_MS,
	nowMs: NOW + DAY_MS,
	random: 0,
	fingerprint: OURS,
	stored: STORED,
	known: null,
	refreshSentAtMs: null,
	storedProbe: null,
	knownProbe: null,
	probeTrust: 'trusted',
	storedSeenAtMs: NOW - DAY_MS,
	suspectSinceMs: null,
	deferredAtMs: null,
	hasWatched: false,
	jitteredAtMs: null,
	inFlight: 'none',
	outcome: null,
	failed: null,
	refreshesToday: 0,
	request: null,
	...changes,
});

/** AiClk's answer to a probe, a day after the token was issued unless said otherwise. */
const said = (
	result: ProbeAnswer['result'],
	{ atMs = NOW + DAY_MS, isFresh = true } = {},
): ProbeAnswer => ({ result, atMs, isFresh });

const failed = (
	kind: 'unavailable' | 'refused' | 'superseded',
	{ early = false, count = 1, lastAtMs = NOW + DAY_MS } = {},
): FailedRefreshes => ({
	early,
	count,
	firstAtMs: lastAtMs,
	lastAtMs,
	failure: newFailure({ kind, message: '', description: '' }),
});

const needed = (reason: string, peers: boolean) => ({
	action: 'refresh',
	reason,
	early: false,
	peers,
});
const renewal = { action: 'refresh', reason: 'renewal', early: true, peers: true };
const kept = (reason: string) => ({ action: 'keep', reason });
const adopted = (one: Token) => ({ action: 'adopt', reason: 'known-here', token: one });
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

const EXPIRED_AT = NOW + LIFE_MS - 60_000;
const RENEWAL_AT = NOW + 75 * DAY_MS;

describe('before a request', () => {
	const rejected = (changes: Partial<PolicyInput> = {}): Partial<PolicyInput> => ({
		storedProbe: said('rejected', { atMs: changes.nowMs ?? NOW + DAY_MS }),
		...changes,
	});

	it.each<[string, Partial<PolicyInput>, object]>([
		['no token', { stored: null }, needed('no-token', false)],
		['a token of another input', { stored: EDITED }, needed('input-changed', false)],
		['no token, and one is known here', { stored: null, known: STORED }, adopted(STORED)],
		['another input’s, and one is known here', { stored: EDITED, known: STORED }, adopted(STORED)],
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
				failed: failed('unavailable', { early: true, lastAtMs: RENEWAL_AT - 59_000 }),
			},
			kept('renewal-failed'),
		],
		[
			'renewal, failed 60 s ago',
			{
				nowMs: RENEWAL_AT,
				failed: failed('unavailable', { early: true, lastAtMs: RENEWAL_AT - 60_000 }),
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
		['expired', { nowMs: EXPIRED_AT }, needed('expired', true)],
		[
			'expired, renewal under way',
			{ nowMs: EXPIRED_AT, inFlight: 'renewal-sent' },
			needed('expired', true),
		],
		[
			'expired, last of the quota',
			{ nowMs: EXPIRED_AT, refreshesToday: 299 },
			needed('expired', true),
		],
		['expired, quota spent', { nowMs: EXPIRED_AT, refreshesToday: 300 }, failedFor('quota-spent')],
		[
			'expired, quota spent, refresh under way',
			{ nowMs: EXPIRED_AT, refreshesToday: 300, inFlight: 'refresh' },
			needed('expired', true),
		],
		['expired, and another one is known', { nowMs: EXPIRED_AT, known: OTHER }, adopted(OTHER)],
		['issued in the future', { nowMs: NOW - 300_001 }, needed('expired', true)],
		['issued a little in the future', { nowMs: NOW - 300_000 }, kept('renewal-not-due')],
		[
			'expired, refresh failed 9 s ago',
			{ nowMs: EXPIRED_AT, failed: failed('unavailable', { lastAtMs: EXPIRED_AT - 9_999 }) },
			failedFor('backing-off'),
		],
		[
			'expired, refresh failed 10 s ago',
			{ nowMs: EXPIRED_AT, failed: failed('unavailable', { lastAtMs: EXPIRED_AT - 10_000 }) },
			needed('expired', true),
		],
		[
			'expired, renewal failed just now',
			{ nowMs: EXPIRED_AT, failed: failed('unavailable', { early: true, lastAtMs: EXPIRED_AT }) },
			needed('expired', true),
		],
		[
			'expired, refused 4 minutes ago',
			{ nowMs: EXPIRED_AT, failed: failed('refused', { lastAtMs: EXPIRED_AT - 299_999 }) },
			failedFor('backing-off'),
		],
		[
			'expired, collided just now',
			{ nowMs: EXPIRED_AT, failed: failed('superseded', { lastAtMs: EXPIRED_AT }) },
			watched,
		],
		[
			'expired, collided just now, watched',
			{
				nowMs: EXPIRED_AT,
				failed: failed('superseded', { lastAtMs: EXPIRED_AT }),
				hasWatched: true,
			},
			deferred,
		],
		[
			'expired, collided 5 s before it was asked',
			{ nowMs: EXPIRED_AT, failed: failed('superseded', { lastAtMs: EXPIRED_AT - 5_000 }) },
			needed('expired', true),
		],
		['a successor is known', { known: NEWER }, adopted(NEWER)],
		['a token of another lineage is known', { known: OTHER }, kept('renewal-not-due')],
		[
			'a token of the same generation is known',
			{ known: token('sibling') },
			kept('renewal-not-due'),
		],
		[
			'rejected a while ago',
			{ storedProbe: said('rejected', { isFresh: false }) },
			probed('rejected-before'),
		],
		['rejected, and another one is known', rejected({ known: OTHER }), adopted(OTHER)],
		['rejected', rejected(), watched],
		['rejected, watched', rejected({ hasWatched: true }), needed('rejected', true)],
		[
			'rejected within 10 s of its issue',
			rejected({ nowMs: NOW + 9_999, hasWatched: true }),
			deferred,
		],
		[
			'rejected within 10 s, clock behind',
			rejected({ nowMs: NOW - 9_999, hasWatched: true }),
			deferred,
		],
		[
			'rejected after 10 s',
			rejected({ nowMs: NOW + 10_000, hasWatched: true }),
			needed('rejected', true),
		],
		[
			'rejected before AiClk’s servers knew it',
			rejected({ nowMs: NOW + 2_999, hasWatched: true }),
			probed('rejected-before'),
		],
		[
			'rejected before three fifths of its life',
			rejected({ nowMs: NOW + LIFE_MS * 0.6 - 1, hasWatched: true }),
			needed('rejected', true),
		],
		[
			'rejected after three fifths',
			rejected({ nowMs: NOW + LIFE_MS * 0.6, hasWatched: true }),
			deferred,
		],
		[
			'rejected after three fifths, new here',
			rejected({
				nowMs: NOW + LIFE_MS * 0.6,
				hasWatched: true,
				storedSeenAtMs: NOW + LIFE_MS * 0.6 - 9_999,
			}),
			needed('rejected', true),
		],
		[
			'rejected, suspect after a renewal',
			rejected({ suspectSinceMs: NOW }),
			needed('rejected', true),
		],
		[
			'rejected after three fifths, deferred before',
			rejected({ nowMs: NOW + LIFE_MS * 0.6, deferredAtMs: NOW }),
			needed('rejected', true),
		],
		['suspect after a renewal', { suspectSinceMs: NOW }, probed('suspect')],
		[
			'suspect, accepted since',
			{ suspectSinceMs: NOW, storedProbe: said('accepted') },
			kept('renewal-not-due'),
		],
		[
			'suspect, accepted before',
			{ suspectSinceMs: NOW + 2 * DAY_MS, storedProbe: said('accepted', { isFresh: false }) },
			probed('suspect'),
		],
		[
			'suspect, AiClk does not say',
			{ suspectSinceMs: NOW, storedProbe: said('unknown') },
			kept('renewal-not-due'),
		],
		['suspect, refresh under way', { suspectSinceMs: NOW, inFlight: 'refresh' }, renewal],
	])('%s', (_, changes, expected) => {
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
	/** A POST that failed half a second after it was sent, whose token AiClk rejects. */
	const post = (changes: Partial<PolicyInput> = {}, request = {}): PolicyInput =>
		input({
			cause: 'after-failure',
			storedProbe: said('rejected'),
			hasWatched: true,
			request: { sentAtMs: nowMs - 500, isSafe: false, isSingleUse: false, ...request },
			...changes,
		});
	const ROTATING = { ...STORED, rotatedRefreshToken: 'rotated' };

	it.each<[string, PolicyInput, object]>([
		['AiClk is asked', post({ storedProbe: null }), probed('after-failure')],
		[
			'AiClk is asked again',
			post({ storedProbe: said('accepted', { isFresh: false }) }),
			probed('after-failure'),
		],
		['the token is accepted', post({ storedProbe: said('accepted') }), kept('not-rejected')],
		['AiClk does not say', post({ storedProbe: said('unknown') }), kept('not-rejected')],
		['the token is rejected', post(), needed('rejected', true)],
		['a peer may have renewed it', post({ hasWatched: false }), watched],
		['probes are not proven', post({ probeTrust: null }), needed('rejected', true)],
		['refresh tokens rotate', post({ stored: ROTATING }), kept('left-to-next-request')],
		['its body is used up', post({}, { isSingleUse: true }), kept('left-to-next-request')],
		['it took ten seconds', post({ askedAtMs: nowMs + 9_500 }), kept('may-have-been-carried-out')],
		['it took a little less', post({ askedAtMs: nowMs + 9_499 }), needed('rejected', true)],
		['the clock jumped back', post({ askedAtMs: nowMs - 501 }), kept('may-have-been-carried-out')],
		['nobody knows when it was sent', post({ request: null }), kept('may-have-been-carried-out')],
		[
			'another token was issued meanwhile',
			post({ refreshSentAtMs: nowMs - 500 }),
			kept('may-have-been-carried-out'),
		],
		[
			'another token was issued before',
			post({ refreshSentAtMs: nowMs - 500 - 15_001 }),
			needed('rejected', true),
		],
		[
			'rejected before another was issued',
			post({ refreshSentAtMs: nowMs }),
			needed('rejected', true),
		],
		['another token is known', post({ known: NEWER }), probed('after-failure', NEWER)],
		[
			'the other one is accepted',
			post({ known: NEWER, knownProbe: said('accepted') }),
			adopted(NEWER),
		],
		[
			'AiClk says nothing of the other one',
			post({ known: NEWER, knownProbe: said('unknown') }),
			kept('left-to-next-request'),
		],
		['the token expired meanwhile', post({ nowMs: EXPIRED_AT }), kept('expired-meanwhile')],
		['there is no token', post({ stored: null }), kept('input-changed')],
		['the input was edited', post({ stored: EDITED }), kept('input-changed')],
		['quota spent', post({ refreshesToday: 300 }), failedFor('quota-spent')],
	])('after a failed unsafe request: %s', (_, facts, expected) => {
		expect(decide(facts)).toEqual(expected);
	});

	const SAFE = { isSafe: true };
	it.each<[string, PolicyInput, object]>([
		['the token is rejected', post({}, SAFE), needed('rejected', true)],
		['probes are not proven', post({ probeTrust: null }, SAFE), needed('rejected', true)],
		['refresh tokens rotate', post({ stored: ROTATING }, SAFE), needed('rejected', true)],
		[
			'its body is used up',
			post({}, { isSafe: true, isSingleUse: true }),
			kept('left-to-next-request'),
		],
		['it took ten seconds', post({ askedAtMs: nowMs + 9_500 }, SAFE), needed('rejected', true)],
		[
			'another token was issued meanwhile',
			post({ refreshSentAtMs: nowMs }, SAFE),
			needed('rejected', true),
		],
		[
			'AiClk says nothing of the other one',
			post({ known: NEWER, knownProbe: said('unknown') }, SAFE),
			adopted(NEWER),
		],
		[
			'left to a peer before it was read',
			post({ nowMs: NOW + LIFE_MS * 0.6, readAtMs: nowMs - 500, deferredAtMs: nowMs - 500 }, SAFE),
			needed('rejected', true),
		],
		[
			'left to a peer after it was read',
			post({ nowMs: NOW + LIFE_MS * 0.6, readAtMs: nowMs - 500, deferredAtMs: nowMs - 499 }, SAFE),
			deferred,
		],
	])('after a failed safe request: %s', (_, facts, expected) => {
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
		['after a safe request whose token is rejected', post({}, SAFE), 'refused', true],
		[
			'after a safe request whose token is not',
			post({ storedProbe: said('unknown') }, SAFE),
			'refused',
			false,
		],
		['after a safe request, probes not proven', post({ probeTrust: null }, SAFE), 'refused', false],
		['after one that is not safe', post(), 'refused', false],
	])('the exit gate %s: is %s shown? %s', (_, facts, kind, expected) => {
		expect(isFailureShown(facts, newFailure({ kind, message: '', description: '' }))).toBe(
			expected,
		);
	});
});

describe('when a refresh has ended', () => {
	const outcome = (changes: Partial<RefreshOutcome> = {}): RefreshOutcome =>
		({
			early: false,
			token: NEWER,
			isAccepted: false,
			failure: null,
			...changes,
		}) as RefreshOutcome;
	const refreshed = { action: 'adopt', reason: 'refreshed', token: NEWER };
	const request = { sentAtMs: NOW, isSafe: false, isSingleUse: false };
	const FAILED = outcome({ token: null, failure: failed('unavailable').failure });

	it.each<[string, Partial<PolicyInput>, object]>([
		['its token is used', { outcome: outcome() }, refreshed],
		[
			'its token is used for a safe request',
			{ cause: 'after-failure', request: { ...request, isSafe: true }, outcome: outcome() },
			refreshed,
		],
		[
			'its accepted token is used for any request',
			{ cause: 'after-failure', request, outcome: outcome({ isAccepted: true }) },
			refreshed,
		],
		[
			'its token is left to the next request',
			{ cause: 'after-failure', request, outcome: outcome() },
			kept('left-to-next-request'),
		],
		['its failure counts', { outcome: FAILED, nowMs: EXPIRED_AT }, failedFor('refresh-failed')],
		['its failure takes no usable token away', { outcome: FAILED }, kept('renewal-not-due')],
		[
			'a failed renewal leaves everything as it was',
			{ outcome: { ...FAILED, early: true } },
			kept('renewal-not-due'),
		],
		[
			'a refresh token without an access token is stored',
			{ outcome: outcome({ failure: FAILED.failure }) },
			refreshed,
		],
	])('%s', (_, changes, expected) => {
		expect(decide(input(changes))).toEqual(expected);
	});
});

describe('forced', () => {
	it.each<[string, Partial<PolicyInput>, object]>([
		['a valid token', {}, needed('forced', false)],
		[
			'a valid token, last before the reserve',
			{ refreshesToday: UNRESERVED - 1 },
			needed('forced', false),
		],
		[
			'a valid token, the rest reserved',
			{ refreshesToday: UNRESERVED },
			failedFor('quota-reserved'),
		],
		['no token, last of the quota', { stored: null, refreshesToday: 299 }, needed('forced', false)],
		[
			'another input’s, last of the quota',
			{ stored: EDITED, refreshesToday: 299 },
			needed('forced', false),
		],
		[
			'rejected, last of the quota',
			{ storedProbe: said('rejected'), refreshesToday: 299 },
			needed('forced', false),
		],
		[
			'expired, last of the quota',
			{ nowMs: EXPIRED_AT, refreshesToday: 299 },
			needed('forced', false),
		],
		['expired, quota spent', { nowMs: EXPIRED_AT, refreshesToday: 300 }, failedFor('quota-spent')],
		['while backing off', { failed: failed('refused') }, needed('forced', false)],
		[
			'while a refresh is under way',
			{ refreshesToday: 300, inFlight: 'refresh' },
			needed('forced', false),
		],
	])('%s', (_, changes, expected) => {
		expect(decide(input({ cause: 'forced', ...changes }))).toEqual(expected);
	});
});

describe('a new token', () => {
	const fresh = (changes: Partial<NewTokenInput> = {}): NewTokenInput => ({
		isRotated: false,
		peers: true,
		waitedMs: 1_500,
		probes: [],
		hasWatched: false,
		peerToken: null,
		peerProbe: null,
		collisions: 0,
		...changes,
	});
	const twice = (changes: Partial<NewTokenInput> = {}) =>
		fresh({ waitedMs: 3_000, probes: ['rejected', 'rejected'], hasWatched: true, ...changes });

	it.each<[string, NewTokenInput, object]>([
		[
			'with a new refresh token is stored',
			fresh({ isRotated: true, waitedMs: 0 }),
			{ action: 'store' },
		],
		['without peers is stored', fresh({ peers: false, waitedMs: 0 }), { action: 'store' }],
		['waits for peers', fresh({ waitedMs: 0 }), { action: 'wait', ms: 1_500 }],
		['is probed then', fresh(), { action: 'probe' }],
		['accepted is stored', fresh({ probes: ['accepted'] }), { action: 'store' }],
		['of which nothing is known is stored', fresh({ probes: ['unknown'] }), { action: 'store' }],
		[
			'rejected waits for AiClk’s servers',
			fresh({ probes: ['rejected'] }),
			{ action: 'wait', ms: 1_500 },
		],
		[
			'rejected is probed again',
			fresh({ probes: ['rejected'], waitedMs: 3_000 }),
			{ action: 'probe' },
		],
		[
			'rejected, then accepted, is stored',
			fresh({ probes: ['rejected', 'accepted'] }),
			{ action: 'store' },
		],
		['rejected twice is watched over', twice({ hasWatched: false }), { action: 'watch' }],
		[
			'has a peer that is probed',
			twice({ peerToken: NEWER }),
			{ action: 'probe-peer', token: NEWER },
		],
		[
			'gives way to a peer’s',
			twice({ peerToken: NEWER, peerProbe: 'accepted' }),
			{ action: 'adopt-peer', token: NEWER },
		],
		[
			'gives way to a peer’s of which nothing is known',
			twice({ peerToken: NEWER, peerProbe: 'unknown' }),
			{ action: 'adopt-peer', token: NEWER },
		],
		['is discarded', twice(), { action: 'discard' }],
		[
			'is discarded beside a rejected one',
			twice({ peerToken: NEWER, peerProbe: 'rejected' }),
			{ action: 'discard' },
		],
		['is discarded twice', twice({ collisions: 1 }), { action: 'discard' }],
		['is stored the third time', twice({ collisions: 2 }), { action: 'distrust' }],
	])('%s', (_, facts, expected) => {
		expect(decideOnNewToken(facts)).toEqual(expected);
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
			.constantFrom('unavailable', 'refused', 'unusable', 'superseded')
			.map((kind) => ({ kind, message: '', description: '' }) as FailedRefreshes['failure']),
	});
	const anyInput: fc.Arbitrary<PolicyInput> = fc
		.record({
			cause: fc.constantFrom<Cause>('before-request', 'after-failure', 'forced'),
			askedAtMs: anyTime,
			readAtMs: anyTime,
			nowMs: anyTime,
			random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
			fingerprint: fc.constant(OURS),
			stored: fc.option(anyToken),
			known: fc.option(anyToken),
			refreshSentAtMs: fc.option(anyTime),
			storedProbe: fc.option(anyProbe),
			knownProbe: fc.option(anyProbe),
			probeTrust: fc.constantFrom('trusted', 'distrusted', null),
			storedSeenAtMs: anyTime,
			suspectSinceMs: fc.option(anyTime),
			deferredAtMs: fc.option(anyTime),
			hasWatched: fc.boolean(),
			jitteredAtMs: fc.option(anyTime),
			inFlight: fc.constantFrom<PolicyInput['inFlight']>(
				'none',
				'renewal-sent',
				'renewal-answered',
				'refresh',
			),
			outcome: fc.constant(null),
			failed: fc.option(anyFailure),
			refreshesToday: fc.integer({ min: 0, max: 400 }),
			request: fc.option(
				fc.record({ sentAtMs: anyTime, isSafe: fc.boolean(), isSingleUse: fc.boolean() }),
			),
		})
		// What is known is alive: the session sees to it.
		.map((any) =>
			any.known !== null && ageOf(any.known.state, any.nowMs) === 'expired'
				? { ...any, known: null }
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

	it('a failed unsafe request is refreshed only after a prompt rejection', () => {
		always((any) => {
			const facts: PolicyInput = { ...any, cause: 'after-failure' };
			if (decide(facts).action !== 'refresh' || facts.request?.isSafe === true) return;
			expect(facts.request?.isSingleUse).toBe(false);
			const tookMs = facts.askedAtMs - Number(facts.request?.sentAtMs);
			expect(tookMs).toBeGreaterThanOrEqual(0);
			expect(tookMs).toBeLessThan(10_000);
		});
	});

	it('a known token is adopted only over a bad one or its predecessor', () => {
		always((facts) => {
			const decision = decide(facts);
			if (decision.action !== 'adopt') return;
			expect(decision.token).toBe(facts.known);
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
			if (decision.action === 'watch') expect(facts.hasWatched).toBe(false);
			if (decision.action !== 'probe') return;
			const answer = decision.token === facts.stored ? facts.storedProbe : facts.knownProbe;
			const isTooEarly =
				answer !== null &&
				answer.atMs >= decision.token.state.issuedAtMs &&
				answer.atMs - decision.token.state.issuedAtMs < 3_000;
			if (!isTooEarly) expect(answer?.isFresh).not.toBe(true);
		});
	});

	it('only refreshes that peers may share are probed before storing', () => {
		always((facts) => {
			const decision = decide(facts);
			if (decision.action !== 'refresh') return;
			const alone = ['forced', 'no-token', 'input-changed'];
			expect(decision.peers).toBe(!alone.includes(decision.reason));
		});
	});

	it('a rotated refresh token is stored, whatever the probes say', () => {
		const anyNew: fc.Arbitrary<NewTokenInput> = fc.record({
			isRotated: fc.constant(true),
			peers: fc.boolean(),
			waitedMs: fc.integer({ min: 0, max: 10_000 }),
			probes: fc.array(fc.constantFrom('accepted', 'rejected', 'unknown'), { maxLength: 3 }),
			hasWatched: fc.boolean(),
			peerToken: fc.option(anyToken),
			peerProbe: fc.constantFrom('accepted', 'rejected', 'unknown', null),
			collisions: fc.integer({ min: 0, max: 5 }),
		});
		fc.assert(
			fc.property(anyNew, (facts) => {
				expect(decideOnNewToken(facts)).toEqual({ action: 'store' });
			}),
		);
	});
});
