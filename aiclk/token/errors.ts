import { QUOTA_TIME_ZONE, quotaDayEndsAtMs, REFRESHES_PER_DAY, RESERVED_REFRESHES } from './quota';

/** Why no live token can be provided. Each kind is one that a node or an operator acts on differently. */
export type FailureKind =
	/** The credential is incomplete or unusable. Nothing was sent. */
	| 'input'
	/** The day's refreshes are used up. Nothing was sent. */
	| 'quota'
	/** AiClk answered and refused the refresh. */
	| 'refused'
	/** No answer, or one that does not come from AiClk. */
	| 'unavailable'
	/** AiClk agreed, but what it sent cannot be stored. */
	| 'unusable'
	/** A peer (another n8n process) refreshed at the same time, and its token is the valid one. */
	| 'superseded';

/** A failure in words for the person at the screen. It holds no secret and no raw body. */
export interface TokenFailure {
	kind: FailureKind;
	/** What happened. */
	message: string;
	/** What to do next. */
	description: string;
	/** `quota` only: when the day ends, ms since 1970. */
	resetsAtMs?: number;
}

/** The token of a peer is the valid one. */
export const SUPERSEDED: TokenFailure = {
	kind: 'superseded',
	message: 'Another n8n process refreshed the AiClk access token at the same time',
	description:
		"The other process's token is kept. Run this again to use it; n8n's Retry On Fail does so for you.",
};

const iso = (ms: number): string => new Date(ms).toISOString();

const dayEnd = (nowMs: number): string =>
	`The day ends at ${iso(quotaDayEndsAtMs(nowMs))} (midnight in ${QUOTA_TIME_ZONE}).`;

/** All refreshes of the day are used up. @param nowMs ms since 1970 */
export const quotaSpent = (nowMs: number): TokenFailure => ({
	kind: 'quota',
	message: `All ${REFRESHES_PER_DAY} refreshes that AiClk allows in a day are used up for this client`,
	description: `No refresh was sent. ${dayEnd(nowMs)} Find out what refreshes so often: one scheduled AiClk Token node is enough.`,
	resetsAtMs: quotaDayEndsAtMs(nowMs),
});

/** The rest of the day's refreshes is kept for requests that have no valid token. @param nowMs ms since 1970 */
export const quotaReserved = (nowMs: number): TokenFailure => ({
	kind: 'quota',
	message: `The last ${RESERVED_REFRESHES} refreshes of the day are kept for requests without a valid token`,
	description: `No refresh was sent, because the stored access token is still valid. ${dayEnd(nowMs)} Find out what refreshes so often: one scheduled AiClk Token node is enough.`,
	resetsAtMs: quotaDayEndsAtMs(nowMs),
});

/** The exception that carries a failure out of the credential's hook. n8n shows `message` and `description`. */
export class TokenError extends Error {
	override readonly name = 'TokenError';

	readonly description: string;

	constructor({ message, description }: TokenFailure) {
		super(message);
		this.description = description;
	}
}
