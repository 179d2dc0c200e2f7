/** Why no answer came, in words; n8n would replace a text that holds Node's code itself. */
export interface NetworkFault {
	/** False when the request certainly did not leave. */
	mayHaveArrived: boolean;
	/** The end of a sentence. */
	words: string;
}

const NEVER_SENT: Record<string, string> = {
	ECONNREFUSED: 'the connection was refused',
	ENOTFOUND: 'its host name is not known',
	EAI_AGAIN: 'its host name could not be looked up',
	EHOSTUNREACH: 'there is no way to its host',
	ENETUNREACH: 'there is no way to its network',
};

const LOST: Record<string, string> = {
	ECONNRESET: 'the connection was cut',
	ECONNABORTED: 'no answer came in time',
	ETIMEDOUT: 'no answer came in time',
	ERR_CANCELED: 'no answer came in time',
};

const FAULTS = new Map<unknown, NetworkFault>(
	[
		{ faults: NEVER_SENT, mayHaveArrived: false },
		{ faults: LOST, mayHaveArrived: true },
	].flatMap(({ faults, mayHaveArrived }) =>
		Object.entries(faults).map(([code, words]) => [code, { mayHaveArrived, words }] as const),
	),
);

const UNKNOWN: NetworkFault = { mayHaveArrived: true, words: 'the connection did not work' };

/** Errors are wrapped in errors, but not this often. */
const MOST_WRAPPINGS = 4;

/**
 * Reads what n8n's HTTP helper threw because no answer came. The thrown value holds the request with its secrets, so nothing
 * of it is kept: a code of Node's that is known is looked for in it and in what it wraps.
 */
export function readNetworkError(error: unknown, wrappings = 0): NetworkFault {
	if (typeof error !== 'object' || error === null || wrappings > MOST_WRAPPINGS) return UNKNOWN;
	const { code, httpCode, cause } = error as Record<string, unknown>;
	return FAULTS.get(code) ?? FAULTS.get(httpCode) ?? readNetworkError(cause, wrappings + 1);
}
