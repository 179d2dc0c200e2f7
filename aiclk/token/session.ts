import { BoundedMap } from '../util/boundedMap';
import type { Result } from '../util/result';
import type { TokenFailure } from './errors';
import type { FailedRefreshes } from './backoff';
import type { Token } from './storedToken';
import { ProbeCache } from './probeCache';

/** How many inputs one process remembers at least; an agency with more loses those used longest ago. */
const MOST_INPUTS = 10_000;

/** What this process remembers of one input. Lost at a restart, which costs nothing: the store has the token. */
export interface InputMemory {
	newest: Token | null;
	lastDrawAtMs: number | null;
	failed: FailedRefreshes | null;
	/** Refreshes in a row whose tokens AiClk refused, over the same stored token ('' for none): to another process, it seems. */
	lostRaces: { over: string; count: number } | null;
	/** The refresh under way, shared by all who want one. */
	inFlight: Promise<Result<Token, TokenFailure>> | null;
	/** The wait for the token of another process, shared by all who need one. */
	lookout: Promise<unknown> | null;
	/** The rejected token whose successor was looked out for in vain, and when that was over (ms since 1970). */
	awaited: { accessToken: string; atMs: number } | null;
	verdicts: ProbeCache;
}

/** Everything that one process remembers of its inputs, bounded. */
export class Memory {
	private readonly inputs = new BoundedMap<string, InputMemory>(MOST_INPUTS);

	/** @param now the clock, ms since 1970 */
	constructor(private readonly now: () => number) {}

	/** The memory of an input, begun when there is none. */
	of(fingerprint: string): InputMemory {
		const known = this.inputs.get(fingerprint);
		if (known !== undefined) return known;
		const fresh: InputMemory = {
			newest: null,
			lastDrawAtMs: null,
			failed: null,
			lostRaces: null,
			inFlight: null,
			lookout: null,
			awaited: null,
			verdicts: new ProbeCache(this.now),
		};
		this.inputs.set(fingerprint, fresh);
		return fresh;
	}
}
