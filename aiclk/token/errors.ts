import { QUOTA_TIME_ZONE, quotaDayEndsAtMs, REFRESHES_PER_DAY } from './quota';

/** Why a live token could not be had. The kinds are what a node or an operator would act on differently. */
export type FailureKind =
	/** The credential is incomplete or unusable; nothing was sent. */
	| 'input'
	/** The day's refreshes are used up; nothing was sent. */
	| 'quota'
	/** AiClk answered and said no. */
	| 'refused'
	/** No answer, or one that is not AiClk's. */
	| 'unavailable'
	/** AiClk said yes, but what it sent cannot be stored. */
	| 'unusable'
	/** Another process refreshed at the same moment and its token won. */
	| 'superseded';

/** A failure in words for the person at the screen. Holds no secret and no raw body. */
export interface TokenFailure {
	kind: FailureKind;
	/** What happened. */
	message: string;
	/** What to do next. */
	description: string;
	/** `quota`: when the day ends, ms since 1970. */
	resetsAtMs?: number;
}

/** Another process was faster. */
export const SUPERSEDED: TokenFailure = {
	kind: 'superseded',
	message: 'The AiClk access token was renewed by another n8n process at the same moment',
	description: "The other process's token is kept. Run this again, and it is used.",
};

/** The day's refreshes are used up: said before anything is sent. @param nowMs ms since 1970 */
export function quotaSpent(nowMs: number): TokenFailure {
	const resetsAtMs = quotaDayEndsAtMs(nowMs);
	return {
		kind: 'quota',
		message: `All ${REFRESHES_PER_DAY} refreshes that AiClk allows in a day are used up for this client`,
		description: `No refresh was sent. The day ends at ${new Date(resetsAtMs).toISOString()} (midnight in ${QUOTA_TIME_ZONE}). Find out what refreshes so often: one scheduled AiClk Token node is enough.`,
		resetsAtMs,
	};
}

/** The exception that carries a failure out of the credential's hook; n8n shows `message` and `description`. */
export class TokenError extends Error {
	override readonly name = 'TokenError';

	readonly description: string;

	constructor({ message, description }: TokenFailure) {
		super(message);
		this.description = description;
	}
}
