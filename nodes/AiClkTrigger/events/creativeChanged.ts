import type { IDataObject } from 'n8n-workflow';

import {
	fromText,
	isSame,
	keyOf,
	NOTHING,
	recall,
	remember,
	sizeOf,
	type StoredMemory,
	toText,
} from '../memory';
import type { ReadRequest, Row, TriggerEvent } from './event';

/** The fields whose change is emitted. */
const WATCHED = ['configure_status', 'effective_status', 'unable_reason', 'audit_reason'];

const FIELDS = [
	'account_id',
	'campaign_id',
	'adgroup_id',
	'creative_id',
	'creative_name',
	'title',
	'created_at',
	...WATCHED,
];

const DAY_MS = 86_400_000;

/**
 * P6 filters by the day of the last change, but names no time zone. A change after the last look may be dated one day earlier than
 * in UTC. The second day is for clocks that differ.
 */
const OVERLAP_DAYS = 2;

/** YYYY-MM-DD in UTC. @param ms since 1970 */
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const dayBefore = (day: string, days: number): string => dayOf(Date.parse(day) - days * DAY_MS);

/** What is remembered about creatives. */
export interface CreativeState {
	/** By account: the day of the last look, in UTC. */
	days: Record<string, string>;
	/** Whether rows were forgotten, so an unknown creative is not necessarily new. */
	hasForgotten: boolean;
	memory: StoredMemory;
}

/** What one poll found in each account. */
export type CreativeLook = Array<{
	account: bigint;
	/** Of this look, in UTC. */
	day: string;
	/** All creatives, at the first look only. */
	all: Row[];
	/** Creatives changed on the days that the next look will ask for as well. */
	recent: Row[];
}>;

/** Oldest first, if AiClk's ids count upwards. In this order rows also take the least room in a memory. */
const byId = (rows: Row[]): Row[] =>
	rows
		.map((row) => ({ row, id: BigInt(String(row.creative_id)) }))
		.sort((one, other) => (one.id < other.id ? -1 : 1))
		.map(({ row }) => row);

/**
 * @param before as remembered; null if unknown
 * @param now the watched values
 */
function toItem(
	account: bigint,
	row: Row,
	change: 'existing' | 'new' | 'changed' | 'newOrChanged',
	before: string | null,
	now: string,
): IDataObject {
	const old = before === null ? null : fromText(before, WATCHED);
	const values = fromText(now, WATCHED);
	return {
		account_id: `${account}`,
		...row,
		change,
		changed: old === null ? null : WATCHED.filter((field) => old[field] !== values?.[field]),
		old,
		oldForgotten: change === 'newOrChanged' || (change === 'changed' && old === null),
		new: values,
	};
}

/** Emits each new creative, and each whose status, review result or reason has changed since the last look (P6). */
export const creativeChanged: TriggerEvent<CreativeState, CreativeLook> = {
	look: async (api, state, { accounts, filters }) =>
		await Promise.all(
			accounts.map(async (account) => {
				const read = async (query: ReadRequest['query'] = {}) =>
					await api.readRows(
						{
							path: '/openapi/v1/creative/get',
							account,
							query: { ...filters, fields: FIELDS, ...query },
						},
						'creative_id',
					);
				const last = state?.days[`${account}`];
				const all = last === undefined ? await read() : [];
				const today = dayOf(api.now());
				// If a clock was ahead at the last look, it must not hide later changes.
				const since = last !== undefined && last < today ? last : today;
				const recent = await read({ updated_at: { start: dayBefore(since, OVERLAP_DAYS) } });
				return { account, day: dayOf(api.now()), all, recent };
			}),
		),

	compare: (state, looks, { emitExisting }, maxBytes) => {
		const memory = recall(
			state?.memory,
			looks.map(({ account }) => account),
		);
		const items: IDataObject[] = [];
		const see = (account: bigint, row: Row) => {
			const isFirst = state?.days[`${account}`] === undefined;
			const key = keyOf(account, row.creative_id);
			const before = memory.get(key);
			const now = toText(row, WATCHED);
			memory.delete(key);
			memory.set(key, now);
			if (isFirst && !emitExisting) return;
			if (before === undefined) {
				const change = isFirst ? 'existing' : state?.hasForgotten ? 'newOrChanged' : 'new';
				items.push(toItem(account, row, change, null, now));
			} else if (!isSame(before, now)) {
				items.push(toItem(account, row, 'changed', before, now));
			}
		};
		for (const { account, all } of looks) for (const row of byId(all)) see(account, row);
		for (const { account, recent } of looks) for (const row of recent) see(account, row);

		const days = Object.fromEntries(looks.map(({ account, day }) => [`${account}`, day]));
		const needed = new Set(
			looks.flatMap(({ account, recent }) => recent.map((row) => keyOf(account, row.creative_id))),
		);
		const rest = { days, hasForgotten: state?.hasForgotten === true, memory: NOTHING };
		const written = remember(memory, needed.size, maxBytes - sizeOf(rest));
		if (written === null) return { state: null, items };
		const hasForgotten = rest.hasForgotten || written.hasForgotten;
		return { state: { days, hasForgotten, memory: written.stored }, items };
	},
};
