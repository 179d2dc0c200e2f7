import type { IDataObject } from 'n8n-workflow';

import { FILTERS as CREATIVE_FILTERS } from '../../AiClk/resources/creative';
import { field, filters, options } from '../../shared/fields';
import { decodeRows, encodeRows, fromValue, type Known, toValue } from '../memory';
import {
	ACCOUNT_IDS,
	EMIT_EXISTING,
	FIRST_LOOK,
	type Found,
	type Row,
	rowsReader,
	SAMPLE_ROWS,
	type TriggerEvent,
} from './event';

/** The fields whose change is emitted. */
const COMPARED = ['configure_status', 'effective_status', 'unable_reason', 'audit_reason'];

const FIELDS = [
	...'account_id campaign_id adgroup_id creative_id creative_name title created_at'.split(' '),
	...COMPARED,
];

/**
 * P6 filters by the day of the last change, but names no time zone: a change after the last look may be dated one day earlier than
 * in UTC. The second day is for a clock of n8n's that is ahead. What one that is further ahead hides, the daily full look finds.
 */
const OVERLAP_MS = 2 * 86_400_000;

/** YYYY-MM-DD in UTC. @param ms since 1970 */
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const ONLY_NEW_REASONS = field.switch(
	'only_new_reasons',
	'Only With a New Rejection Reason',
	'Whether to emit a creative only if it has a reason (audit_reason) that it did not have at the look before',
);

const FILTERS = filters(CREATIVE_FILTERS);
const OPTIONS = options([EMIT_EXISTING, ONLY_NEW_REASONS]);

/** @param before the value that is remembered; undefined if there is none @param now the value at this look */
function toItem(row: Row, change: string, before: string | undefined, now: string): IDataObject {
	const old = before === undefined ? null : fromValue(before, COMPARED);
	const values = fromValue(now, COMPARED);
	return {
		change,
		creative_name: null,
		audit_reason: null,
		...(row as IDataObject),
		changed: old && COMPARED.filter((field) => old[field] !== values[field]),
		old,
		new: values,
	};
}

const hasNewReason = ({ old, new: now }: IDataObject): boolean => {
	const { audit_reason: reason } = now as IDataObject;
	return reason !== '' && reason !== (old as IDataObject | null)?.audit_reason;
};

/**
 * Compares rows with what is known, and remembers them.
 *
 * @param changeOf how to call a row of which nothing is known, by its id; null if it is not to be emitted
 * @param recentIds of rows that the filter by day has named, and will name at the next look
 */
function compare(
	known: Known,
	rows: Map<string, Row>,
	changeOf: (id: string) => string | null,
	recentIds: string[],
): Found {
	const values = decodeRows(known);
	const items: IDataObject[] = [];
	const moveToEnd = (id: string, value: string): void => {
		values.delete(id);
		values.set(id, value);
	};
	for (const [id, row] of rows) {
		const before = values.get(id);
		const now = toValue(row, COMPARED);
		moveToEnd(id, now);
		const change = before === undefined ? changeOf(id) : 'changed';
		if (change !== null && before !== now) items.push(toItem(row, change, before, now));
	}
	for (const id of recentIds) moveToEnd(id, values.get(id) ?? '');
	return { known: { ...known, ...encodeRows(values), keepLast: recentIds.length }, items };
}

/** Emits each new creative, and each whose status, review result or reason has changed since the last look (P6). */
export const creativeChanged: TriggerEvent = {
	option: {
		name: 'Creative Changed',
		value: 'creativeChanged',
		description: 'A creative is new, or its status, review result or reason has changed',
	},
	properties: [ACCOUNT_IDS.property, FIRST_LOOK, FILTERS.property, OPTIONS.property],
	createWatcher: (fields, nowMs) => {
		const { emit_existing: emitExisting, only_new_reasons: onlyNew } = fields.readAdded(OPTIONS);
		const read = rowsReader('/openapi/v1/creative/get', 'creative_id', {
			...fields.readAdded(FILTERS),
			fields: FIELDS,
		});
		const today = dayOf(nowMs);
		/** The filter for what has changed since a day. */
		const changedSince = (since: string) => ({
			updated_at: { start: dayOf(Date.parse(since) - OVERLAP_MS) },
		});
		return {
			hasFilter: true,

			look: async (api, account, known, isFull) => {
				const isFirst = known === undefined;
				const all = isFirst || isFull ? await read(api, account, {}) : new Map<string, Row>();
				const last = known?.day ?? today;
				// If the clock was ahead at the last look, that must not hide later changes.
				const recent = await read(api, account, changedSince(last < today ? last : today));
				const rows = new Map([...all, ...recent]);
				const changeOf = (id: string): string | null => {
					if (isFirst) return emitExisting === true ? 'existing' : null;
					if (known.hasForgotten !== true) return 'new';
					return recent.has(id) ? 'newOrChanged' : null;
				};
				return compare({ ...known, day: today }, rows, changeOf, [...recent.keys()]);
			},

			isWanted: (item) => onlyNew !== true || hasNewReason(item),

			sample: async (api, account) => {
				let rows = await read(api, account, changedSince(today), SAMPLE_ROWS);
				if (rows.size === 0) rows = await read(api, account, {}, SAMPLE_ROWS);
				return [...rows.values()].reverse().map((row) => {
					const now = toValue(row, COMPARED);
					return toItem(row, 'existing', now, now);
				});
			},
			empty: toItem({}, 'existing', undefined, toValue({}, COMPARED)),
		};
	},
};
