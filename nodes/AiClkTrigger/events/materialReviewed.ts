import type { IDataObject } from 'n8n-workflow';

import {
	fromText,
	idOf,
	isSame,
	keyOf,
	type Memory,
	NOTHING,
	recall,
	remember,
	sizeOf,
	type StoredMemory,
	toText,
} from '../memory';
import type { Api, ReadRequest, Row, Settings, TriggerEvent } from './event';

const WATCHED = ['material_status', 'audit_reason'];

const FIELDS = [
	'account_id',
	'material_id',
	'material_name',
	'material_type',
	'remote_url',
	'created_at',
	...WATCHED,
];

/** Materials that are known to be reviewed later. Every poll reads them. */
const OPEN = ['UNDER_PASSING', 'UN_PASSED'];

/** Materials with any other status are remembered, also with one that P7 does not name: it may come before a review. */
const CLOSED = ['PASSED', 'DELETED'];

const REVIEWED: Record<string, string> = { PASSED: 'approved', UN_PASSED: 'rejected' };

const NEWEST_FIRST = { order_by: [['material_id', 'desc']] };

/** Without a status, AiClk leaves deleted materials out (P7). */
const DELETED = { material_status: ['DELETED'] };

/**
 * How many ids one request asks for: as many as fit on a page (P7). Of the materials that AiClk no longer has, or has left out of
 * its answers, as many stay remembered, the latest ones: so they cost no more than two requests a poll.
 */
const MAX_IDS = 100;

/** What is remembered about materials. */
export interface MaterialState {
	/** By account: the highest id so far, as digits. */
	newest: Record<string, string>;
	/** The materials that may be reviewed, those that AiClk did not answer with first. */
	memory: StoredMemory;
}

/** What one poll found in each account. If a material appears twice, the later row counts. */
export type MaterialLook = Array<{ account: bigint; rows: Row[] }>;

const keysOf = (account: bigint, rows: Row[]): string[] =>
	rows.map((row) => keyOf(account, row.material_id));

const highest = (rows: Row[], least = 0n): bigint =>
	rows.reduce((most, { material_id: id }) => {
		const number = BigInt(String(id));
		return number > most ? number : most;
	}, least);

/** Reads one account. P7 has no filter by day of change, so this asks by status and by id. */
async function lookAt(
	api: Api,
	account: bigint,
	state: MaterialState | null,
	{ emitExisting }: Settings,
): Promise<Row[]> {
	const read = async (query: ReadRequest['query'], limit?: number) =>
		await api.readRows(
			{ path: '/openapi/v1/material/get', account, query: { fields: FIELDS, ...query } },
			'material_id',
			limit,
		);
	const last = state?.newest[`${account}`];
	if (last === undefined && emitExisting) return await read(NEWEST_FIRST);
	const open = await read({ material_status: OPEN, ...NEWEST_FIRST });
	if (last === undefined) return [...open, ...(await read(NEWEST_FIRST, 1))];

	const isNew = ({ material_id: id }: Row) => BigInt(String(id)) > BigInt(last);
	let newest: Row[] = [];
	for (let limit = 100; ; limit *= 10) {
		newest = await read(NEWEST_FIRST, limit);
		if (newest.length < limit || !newest.every(isNew)) break;
	}
	const seen = [...open, ...newest.filter(isNew)];
	for (const status of [{}, DELETED]) {
		const keys = new Set(keysOf(account, seen));
		const rest = [...recall(state?.memory, [account]).keys()].filter((key) => !keys.has(key));
		for (let first = 0; first < rest.length; first += MAX_IDS) {
			const ids = rest.slice(first, first + MAX_IDS).map(idOf);
			seen.push(...(await read({ material_id: ids, ...status })));
		}
	}
	return seen;
}

/** Emits each material that was approved or rejected since the last look, and each whose reason has changed (P7). */
export const materialReviewed: TriggerEvent<MaterialState, MaterialLook> = {
	look: async (api, state, settings) =>
		await Promise.all(
			settings.accounts.map(async (account) => ({
				account,
				rows: await lookAt(api, account, state, settings),
			})),
		),

	compare: (state, look, { emitExisting }, maxBytes) => {
		const remembered = recall(
			state?.memory,
			look.map(({ account }) => account),
		);
		const seen = new Set(look.flatMap(({ account, rows }) => keysOf(account, rows)));
		const gone = [...remembered].filter(([key]) => !seen.has(key));
		const memory: Memory = new Map(gone.slice(-MAX_IDS));
		const goneCount = memory.size;
		const newest: MaterialState['newest'] = {};
		const items: IDataObject[] = [];
		for (const { account, rows } of look) {
			const last = state?.newest[`${account}`];
			const isFirst = last === undefined;
			newest[`${account}`] = `${highest(rows, BigInt(last ?? 0))}`;
			for (const [key, row] of new Map(rows.map((row) => [keyOf(account, row.material_id), row]))) {
				const status = String(row.material_status);
				const before = remembered.get(key);
				const now = toText(row, WATCHED);
				if (!CLOSED.includes(status)) memory.set(key, now);

				const change = REVIEWED[status];
				if (change === undefined || (isFirst && !emitExisting)) continue;
				// Approved materials are not remembered. An approved one that is not new was approved before.
				const isOld = status === 'PASSED' && !isFirst && idOf(key) <= BigInt(last);
				if (before === undefined ? isOld : isSame(before, now)) continue;
				const old = before === undefined ? null : fromText(before, WATCHED);
				items.push({
					account_id: `${account}`,
					...row,
					change,
					old,
					oldForgotten: before !== undefined && old === null,
					new: fromText(now, WATCHED),
				});
			}
		}
		const needed = memory.size - goneCount;
		const written = remember(memory, needed, maxBytes - sizeOf({ newest, memory: NOTHING }));
		return { state: written && { newest, memory: written.stored }, items };
	},
};
