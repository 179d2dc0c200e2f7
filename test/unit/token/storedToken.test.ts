import fc from 'fast-check';

import { readToken, secretsOf, toStoredFields } from '../../../aiclk/token/storedToken';
import { NOW, token, tokenState } from '../../harness/fakes';

const TOKEN = token('abc', {
	probeTrust: { accountId: '1000002', trust: 'trusted', sinceMs: NOW },
	refreshes: [{ atMs: NOW, reason: 'forced', workflow: { id: 'w1', name: 'Rotation' } }],
});
const QUOTA = TOKEN.state.quota;

/** Reads a token whose stored state is any JSON value. */
const readState = (state: unknown) =>
	readToken({ ...toStoredFields(TOKEN), tokenState: JSON.stringify(state) })?.state ?? null;

describe('what is stored', () => {
	it('a stored token is read back unchanged', () => {
		const stored = { ...TOKEN, rotatedRefreshToken: 'rotated' };
		expect(readToken({ ...toStoredFields(stored) })).toEqual(stored);
	});

	it('a token is stored with the latest quota and trust', () => {
		const quota = { clientKey: 'c', day: '2026-11-24', attempts: 9 };
		expect(
			readToken({ ...toStoredFields(TOKEN, { quota, probeTrust: null }) })?.state,
		).toMatchObject({
			quota,
			probeTrust: null,
		});
	});

	it('the expirable field is always stored empty', () => {
		expect(toStoredFields(TOKEN).tokenRenewal).toBe('');
	});

	it.each([
		['quota', { ...QUOTA, attempts: 0 }],
		['probeTrust', { accountId: '1', trust: 'trusted', sinceMs: NOW }],
		['probeTrust', { accountId: '1', trust: 'distrusted', sinceMs: NOW }],
		['refreshes', [{ atMs: NOW, reason: 'expired', workflow: null }]],
		['expirySource', 'answer'],
		['expirySource', 'assumed'],
	])('its %s is read back: %j', (field, value) => {
		const state = { ...TOKEN.state, [field]: value };
		expect(readState(state)).toEqual(state);
	});

	const ANOTHER = { fingerprint: 'another' };
	it.each([
		['none, none', '', null, undefined],
		['none, a new one', 'new', null, 'new'],
		['none in the row, a new one', 'new', token('stored'), 'new'],
		['one, the same one', 'old', { ...token('stored'), rotatedRefreshToken: 'old' }, undefined],
		['one, a new one', 'new', { ...token('stored'), rotatedRefreshToken: 'old' }, 'new'],
		['one, none', '', { ...token('stored'), rotatedRefreshToken: 'old' }, undefined],
		['another input’s, none', '', { ...token('x', ANOTHER), rotatedRefreshToken: 'old' }, ''],
		[
			'another input’s, a new one',
			'new',
			{ ...token('x', ANOTHER), rotatedRefreshToken: 'old' },
			'new',
		],
	])('the refresh token is stored only where it changes: %s', (_, rotated, stored, expected) => {
		const fields = toStoredFields({ ...TOKEN, rotatedRefreshToken: rotated }, {}, stored);
		expect(fields.rotatedRefreshToken).toBe(expected);
		expect('rotatedRefreshToken' in fields).toBe(expected !== undefined);
	});

	it('a refresh token may be stored without an access token', () => {
		const stored = { ...TOKEN, accessToken: '', rotatedRefreshToken: 'rotated' };
		expect(readToken({ ...toStoredFields(stored) })).toEqual(stored);
	});
});

describe('stored fields that cannot be read', () => {
	it.each<[string, unknown]>([
		['nothing', undefined],
		['an empty text', ''],
		['not text', 5],
		['not JSON', '{'],
		['null', 'null'],
		['a list', '[]'],
		['a number', '7'],
	])('a tokenState that is %s is no token', (_, text) => {
		expect(readToken({ ...toStoredFields(TOKEN), tokenState: text })).toBeNull();
	});

	it.each([
		['fingerprint', 1],
		['generation', '1'],
		['generation', 1.5],
		['issuedAtMs', '2026'],
		['issuedAtMs', 1e300],
		['expiresAtMs', null],
		['expiresAtMs', tokenState().issuedAtMs],
		['header', undefined],
	])('a state with a bad %s is no token: %j', (field, value) => {
		expect(readState({ ...tokenState(), [field]: value })).toBeNull();
	});

	it.each([
		['no access token', { accessToken: '' }],
		['an access token that is no text', { accessToken: 5 }],
		['no state', { tokenState: '' }],
	])('%s is no token', (_, changes) => {
		expect(readToken({ ...toStoredFields(TOKEN), ...changes })).toBeNull();
	});

	it('any JSON as tokenState is read without an exception', () => {
		fc.assert(
			fc.property(fc.json(), (text) => {
				expect(readToken({ ...toStoredFields(TOKEN), tokenState: text })).toBeNull();
			}),
		);
	});
});

describe('optional parts of a stored token', () => {
	it.each([
		['expirySource', 'guessed', 'assumed'],
		['traceId', 7, null],
		['quota', null, null],
		['quota', 'none', null],
		['quota', { ...QUOTA, clientKey: 1 }, null],
		['quota', { ...QUOTA, day: 1 }, null],
		['quota', { ...QUOTA, attempts: '1' }, null],
		['quota', { ...QUOTA, attempts: -1 }, null],
		['probeTrust', { accountId: 1, trust: 'trusted', sinceMs: 1 }, null],
		['probeTrust', { accountId: '1', trust: 'perhaps', sinceMs: 1 }, null],
		['probeTrust', { accountId: '1', trust: 'trusted', sinceMs: 'x' }, null],
		['refreshes', {}, []],
		['refreshes', [null, { atMs: 'x', reason: 'forced', workflow: null }], []],
		['refreshes', [{ atMs: 1, reason: 2, workflow: null }], []],
		['refreshes', [{ atMs: 1, reason: 'forced', workflow: { id: 1, name: 'x' } }], []],
		['refreshes', [{ atMs: 1, reason: 'forced', workflow: { id: '1', name: 2 } }], []],
	])('a damaged %s costs no token: %j', (field, value, expected) => {
		expect(readState({ ...TOKEN.state, [field]: value })).toEqual({
			...TOKEN.state,
			[field]: expected,
		});
	});

	it('a token that version 0.1.0 stored stays in use', () => {
		const { fingerprint, generation, issuedAtMs, expiresAtMs, header } = tokenState();
		const old = { fingerprint, generation, issuedAtMs, expiresAtMs, header, ledger: QUOTA };
		expect(readState(old)).toMatchObject({
			fingerprint,
			lineage: 'ba7816bf',
			quota: null,
			refreshes: [],
		});
	});
});

it('a rotated refresh token that is not text counts as none', () => {
	const fields = { ...toStoredFields(TOKEN), rotatedRefreshToken: undefined };
	expect(readToken(fields)?.rotatedRefreshToken).toBe('');
});

it.each([
	[{ refreshToken: 'a', accessToken: 'b', rotatedRefreshToken: 'c' }, ['a', 'b', 'c']],
	[{ refreshToken: 'a', accessToken: 1, clientId: 'd' }, ['a']],
])('the secrets of %j are its tokens', (credentials, secrets) => {
	expect(secretsOf(credentials)).toEqual(secrets);
});
