/** China is UTC+8 all year. */
const OFFSET_MS = 8 * 3_600_000;

/** YYYY-MM-DD HH:mm:ss in China. @param now ms since 1970 */
export const momentInChina = (now: number): string =>
	new Date(now + OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');

/** YYYY-MM-DD in China. @param now ms since 1970 */
export const dayInChina = (now: number): string => momentInChina(now).slice(0, 10);
