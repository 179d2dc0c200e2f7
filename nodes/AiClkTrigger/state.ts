import { hash } from 'node:crypto';

/**
 * How large a trigger's state may be in n8n's static data, in bytes: n8n copies it into every execution. The node's name and the
 * state's checksum take the rest of the 256 kB.
 */
export const MAX_STATE_BYTES = 255 * 1024;

/** Of the states that this code writes. Count it up when the shape of one changes. */
const VERSION = 1;

const hashOf = (...parts: unknown[]): string =>
	hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 16);

/** Identifies a configuration of a trigger: the state of one means nothing to another. */
export const configurationKey = (...parts: unknown[]): string => hashOf(VERSION, ...parts);

/** Reads a state from n8n's static data; null unless exactly this was written for this configuration. */
export function readState(text: unknown, key: string): unknown {
	try {
		const stored = JSON.parse(String(text)) as { sum?: unknown; state?: unknown } | null;
		return stored?.sum === hashOf(key, stored?.state) ? (stored.state ?? null) : null;
	} catch {
		return null;
	}
}

/**
 * A state as a string: n8n watches every object in its static data, and a string changes at once or not at all. The checksum tells a
 * damaged state and that of another configuration or version, which the events could not read.
 */
export const writeState = (key: string, state: unknown): string =>
	JSON.stringify({ sum: hashOf(key, state), state });
