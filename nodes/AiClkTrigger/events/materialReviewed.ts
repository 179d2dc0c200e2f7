import type { IDataObject } from 'n8n-workflow';

import { field, options } from '../../shared/fields';
import { decodeRows, encodeRows, fromValue, type Known, toValue } from '../memory';
import {
	type Api,
	ACCOUNT_IDS,
	EMIT_EXISTING,
	FIRST_LOOK,
	type Found,
	type Row,
	rowsReader,
	SAMPLE_ROWS,
	type TriggerEvent,
} from './event';

const COMPARED = ['material_status', 'audit_reason'];

const FIELDS = [
	...'account_id material_id material_name material_type remote_url created_at'.split(' '),
	...COMPARED,
];

/** Materials that are known to be reviewed later. Every poll reads them. */
const OPEN = { material_status: ['UNDER_PASSING', 'UN_PASSED'] };

/** Materials with any other status are remembered, also with one that P7 does not name: it may come before a review. */
const CLOSED = ['PASSED', 'DELETED'];

const REVIEWED: Record<string, string> = { PASSED: 'approved', UN_PASSED: 'rejected' };

const NEWEST_FIRST = { order_by: [['material_id', 'desc']] };

/** Without a status, AiClk leaves deleted materials out (P7). */
const DELETED = { material_status: ['DELETED'] };

/** How many ids one request asks for: as many as fit on a page (P7). */
const MAX_IDS = 100;

const RESULT = field.choice(
	'result',
	'Result',
	{ both: 'Approved or Rejected', approved: 'Approved', rejected: 'Rejected' },
	{ default: 'both', description: 'Which results of a review to emit' },
);

const OPTIONS = options([EMIT_EXISTING, RESULT]);

/** @param before the value that is remembered; undefined if there is none */
const toItem = (row: Row, before: string | undefined): IDataObject => ({
	change: REVIEWED[String(row.material_status)] ?? null,
	material_name: null,
	audit_reason: null,
	...(row as IDataObject),
	old: before === undefined ? null : fromValue(before, COMPARED),
	new: fromValue(toValue(row, COMPARED), COMPARED),
});

/**
 * Compares rows with what is known. Those that may still be reviewed are remembered, and so are known ones that AiClk has left out:
 * it may have them again later.
 *
 * @param asked ids of known rows that AiClk was asked for @param emitsUnknown whether to emit reviews of unknown rows
 */
function compare(
	known: Known,
	rows: Map<string, Row>,
	asked: string[],
	emitsUnknown = true,
): Found {
	const values = decodeRows(known);
	const newest = BigInt(known.newest ?? 0);
	const stillOpen: Array<[id: string, value: string]> = [];
	const items: IDataObject[] = [];
	let highest = newest;
	for (const [id, row] of rows) {
		const status = String(row.material_status);
		const before = values.get(id);
		const now = toValue(row, COMPARED);
		const isNew = BigInt(id) > newest;
		if (BigInt(id) > highest) highest = BigInt(id);
		if (!CLOSED.includes(status)) stillOpen.push([id, now]);
		// Approved materials are not remembered. An approved one that is not new was approved before.
		const isUnknown = before === undefined && (isNew || status !== 'PASSED') && emitsUnknown;
		const isChanged = before !== undefined && before !== now;
		if (status in REVIEWED && (isUnknown || isChanged)) items.push(toItem(row, before));
	}
	const isAsked = new Set(asked);
	const leftOut = [...values].filter(([id]) => !rows.has(id));
	// `look` asks for the open ones, at the end, and for some before them. Those that were asked for have had their turn.
	const inOrder = [
		...leftOut.filter(([id]) => isAsked.has(id)),
		...leftOut.filter(([id]) => !isAsked.has(id)),
		...stillOpen,
	];
	const next = { ...known, newest: `${highest}`, keepLast: stillOpen.length };
	return { known: { ...next, ...encodeRows(new Map(inOrder)) }, items };
}

/** Emits each material that was approved or rejected since the last look, and each whose reason has changed (P7). */
export const materialReviewed: TriggerEvent = {
	option: {
		name: 'Material Reviewed',
		value: 'materialReviewed',
		description: 'An image or video was approved or rejected',
	},
	properties: [ACCOUNT_IDS.property, FIRST_LOOK, OPTIONS.property],
	createWatcher: (fields) => {
		const { emit_existing: emitExisting, result = 'both' } = fields.readAdded(OPTIONS);
		const isWanted = ({ change }: IDataObject) => result === 'both' || change === result;
		const read = rowsReader('/openapi/v1/material/get', 'material_id', { fields: FIELDS });
		/** P7 has no filter by day of change, so this asks for those with a higher id. */
		const readNew = async (api: Api, account: string, newest: bigint) => {
			for (let limit = 100; ; limit *= 10) {
				const all = await read(api, account, NEWEST_FIRST, limit);
				const rows = [...all].filter(([id]) => BigInt(id) > newest);
				if (all.size < limit || rows.length < all.size) return rows;
			}
		};
		return {
			isWanted,

			hasFilter: true,

			look: async (api, account, known, isFull) => {
				if (known === undefined && emitExisting === true) {
					return compare({}, await read(api, account, NEWEST_FIRST), []);
				}
				const rows = await read(api, account, { ...(!isFull && OPEN), ...NEWEST_FIRST });
				const add = (more: Iterable<[string, Row]>) => {
					for (const [id, row] of more) rows.set(id, row);
				};
				if (known === undefined) {
					add(await read(api, account, NEWEST_FIRST, 1));
					return compare({}, rows, [], false);
				}
				add(await readNew(api, account, BigInt(known.newest ?? 0)));
				const ids = [...decodeRows(known).keys()];
				// Those that were open at the last look, and before them as many of those that AiClk left out as one request asks for.
				const first = Math.max(0, ids.length - (known.keepLast ?? 0) - MAX_IDS);
				const asked = ids.slice(first).filter((id) => !rows.has(id));
				for (const status of [{}, DELETED]) {
					const missing = asked.filter((id) => !rows.has(id)).map(BigInt);
					for (let from = 0; from < missing.length; from += MAX_IDS) {
						const page = { material_id: missing.slice(from, from + MAX_IDS) };
						add(await read(api, account, { ...page, ...status }));
					}
				}
				return compare(known, rows, asked);
			},

			sample: async (api, account) => {
				const statuses = Object.keys(REVIEWED).filter((one) => isWanted({ change: REVIEWED[one] }));
				const query = { material_status: statuses, ...NEWEST_FIRST };
				let rows = await read(api, account, query, SAMPLE_ROWS);
				if (rows.size === 0) rows = await read(api, account, NEWEST_FIRST, SAMPLE_ROWS);
				return [...rows.values()].reverse().map((row) => toItem(row, toValue(row, COMPARED)));
			},
			empty: toItem({}, undefined),
		};
	},
};
