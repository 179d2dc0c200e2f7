import { reportToken } from '../../../aiclk/token/status';
import { DAY_MS, NOW, token, tokenState } from '../../harness/fakes';

const OURS = tokenState().fingerprint;
const STORED = token('abc', {
	expirySource: 'assumed',
	refreshes: [
		{ atMs: NOW, reason: 'forced', workflow: { id: 'w1', name: 'Rotation' } },
		{ atMs: NOW - DAY_MS, reason: 'no-token', workflow: null },
	],
});

describe('a report', () => {
	it('a report says everything but the token itself', () => {
		expect(reportToken(STORED, OURS, NOW + 1.5 * DAY_MS, 3)).toEqual({
			status: 'valid',
			valid: true,
			issuedAt: '2026-11-24T02:00:00.000Z',
			expiresAt: '2027-02-22T02:00:00.000Z',
			expiresInSeconds: 88.5 * 86_400,
			expiresInDays: 88,
			renewsAt: '2027-02-07T02:00:00.000Z',
			expirySource: 'assumed',
			refreshesToday: 3,
			refreshesLeftToday: 297,
			refreshLimitResetsAt: '2026-11-25T16:00:00.000Z',
			tokenFingerprint: 'ba7816bf',
			tokenType: 'OGW_ACCESS_TOKEN',
			traceId: '776ac7ef9ccd2cb3',
			recentRefreshes: [
				{
					at: '2026-11-24T02:00:00.000Z',
					reason: 'forced',
					workflowId: 'w1',
					workflowName: 'Rotation',
				},
				{
					at: '2026-11-23T02:00:00.000Z',
					reason: 'no-token',
					workflowId: null,
					workflowName: null,
				},
			],
		});
	});

	it('a report without a token says what is known', () => {
		expect(reportToken(null, OURS, NOW, 301)).toEqual({
			status: 'missing',
			valid: false,
			issuedAt: null,
			expiresAt: null,
			expiresInSeconds: null,
			expiresInDays: null,
			renewsAt: null,
			expirySource: null,
			refreshesToday: 301,
			refreshesLeftToday: 0,
			refreshLimitResetsAt: '2026-11-24T16:00:00.000Z',
			tokenFingerprint: null,
			tokenType: null,
			traceId: null,
			recentRefreshes: [],
		});
	});

	it.each([
		['fresh', NOW, OURS, false, 'valid', true],
		['in its window', NOW + 75 * DAY_MS, OURS, false, 'renewal-due', true],
		['dead', NOW + 90 * DAY_MS, OURS, false, 'expired', false],
		['another input’s', NOW, 'another', false, 'credentials-changed', false],
		['refused by AiClk', NOW, OURS, true, 'rejected', false],
		['refused in its window', NOW + 75 * DAY_MS, OURS, true, 'rejected', false],
		['dead and refused', NOW + 90 * DAY_MS, OURS, true, 'expired', false],
		['another input’s and refused', NOW, 'another', true, 'credentials-changed', false],
	])('a report of a token that is %s', (_, nowMs, fingerprint, isRejected, status, valid) => {
		expect(reportToken(STORED, fingerprint, nowMs, 0, isRejected)).toMatchObject({
			status,
			valid,
		});
	});

	it.each([
		[90 * DAY_MS - 500, 0, 0],
		[91 * DAY_MS, 0, 0],
		[89 * DAY_MS, 86_400, 1],
		[89 * DAY_MS + 1, 86_399, 0],
	])('a report counts down: after %d ms %d s and %d days are left', (passed, seconds, days) => {
		expect(reportToken(STORED, OURS, NOW + passed, 0)).toMatchObject({
			expiresInSeconds: seconds,
			expiresInDays: days,
		});
	});
});
