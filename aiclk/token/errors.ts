import { QUOTA_TIME_ZONE, quotaDayEndsAtMs, REFRESHES_PER_DAY, RESERVED_REFRESHES } from './quota';

/** Why no valid token can be provided. Nodes and operators react to each kind in a different way. */
export type FailureKind =
	/** The credential is incomplete or unusable. Nothing was sent. */
	| 'input'
	/** The day's refreshes are used up. Nothing was sent. */
	| 'quota'
	/** AiClk refused the refresh. */
	| 'refused'
	/** No answer, or one that is not AiClk's. */
	| 'unavailable'
	/** AiClk sent a token that cannot be stored. */
	| 'unusable'
	/** A peer (another n8n process) refreshed at the same time, and its token is the valid one. */
	| 'superseded';

/** A failure in words for a person. It holds no secret and no raw body. */
export interface TokenFailure {
	kind: FailureKind;
	/** What happened, and briefly what to do: the test of a credential shows this alone (n8n credentials-tester.service.js). */
	message: string;
	/** More about what to do. */
	description: string;
	/** `quota` only: when the day ends, ms since 1970. */
	resetsAtMs?: number;
}

/** A peer's token is the valid one. */
export const SUPERSEDED: TokenFailure = {
	kind: 'superseded',
	message:
		'Another n8n process refreshed the AiClk access token at the same time. Run this again to use its token.',
	description: "n8n's Retry On Fail runs it again for you.",
};

const iso = (ms: number): string => new Date(ms).toISOString();

const dayEnd = (nowMs: number): string =>
	`${iso(quotaDayEndsAtMs(nowMs))} (midnight in ${QUOTA_TIME_ZONE})`;

const FIND_CAUSE = 'Find out what refreshes so often: one scheduled AiClk Token node is enough.';

/** The day's refreshes are used up. @param nowMs ms since 1970 */
export const quotaSpent = (nowMs: number): TokenFailure => ({
	kind: 'quota',
	message: `All ${REFRESHES_PER_DAY} refreshes that AiClk allows in a day are used up for this client. Wait until ${dayEnd(nowMs)}.`,
	description: `No refresh was sent. ${FIND_CAUSE}`,
	resetsAtMs: quotaDayEndsAtMs(nowMs),
});

/** The day's last refreshes are reserved for requests without a valid token. @param nowMs ms since 1970 */
export const quotaReserved = (nowMs: number): TokenFailure => ({
	kind: 'quota',
	message: `The last ${RESERVED_REFRESHES} refreshes of the day are reserved for requests without a valid token. The stored token is still valid.`,
	description: `No refresh was sent. The day ends at ${dayEnd(nowMs)}. ${FIND_CAUSE}`,
	resetsAtMs: quotaDayEndsAtMs(nowMs),
});

/** Carries a failure out of the credential's hook. n8n shows `message` and `description`. */
export class TokenError extends Error {
	override readonly name = 'TokenError';

	readonly description: string;

	constructor({ message, description }: TokenFailure) {
		super(message);
		this.description = description;
	}
}
