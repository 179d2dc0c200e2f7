import { fail, type Failure, newFailure, ok, type Outcome, type Result } from '../util/failure';
import { sanitize } from '../util/sanitize';
import {
	CODE_SUCCESS,
	CODE_TOKEN_REJECTED,
	type Envelope,
	type HttpAnswer,
	isHttpAnswer,
	type ProbeResult,
	readEnvelope,
} from '../protocol/envelope';
import { parseJson } from '../protocol/json';
import { readNetworkError } from '../protocol/networkErrors';
import type { Effect } from './request';
import { readBusy } from './throttle';

/** What an error says of a request. */
export interface Call {
	effect: Effect;
	/** Method and path, e.g. `GET /openapi/v1/account/info`. */
	name: string;
	/** What a change does, as the subject of a sentence. */
	subject?: string;
	/** What to check when AiClk refuses it. */
	hint: string;
	/** What no text may contain. It is asked late: the request itself may replace the tokens. */
	secrets(): readonly string[];
	/** The user's own words in the request, which AiClk may repeat. */
	ownWords?: string;
}

const RUN_LATER =
	"Nothing was changed. Run this again later. If it lasts, check the 'Base URL' in the AiClk API credential and the network of n8n.";

/**
 * The end of the message and what to do where it is not known what was carried out. Fund records show spending only (P3), so a
 * transfer cannot be looked up with them.
 */
const UNCERTAIN = {
	change: {
		subject: 'The change',
		consequence: ' may have been carried out: check before you send it again.',
		description:
			'It is not repeated. Check at AiClk whether the change is there before you run this again.',
	},
	money: {
		subject: 'The transfer',
		consequence: ' may have been carried out: do not send it again before you have checked.',
		description:
			"It was sent once and is not repeated. Before you send it again, look for the transfer in AiClk's console, or compare the balances of both accounts (Get Info). Get Fund Records shows spending only, no transfers.",
	},
};

/** Outages, of AiClk or of a gateway before it. Only these: 40102 is a refusal. */
const isOutage = (number: number | null): boolean =>
	number !== null && number >= 500 && number <= 599;

/** HTTP statuses 400 to 499 say no; 408 and 499 do not, because gateways use them for time-outs of their own. */
const saysNo = (number: number): boolean =>
	number >= 400 && number <= 499 && number !== 408 && number !== 499;

/** Codes of AiClk's that say no: like HTTP statuses, with or without two more digits. */
const codeSaysNo = (code: number): boolean => saysNo(code) || (code >= 40_000 && code <= 49_999);

const isRedirect = (status: number): boolean => status >= 300 && status <= 399;

/**
 * What is known of a call that did not succeed. A change was refused only if HTTP status or code says no, and the other one does
 * not contradict: no page of AiClk's names codes, so any other may come after the change was carried out. A read carries nothing
 * out, so it is `unknown` only where AiClk itself did not answer it.
 */
function outcomeOf(effect: Effect, status: number, code: number | null): Outcome {
	if (effect === 'read') {
		const isAnswered = code === null ? saysNo(status) || isRedirect(status) : !isOutage(code);
		return isAnswered && !isOutage(status) ? 'refused' : 'unknown';
	}
	if (code === null) return saysNo(status) ? 'refused' : 'unknown';
	return codeSaysNo(code) && (saysNo(status) || status < 300) ? 'refused' : 'unknown';
}

/** What happened, without a full stop, and what to do if nothing was carried out. */
interface Finding extends Pick<Failure, 'kind'> {
	what: string;
	remedy: string;
}

const NOTHING_DONE = 'Nothing was carried out.';

const CHECK_PERMISSION =
	'Check that your application has the permission for this call and this account';

const NOT_PROBED = `Whether the token is the cause could not be found out. Run this again later. If it fails again: ${CHECK_PERMISSION}.`;

/** If the token was the cause, a read has already been sent again with a new one. A change has not. */
const afterRejection = (effect: Effect): string =>
	effect === 'read'
		? `${NOTHING_DONE} ${CHECK_PERMISSION}, and the token with an AiClk Token node ('Get Status' with 'Verify').`
		: `${NOTHING_DONE} If the token was the cause, a new one has been requested. Run this again. If it fails again: ${CHECK_PERMISSION}.`;

/**
 * Reads, and changes that AiClk refused for certain, have been sent again for as long as a request may wait.
 *
 * @param retryAfterMs how long AiClk says to wait; null where it does not say
 */
const afterBusy = (effect: Effect, retryAfterMs: number | null): string => {
	const minutes = Math.ceil((retryAfterMs ?? 0) / 60_000);
	const when = minutes > 1 ? `in ${minutes} minutes, as AiClk says` : 'later';
	const never = effect === 'money' ? ' A transfer is never repeated.' : '';
	return `${NOTHING_DONE}${never} Run this again ${when}, with fewer requests at a time.`;
};

const SPLIT_IDS = `${NOTHING_DONE} Split the IDs or filters over several items.`;

/** HTTP statuses that say more than no (RFC 9110, RFC 6585). */
const TOO_LARGE: Record<number, [what: string, remedy: string]> = {
	413: [
		'The request, or the file in it, is too large for AiClk',
		`${NOTHING_DONE} Send a smaller file, or fewer rows at a time.`,
	],
	414: ['The request names too many IDs, or its URL is too long for AiClk', SPLIT_IDS],
	431: ['The request names too many IDs, or its header is too long for AiClk', SPLIT_IDS],
};

/** For an answer without AiClk's envelope, which a gateway or a proxy may have written. */
function readStatus({ statusCode: status, body }: HttpAnswer, { hint }: Call): Finding {
	const [what, remedy = ''] = TOO_LARGE[status] ?? [];
	if (what !== undefined) return { kind: 'refused', what: `${what} (HTTP ${status})`, remedy };
	if (isRedirect(status)) {
		const what = `AiClk answered with a redirect, which is never followed (HTTP ${status})`;
		const remedy = `${NOTHING_DONE} The token would go along with a redirect. Check the 'Base URL' in the AiClk API credential.`;
		return { kind: 'refused', what, remedy };
	}
	if (saysNo(status)) {
		const what = `AiClk does not know this call, or something before it refused it (HTTP ${status})`;
		return { kind: 'refused', what, remedy: `${NOTHING_DONE} ${hint}` };
	}
	// A success that is neither JSON, nor HTML as gateways write it.
	if (status < 300 && typeof body === 'string' && /^\s*[^\s<{[]/.test(body)) {
		return {
			kind: 'unusable',
			what: `AiClk's answer is not JSON (HTTP ${status})`,
			remedy:
				"Nothing was changed. If this call downloads a file, use an HTTP Request node with the predefined credential type 'AiClk API' and the response format File.",
		};
	}
	const found = `AiClk did not answer as documented (HTTP ${status})`;
	return { kind: 'unusable', what: found, remedy: RUN_LATER };
}

/** The value of a JSON text, or where it stops being JSON; '' for anything that is not meant to be JSON. */
function parse(text: unknown): Result<unknown, string> {
	if (typeof text !== 'string') return fail('');
	try {
		return ok(parseJson(text));
	} catch (error) {
		return fail(/^\s*[{[]/.test(text) ? (error as SyntaxError).message : '');
	}
}

/** The failure of a call, whose description ends with what was called, and with AiClk's code and trace_id. */
function toFailure(
	{ kind, what, remedy }: Finding,
	outcome: Outcome,
	{ effect, name, subject }: Call,
	envelope: Envelope | null = null,
	known: Partial<Failure> = {},
): Failure {
	const { code = null, traceId = null } = envelope ?? {};
	const uncertain = outcome === 'unknown' && effect !== 'read' ? UNCERTAIN[effect] : null;
	let consequence = '';
	if (outcome === 'not-sent') consequence = '. Nothing was sent.';
	else if (uncertain) consequence = `. ${subject ?? uncertain.subject}${uncertain.consequence}`;
	else if (subject) consequence = `. ${subject} was not carried out.`;
	const trace = traceId === null ? '' : `, trace_id ${traceId}`;
	const source = code === null ? name : `${name}: AiClk code ${code}${trace}`;
	return newFailure({
		kind,
		outcome,
		isRead: effect === 'read',
		message: `${what}${consequence}`,
		description: `${uncertain?.description ?? remedy} ${source}.`,
		code,
		traceId,
		...known,
	});
}

/**
 * Reads the answer to a call. `code === 200` in the body is success, whatever the HTTP status (AiClk's pages name none).
 *
 * @param answer a full response with the body as text
 * @param probe what AiClk says about the token, where it may have refused this call for another reason
 * @returns the envelope of a success, or why it was none
 */
export function readAnswer(
	answer: unknown,
	call: Call,
	probe: ProbeResult = 'rejected',
): Result<Envelope, Failure> {
	if (!isHttpAnswer(answer)) {
		const what = 'AiClk sent no answer that n8n could read';
		return fail(toFailure({ kind: 'unusable', what, remedy: RUN_LATER }, 'unknown', call));
	}
	const { statusCode } = answer;
	const json = parse(answer.body);
	const envelope = json.ok ? readEnvelope(json.value) : null;
	if (envelope?.code === CODE_SUCCESS) return ok(envelope);
	const code = envelope?.code ?? null;
	const httpCode = String(statusCode);
	if (statusCode === 407 && envelope === null) {
		const what = 'The proxy of n8n requires a login (HTTP 407)';
		const remedy = "Add the proxy's user and password to n8n's proxy settings.";
		return fail({ ...neverSent(what, remedy, call), httpCode });
	}
	const { effect, hint } = call;
	const secrets = call.secrets();
	const said = sanitize(envelope?.message, secrets, call.ownWords).replace(/\.+$/, '');
	const words = said || (envelope === null ? `HTTP ${statusCode}` : 'no reason stated');
	const busy = readBusy(answer, code, Date.now());
	const isRejected = statusCode === CODE_TOKEN_REJECTED || code === CODE_TOKEN_REJECTED;
	const isToldNo = effect === 'read' && (busy !== null || isRejected);
	const outcome = isToldNo ? 'refused' : outcomeOf(effect, statusCode, code);
	const failWith = (kind: Finding['kind'], what: string, remedy: string) =>
		fail(
			toFailure({ kind, what, remedy }, outcome, call, envelope, {
				httpCode,
				retryAfterMs: kind === 'busy' ? (busy?.retryAfterMs ?? null) : null,
			}),
		);
	// A gateway and AiClk may contradict each other. A read is repeated whichever of them is right.
	const isBusyByStatus = readBusy(answer, null, Date.now()) !== null;
	const isOut = isOutage(code) || (isOutage(statusCode) && !isBusyByStatus);
	if (effect === 'read' || !isOut) {
		if (isRejected && probe === 'accepted' && outcome === 'refused') {
			const what = `AiClk refused this, although it accepts the access token: ${words}`;
			return failWith('refused', what, `${NOTHING_DONE} ${CHECK_PERMISSION}.`);
		}
		if (isRejected) {
			const reason = envelope === null ? '' : `: ${words}`;
			const what = `AiClk does not accept the access token${reason}`;
			return probe === 'unknown'
				? failWith('unavailable', what, `${NOTHING_DONE} ${NOT_PROBED}`)
				: failWith('rejected', what, afterRejection(effect));
		}
		if (busy !== null) {
			const what = `AiClk takes no more requests at the moment: ${words}`;
			return failWith('busy', what, afterBusy(effect, busy.retryAfterMs));
		}
	}
	const place = json.ok ? '' : sanitize(json.failure, secrets, call.ownWords);
	const flaw = place === '' ? '' : `: it is not JSON at ${place}`;
	if (isOut) {
		return failWith('unavailable', `AiClk is temporarily unavailable: ${words}${flaw}`, RUN_LATER);
	}
	if (envelope === null) {
		const { kind, what, remedy } = readStatus(answer, call);
		return failWith(kind, `${what}${flaw}`, remedy);
	}
	return outcome === 'refused'
		? failWith('refused', `AiClk refused this: ${words}`, hint)
		: failWith('unusable', `AiClk's answer does not say what was done: ${words}`, hint);
}

/**
 * Turns what n8n's HTTP helper threw into a failure: no answer came.
 *
 * @param error read for its codes only; it holds the request with its secrets
 * @param isStopped whether the run was stopped meanwhile: the error is then the same as that of a time limit
 */
export function noAnswer(error: unknown, call: Call, isStopped = false): Failure {
	const { mayHaveArrived, words, remedy = RUN_LATER } = readNetworkError(error);
	if (!mayHaveArrived) return neverSent(`AiClk could not be reached: ${words}`, remedy, call);
	const what = `AiClk's answer was lost: ${isStopped ? 'the run was stopped' : words}`;
	const kind = isStopped ? 'aborted' : 'unavailable';
	return toFailure({ kind, what, remedy }, 'unknown', call);
}

/** The failure of a request that was not sent, or not as a whole. Its words are those of a `Finding`. */
export const neverSent = (what: string, remedy: string, call: Call): Failure =>
	toFailure({ kind: 'unavailable', what, remedy }, 'not-sent', call);
