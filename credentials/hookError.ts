import { type Failure, FailureError } from '../aiclk/util/failure';

/**
 * n8n wraps what a credential throws in a NodeApiError, which replaces a message that holds one of these, in any case, by words of
 * its own (n8n-workflow node.error.js, COMMON_ERRORS). AiClk's `CreativeNotFound` holds one.
 */
const REPLACED =
	/ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|ERRADDRINUSE|EADDRNOTAVAIL|ECONNABORTED|EHOSTUNREACH|EAI_AGAIN|ENOENT|EISDIR|ENOTDIR|EACCES|EEXIST|EPERM|GETADDRINFO/i;

/** Makes the error that leaves the credential. Words in its message that n8n would not show stand in the description only. */
export function toHookError(failure: Failure): FailureError {
	const { message, description } = failure;
	if (!REPLACED.test(message)) return new FailureError(failure);
	return new FailureError({
		...failure,
		message: message.replace(/\S+/g, (word) => (REPLACED.test(word) ? '…' : word)),
		description: `${message} ${description}`,
	});
}

/** Runs something that throws failures, so that n8n shows their words. */
export function toldOf<T>(run: () => T): T {
	try {
		return run();
	} catch (error) {
		throw error instanceof FailureError ? toHookError(error.failure) : error;
	}
}
