import { createHash } from 'node:crypto';

/** What an access token turned out to be when a request arrived. */
export type TokenKind = 'live' | 'dead' | 'unknown' | 'missing' | 'none-needed';

/** One request that arrived. Secrets are masked: the first 8 hex digits of their SHA-256 stand in. */
export interface JournalEntry {
	seq: number;
	/** ms since 1970, by the sandbox's clock */
	at: number;
	method: string;
	path: string;
	query: Record<string, string>;
	headers: Record<string, string>;
	token: TokenKind;
	/** The client that the token was issued to. */
	client?: string;
	kind: 'refresh' | 'api' | 'other';
	/** Names of the form or JSON fields. */
	bodyFields?: string[];
	/** A JSON body as it came, for endpoints of the Marketing API. */
	body?: string;
	/** Of the bytes that arrived; tells whether the same request came twice. */
	bodySha256?: string;
	contentType?: string;
	/** 0 while the answer is on its way, and when the connection was cut. */
	status: number;
	/** AiClk's code in the answer. */
	code: number | null;
}

const MAX_ENTRIES = 20_000;

/** SHA-256 as hex. */
export const sha256 = (value: string | Buffer): string =>
	createHash('sha256').update(value).digest('hex');

/** A stand-in for a secret. */
export const mask = (secret: string): string => sha256(secret).slice(0, 8);

/** What arrived, oldest first; the oldest go when there are too many. */
export class Journal {
	private entries: JournalEntry[] = [];

	private seq = 0;

	add(entry: Omit<JournalEntry, 'seq'>): JournalEntry {
		const numbered = { seq: ++this.seq, ...entry };
		this.entries.push(numbered);
		if (this.entries.length > MAX_ENTRIES) this.entries.shift();
		return numbered;
	}

	all(): JournalEntry[] {
		return this.entries.map((entry) => ({ ...entry }));
	}

	clear(): void {
		this.entries = [];
	}
}
