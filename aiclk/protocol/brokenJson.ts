/** The members of the token endpoint's answer (P1) whose values are plain ASCII. */
const MEMBER =
	/"(code|trace_id|access_token|refresh_token|expires_in|token_type)"\s*:\s*(?:"([^"\\]*)"|(\d+))/g;

/** Finds the documented members of a text that is not quite JSON. Of two with the same name, the first counts. */
function salvage(text: string): unknown {
	const found = [...text.matchAll(MEMBER)].reverse();
	const members = Object.fromEntries(
		found.map(([, name, string, digits]) => [name, string ?? Number(digits)]),
	);
	return { ...members, data: members };
}

/**
 * Parses an answer of the token endpoint. One whose words are in GBK is not quite JSON: n8n reads its bytes as UTF-8, and a pair that
 * ends in a backslash escapes what follows. A new refresh token is worth reading even in an answer that was cut off.
 *
 * @returns the answer, and whether it is whole
 */
export function parseAsFarAsPossible(text: string): { body: unknown; isWhole: boolean } {
	try {
		return { body: JSON.parse(text), isWhole: true };
	} catch {
		return { body: salvage(text), isWhole: /^\s*\{.*\}\s*$/s.test(text) };
	}
}
