/** An n8n that somebody else started, with this package installed. It must be new, and reach the sandbox on 127.0.0.1. */
export interface ExternalN8n {
	url: string;
	/** Holds `.n8n` with its SQLite database; null where this machine cannot read it. */
	folder: string | null;
	/** Where its output goes; null where this machine cannot read it. */
	logFile: string | null;
}

const { AICLK_N8N_URL: url, AICLK_N8N_FOLDER: folder, AICLK_N8N_LOG: logFile } = process.env;

/** The one that the environment names; its login is in AICLK_N8N_EMAIL and AICLK_N8N_PASSWORD. */
export const EXTERNAL_N8N: ExternalN8n | null =
	url === undefined || url === ''
		? null
		: { url: url.replace(/\/$/, ''), folder: folder ?? null, logFile: logFile ?? null };

/** Thrown by what only an n8n of the suite's own can do. The scenario is skipped. */
export class NeedsOwnN8n extends Error {
	constructor(what: string) {
		super(`needs an n8n that the suite itself started: ${what}`);
	}
}

export const needsOwnN8n = (what: string) => async (): Promise<never> => {
	throw new NeedsOwnN8n(what);
};
