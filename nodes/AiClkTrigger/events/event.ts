import type { IDataObject } from 'n8n-workflow';

import type { Json } from '../../../aiclk/protocol/json';
import type { TokenFailure } from '../../../aiclk/token/errors';
import type { TokenReport } from '../../../aiclk/token/status';

/** A row of AiClk, with AiClk's own names. */
export type Row = Record<string, unknown>;

/** A read of one account: what travels in `query` (AiClk docs, P2, P6, P7). */
export interface ReadRequest {
	/** From `/openapi/` on. */
	path: string;
	account: bigint;
	query: Record<string, Json>;
}

/** The token of the credential after it was used for a request. */
export interface TokenLook {
	report: TokenReport;
	/** Why no live token could be had; null when one went out. */
	failure: TokenFailure | null;
}

/** What an event may ask of AiClk: reads only. Each throws a NodeApiError where the answer cannot be used. */
export interface Api {
	/** One object. @param amount the field that must hold a whole number */
	readOne(request: ReadRequest, amount: string): Promise<Row>;
	/**
	 * A list, page after page.
	 *
	 * @param id the field that holds the id of a row
	 * @param limit rows wanted; all of them without it
	 */
	readRows(request: ReadRequest, id: string, limit?: number | null): Promise<Row[]>;
	/** ms since 1970, by AiClk's clock where an answer of this poll has named it, or else by n8n's. */
	now(): number;
	/** Asks AiClk about the access token; one that is due or rejected is renewed on the way. */
	readToken(): Promise<TokenLook>;
}

/** What a person set in the panel, checked. */
export interface Settings {
	accounts: bigint[];
	/** fen */
	balance: number;
	withinDays: number;
	/** More of the `query` of creative/get. */
	filters: Record<string, Json>;
	/** Whether a first look emits what it finds. */
	emitExisting: boolean;
}

/** What a look leads to. */
export interface Outcome<State> {
	/** To be remembered; null when it is more than n8n can store. */
	state: State | null;
	/** One object a change. */
	items: IDataObject[];
}

/** One event of the trigger. States and looks are plain data. */
export interface TriggerEvent<State, Look> {
	/**
	 * Sends all requests of one poll.
	 *
	 * @param state what was remembered last; null at the first look
	 * @throws NodeApiError when one of the requests fails
	 */
	look(api: Api, state: State | null, settings: Settings): Promise<Look>;
	/**
	 * Compares a look with what was remembered; changes neither.
	 *
	 * @param maxBytes what the state may take in n8n's static data
	 */
	compare(state: State | null, look: Look, settings: Settings, maxBytes: number): Outcome<State>;
}
