/** Why no answer came, in words: n8n would replace a text that holds Node's own code. */
interface NetworkFault {
	/** False if the request certainly was not sent, or not completely. */
	mayHaveArrived: boolean;
	/** The end of a sentence. */
	words: string;
	/** What to do about it; undefined if only waiting helps. */
	remedy?: string;
}

const CERTIFICATE =
	"Nothing is sent over a connection that cannot be trusted. Check the 'Base URL' in the AiClk API credential, the proxy of n8n, the certificate authorities that Node trusts (NODE_EXTRA_CA_CERTS) and the clock of n8n's machine.";
const BLOCKED =
	"n8n's protection against server-side request forgery blocks this address. Check the 'Base URL' in the AiClk API credential, or ask the administrator of n8n to allow the host.";

const PROXY = 'Check the proxy of n8n (HTTPS_PROXY), and whether it may connect to this host.';

/** No connection was established, or no secure one. */
const unsent = (words: string, remedy?: string): NetworkFault => ({
	mayHaveArrived: false,
	words,
	remedy,
});

const lost = (words: string): NetworkFault => ({ mayHaveArrived: true, words });

const NOT_LOOKED_UP = unsent('its host name could not be looked up');
const CONNECTED_TOO_LATE = unsent('the connection was not established in time');
const OTHER_HOST = unsent("the server's certificate is for another host", CERTIFICATE);
const UNKNOWN = lost('the connection failed');

/** By Node's codes and system calls, and by names of n8n's errors. */
const FAULTS = new Map<unknown, NetworkFault>(
	Object.entries({
		ECONNREFUSED: unsent('the connection was refused'),
		ENOTFOUND: unsent('its host name is unknown'),
		EAI_AGAIN: NOT_LOOKED_UP,
		getaddrinfo: NOT_LOOKED_UP,
		connect: unsent('the connection could not be established'),
		'connect ETIMEDOUT': CONNECTED_TOO_LATE,
		ERR_SOCKET_CONNECTION_TIMEOUT: CONNECTED_TOO_LATE,
		EHOSTUNREACH: unsent('there is no route to its host'),
		ENETUNREACH: unsent('there is no route to its network'),
		CERT_HAS_EXPIRED: unsent("the server's certificate has expired", CERTIFICATE),
		CERT_NOT_YET_VALID: unsent("the server's certificate is not valid yet", CERTIFICATE),
		CERT_REVOKED: unsent("the server's certificate was revoked", CERTIFICATE),
		ERR_TLS_CERT_ALTNAME_INVALID: OTHER_HOST,
		HOSTNAME_MISMATCH: OTHER_HOST,
		SsrfBlockedIpError: unsent('n8n blocks its address', BLOCKED),
		SsrfBlockedHostnameError: unsent('n8n blocks its host name', BLOCKED),
		read: UNKNOWN,
		write: UNKNOWN,
		ECONNRESET: lost('the connection was closed'),
		EPIPE: lost('the connection was closed'),
		ECONNABORTED: lost('no answer came in time'),
		ETIMEDOUT: lost('no answer came in time'),
		ERR_CANCELED: lost('no answer came in time'),
	}),
);

/** Errors wrap errors, but not more deeply than this. */
const MAX_WRAPPINGS = 4;

/**
 * Codes and words of Node, OpenSSL and https-proxy-agent for a connection, or a secure one, that was never established. EPROTO is a
 * TLS error while a part of the request still waits to be sent: the same error without it may come after the request.
 */
const NEVER_CONNECTED: Array<[pattern: RegExp, NetworkFault]> = [
	[
		/EPROTO.*wrong version number/s,
		unsent('the server does not speak TLS on this port', CERTIFICATE),
	],
	[
		/EPROTO.*SSL routines|ERR_SSL_\w*(ALERT_HANDSHAKE|PROTOCOL_VERSION|UNSUPPORTED)/s,
		unsent('no secure connection could be established', CERTIFICATE),
	],
	[
		/before secure TLS connection was established/,
		unsent('the connection was closed before it was secure', CERTIFICATE),
	],
	[/before receiving CONNECT response/, unsent('the proxy closed the connection', PROXY)],
	[
		/^(CERT_(CHAIN|REJECTED|SIGNATURE|UNTRUSTED)|INVALID_(CA|PURPOSE)|UNABLE_TO_|\w*SELF_SIGNED_CERT)/,
		unsent("the server's certificate is not trusted", CERTIFICATE),
	],
];

/** Node begins the words of a failed system call with it: `connect ECONNREFUSED 127.0.0.1:443`. */
const SYSTEM_CALL = /^(\w+) E[A-Z]/m;

/** Reads an error without those that it wraps. n8n 1 drops them, but keeps their code and words (n8n-workflow 1.120). */
function readAlone(error: Record<string, unknown>): NetworkFault {
	const { name, code = error.httpCode, message, messages } = error;
	const text = [code, message, messages].flat().join('\n');
	const [, known] = NEVER_CONNECTED.find(([pattern]) => pattern.test(text)) ?? [];
	if (known !== undefined) return known;
	const call = error.syscall ?? SYSTEM_CALL.exec(text)?.[1];
	const ofCall = FAULTS.get(call);
	const fault =
		FAULTS.get(name) ??
		FAULTS.get(`${String(call)} ${String(code)}`) ??
		FAULTS.get(code) ??
		ofCall ??
		UNKNOWN;
	// The system call says for certain whether there was a connection.
	return ofCall === undefined ? fault : { ...fault, mayHaveArrived: ofCall.mayHaveArrived };
}

/**
 * Reads what n8n's HTTP helper threw because no answer came. The error holds the request with its secrets, so nothing of it is
 * kept. Only codes and words of Node and names of n8n's errors are looked for, in it and in the errors that it wraps.
 *
 * @returns a known fault, otherwise one that says that the request may have arrived
 */
export function readNetworkError(error: unknown, wrappings = 0): NetworkFault {
	if (typeof error !== 'object' || error === null || wrappings > MAX_WRAPPINGS) return UNKNOWN;
	const { cause, errors } = error as Record<string, unknown>;
	// Node tries several addresses of a host, and one that may have been reached is enough.
	const wrapped = [errors ?? cause].flat().map((one) => readNetworkError(one, wrappings + 1));
	const inner = wrapped.find(({ mayHaveArrived }) => mayHaveArrived) ?? wrapped[0] ?? UNKNOWN;
	// The wrapped error knows more: axios keeps the code of a time-out, but not that it happened while connecting.
	return errors === undefined && inner === UNKNOWN
		? readAlone(error as Record<string, unknown>)
		: inner;
}
