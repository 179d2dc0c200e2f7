import type { IHttpRequestOptions } from 'n8n-workflow';

import { accountInfoRequest } from '../protocol/accountInfo';
import { type ProbeResult, readProbe } from '../protocol/envelope';
import { isAlive } from './age';
import type { FailedRefreshes } from './backoff';
import type { TokenInput } from './input';
import { TokenNotes } from './notes';
import {
	isSuccessor,
	mayReplace,
	type PolicyInput,
	PROPAGATION_MS,
	type RefreshResult,
} from './policy';
import type { RefreshReason, Token } from './storedToken';

/** How often to look for a peer's token, and for how long. The store cannot be read for this; requests of this process read it. */
const WATCH_STEP_MS = 500;
const WATCH_STEPS = PROPAGATION_MS / WATCH_STEP_MS;

/** Tokens kept for one input, one for each lineage. Several credentials with the same input have a lineage each. */
const MAX_LINEAGES = 8;

/** n8n's HTTP helper, which the hook finds in `this.helpers.httpRequest`. */
export type HttpRequest = (options: IHttpRequestOptions) => Promise<unknown>;

/** What the token core needs from outside. Tests pass their own. */
export interface Environment {
	now(): number;
	/** [0, 1) */
	random(): number;
	/** Resolves after so many ms. */
	sleep(ms: number): Promise<void>;
	/** n8n's log. */
	log: Record<'debug' | 'info' | 'warn', (message: string) => void>;
}

/**
 * What this process remembers about one input, and its refreshes, one at a time. A restart loses it. The token is stored, unless
 * several clients share one row: it holds the token of one of them, so a restart costs each of the others a refresh.
 */
export class Session {
	/** When the jitter was last applied. */
	jitteredAtMs: number | null = null;

	failedRefreshes: FailedRefreshes | null = null;

	/** A request whose token is valid waits only for a renewal that AiClk has answered. */
	inFlight: PolicyInput['inFlight'] = 'none';

	/** The single flight: one refresh that all who need it share. */
	private refreshing: Promise<RefreshResult> | null = null;

	readonly notes: TokenNotes;

	/** The newest token of each lineage, the most recent lineage first. */
	private tokens: readonly Token[] = [];

	private watching: Promise<void> | null = null;

	/** Probes in flight, by account and access token. */
	private readonly probing = new Map<string, Promise<void>>();

	constructor(readonly environment: Environment) {
		this.notes = new TokenNotes(() => environment.now());
	}

	/**
	 * Takes note of a stored token of this input. Of two with the same generation, the stored one is in use, with the refresh token
	 * that the other one may have brought.
	 *
	 * @param accountId of whoever reads it
	 */
	observe(stored: Token, accountId: string): void {
		this.notes.observeTrust(stored.state.probeTrust);
		this.notes.of(stored);
		const known = this.tokens.find(({ state }) => state.lineage === stored.state.lineage);
		if (known === undefined || isSuccessor(stored, known)) {
			this.remember(stored);
		} else {
			const isRejected = this.notes.answerFor(accountId, stored)?.result === 'rejected';
			const isSibling =
				known.accessToken !== stored.accessToken &&
				known.state.generation === stored.state.generation;
			if (!isSibling || isRejected) return;
			const rotatedRefreshToken = stored.rotatedRefreshToken || known.rotatedRefreshToken;
			this.remember({ ...stored, rotatedRefreshToken });
		}
		// A peer has refreshed since.
		if (this.failedRefreshes !== null && stored.state.issuedAtMs > this.failedRefreshes.lastAtMs)
			this.failedRefreshes = null;
	}

	/** Keeps a token as the newest of its lineage. */
	remember(token: Token): void {
		this.notes.of(token);
		const others = this.tokens.filter(({ state }) => state.lineage !== token.state.lineage);
		this.tokens = [token, ...others].slice(0, MAX_LINEAGES);
	}

	/**
	 * The best other token of this input that may take the stored one's place: not expired, not rejected, and its successor if there
	 * is one.
	 */
	alternativeTo(stored: Token | null, accountId: string): Token | null {
		const nowMs = this.environment.now();
		const usable = this.tokens.filter(
			(token) =>
				mayReplace(token, stored) &&
				isAlive(token, nowMs) &&
				this.notes.answerFor(accountId, token)?.result !== 'rejected',
		);
		const successor = usable.find((token) => stored !== null && isSuccessor(token, stored));
		return successor ?? usable[0] ?? null;
	}

	/** The token whose refresh token to use: the newest of the stored token's lineage, otherwise the most recent one known. */
	newestOf(stored: Token | null): Token | null {
		const sameLineage = this.tokens.find(({ state }) => state.lineage === stored?.state.lineage);
		return sameLineage ?? this.tokens[0] ?? null;
	}

	/** Waits until a request reads a peer's token from the store, or until that is no longer likely. All who wait share it. */
	async watch(stored: Token | null, accountId: string): Promise<void> {
		const look = async (): Promise<void> => {
			const before = this.alternativeTo(stored, accountId)?.accessToken;
			for (let step = 0; step < WATCH_STEPS; step++) {
				await this.environment.sleep(WATCH_STEP_MS);
				const now = this.alternativeTo(stored, accountId)?.accessToken;
				if (now !== undefined && now !== before) return;
			}
		};
		this.watching ??= look().finally(() => (this.watching = null));
		await this.watching;
	}

	/** Starts a refresh, or shares the one in flight. @param run makes the refresh and calls `observeAnswer` when AiClk has answered */
	async refresh(reason: RefreshReason, run: () => Promise<RefreshResult>): Promise<RefreshResult> {
		if (this.refreshing === null) {
			this.inFlight = reason === 'renewal' ? 'renewal-sent' : 'refresh';
			this.refreshing = run().finally(() => {
				this.inFlight = 'none';
				this.refreshing = null;
			});
		}
		return await this.refreshing;
	}

	/** AiClk has answered a refresh: from now on the stored token may be invalid. */
	observeAnswer(): void {
		if (this.inFlight === 'renewal-sent') this.inFlight = 'renewal-answered';
	}

	/**
	 * Probes a token with one account/info request. All who ask with the same account at the same time share it. A rejection is checked
	 * with the account that AiClk accepted last: this one may lack a permission.
	 */
	async probe(token: Token, input: TokenInput, http: HttpRequest): Promise<ProbeResult> {
		const { accountId } = input;
		const { notes, probing } = this;
		const ask = async (as: string): Promise<ProbeResult> => {
			const result = await askAiClk(token, { ...input, accountId: as }, http);
			notes.add(as, token, result);
			return result;
		};
		const askAndCheck = async (): Promise<void> => {
			const proven = notes.provenAccount;
			const isRejected = (await ask(accountId)) === 'rejected';
			if (isRejected && proven !== null && proven !== accountId) await ask(proven);
		};
		const key = JSON.stringify([accountId, token.accessToken]);
		const pending = probing.get(key) ?? askAndCheck().finally(() => probing.delete(key));
		probing.set(key, pending);
		await pending;
		return notes.answerFor(accountId, token)?.result ?? 'unknown';
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
