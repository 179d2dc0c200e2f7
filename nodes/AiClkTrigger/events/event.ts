import type { IDataObject } from 'n8n-workflow';

import type { Json } from '../../../aiclk/protocol/json';
import type { Failure } from '../../../aiclk/util/failure';
import type { TokenReport } from '../../../aiclk/token/status';

/** A row, with AiClk's own names. */
export type Row = Record<string, unknown>;

/** A read of one account whose parameters go into `query` (P2, P6, P7). */
export interface ReadRequest {
	/** From `/openapi/` on. */
	path: string;
	account: bigint;
	query: Record<string, Json>;
}

/** The credential's token after a request. */
export interface TokenLook {
	report: TokenReport;
	/** Why there was no valid token; null if one was sent. */
	failure: Failure | null;
}

/** What an event may ask AiClk: reads only. Each throws a NodeApiError if the answer cannot be used. */
export interface Api {
	/** Reads one object. @param amount the field that must hold a whole number */
	readOne(request: ReadRequest, amount: string): Promise<Row>;
	/**
	 * Reads a list, page by page.
	 *
	 * @param id the field that holds the id of a row
	 * @param limit how many rows; all if left out
	 */
	readRows(request: ReadRequest, id: string, limit?: number | null): Promise<Row[]>;
	/** ms since 1970, by AiClk's clock if an answer of this poll has named the time, otherwise by n8n's. */
	now(): number;
	/** Asks AiClk about the access token. One that is rejected or due for renewal is replaced on the way. */
	readToken(): Promise<TokenLook>;
}

/** The settings of the panel, checked. */
export interface Settings {
	accounts: bigint[];
	/** fen */
	balance: number;
	withinDays: number;
	/** Further members of `query` for creative/get. */
	filters: Record<string, Json>;
	/** Whether the first look emits what it finds. */
	emitExisting: boolean;
}

/** The result of a look. */
export interface Outcome<State> {
	/** What to remember; null if it is more than n8n can store. */
	state: State | null;
	/** One object per change. */
	items: IDataObject[];
}

/** One event of the trigger. States and looks are plain data. */
export interface TriggerEvent<State, Look> {
	/**
	 * Sends all requests of a poll.
	 *
	 * @param state what was remembered; null at the first look
	 * @throws NodeApiError if any request fails
	 */
	look(api: Api, state: State | null, settings: Settings): Promise<Look>;
	/**
	 * Compares a look with what was remembered. Changes neither.
	 *
	 * @param maxBytes how large the state may be in n8n's static data
	 */
	compare(state: State | null, look: Look, settings: Settings, maxBytes: number): Outcome<State>;
}
