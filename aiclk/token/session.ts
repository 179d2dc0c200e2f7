import type { IHttpRequestOptions } from 'n8n-workflow';

import { accountInfoRequest } from '../protocol/accountInfo';
import { type ProbeResult, readProbe } from '../protocol/envelope';
import { BoundedMap } from '../util/boundedMap';
import { addFailure, type FailedRefreshes } from './backoff';
import type { TokenFailure } from './errors';
import type { TokenInput } from './input';
import { isAlive, isSuccessor, type RefreshOutcome, SPREAD_MS } from './policy';
import { ProbeCache } from './probeCache';
import type { Token } from './storedToken';

/** How often to look for the token of a peer, and for how long. Nobody reads the store for it, but every request does in passing. */
const WATCH_STEP_MS = 500;
const WATCH_STEPS = SPREAD_MS / WATCH_STEP_MS;

/** Tokens of one input that are kept: one for each lineage. More than one lineage exists where several credentials are alike. */
const MAX_LINEAGES = 4;

/** Stored tokens and accounts of one input that are told apart. */
const MAX_ROWS = 8;

/** n8n's HTTP helper, as the hook finds it in `this.helpers.httpRequest`. */
export type HttpRequest = (options: IHttpRequestOptions) => Promise<unknown>;

/** Where the token core meets the world. Tests pass their own. */
export interface Environment {
	/** ms since 1970 */
	now(): number;
	/** [0, 1) */
	random(): number;
	/** Resolves after so many ms. */
	sleep(ms: number): Promise<void>;
	/** n8n's log. */
	log: { info(message: string): void; warn(message: string): void };
}

/** A refresh under way. */
interface Flight {
	/** What it means for a request whose token is valid: it need not wait until AiClk has answered a renewal. */
	phase: 'renewal-sent' | 'renewal-answered' | 'refresh';
	outcome: Promise<RefreshOutcome>;
}

/** Something noted of one stored token. */
interface Note {
	accessToken: string;
	/** ms since 1970 */
	atMs: number;
}

/**
 * What this process remembers of one input, and its refreshes: one at a time, shared by all who need it. A restart loses it,
 * which costs no refresh, because the store has the token.
 */
export class Session {
	/** When the jitter was last applied, ms since 1970. */
	jitteredAtMs: number | null = null;

	failed: FailedRefreshes | null = null;

	/** When this process last sent a refresh, ms since 1970. */
	sentAtMs: number | null = null;

	flight: Flight | null = null;

	/** The stored token that was last left to a peer. */
	private deferral: Note | null = null;

	/** The stored token that an unfinished renewal may have invalidated. */
	private suspect: Note | null = null;

	/** Discarded new tokens in a row, all over the same stored one. */
	private collisions = { accessToken: '', count: 0 };

	/** The newest token of each lineage, the latest lineage first. */
	private tokens: readonly Token[] = [];

	private watching: Promise<void> | null = null;

	private readonly seenAtMs = new BoundedMap<string, number>(MAX_ROWS);

	private readonly probes = new BoundedMap<string, ProbeCache>(MAX_ROWS);

	constructor(private readonly environment: Environment) {}

	/** Takes note of a stored token of this input. Of two with the same generation, the store's is the one in use. */
	observe(stored: Token, probes: ProbeCache): void {
		const { accessToken, state } = stored;
		probes.observeTrust(state.probeTrust);
		const known = this.tokens.find((token) => token.state.lineage === state.lineage);
		const isKnown =
			known !== undefined &&
			(known.accessToken === accessToken ||
				isSuccessor(known, stored) ||
				probes.last(stored)?.result === 'rejected');
		if (isKnown && !isSuccessor(stored, known)) return;
		this.keep(stored);
		// A peer has refreshed since.
		this.failed = null;
	}

	/** Keeps a token as the newest of its lineage. */
	keep(token: Token): void {
		this.seenAtMs.ensure(token.accessToken, () => this.environment.now());
		const others = this.tokens.filter(({ state }) => state.lineage !== token.state.lineage);
		this.tokens = [token, ...others].slice(0, MAX_LINEAGES);
	}

	/** The best other token of this input: alive and not rejected, the stored token's successor if there is one. */
	alternativeTo(stored: Token | null, probes: ProbeCache): Token | null {
		const nowMs = this.environment.now();
		let best: Token | null = null;
		for (const token of this.tokens) {
			const follows = stored !== null && isSuccessor(token, stored);
			if (token.accessToken === stored?.accessToken && !follows) continue;
			if (!isAlive(token, nowMs) || probes.last(token)?.result === 'rejected') continue;
			if (follows) return token;
			best ??= token;
		}
		return best;
	}

	/** The token whose refresh token is to be used: the newest of the stored one's lineage, or else the latest one known. */
	newestOf(stored: Token | null): Token | null {
		const { tokens } = this;
		const sameLineage = tokens.find(({ state }) => state.lineage === stored?.state.lineage);
		return sameLineage ?? tokens[0] ?? null;
	}

	/** When the latest refresh was sent that this process knows of, besides the stored token's; ms since 1970, null for none. */
	refreshSentAtMs(stored: Token | null): number | null {
		const ownMs = stored?.state.issuedAtMs;
		let latestMs = this.sentAtMs === ownMs ? null : this.sentAtMs;
		for (const { accessToken, state } of this.tokens) {
			if (accessToken === stored?.accessToken) continue;
			latestMs = Math.max(latestMs ?? state.issuedAtMs, state.issuedAtMs);
		}
		return latestMs;
	}

	/** The probes about one account: its permissions may decide the answer. */
	probesFor(accountId: string): ProbeCache {
		return this.probes.ensure(
			accountId,
			() => new ProbeCache(accountId, () => this.environment.now()),
		);
	}

	/** When this process first saw a stored token, ms since 1970. */
	firstSeenAtMs({ accessToken }: Token): number {
		return this.seenAtMs.get(accessToken) ?? this.environment.now();
	}

	/** When a stored token was left to a peer; null if it was not. */
	deferredAtMs(stored: Token | null): number | null {
		return this.deferral?.accessToken === stored?.accessToken
			? (this.deferral?.atMs ?? null)
			: null;
	}

	/** When a renewal that may have invalidated a stored token was sent; null if there was none. */
	suspectSinceMs(stored: Token | null): number | null {
		return this.suspect?.accessToken === stored?.accessToken ? (this.suspect?.atMs ?? null) : null;
	}

	/** Notes that a stored token is left to a peer. If it is still stored when n8n asks again, no peer has renewed it. */
	defer({ accessToken }: Token): void {
		if (this.deferral?.accessToken === accessToken) return;
		this.deferral = { accessToken, atMs: this.environment.now() };
	}

	/** Waits until a request has seen the token of a peer in the store, or for as long as that may take. Shared by all who wait. */
	async watch(stored: Token | null, probes: ProbeCache): Promise<void> {
		const look = async (): Promise<void> => {
			const before = this.alternativeTo(stored, probes)?.accessToken;
			for (let step = 0; step < WATCH_STEPS; step++) {
				await this.environment.sleep(WATCH_STEP_MS);
				const now = this.alternativeTo(stored, probes)?.accessToken;
				if (now !== undefined && now !== before) return;
			}
		};
		this.watching ??= look().finally(() => (this.watching = null));
		await this.watching;
	}

	/** Begins a refresh, or shares the one that is under way. @param run makes the refresh; it calls `onAnswer` when AiClk has answered */
	async refresh(
		early: boolean,
		run: (onAnswer: () => void) => Promise<RefreshOutcome>,
	): Promise<RefreshOutcome> {
		if (this.flight === null) {
			const flight: Omit<Flight, 'outcome'> = { phase: early ? 'renewal-sent' : 'refresh' };
			const onAnswer = () => {
				if (early) flight.phase = 'renewal-answered';
			};
			const outcome = run(onAnswer).finally(() => (this.flight = null));
			this.flight = Object.assign(flight, { outcome });
		}
		return await this.flight.outcome;
	}

	/** A refresh has succeeded. */
	succeed(token: Token): void {
		this.keep(token);
		this.failed = null;
		this.collisions = { accessToken: '', count: 0 };
	}

	/** A refresh has failed. @param mayBeInvalid whether the stored token may be invalid since then */
	fail(early: boolean, failure: TokenFailure, stored: Token | null, mayBeInvalid: boolean): void {
		this.failed = addFailure(this.failed, early, failure, this.environment.now());
		if (stored === null || !mayBeInvalid) return;
		this.suspect = { accessToken: stored.accessToken, atMs: this.environment.now() };
	}

	/** How many new tokens were discarded in a row over this stored one. */
	collisionsOver(stored: Token | null): number {
		return this.collisions.accessToken === (stored?.accessToken ?? '') ? this.collisions.count : 0;
	}

	/** Counts a discarded new token. */
	countCollision(stored: Token | null): void {
		const count = this.collisionsOver(stored) + 1;
		this.collisions = { accessToken: stored?.accessToken ?? '', count };
	}

	/** Probes a token with one account/info request, which all who ask at the same time share. */
	async probe(token: Token, input: TokenInput, http: HttpRequest): Promise<ProbeResult> {
		const probes = this.probesFor(input.accountId);
		await probes.ask(token, async () => await askAiClk(token, input, http));
		return probes.last(token)?.result ?? 'unknown';
	}
}

/** No answer tells nothing. What was thrown holds the token and is dropped. */
async function askAiClk(
	token: Token,
	{ baseUrl, accountId }: TokenInput,
	http: HttpRequest,
): Promise<ProbeResult> {
	try {
		const headers = { [token.state.header]: token.accessToken };
		return readProbe(await http({ ...accountInfoRequest(baseUrl, accountId), headers }));
	} catch {
		return 'unknown';
	}
}
