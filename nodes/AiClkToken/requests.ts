import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';

import { accountInfoRequest } from '../../aiclk/api/accountInfo';
import { isHttpAnswer, readEnvelope, tokenVerdict, type Verdict } from '../../aiclk/api/envelope';
import type { TokenFailure } from '../../aiclk/token/failure';
import type { TokenInput } from '../../aiclk/token/input';
import { secretsOf } from '../../aiclk/token/state';
import { safeText } from '../../aiclk/text';
import { requestWith } from '../shared/request';

/** What came of asking AiClk about a token: its verdict and words, or why no token could be had. */
export interface Answer {
	verdict: Verdict;
	/** What AiClk, or the network, said when it was not a plain yes; '' otherwise. */
	message: string;
	/** Set when the credential could not provide a live token; nothing was asked then. */
	failure: TokenFailure | null;
}

function describe(answer: unknown, secrets: readonly string[]): string {
	if (!isHttpAnswer(answer)) return 'AiClk sent no answer that n8n could read';
	const envelope = readEnvelope(answer.body);
	if (envelope === null) return `AiClk did not answer as documented (HTTP ${answer.statusCode})`;
	const trace = envelope.traceId === null ? '' : `, trace_id ${envelope.traceId}`;
	return `AiClk says: ${safeText(envelope.message, secrets)} (code ${envelope.code}${trace})`;
}

/** Asks AiClk about the token of these very credentials with one account/info request. */
export async function askAiClk(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	input: TokenInput,
): Promise<Answer> {
	const request = accountInfoRequest(input.baseUrl, input.accountId);
	const answer = await requestWith(context, credentials, request);
	// Read after the request: the tokens are those that it ended with.
	const secrets = [input.refreshToken, ...secretsOf(credentials)];
	if (answer.ok) {
		const verdict = tokenVerdict(answer.value);
		const message = verdict === 'accepted' ? '' : describe(answer.value, secrets);
		return { verdict, message, failure: null };
	}
	const { token, error } = answer.failure;
	const message = token?.message ?? safeText((error as Error).message, secrets);
	return { verdict: 'unknown', message, failure: token };
}
