import { FailureError } from '../aiclk/util/failure';

/**
 * n8n wraps what a credential throws in a NodeApiError, which replaces a message that holds one of these, in any case, by words of
 * its own (n8n-workflow node.error.js, COMMON_ERRORS). AiClk's `CreativeNotFound` holds one.
 */
const REPLACED =
	/ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|ERRADDRINUSE|EADDRNOTAVAIL|ECONNABORTED|EHOSTUNREACH|EAI_AGAIN|ENOENT|EISDIR|ENOTDIR|EACCES|EEXIST|EPERM|GETADDRINFO/i;

/** The error as it leaves the credential. Words in a failure's message that n8n would not show stand in its description only. */
export function toHookError(error: Error): Error {
	if (!(error instanceof FailureError) || !REPLACED.test(error.message)) return error;
	const { message, description } = error.failure;
	return new FailureError({
		...error.failure,
		message: message.replace(/\S+/g, (word) => (REPLACED.test(word) ? '…' : word)),
		description: `${message} ${description}`,
	});
}
