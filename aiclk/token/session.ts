import type { IHttpRequestOptions } from 'n8n-workflow';

import { accountInfoRequest } from '../protocol/accountInfo';
import { type ProbeResult, readProbe } from '../protocol/envelope';
import { BoundedMap } from '../util/boundedMap';
import { addFailure, type FailedRefreshes } from './backoff';
import type { Failure } from '../util/failure';
import type { TokenInput } from './input';
import { isAlive, isSuccessor, type RefreshOutcome, PROPAGATION_MS } from './policy';
import { ProbeCache } from './probeCache';
import type { Token } from './storedToken';

/** How often to look for a peer's token, and for how long. The store cannot be read for this; requests of this process read it. */
const WATCH_STEP_MS = 500;
const WATCH_STEPS = PROPAGATION_MS / WATCH_STEP_MS;

/** Tokens kept for one input, one for each lineage. Several credentials with the same input have a lineage each. */
const MAX_LINEAGES = 4;

/** Stored tokens, and accounts, of one input that are told apart. */
const MAX_ROWS = 8;

/** n8n's HTTP helper, which the hook finds in `this.helpers.httpRequest`. */
export type HttpRequest = (options: IHttpRequestOptions) => Promise<unknown>;

/** What the token core needs from outside. Tests pass their own. */
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

/** The single flight: one refresh that all who need it share. */
interface InFlight {
	/** A request whose token is valid waits only for a renewal that AiClk has answered. */
	phase: 'renewal-sent' | 'renewal-answered' | 'refresh';
	outcome: Promise<RefreshOutcome>;
}

/** A note about one stored token. */
interface Note {
	accessToken: string;
	/** ms since 1970 */
	atMs: number;
}

/**
 * What this process remembers about one input, and its refreshes, one at a time. A restart loses it, which costs no refresh,
 * because the token is stored.
 */
export class Session {
	/** When the jitter was last applied, ms since 1970. */
	jitteredAtMs: number | null = null;

	failed: FailedRefreshes | null = null;

	/** When this process last sent a refresh, ms since 1970. */
	sentAtMs: number | null = null;

	inFlight: InFlight | null = null;

	/** The stored token over which this process last deferred to a peer. */
	private deferral: Note | null = null;

	/** The stored token that a failed renewal may have invalidated. */
	private suspect: Note | null = null;

	/** New tokens discarded in a row over the same stored one. */
	private collisions = { accessToken: '', count: 0 };

	/** The newest token of each lineage, the most recent lineage first. */
	private tokens: readonly Token[] = [];

	private watching: Promise<void> | null = null;

	private readonly seenAtMs = new BoundedMap<string, number>(MAX_ROWS);

	private readonly probes = new BoundedMap<string, ProbeCache>(MAX_ROWS);

	constructor(private readonly environment: Environment) {}

	/** Takes note of a stored token of this input. If two have the same generation, the stored one is in use. */
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

	/** The best other token of this input: not expired, not rejected, and the stored token's successor if there is one. */
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

	/** The token whose refresh token to use: the newest of the stored token's lineage, otherwise the most recent one known. */
	newestOf(stored: Token | null): Token | null {
		const { tokens } = this;
		const sameLineage = tokens.find(({ state }) => state.lineage === stored?.state.lineage);
		return sameLineage ?? tokens[0] ?? null;
	}

	/** When the latest known refresh was sent, apart from the one that issued the stored token; ms since 1970, null for none. */
	refreshSentAtMs(stored: Token | null): number | null {
		const ownMs = stored?.state.issuedAtMs;
		let latestMs = this.sentAtMs === ownMs ? null : this.sentAtMs;
		for (const { accessToken, state } of this.tokens) {
			if (accessToken === stored?.accessToken) continue;
			latestMs = Math.max(latestMs ?? state.issuedAtMs, state.issuedAtMs);
		}
		return latestMs;
	}

	/** The probes with one account: AiClk's answer may depend on its permissions. */
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

	/** When this process deferred to a peer over a stored token; null if it did not. */
	deferredAtMs(stored: Token | null): number | null {
		return this.deferral?.accessToken === stored?.accessToken
			? (this.deferral?.atMs ?? null)
			: null;
	}

	/** When a renewal failed that may have invalidated a stored token; null if there was none. */
	suspectSinceMs(stored: Token | null): number | null {
		return this.suspect?.accessToken === stored?.accessToken ? (this.suspect?.atMs ?? null) : null;
	}

	/** Notes that this process defers to a peer. If the token is still stored when n8n asks again, no peer has renewed it. */
	defer({ accessToken }: Token): void {
		if (this.deferral?.accessToken === accessToken) return;
		this.deferral = { accessToken, atMs: this.environment.now() };
	}

	/** Waits until a request reads a peer's token from the store, or until that is no longer likely. All who wait share it. */
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

	/** Starts a refresh, or shares the one in flight. @param run makes the refresh and calls `onAnswer` when AiClk has answered */
	async refresh(
		early: boolean,
		run: (onAnswer: () => void) => Promise<RefreshOutcome>,
	): Promise<RefreshOutcome> {
		if (this.inFlight === null) {
			const inFlight: Omit<InFlight, 'outcome'> = { phase: early ? 'renewal-sent' : 'refresh' };
			const onAnswer = () => {
				if (early) inFlight.phase = 'renewal-answered';
			};
			const outcome = run(onAnswer).finally(() => (this.inFlight = null));
			this.inFlight = Object.assign(inFlight, { outcome });
		}
		return await this.inFlight.outcome;
	}

	/** A refresh has succeeded. */
	succeed(token: Token): void {
		this.keep(token);
		this.failed = null;
		this.collisions = { accessToken: '', count: 0 };
	}

	/** A refresh has failed. @param mayBeInvalid whether it may have invalidated the stored token */
	fail(early: boolean, failure: Failure, stored: Token | null, mayBeInvalid: boolean): void {
		this.failed = addFailure(this.failed, early, failure, this.environment.now());
		if (stored === null || !mayBeInvalid) return;
		this.suspect = { accessToken: stored.accessToken, atMs: this.environment.now() };
	}

	/** How many new tokens in a row were discarded over this stored one. */
	collisionsOver(stored: Token | null): number {
		return this.collisions.accessToken === (stored?.accessToken ?? '') ? this.collisions.count : 0;
	}

	/** Counts a discarded new token. */
	countCollision(stored: Token | null): void {
		const count = this.collisionsOver(stored) + 1;
		this.collisions = { accessToken: stored?.accessToken ?? '', count };
	}

	/** Probes a token with one account/info request. All who ask at the same time share it. */
	async probe(token: Token, input: TokenInput, http: HttpRequest): Promise<ProbeResult> {
		const probes = this.probesFor(input.accountId);
		await probes.ask(token, async () => await askAiClk(token, input, http));
		return probes.last(token)?.result ?? 'unknown';
	}
}

/** A missing answer says nothing. The error holds the token, so it is dropped. */
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
