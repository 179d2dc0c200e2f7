const MAX_MESSAGE_LENGTH = 200;

const MAX_SHOWN_LENGTH = 60;

/**
 * Makes a text that came from the network fit for an error message: printable, short, without any of the
 * given secrets, and without anything long enough to be a token, unless the user wrote it.
 *
 * @param text what AiClk wrote; anything that is not a string yields ''
 * @param secrets values that must never be shown
 * @param own the user's own words, such as the name of the file that was sent
 * @returns at most 200 characters on one line
 */
export function sanitize(text: unknown, secrets: readonly string[] = [], own = ''): string {
	if (typeof text !== 'string') return '';
	const masked = secrets
		.filter((secret) => secret !== '')
		.reduce((result, secret) => result.split(secret).join('***'), text.slice(0, 10_000));
	return (
		masked
			// A cut token is still a secret: no documented id or trace id is anywhere near 32 characters.
			.replace(/[A-Za-z0-9_~+/=-]{32,}/g, (run) => (own.includes(run) ? run : '***'))
			.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
			.trim()
			.slice(0, MAX_MESSAGE_LENGTH)
	);
}

/** A value as errors show it: on one line, without anything long enough to be a token, at most 60 characters. */
export function shorten(value: string): string {
	const text = sanitize(value);
	const isLong = text.length > MAX_SHOWN_LENGTH;
	return isLong ? `${text.slice(0, MAX_SHOWN_LENGTH - 1).trimEnd()}…` : text;
}
