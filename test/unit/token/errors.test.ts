import { quotaReserved, quotaSpent } from '../../../aiclk/token/errors';

const NOW_MS = Date.parse('2026-11-24T02:00:00Z');
const CAUSE = /Find out what refreshes so often: one scheduled AiClk Token node is enough\.$/;

it('a spent quota says when the day ends, and that no refresh was sent', () => {
	const failure = quotaSpent(NOW_MS);
	expect(failure.message).toBe(
		'All 300 refreshes that AiClk allows in a day are used up for this client. Wait until 2026-11-24T16:00:00.000Z (midnight in Asia/Shanghai).',
	);
	expect(failure.description).toMatch(/^No refresh was sent\. Find/);
	expect(failure.description).toMatch(CAUSE);
	expect(failure.resetsAtMs).toBe(Date.parse('2026-11-24T16:00:00Z'));
});

it('a reserved quota says that the token is still valid, and when the day ends', () => {
	const failure = quotaReserved(NOW_MS);
	expect(failure.message).toBe(
		'The last 60 refreshes of the day are reserved for requests without a valid token. The stored token is still valid.',
	);
	expect(failure.description).toMatch(
		/^No refresh was sent\. The day ends at 2026-11-24T16:00:00\.000Z \(midnight in Asia\/Shanghai\)\. /,
	);
	expect(failure.description).toMatch(CAUSE);
});
