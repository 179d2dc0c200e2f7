import { type Failure, newFailure } from '../util/failure';
import { sanitize } from '../util/sanitize';
import { fail, ok, type Result } from '../util/result';
import {
	CODE_SUCCESS,
	CODE_TOKEN_REJECTED,
	type Envelope,
	isHttpAnswer,
	readEnvelope,
} from '../protocol/envelope';
import { parseJson } from '../protocol/json';
import { readNetworkError } from '../protocol/networkErrors';
import type { Effect } from './request';
import { readBusy } from './throttle';

/** What an error says of a request. */
export interface Asked {
	effect: Effect;
	/** Method and path, e.g. `GET /openapi/v1/account/info`. */
	call: string;
	/** What to check when AiClk refuses it. */
	hint: string;
	/** What no text may contain. */
	secrets: readonly string[];
	/** The user's own words in the request, which AiClk may repeat. */
	own?: string;
}

const CHECK_NETWORK =
	'If it lasts, check the Base URL in the AiClk API credential and the network of n8n.';

/** The end of the message and what to do, after an answer that does not say what was carried out. */
const UNCERTAIN: Record<Effect, { consequence: string; description: string }> = {
	read: {
		consequence: '.',
		description: `Nothing was changed. Run this again later. ${CHECK_NETWORK}`,
	},
	change: {
		consequence: '. The change may have been carried out: check before you send it again.',
		description:
			'It was sent once and is not repeated. Check at AiClk whether the change is there before you run this again.',
	},
	money: {
		consequence:
			'. The transfer may have been carried out: do not send it again before you have checked.',
		description:
			"It was sent once and is not repeated. Check the account's transactions at AiClk before trying again: a second try could move the money twice.",
	},
};

const NOT_REPEATED =
	'Nothing was carried out. If the token was the cause, a new one has been requested. Run this again. If it fails again, check that your application has the permission for this call and this account.';

/** If the token was the cause, a read has already been sent again with a new one. A change has not. */
const AFTER_REJECTION: Record<Effect, string> = {
	read: 'Nothing was carried out. Check that your application has the permission for this call and this account, and the token with an AiClk Token node (Get Status, Verify).',
	change: NOT_REPEATED,
	money: NOT_REPEATED,
};

type Reason = Pick<Failure, 'kind' | 'outcome' | 'message' | 'description'>;

const uncertain = (
	effect: Effect,
	what: string,
	kind: 'unavailable' | 'unusable' | 'aborted' = 'unusable',
): Reason => ({
	kind,
	outcome: 'unknown',
	message: `${what}${UNCERTAIN[effect].consequence}`,
	description: UNCERTAIN[effect].description,
});

const refused = (
	message: string,
	description: string,
	kind: 'refused' | 'rejected' | 'busy' = 'refused',
): Reason => ({
	kind,
	outcome: 'refused',
	message,
	description,
});

const NOT_FOLLOWED =
	'Nothing was carried out. Redirects are never followed, because the token would go along. Check the Base URL in the AiClk API credential.';

/**
 * HTTP statuses that say without AiClk's envelope that nothing was carried out (RFC 9110, RFC 6585). Not among them: 302 and
 * 303, which may follow a request that was carried out, and 408 and 499, which gateways use for time-outs of their own.
 */
const REFUSALS: Record<number, [message: string, description?: string]> = {
	301: ['AiClk answered with a redirect', NOT_FOLLOWED],
	307: ['AiClk answered with a redirect', NOT_FOLLOWED],
	308: ['AiClk answered with a redirect', NOT_FOLLOWED],
	413: [
		'The request, or the file in it, is too large for AiClk',
		'Nothing was carried out. Send a smaller file, or fewer rows at a time.',
	],
	414: [
		'The request names too many IDs, or its URL is too long for AiClk',
		'Nothing was carried out. Split the IDs or filters over several items.',
	],
	431: [
		'The request names too many IDs, or its header is too long for AiClk',
		'Nothing was carried out. Split the IDs or filters over several items.',
	],
};

const RUN_LATER = 'Run this again later, with fewer requests at a time.';
const NO_REPETITION = `It was refused because AiClk is busy. Only reads are sent again. ${RUN_LATER}`;

/** A read has already been sent again, for as long as a request may wait. */
const AFTER_BUSY: Record<Effect, string> = {
	read: RUN_LATER,
	change: NO_REPETITION,
	money: NO_REPETITION,
};

/** For an answer that says that AiClk is busy. @param words AiClk's own, or the HTTP status */
const refusedAsBusy = (words: string, { effect }: Asked): Reason =>
	refused(
		`AiClk takes no more requests at the moment: ${words}`,
		`Nothing was carried out. ${AFTER_BUSY[effect]}`,
		'busy',
	);

/** Outages, of AiClk or of a gateway before it. Only these: 40102 is a refusal. */
const isOutage = (number: number | null): boolean =>
	number !== null && number >= 500 && number <= 599;

const UNCLEAR_REFUSALS = new Set([408, 499]);

/** For an answer without AiClk's envelope, which a gateway or a proxy may have written. */
function readStatus(status: number, { effect, hint }: Asked): Reason {
	if (status === 407) {
		return {
			kind: 'unavailable',
			outcome: 'not-sent',
			message: 'The proxy of n8n requires a login (HTTP 407). Nothing was sent.',
			description: "Add the proxy's user and password to n8n's proxy settings.",
		};
	}
	const known = REFUSALS[status];
	if (known !== undefined) return refused(`${known[0]} (HTTP ${status})`, known[1] ?? hint);
	return status >= 400 && status < 500 && !UNCLEAR_REFUSALS.has(status)
		? refused(
				`AiClk does not know this call, or something before it refused it (HTTP ${status})`,
				`Nothing was carried out. ${hint}`,
			)
		: uncertain(effect, `AiClk did not answer as documented (HTTP ${status})`);
}

/** Codes of AiClk's that say no. Below 400 they may mean success in its words, too, and 408 is a time-out. */
const isRefusal = (code: number): boolean => code >= 400 && code !== 408;

/** For an answer with AiClk's envelope. */
function readRefusal(status: number, code: number, words: string, { effect, hint }: Asked): Reason {
	if (isOutage(status) || isOutage(code)) {
		return uncertain(effect, `AiClk is temporarily unavailable: ${words}`, 'unavailable');
	}
	return effect === 'read' || isRefusal(code)
		? refused(`AiClk refused this: ${words}`, hint)
		: uncertain(effect, `AiClk's answer does not say what was done: ${words}`);
}

const parse = (text: unknown): unknown => {
	try {
		return typeof text === 'string' ? parseJson(text) : undefined;
	} catch {
		return undefined;
	}
};

/** Adds to a description what was called, and AiClk's code and trace_id. */
const signed = (description: string, { call }: Asked, envelope: Envelope | null): string => {
	const trace = envelope?.traceId == null ? '' : `, trace_id ${envelope.traceId}`;
	return `${description} ${call}${envelope === null ? '' : `: AiClk code ${envelope.code}${trace}`}.`;
};

/**
 * Reads the answer to a call. `code === 200` in the body is success, whatever the HTTP status (AiClk's pages name none).
 *
 * @param answer a full response with the body as text
 * @param nowMs ms since 1970
 * @returns the envelope of a success, or why it was none
 */
export function readAnswer(
	answer: unknown,
	asked: Asked,
	nowMs = Date.now(),
): Result<Envelope, Failure> {
	if (!isHttpAnswer(answer)) {
		return failWith(uncertain(asked.effect, 'AiClk sent no answer that n8n could read'), asked);
	}
	const { statusCode } = answer;
	const envelope = readEnvelope(parse(answer.body));
	if (envelope?.code === CODE_SUCCESS) return ok(envelope);
	const code = envelope?.code ?? null;
	const words = sanitize(envelope?.message, asked.secrets, asked.own) || 'no reason stated';
	const busy = readBusy(answer, code, nowMs);
	// A gateway and AiClk that contradict each other: which of them is right is not known.
	const isBusyByStatus = readBusy(answer, null, nowMs) !== null;
	const isCertain =
		asked.effect === 'read' || !(isOutage(code) || (isOutage(statusCode) && !isBusyByStatus));
	if (isCertain && (statusCode === CODE_TOKEN_REJECTED || code === CODE_TOKEN_REJECTED)) {
		const message = `AiClk does not accept the access token${envelope === null ? '' : `: ${words}`}`;
		const reason = refused(message, AFTER_REJECTION[asked.effect], 'rejected');
		return failWith(reason, asked, { statusCode, envelope });
	}
	if (isCertain && busy !== null) {
		const reason = refusedAsBusy(envelope === null ? `HTTP ${statusCode}` : words, asked);
		return failWith(reason, asked, { statusCode, envelope, ...busy });
	}
	const reason =
		envelope === null
			? readStatus(statusCode, asked)
			: readRefusal(statusCode, envelope.code, words, asked);
	return failWith(reason, asked, { statusCode, envelope });
}

/** What is known of AiClk's answer. */
interface Heard {
	statusCode?: number;
	envelope?: Envelope | null;
	retryAfterMs?: number | null;
}

const failWith = (
	reason: Reason,
	asked: Asked,
	{ statusCode, envelope = null, retryAfterMs = null }: Heard = {},
) =>
	fail(
		newFailure({
			...reason,
			description: signed(reason.description, asked, envelope),
			code: envelope?.code ?? null,
			httpCode: statusCode === undefined ? null : String(statusCode),
			traceId: envelope?.traceId ?? null,
			retryAfterMs,
		}),
	);

/**
 * Turns what n8n's HTTP helper threw into a failure: no answer came.
 *
 * @param error read for its codes only; it holds the request with its secrets
 * @param isStopped whether the run was stopped meanwhile: the error is then the same as that of a time limit
 */
export function noAnswer(error: unknown, asked: Asked, isStopped = false): Failure {
	const { mayHaveArrived, words, remedy } = readNetworkError(error);
	const cause = isStopped ? 'the run was stopped' : words;
	return failWith(
		mayHaveArrived
			? uncertain(
					asked.effect,
					`AiClk's answer was lost: ${cause}`,
					isStopped ? 'aborted' : 'unavailable',
				)
			: notSent(
					`AiClk could not be reached: ${words}`,
					remedy ?? `Nothing was changed. Run this again later. ${CHECK_NETWORK}`,
				),
		asked,
	).failure;
}

/** The reason for a request that was not sent. @param message without a full stop */
const notSent = (message: string, description: string): Reason => ({
	kind: 'unavailable',
	outcome: 'not-sent',
	message: `${message}. Nothing was sent.`,
	description,
});

/**
 * A failure of a request that was not sent, or not as a whole.
 *
 * @param message what happened, without a full stop
 * @param description what to do next
 */
export const neverSent = (message: string, description: string, asked: Asked): Failure =>
	failWith(notSent(message, description), asked).failure;
