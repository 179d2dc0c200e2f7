import { type Failure, newFailure } from '../util/failure';
import { QUOTA_TIME_ZONE, quotaDayEndsAtMs, REFRESHES_PER_DAY, RESERVED_REFRESHES } from './quota';

/** A peer's token is the valid one. */
export const SUPERSEDED = newFailure({
	kind: 'superseded',
	message:
		'Another n8n process refreshed the AiClk access token at the same time. Run this again to use its token.',
	description:
		"A node that only reads can wait for it: with 'Retry On Fail', 3 tries and 5 seconds between them.",
});

const iso = (ms: number): string => new Date(ms).toISOString();

const dayEnd = (nowMs: number): string =>
	`${iso(quotaDayEndsAtMs(nowMs))} (midnight in ${QUOTA_TIME_ZONE})`;

const noRefreshSent = (nowMs: number, message: string, dayEnds = ''): Failure =>
	newFailure({
		kind: 'quota',
		message,
		description: `No refresh was sent. ${dayEnds}Find out what refreshes so often: one scheduled AiClk Token node is enough.`,
		resetsAtMs: quotaDayEndsAtMs(nowMs),
	});

/** The day's refreshes are used up. */
export const quotaSpent = (nowMs: number): Failure =>
	noRefreshSent(
		nowMs,
		`All ${REFRESHES_PER_DAY} refreshes that AiClk allows in a day are used up for this client. Wait until ${dayEnd(nowMs)}.`,
	);

/** The day's last refreshes are reserved for requests without a valid token. */
export const quotaReserved = (nowMs: number): Failure =>
	noRefreshSent(
		nowMs,
		`The last ${RESERVED_REFRESHES} refreshes of the day are reserved for requests without a valid token. The stored token is still valid.`,
		`The day ends at ${dayEnd(nowMs)}. `,
	);
