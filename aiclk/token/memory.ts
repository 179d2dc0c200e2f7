import { BoundedMap } from '../boundedMap';
import type { Verdict } from '../api/envelope';
import type { Result } from '../result';
import type { TokenFailure } from './failure';
import type { LedgerMemory } from './ledger';
import type { Token } from './state';

/** How many inputs (and clients) one process remembers at least; an agency with more loses those used longest ago. */
const MOST_INPUTS = 10_000;

/** A token, its predecessor and what a race leaves behind: more is never asked about at a time. */
const MOST_CHECKS = 8;

/** What AiClk says, or will have said, of one token. */
export interface Check {
	running: Promise<Verdict>;
	/** What came, and when (ms since 1970); null while it is on its way. */
	answer: { verdict: Verdict; atMs: number } | null;
}

/** Refreshes that failed in a row, all of them ahead of time or all of them needed. */
export interface FailedRefreshes {
	early: boolean;
	count: number;
	lastAtMs: number;
	failure: TokenFailure;
}

/** What this process remembers of one input. Lost at a restart, which costs nothing: the store has the token. */
export interface InputMemory {
	newest: Token | null;
	lastDrawAtMs: number | null;
	failed: FailedRefreshes | null;
	/** The refresh under way, shared by all who want one. */
	inFlight: Promise<Result<Token, TokenFailure>> | null;
	/** The wait for the token of another process, shared by all who need one. */
	lookout: Promise<unknown> | null;
	/** The rejected token whose successor was looked out for in vain, and when that was over (ms since 1970). */
	awaited: { accessToken: string; atMs: number } | null;
	/** By access token. */
	checks: BoundedMap<string, Check>;
}

/** Everything that one process remembers, bounded. */
export class Memory {
	private readonly inputs = new BoundedMap<string, InputMemory>(MOST_INPUTS);

	/** By client: AiClk counts refreshes, and so do several credentials of one client together. */
	readonly ledgers = new BoundedMap<string, LedgerMemory>(MOST_INPUTS);

	/** The memory of an input, begun when there is none. */
	of(fingerprint: string): InputMemory {
		const known = this.inputs.get(fingerprint);
		if (known !== undefined) return known;
		const fresh: InputMemory = {
			newest: null,
			lastDrawAtMs: null,
			failed: null,
			inFlight: null,
			lookout: null,
			awaited: null,
			checks: new BoundedMap(MOST_CHECKS),
		};
		this.inputs.set(fingerprint, fresh);
		return fresh;
	}
}
