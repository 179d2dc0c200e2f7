/** Why no answer came, in words: n8n would replace a text that holds Node's own code. */
export interface NetworkFault {
	/** False if the request certainly was not sent, or not completely. */
	mayHaveArrived: boolean;
	/** The end of a sentence. */
	words: string;
	/** What to do about it; undefined if only waiting helps. */
	remedy?: string;
}

const CERTIFICATE =
	"Nothing is sent over a connection that cannot be trusted. Check the Base URL in the AiClk API credential, the proxy of n8n, the certificate authorities that Node trusts (NODE_EXTRA_CA_CERTS) and the clock of n8n's machine.";
const BLOCKED =
	"n8n's protection against server-side request forgery blocks this address. Check the Base URL in the AiClk API credential, or ask the administrator of n8n to allow the host.";

const PROXY = 'Check the proxy of n8n (HTTPS_PROXY), and whether it may connect to this host.';

const UNTRUSTED = "the server's certificate is not trusted";

/** Node's codes, and names of n8n's errors, which say that the request was not sent: no connection, or no secure one. */
const NEVER_SENT: Record<string, [words: string, remedy?: string]> = {
	ECONNREFUSED: ['the connection was refused'],
	ENOTFOUND: ['its host name is unknown'],
	EAI_AGAIN: ['its host name could not be looked up'],
	EHOSTUNREACH: ['there is no route to its host'],
	ENETUNREACH: ['there is no route to its network'],
	CERT_HAS_EXPIRED: ["the server's certificate has expired", CERTIFICATE],
	CERT_NOT_YET_VALID: ["the server's certificate is not valid yet", CERTIFICATE],
	CERT_REVOKED: ["the server's certificate was revoked", CERTIFICATE],
	ERR_TLS_CERT_ALTNAME_INVALID: ["the server's certificate is for another host", CERTIFICATE],
	HOSTNAME_MISMATCH: ["the server's certificate is for another host", CERTIFICATE],
	...Object.fromEntries(
		[
			'CERT_CHAIN_TOO_LONG',
			'CERT_REJECTED',
			'CERT_SIGNATURE_FAILURE',
			'CERT_UNTRUSTED',
			'DEPTH_ZERO_SELF_SIGNED_CERT',
			'INVALID_CA',
			'INVALID_PURPOSE',
			'SELF_SIGNED_CERT_IN_CHAIN',
			'UNABLE_TO_GET_ISSUER_CERT',
			'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
			'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		].map((code) => [code, [UNTRUSTED, CERTIFICATE]]),
	),
	ERR_SSL_WRONG_VERSION_NUMBER: ['the server does not speak TLS on this port', CERTIFICATE],
	CONNECT_TIMEDOUT: ['the connection was not established in time'],
	NO_TLS: ['the connection was closed before it was secure', CERTIFICATE],
	NO_TUNNEL: ['the proxy closed the connection', PROXY],
	SsrfBlockedIpError: ['n8n blocks its address', BLOCKED],
	SsrfBlockedHostnameError: ['n8n blocks its host name', BLOCKED],
};

const LOST: Record<string, [words: string]> = {
	ECONNRESET: ['the connection was closed'],
	EPIPE: ['the connection was closed'],
	ECONNABORTED: ['no answer came in time'],
	ETIMEDOUT: ['no answer came in time'],
	ERR_CANCELED: ['no answer came in time'],
};

const FAULTS = new Map<unknown, NetworkFault>(
	[
		{ faults: NEVER_SENT, mayHaveArrived: false },
		{ faults: LOST, mayHaveArrived: true },
	].flatMap(({ faults, mayHaveArrived }) =>
		Object.entries(faults).map(
			([code, [words, remedy]]) => [code, { mayHaveArrived, words, remedy }] as const,
		),
	),
);

const UNKNOWN: NetworkFault = { mayHaveArrived: true, words: 'the connection failed' };

/** Errors wrap errors, but not more deeply than this. */
const MAX_WRAPPINGS = 4;

/** Words of Node and https-proxy-agent for a connection, or a secure one, that was never established. */
const NEVER_CONNECTED: Array<[pattern: RegExp, key: string]> = [
	[/wrong version number/, 'ERR_SSL_WRONG_VERSION_NUMBER'],
	[/before secure TLS connection was established/, 'NO_TLS'],
	[/before receiving CONNECT response/, 'NO_TUNNEL'],
];

/** The key to look an error up by: its code, unless its message says more. */
function keyOf({ code, message, syscall }: Record<string, unknown>): unknown {
	const words = typeof message === 'string' ? message : '';
	const known = NEVER_CONNECTED.find(([pattern]) => pattern.test(words))?.[1];
	return known ?? (syscall === 'connect' && code === 'ETIMEDOUT' ? 'CONNECT_TIMEDOUT' : code);
}

/**
 * Reads what n8n's HTTP helper threw because no answer came. The error holds the request with its secrets, so nothing of it is
 * kept. Only codes of Node and names of n8n's errors are looked for, in it and in the errors that it wraps.
 *
 * @returns a known fault, otherwise one that says that the request may have arrived
 */
export function readNetworkError(error: unknown, wrappings = 0): NetworkFault {
	if (typeof error !== 'object' || error === null || wrappings > MAX_WRAPPINGS) return UNKNOWN;
	const { httpCode, name, cause } = error as Record<string, unknown>;
	const inner = cause === undefined ? UNKNOWN : readNetworkError(cause, wrappings + 1);
	// The wrapped error knows more: axios keeps the code of a time-out, but not that it happened while connecting.
	if (inner !== UNKNOWN) return inner;
	return (
		FAULTS.get(name) ??
		FAULTS.get(keyOf(error as Record<string, unknown>)) ??
		FAULTS.get(httpCode) ??
		UNKNOWN
	);
}
