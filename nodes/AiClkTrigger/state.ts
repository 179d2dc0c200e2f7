import { hash } from 'node:crypto';

/**
 * How large a trigger's state may be in n8n's static data, in bytes: n8n copies it into every execution. The node's name and the
 * state's key take the rest of the 256 kB.
 */
export const MAX_STATE_BYTES = 255 * 1024;

/** Identifies a configuration of a trigger: the state of one means nothing to another. */
export const configurationKey = (...parts: unknown[]): string =>
	hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 16);

/** Reads a state from n8n's static data; null if there is none, or only that of another configuration. */
export function readState(text: unknown, key: string): unknown {
	try {
		const stored = JSON.parse(String(text)) as { key?: unknown; state?: unknown } | null;
		return stored?.key === key ? (stored.state ?? null) : null;
	} catch {
		return null;
	}
}

/** A state as a string: n8n watches every object in its static data, and a string changes at once or not at all. */
export const writeState = (key: string, state: unknown): string => JSON.stringify({ key, state });
