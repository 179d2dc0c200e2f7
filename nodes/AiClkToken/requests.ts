import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';

import { accountInfoRequest, TOKEN_TIMEOUT_MS } from '../../aiclk/protocol/accountInfo';
import {
	isHttpAnswer,
	readEnvelope,
	readProbe,
	type ProbeResult,
} from '../../aiclk/protocol/envelope';
import type { TokenFailure } from '../../aiclk/token/errors';
import type { TokenInput } from '../../aiclk/token/input';
import { secretsOf } from '../../aiclk/token/storedToken';
import { sanitize } from '../../aiclk/util/sanitize';
import { requestWith } from '../shared/transport';

/** What came of asking AiClk about a token: its probe and words, or why no token could be had. */
export interface Answer {
	probe: ProbeResult;
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
	return `AiClk says: ${sanitize(envelope.message, secrets)} (code ${envelope.code}${trace})`;
}

/** Asks AiClk about the token of these very credentials with one account/info request. */
export async function askAiClk(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	input: TokenInput,
): Promise<Answer> {
	const request = {
		...accountInfoRequest(input.baseUrl, input.accountId),
		totalTimeoutMs: TOKEN_TIMEOUT_MS,
	};
	const answer = await requestWith(context, credentials, request);
	// Read after the request: the tokens are those that it ended with.
	const secrets = [input.refreshToken, ...secretsOf(credentials)];
	if (answer.ok) {
		const probe = readProbe(answer.value);
		const message = probe === 'accepted' ? '' : describe(answer.value, secrets);
		return { probe, message, failure: null };
	}
	const { token, error } = answer.failure;
	const message = token?.message ?? sanitize((error as Error).message, secrets);
	return { probe: 'unknown', message, failure: token };
}
