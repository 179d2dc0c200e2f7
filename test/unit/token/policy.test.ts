import fc from 'fast-check';

import { EARLY_REFRESHES_PER_DAY, REFRESHES_PER_DAY } from '../../../aiclk/token/quota';
import {
	ADOPTION_MS,
	age,
	type Cause,
	deadAtMs,
	decide,
	isNewer,
	renewsAtMs,
	type PolicyInput,
} from '../../../aiclk/token/policy';
import type { Token } from '../../../aiclk/token/storedToken';
import { DAY_MS, NOW, token, tokenState } from '../support';

const OURS = tokenState().fingerprint;
const LIFE_MS = 90 * DAY_MS;
const STORED = token('stored');
const NEWER = token('newer', {
	generation: 2,
	issuedAtMs: NOW + 10 * DAY_MS,
	expiresAtMs: NOW + 100 * DAY_MS,
});
/** A draw of 0 puts the clock forward by nothing. */
const NO_DRAW = 0;

const situation = (changes: Partial<PolicyInput> = {}): PolicyInput => ({
	cause: 'before-request',
	nowMs: NOW + DAY_MS,
	random: NO_DRAW,
	fingerprint: OURS,
	stored: STORED,
	newest: STORED,
	storedRejectedAtMs: null,
	rivalAwaitedAtMs: null,
	lastDrawAtMs: null,
	refreshesToday: 0,
	sent: null,
	...changes,
});

const needed = (reason: string, settle: boolean) => ({
	action: 'refresh',
	reason,
	early: false,
	settle,
});
const early = { action: 'refresh', reason: 'renewal-window', early: true, settle: true };
const kept = (reason: string) => ({ action: 'keep', reason });
const adopted = { action: 'adopt', reason: 'newer-known' };
const left = { action: 'leave', reason: 'replaced-elsewhere' };
const refused = { action: 'refuse', reason: 'budget-spent' };

const DEAD_AT = NOW + LIFE_MS - 60_000;
const WINDOW_AT = NOW + 75 * DAY_MS;
const edited = token('for another input', { fingerprint: 'another' });

describe('before a request', () => {
	it.each<[string, Partial<PolicyInput>, object]>([
		['no token', { stored: null, newest: null }, needed('no-token', false)],
		[
			'another input’s token',
			{ stored: edited, newest: null },
			needed('credentials-changed', false),
		],
		['a fresh token', {}, kept('not-drawn')],
		['one drawn for a moment ago', { lastDrawAtMs: NOW + DAY_MS - 299_999 }, kept('fresh')],
		['one drawn for 5 minutes ago', { lastDrawAtMs: NOW + DAY_MS - 300_000 }, kept('not-drawn')],
		[
			'one drawn for in the future, by a clock since put right',
			{ lastDrawAtMs: NOW + 2 * DAY_MS },
			kept('not-drawn'),
		],
		['the last moment before the window', { nowMs: WINDOW_AT - 1 }, kept('not-drawn')],
		['the first moment of the window', { nowMs: WINDOW_AT }, early],
		[
			'the window, but just drawn',
			{ nowMs: WINDOW_AT, lastDrawAtMs: WINDOW_AT - 1 },
			kept('fresh'),
		],
		[
			'the window, early budget spent',
			{ nowMs: WINDOW_AT, refreshesToday: EARLY_REFRESHES_PER_DAY },
			kept('early-budget-spent'),
		],
		[
			'the window, last of the early budget',
			{ nowMs: WINDOW_AT, refreshesToday: EARLY_REFRESHES_PER_DAY - 1 },
			early,
		],
		['the last moment alive', { nowMs: DEAD_AT - 1, lastDrawAtMs: DEAD_AT - 1 }, kept('fresh')],
		['dead by the clock', { nowMs: DEAD_AT }, needed('expired', true)],
		[
			'dead, last of the budget',
			{ nowMs: DEAD_AT, refreshesToday: REFRESHES_PER_DAY - 1 },
			needed('expired', true),
		],
		['dead, budget spent', { nowMs: DEAD_AT, refreshesToday: REFRESHES_PER_DAY }, refused],
		['known to be rejected', { storedRejectedAtMs: NOW }, needed('rejected', true)],
		['rejected at once', { storedRejectedAtMs: NOW + 7_000, nowMs: NOW + 9_999 }, left],
		[
			'rejected at once, by a clock that is behind',
			{ storedRejectedAtMs: NOW, nowMs: NOW - 9_999 },
			left,
		],
		[
			'rejected at once, and still stored when a rival would have replaced it',
			{ storedRejectedAtMs: NOW, nowMs: NOW + 9_999, rivalAwaitedAtMs: NOW + 9_000 },
			needed('rejected', true),
		],
		[
			'rejected just before three fifths of its life',
			{ storedRejectedAtMs: NOW, nowMs: NOW + LIFE_MS * 0.6 - 1 },
			needed('rejected', true),
		],
		[
			'rejected after three fifths of its life',
			{ storedRejectedAtMs: NOW, nowMs: NOW + LIFE_MS * 0.6 },
			left,
		],
		[
			'rejected after three fifths of its life, and still stored when a rival would have replaced it',
			{ storedRejectedAtMs: NOW, nowMs: NOW + LIFE_MS * 0.6, rivalAwaitedAtMs: NOW },
			needed('rejected', true),
		],
		[
			'rejected 10 seconds after it was issued',
			{ storedRejectedAtMs: NOW, nowMs: NOW + 10_000 },
			needed('rejected', true),
		],
		['a newer one is known', { newest: NEWER }, adopted],
		['dead, and a newer one is known', { nowMs: DEAD_AT, newest: NEWER }, adopted],
		['rejected, and a newer one is known', { storedRejectedAtMs: NOW, newest: NEWER }, adopted],
		[
			'rejected, and the newest is unknown',
			{ storedRejectedAtMs: NOW, newest: null },
			needed('rejected', true),
		],
		[
			'dead, and so is the newer one',
			{ nowMs: NOW + 200 * DAY_MS, newest: NEWER },
			needed('expired', true),
		],
		[
			'the same generation is not newer',
			{ newest: token('other', { generation: 1, issuedAtMs: NOW + 1 }) },
			kept('not-drawn'),
		],
		[
			'no token stored yet, but one was just minted',
			{ stored: null, newest: STORED, nowMs: NOW + ADOPTION_MS - 1 },
			adopted,
		],
		[
			'no token stored, and the one minted here is too old to be the same row’s',
			{ stored: null, newest: STORED, nowMs: NOW + ADOPTION_MS },
			needed('no-token', false),
		],
	])('%s', (_, changes, expected) => {
		expect(decide(situation(changes))).toEqual(expected);
	});

	it.each([
		[0.5, Math.LN2],
		[0.9, Math.LN10],
		[0.99, 2 * Math.LN10],
	])('a draw of %d puts the clock %d days forward', (random, days) => {
		const nowMs = Math.ceil(WINDOW_AT - days * DAY_MS);
		expect(decide(situation({ random, nowMs: nowMs - 1_000 }))).toEqual(kept('not-drawn'));
		expect(decide(situation({ random, nowMs: nowMs + 1_000 }))).toEqual(early);
	});
});

describe('after a failed request', () => {
	/** A request that failed half a second after it was sent. */
	const sentAt = (atMs: number, repeatable = false, tookMs = 500) => ({
		atMs,
		failedAtMs: atMs + tookMs,
		repeatable,
	});
	const failed = (changes: Partial<PolicyInput> = {}) =>
		situation({
			cause: 'after-failure',
			sent: sentAt(NOW + DAY_MS - 500),
			...changes,
		});
	const sentBefore = sentAt(NEWER.state.issuedAtMs);
	const sentAfter = sentAt(NEWER.state.issuedAtMs + 1);
	const later = NOW + 10 * DAY_MS + 5_000;
	const BEFORE = NEWER.state.issuedAtMs;
	const AFTER = NEWER.state.issuedAtMs + 1;

	it.each<[string, Partial<PolicyInput>, object]>([
		['AiClk is asked', {}, { action: 'check', reason: 'after-failure' }],
		['a rejected token is renewed', { storedRejectedAtMs: NOW }, needed('rejected', true)],
		[
			'a token that another process has just killed is left to it',
			{ storedRejectedAtMs: NOW, nowMs: NOW + 9_999 },
			left,
		],
		[
			'a token that was left to another process in vain is renewed for a request sent since then',
			{
				storedRejectedAtMs: NOW,
				nowMs: NOW + 9_999,
				rivalAwaitedAtMs: NOW + 5_000,
				sent: sentAt(NOW + 5_000),
			},
			needed('rejected', true),
		],
		[
			'a token that was left to another process in vain stays so for a request sent before',
			{
				storedRejectedAtMs: NOW,
				nowMs: NOW + 9_999,
				rivalAwaitedAtMs: NOW + 5_000,
				sent: sentAt(NOW + 4_999, true),
			},
			left,
		],
		[
			'a rejected token gives way to one of the same generation that was issued later',
			{ storedRejectedAtMs: NOW, newest: token('other', { issuedAtMs: NOW + 1 }) },
			adopted,
		],
		[
			'a rejected token is not renewed past the cap',
			{ storedRejectedAtMs: NOW, refreshesToday: REFRESHES_PER_DAY },
			refused,
		],
		[
			'a rejected token whose successor is known gives way to it',
			{ storedRejectedAtMs: NOW, newest: NEWER, nowMs: later, sent: sentAfter },
			adopted,
		],
		[
			'a rejected token gives way to its successor if the request was sent after that was issued',
			{ storedRejectedAtMs: AFTER + 1, newest: NEWER, nowMs: later, sent: sentAfter },
			adopted,
		],
		[
			'a token that died meanwhile proves nothing',
			{ nowMs: DEAD_AT, storedRejectedAtMs: DEAD_AT },
			kept('expired-meanwhile'),
		],
		[
			'a token that was replaced meanwhile proves nothing',
			{ storedRejectedAtMs: AFTER, newest: NEWER, nowMs: later, sent: sentBefore },
			kept('may-have-been-carried-out'),
		],
		[
			'a token that was replaced at an unknown time proves nothing',
			{ storedRejectedAtMs: AFTER, newest: NEWER, nowMs: later, sent: null },
			kept('may-have-been-carried-out'),
		],
		[
			'a refusal that took ten seconds proves nothing, for the token may have died only then',
			{ storedRejectedAtMs: NOW, sent: sentAt(NOW, false, 10_000) },
			kept('may-have-been-carried-out'),
		],
		[
			'a refusal that took ten seconds is nothing to ask AiClk about',
			{ sent: sentAt(NOW, false, 10_000) },
			kept('may-have-been-carried-out'),
		],
		[
			'a refusal just in time counts',
			{ storedRejectedAtMs: NOW, sent: sentAt(NOW, false, 9_999) },
			needed('rejected', true),
		],
		[
			'a read that was refused slowly is healed all the same',
			{ storedRejectedAtMs: NOW, sent: sentAt(NOW, true, 10_000) },
			needed('rejected', true),
		],
		[
			'unless the request only read',
			{
				storedRejectedAtMs: AFTER,
				newest: NEWER,
				nowMs: later,
				sent: { ...sentBefore, repeatable: true },
			},
			adopted,
		],
		[
			'unless AiClk had rejected it before it was replaced',
			{ storedRejectedAtMs: BEFORE, newest: NEWER, nowMs: later, sent: sentBefore },
			adopted,
		],
		['there is no token', { stored: null }, kept('credentials-changed-meanwhile')],
		['the input was edited', { stored: edited }, kept('credentials-changed-meanwhile')],
	])('%s', (_, changes, expected) => {
		expect(decide(failed(changes))).toEqual(expected);
	});
});

describe('forced', () => {
	it.each([
		[0, needed('forced', false)],
		[EARLY_REFRESHES_PER_DAY, needed('forced', false)],
		[REFRESHES_PER_DAY - 1, needed('forced', false)],
		[REFRESHES_PER_DAY, refused],
	])('after %d attempts today', (refreshesToday, expected) => {
		expect(decide(situation({ cause: 'forced', refreshesToday }))).toEqual(expected);
		expect(decide(situation({ cause: 'forced', stored: null, refreshesToday }))).toEqual(expected);
	});
});

describe('the age of a token', () => {
	it.each([
		['90 days', LIFE_MS, LIFE_MS - 60_000, 75 * DAY_MS],
		['an hour', 3_600_000, 3_600_000 - 36_000, 3_000_000],
		['a second', 1_000, 990, 833],
	])('of %s', (_, lifeMs, dead, renews) => {
		const state = tokenState({ expiresAtMs: NOW + lifeMs });
		expect(deadAtMs(state)).toBe(NOW + dead);
		expect(renewsAtMs(state)).toBe(NOW + renews);
		expect(age(state, NOW)).toBe('fresh');
		expect(age(state, NOW + renews - 1)).toBe('fresh');
		expect(age(state, NOW + renews)).toBe('renewal-due');
		expect(age(state, NOW + Math.ceil(dead) - 1)).toBe('renewal-due');
		expect(age(state, NOW + Math.ceil(dead))).toBe('expired');
	});
});

describe('over all states and clocks', () => {
	const anyToken: fc.Arbitrary<Token> = fc
		.record({
			issuedAtMs: fc.integer({ min: NOW - 2 * LIFE_MS, max: NOW + 2 * LIFE_MS }),
			lifeMs: fc.oneof(
				fc.integer({ min: 1, max: 2 * LIFE_MS }),
				fc.constantFrom(1_000, 3_600_000, LIFE_MS),
			),
			generation: fc.integer({ min: 1, max: 4 }),
			fingerprint: fc.constantFrom(OURS, OURS, OURS, 'another'),
		})
		.map(({ issuedAtMs, lifeMs, ...rest }) =>
			token('any', { issuedAtMs, expiresAtMs: issuedAtMs + lifeMs, ...rest }),
		);
	const anySituation: fc.Arbitrary<PolicyInput> = fc.record({
		cause: fc.constantFrom<Cause>('before-request', 'after-failure', 'forced'),
		nowMs: fc.integer({ min: NOW - 2 * LIFE_MS, max: NOW + 2 * LIFE_MS }),
		random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
		fingerprint: fc.constant(OURS),
		stored: fc.option(anyToken),
		newest: fc.option(anyToken),
		storedRejectedAtMs: fc.option(fc.integer({ min: NOW - 2 * LIFE_MS, max: NOW + 2 * LIFE_MS })),
		rivalAwaitedAtMs: fc.option(fc.integer({ min: NOW - 2 * LIFE_MS, max: NOW + 2 * LIFE_MS })),
		lastDrawAtMs: fc.option(fc.integer({ min: NOW - 2 * LIFE_MS, max: NOW + 2 * LIFE_MS })),
		refreshesToday: fc.integer({ min: 0, max: 400 }),
		sent: fc.option(
			fc.record({
				atMs: fc.integer({ min: NOW - 2 * LIFE_MS, max: NOW + 2 * LIFE_MS }),
				failedAtMs: fc.integer({ min: NOW - 2 * LIFE_MS, max: NOW + 2 * LIFE_MS }),
				repeatable: fc.boolean(),
			}),
		),
	});
	const always = (property: (situation: PolicyInput) => void) => {
		fc.assert(fc.property(anySituation, property));
	};
	const isOurs = ({ stored, fingerprint }: PolicyInput) =>
		stored?.state.fingerprint === fingerprint;

	it('nothing passes the cap, and what is early stops at 240', () => {
		always((any) => {
			const decision = decide(any);
			if (decision.action !== 'refresh') return;
			expect(any.refreshesToday).toBeLessThan(
				decision.early ? EARLY_REFRESHES_PER_DAY : REFRESHES_PER_DAY,
			);
		});
	});

	it('a fresh token that AiClk did not reject is never refreshed unless that was asked for or drawn', () => {
		always((any) => {
			if (any.cause === 'forced' || !isOurs(any) || any.storedRejectedAtMs !== null) return;
			if (age((any.stored as Token).state, any.nowMs) !== 'fresh') return;
			const decision = decide({ ...any, random: NO_DRAW });
			expect(decision.action).not.toBe('refresh');
			expect(decision.action).not.toBe('refuse');
		});
	});

	it('a live token is never thrown away: its renewal may fail without harm, or is never tried after a failure', () => {
		always((any) => {
			if (any.cause === 'forced' || !isOurs(any) || any.storedRejectedAtMs !== null) return;
			if (age((any.stored as Token).state, any.nowMs) === 'expired') return;
			const decision = decide(any);
			expect(decision.action).not.toBe('refuse');
			if (decision.action === 'refresh') expect(decision).toEqual(early);
		});
	});

	it('after a failure nothing leads to a second sending but a token that AiClk has rejected', () => {
		always((any) => {
			const decision = decide({ ...any, cause: 'after-failure', storedRejectedAtMs: null });
			expect(['keep', 'check']).toContain(decision.action);
		});
	});

	it('what is adopted is alive and of this input’s newest generation', () => {
		always((any) => {
			const newest = any.newest && { ...any.newest };
			const decision = decide(any);
			if (decision.action !== 'adopt') return;
			expect(newest).not.toBeNull();
			expect(age((newest as Token).state, any.nowMs)).not.toBe('expired');
			if (isOurs(any)) expect(isNewer(newest, any.stored)).toBe(true);
		});
	});

	it('a dead token is never kept before a request', () => {
		always((any) => {
			if (any.cause !== 'before-request') return;
			if (isOurs(any) && age((any.stored as Token).state, any.nowMs) !== 'expired') return;
			expect(['adopt', 'refresh', 'refuse']).toContain(decide(any).action);
		});
	});

	it('only what other processes may be doing, too, is settled', () => {
		always((any) => {
			const decision = decide(any);
			if (decision.action !== 'refresh') return;
			const alone = ['forced', 'no-token', 'credentials-changed'];
			expect(decision.settle).toBe(!alone.includes(decision.reason));
		});
	});
});
