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

/** Why a call did not succeed, in words for the person at the screen. Holds no secret and no raw body. */
export interface ApiFailure {
	kind:
		/** AiClk does not accept the access token, so it did nothing. */
		| 'token-rejected'
		/** AiClk answered and said no. */
		| 'refused'
		/** No answer, or one that does not tell what was done. */
		| 'unknown';
	/** What happened, with AiClk's own words. */
	message: string;
	/** What to do next, with code and trace_id. */
	description: string;
	/** HTTP status as text; null when no answer came. */
	httpCode: string | null;
}

const CHECK_NETWORK =
	'If it lasts, check the Base URL in the AiClk API credential and the network of n8n.';

const NOT_SENT = `Nothing was changed. Run again later. ${CHECK_NETWORK}`;

/** What to do when nothing was sent. Only what may be sent again by itself is worth n8n's Retry On Fail. */
const UNREACHED: Record<Effect, string> = {
	read: `Nothing was changed. Run again later; n8n's Retry On Fail does that by itself. ${CHECK_NETWORK}`,
	change: NOT_SENT,
	money: NOT_SENT,
};

/** What an answer that tells nothing means for what was asked, and what to do next. */
const UNCERTAIN: Record<Effect, { message: string; description: string }> = {
	read: {
		message: '',
		description: UNREACHED.read,
	},
	change: {
		message: ' The change may have been carried out.',
		description:
			'It was sent once and is not repeated. Look at AiClk whether the change is there before you run this again.',
	},
	money: {
		message: ' The transfer may have been carried out.',
		description:
			"It was sent once and is not repeated. Check the account's transactions (流水) at AiClk before trying again: a second try could move the money twice.",
	},
};

const NOT_REPEATED =
	'Nothing was carried out. If it was the token, a new one has been asked for. Run this again; if it comes again, check that your application has the permission for this call and this account.';

/** A read has been repeated by then, with a new token, if it was the token; anything else was not. */
const AFTER_REJECTION: Record<Effect, string> = {
	read: 'Nothing was carried out. Check that your application has the permission for this call and this account, and the token with an AiClk Token node (Get Status, Verify).',
	change: NOT_REPEATED,
	money: NOT_REPEATED,
};

function uncertain(effect: Effect, what: string, httpCode: string | null): ApiFailure {
	const { message, description } = UNCERTAIN[effect];
	return { kind: 'unknown', message: `${what}.${message}`, description, httpCode };
}

/** AiClk's words, or that it gave none. */
const wordsOf = ({ message }: Envelope, secrets: readonly string[]): string =>
	sanitize(message, secrets) || 'no reason given';

const traceOf = ({ code, traceId }: Envelope): string =>
	`AiClk code ${code}${traceId === null ? '' : `, trace_id ${traceId}`}.`;

const parse = (text: unknown): unknown => {
	try {
		return typeof text === 'string' ? parseJson(text) : undefined;
	} catch {
		return undefined;
	}
};

/** What is asked of AiClk, as far as an error about it is concerned. */
export interface Asked {
	effect: Effect;
	/** What to check when AiClk refuses it. */
	hint: string;
	/** What must not show up in a text. */
	secrets: readonly string[];
}

/**
 * Reads the answer to a call.
 *
 * `code === 200` in the body is success, whatever the HTTP status (AiClk's pages name none). A status or code from 500 on is
 * no refusal: it does not tell what was done.
 *
 * @param answer a full response with the body as text
 */
export function readAnswer(
	answer: unknown,
	{ effect, hint, secrets }: Asked,
): Result<Envelope, ApiFailure> {
	if (!isHttpAnswer(answer)) {
		return fail(uncertain(effect, 'AiClk sent no answer that n8n could read', null));
	}
	const { statusCode, body } = answer;
	const httpCode = String(statusCode);
	const envelope = readEnvelope(parse(body));
	if (envelope?.code === CODE_SUCCESS) return ok(envelope);
	if (statusCode === CODE_TOKEN_REJECTED || envelope?.code === CODE_TOKEN_REJECTED) {
		const trace = envelope === null ? '' : ` ${traceOf(envelope)}`;
		return fail({
			kind: 'token-rejected',
			message: `AiClk does not accept the access token${envelope === null ? '' : `: ${wordsOf(envelope, secrets)}`}`,
			description: `${AFTER_REJECTION[effect]}${trace}`,
			httpCode,
		});
	}
	if (envelope === null) {
		const what =
			statusCode >= 400 && statusCode < 500
				? `AiClk does not know this call, or something before it refused it (HTTP ${httpCode})`
				: `AiClk did not answer as documented (HTTP ${httpCode})`;
		return fail(uncertain(effect, what, httpCode));
	}
	const words = wordsOf(envelope, secrets);
	if (statusCode >= 500 || envelope.code >= 500) {
		const failure = uncertain(effect, `AiClk is temporarily unavailable: ${words}`, httpCode);
		return fail({ ...failure, description: `${failure.description} ${traceOf(envelope)}` });
	}
	return fail({
		kind: 'refused',
		message: `AiClk refused this: ${words}`,
		description: `${hint} ${traceOf(envelope)}`,
		httpCode,
	});
}

/** Turns what n8n's HTTP helper threw into a failure: no answer came. */
export function noAnswer(error: unknown, effect: Effect): ApiFailure {
	const { mayHaveArrived, words } = readNetworkError(error);
	if (mayHaveArrived) return uncertain(effect, `AiClk's answer was lost: ${words}`, null);
	return {
		kind: 'unknown',
		message: `AiClk could not be reached: ${words}. Nothing was sent.`,
		description: UNREACHED[effect],
		httpCode: null,
	};
}
