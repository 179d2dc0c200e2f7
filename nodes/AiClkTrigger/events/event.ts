import type { IDataObject, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import type { JsonObject } from '../../../aiclk/protocol/json';
import type { TokenReport } from '../../../aiclk/token/status';
import type { Failure } from '../../../aiclk/util/failure';
import { field } from '../../shared/fields';
import type { Parameters } from '../../shared/parameters';
import type { Known } from '../memory';

/** A row, with AiClk's own names. */
export type Row = Record<string, unknown>;

/** A read of one account (digits) whose parameters go into `query` (P2, P6, P7); the path begins with `/openapi/`. */
export interface ReadRequest {
	path: string;
	account: string;
	query: JsonObject;
}

/** The credential's token after a request. */
export interface TokenCheck {
	report: TokenReport;
	/** Why there was no valid token; null if one was sent. */
	failure: Failure | null;
}

/** What an event may ask AiClk: reads only. Each throws a FailureError if the answer cannot be used. */
export interface Api {
	/** Reads what AiClk says of an account (P2): its name, and its balance in fen. */
	getBalance(account: string): Promise<Row & { balance: number }>;
	/** Reads a list, page by page. @param id the field that holds the id of a row @param limit how many rows; all if left out */
	getRows(request: ReadRequest, id: string, limit?: number): Promise<Row[]>;
	/** Asks AiClk about the access token. One that is rejected or due for renewal is replaced on the way. */
	getToken(): Promise<TokenCheck>;
}

/** What a look at one account has found. */
export interface Found {
	known: Known;
	/** One object per change; the account is added to it. */
	items: IDataObject[];
}

/** An event in one poll, with its fields read. To *look* is to *read* from AiClk and to *compare* with what is known. */
export interface Watcher {
	/**
	 * Looks at an account, or at the credential: then the account is ''.
	 *
	 * @param known undefined at the first look
	 * @param isFull whether to read all rows as well, whatever a filter names
	 */
	look(api: Api, account: string, known: Known | undefined, isFull: boolean): Promise<Found>;
	/** Whether `look` relies on a filter of AiClk's. Such an account is looked at in full once a day. */
	hasFilter?: boolean;
	/** Whether a change is to be emitted; if left out, each is. */
	isWanted?(item: IDataObject): boolean;
	/** The newest rows of an account as items: for a run by hand, where nothing has changed. */
	sample(api: Api, account: string): Promise<IDataObject[]>;
	/** An item without values, where there is no row at all. */
	empty?: IDataObject;
}

/** One event of the trigger: how it is shown, and how its fields become a watch. */
export interface TriggerEvent {
	option: INodePropertyOptions;
	properties: INodeProperties[];
	/** Whether it is about the credential and not about accounts: then an incomplete one is something to emit. */
	isAboutCredential?: boolean;
	/** @param nowMs when the poll began, by n8n's clock, since 1970 @throws FailureError for bad input, naming the field */
	createWatcher(fields: Parameters, nowMs: number): Watcher;
}

/** How many rows `sample` reads: one page, because AiClk does not always send the newest first. */
export const SAMPLE_ROWS = 100;

export const ACCOUNT_IDS = field.ids(
	'account_ids',
	'Account IDs',
	'One or more advertiser accounts, separated by commas. If empty, the account of the credential.',
	'1000002, 1000003',
);

export const EMIT_EXISTING = field.switch(
	'emit_existing',
	'Emit Existing',
	'Whether the first look emits everything that exists, and not only later changes',
);

export const FIRST_LOOK: INodeProperties = {
	displayName: 'The first look at an account emits nothing: later ones are compared with it.',
	name: 'firstLookNotice',
	type: 'notice',
	default: '',
};

/** Watches something that is `fine` or not: each change of state is an item. @param read the state now, and the item that shows it */
export const alarm = (
	read: (api: Api, account: string) => Promise<{ is: string; item: IDataObject }>,
): Watcher => ({
	look: async (api, account, known) => {
		const { is, item } = await read(api, account);
		return { known: { is }, items: is === (known?.is ?? 'fine') ? [] : [item] };
	},
	sample: async (api, account) => [(await read(api, account)).item],
});

/**
 * @param field the one that holds the id of a row @param always what each request has in its query
 * @returns what reads a list: rows by id, each once, in the order of their ids: oldest first, if AiClk's ids count upwards
 */
export const rowsReader =
	(path: string, field: string, always: ReadRequest['query']) =>
	async (api: Api, account: string, query: ReadRequest['query'], limit?: number) => {
		const request = { path, account, query: { ...always, ...query } };
		const rows = await api.getRows(request, field, limit);
		const byId = new Map(rows.map((row) => [`${BigInt(String(row[field]))}`, row]));
		return new Map([...byId].sort(([one], [other]) => (BigInt(one) < BigInt(other) ? -1 : 1)));
	};
