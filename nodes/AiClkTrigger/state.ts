import { hash } from 'node:crypto';

/**
 * What the state of a trigger may take in n8n's static data, in bytes: n8n copies it into every execution. The name of the node
 * and the key of the state take the rest of the 256 kB.
 */
export const MAX_STATE_BYTES = 255 * 1024;

/** What tells one configuration of a trigger from another: the state of one means nothing to the other. */
export const configurationKey = (...parts: unknown[]): string =>
	hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 16);

/** Reads a state out of n8n's static data; null when there is none, or one of another configuration. */
export function readState(text: unknown, key: string): unknown {
	try {
		const stored = JSON.parse(String(text)) as { key?: unknown; state?: unknown } | null;
		return stored?.key === key ? (stored.state ?? null) : null;
	} catch {
		return null;
	}
}

/** A state as text: n8n watches every object in its static data, and a text changes at once or not at all. */
export const writeState = (key: string, state: unknown): string => JSON.stringify({ key, state });
