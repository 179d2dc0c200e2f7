/** Why no answer came, in words; n8n would replace a text that holds Node's code itself. */
export interface NetworkFault {
	/** False when the request certainly did not leave, or not as a whole. */
	mayHaveArrived: boolean;
	/** The end of a sentence. */
	words: string;
	/** What to do about it; undefined when waiting is all there is to do. */
	remedy?: string;
}

const CERTIFICATE =
	"Nothing is sent over a connection that cannot be trusted. Check the Base URL in the AiClk API credential and the proxy of n8n, and whether n8n's machine knows the authority (NODE_EXTRA_CA_CERTS) and the right time.";
const BLOCKED =
	"n8n's protection against server-side request forgery forbids this address. Check the Base URL in the AiClk API credential, or ask the administrator of n8n to allow the host.";

const PROXY = 'Check the proxy of n8n (HTTPS_PROXY), and whether it may connect to this host.';

const UNTRUSTED = "the server's certificate is not trusted";

/** Codes of Node, and names of n8n's errors, that say that the request did not leave: no connection, or no secure one. */
const NEVER_SENT: Record<string, [words: string, remedy?: string]> = {
	ECONNREFUSED: ['the connection was refused'],
	ENOTFOUND: ['its host name is not known'],
	EAI_AGAIN: ['its host name could not be looked up'],
	EHOSTUNREACH: ['there is no way to its host'],
	ENETUNREACH: ['there is no way to its network'],
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
	CONNECT_TIMEDOUT: ['no connection came about in time'],
	NO_TLS: ['the connection was cut before it was secure', CERTIFICATE],
	NO_TUNNEL: ['the proxy closed the connection', PROXY],
	SsrfBlockedIpError: ['n8n blocks its address', BLOCKED],
	SsrfBlockedHostnameError: ['n8n blocks its host name', BLOCKED],
};

const LOST: Record<string, [words: string]> = {
	ECONNRESET: ['the connection was cut'],
	EPIPE: ['the connection was cut'],
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

const UNKNOWN: NetworkFault = { mayHaveArrived: true, words: 'the connection did not work' };

/** Errors are wrapped in errors, but not this often. */
const MAX_WRAPPINGS = 4;

/** What Node and https-proxy-agent say in words only when no connection, or no secure one, came about. */
const NEVER_CONNECTED: Array<[pattern: RegExp, key: string]> = [
	[/wrong version number/, 'ERR_SSL_WRONG_VERSION_NUMBER'],
	[/before secure TLS connection was established/, 'NO_TLS'],
	[/before receiving CONNECT response/, 'NO_TUNNEL'],
];

/** What to look the error up by: a code that says nothing yet is replaced by what its message says. */
function keyOf({ code, message, syscall }: Record<string, unknown>): unknown {
	const words = typeof message === 'string' ? message : '';
	const known = NEVER_CONNECTED.find(([pattern]) => pattern.test(words))?.[1];
	return known ?? (syscall === 'connect' && code === 'ETIMEDOUT' ? 'CONNECT_TIMEDOUT' : code);
}

/**
 * Reads what n8n's HTTP helper threw because no answer came. The thrown value holds the request with its secrets, so nothing
 * of it is kept: a code of Node's, or the name of an n8n error, is looked for in it and in what it wraps.
 *
 * @returns a known fault, or one that says that the request may have arrived
 */
export function readNetworkError(error: unknown, wrappings = 0): NetworkFault {
	if (typeof error !== 'object' || error === null || wrappings > MAX_WRAPPINGS) return UNKNOWN;
	const { httpCode, name, cause } = error as Record<string, unknown>;
	const inner = cause === undefined ? UNKNOWN : readNetworkError(cause, wrappings + 1);
	// What is wrapped knows best: axios keeps the code of a time-out, but not that it met the connecting.
	if (inner !== UNKNOWN) return inner;
	return (
		FAULTS.get(name) ??
		FAULTS.get(keyOf(error as Record<string, unknown>)) ??
		FAULTS.get(httpCode) ??
		UNKNOWN
	);
}
