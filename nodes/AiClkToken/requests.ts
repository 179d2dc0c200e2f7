import type { ICredentialDataDecryptedObject, IExecuteFunctions, JsonObject } from 'n8n-workflow';
import { NodeApiError } from 'n8n-workflow';

import { accountInfoRequest } from '../../aiclk/api/accountInfo';
import { isHttpAnswer, readEnvelope, tokenVerdict, type Verdict } from '../../aiclk/api/envelope';
import type { TokenFailure } from '../../aiclk/token/failure';
import type { TokenInput } from '../../aiclk/token/input';
import { safeText } from '../../aiclk/text';
import { tokenManager } from '../../credentials/tokenManager';

export const CREDENTIAL = 'aiClkApi';

/** What came of asking AiClk about a token: its verdict and words, or why no token could be had. */
export interface Answer {
	verdict: Verdict;
	/** What AiClk, or the network, said when it was not a plain yes; '' otherwise. */
	message: string;
	/** Set when the credential could not provide a live token; nothing was asked then. */
	failure: TokenFailure | null;
}

function describe(answer: unknown): string {
	if (!isHttpAnswer(answer)) return 'AiClk sent no answer that n8n could read';
	const envelope = readEnvelope(answer.body);
	if (envelope === null) return `AiClk did not answer as documented (HTTP ${answer.statusCode})`;
	const trace = envelope.traceId === null ? '' : `, trace_id ${envelope.traceId}`;
	return `AiClk says: ${safeText(envelope.message)} (code ${envelope.code}${trace})`;
}

/**
 * Sends one account/info request with these very credentials. n8n runs the credential's hook on the way and
 * stores what it returns; the object handed in then holds it, too (n8n-core authentication.js).
 */
export async function askAiClk(
	context: IExecuteFunctions,
	credentials: ICredentialDataDecryptedObject,
	input: TokenInput,
): Promise<Answer> {
	try {
		const answer: unknown = await context.helpers.httpRequestWithAuthentication.call(
			context,
			CREDENTIAL,
			accountInfoRequest(input.baseUrl, input.accountId),
			{
				credentialsDecrypted: { id: '', name: CREDENTIAL, type: CREDENTIAL, data: credentials },
			},
		);
		const verdict = tokenVerdict(answer);
		return { verdict, message: verdict === 'accepted' ? '' : describe(answer), failure: null };
	} catch (error) {
		const failure = tokenManager.failureOf(credentials);
		return {
			verdict: 'unknown',
			message: failure?.message ?? safeText((error as Error).message),
			failure,
		};
	}
}

/** A failure as n8n shows it, with the machine-readable cause that n8n 2.41 knows (older versions ignore it). */
export function toNodeError(context: IExecuteFunctions, failure: TokenFailure): NodeApiError {
	const { message, description, kind, resetsAtMs } = failure;
	return new NodeApiError(context.getNode(), { message } as JsonObject, {
		message,
		description,
		...(kind === 'quota' && {
			failure: { cause: 'quota-exhausted' as const, resetsAtEpochMs: resetsAtMs },
		}),
		...(kind === 'refused' && { failure: { cause: 'credential-invalid' as const } }),
		...(kind === 'input' && { failure: { cause: 'configuration-invalid' as const } }),
		...(kind === 'unavailable' && { failure: { cause: 'temporarily-unavailable' as const } }),
	});
}
