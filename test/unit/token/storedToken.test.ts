import fc from 'fast-check';

import { readState, readToken, toStoredFields } from '../../../aiclk/token/storedToken';
import { token, tokenState } from '../support';

const LEDGER = tokenState().ledger;

describe('what is stored', () => {
	it('is read back as it was', () => {
		const stored = { ...token('abc'), rotatedRefreshToken: 'rotated' };
		expect(readToken({ ...toStoredFields(stored, LEDGER) })).toEqual(stored);
	});

	it('takes the ledger as it stands now', () => {
		const fields = toStoredFields(token('abc'), { ...LEDGER, attempts: 9 });
		expect(readState(fields.tokenState)?.ledger.attempts).toBe(9);
	});

	it('never fills the expirable field', () => {
		expect(toStoredFields(token('abc'), LEDGER).tokenRenewal).toBe('');
	});

	it('may lack a trace id', () => {
		const state = tokenState({ traceId: null });
		expect(readState(JSON.stringify(state))).toEqual(state);
	});
});

describe('what cannot be understood counts as no token', () => {
	it.each<[string, unknown]>([
		['nothing', undefined],
		['an empty text', ''],
		['no text', 5],
		['no JSON', '{'],
		['null', 'null'],
		['a list', '[]'],
		['a number', '7'],
	])('%s', (_, text) => {
		expect(readState(text)).toBeNull();
	});

	it.each([
		['fingerprint', 1],
		['generation', '1'],
		['generation', 1.5],
		['issuedAtMs', '2026'],
		['issuedAtMs', 1e300],
		['expiresAtMs', null],
		['expiresAtMs', tokenState().issuedAtMs],
		['expirySource', 'guessed'],
		['header', undefined],
		['traceId', 7],
		['ledger', null],
		['ledger', 'none'],
		['ledger', { ...LEDGER, client: 1 }],
		['ledger', { ...LEDGER, day: 1 }],
		['ledger', { ...LEDGER, attempts: '1' }],
		['ledger', { ...LEDGER, attempts: -1 }],
	])('%s: %j', (field, value) => {
		expect(readState(JSON.stringify({ ...tokenState(), [field]: value }))).toBeNull();
	});

	it.each([
		['no access token', { accessToken: '' }],
		['an access token that is no text', { accessToken: 5 }],
		['no state', { tokenState: '' }],
	])('%s', (_, changes) => {
		expect(readToken({ ...toStoredFields(token('abc'), LEDGER), ...changes })).toBeNull();
	});

	it('any JSON at all', () => {
		fc.assert(
			fc.property(fc.json(), (text) => {
				expect(readState(text)).toBeNull();
			}),
		);
	});
});

it('a rotated refresh token that is no text counts as none', () => {
	const fields = { ...toStoredFields(token('abc'), LEDGER), rotatedRefreshToken: undefined };
	expect(readToken(fields)?.rotatedRefreshToken).toBe('');
});
