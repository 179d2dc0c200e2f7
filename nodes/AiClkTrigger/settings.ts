import type { IDataObject, IPollFunctions } from 'n8n-workflow';

import { readDay } from '../shared/days';
import { type Read, readId, readIds, readSwitch, readWholeNumber, someOf } from '../shared/values';
import type { Json } from '../../aiclk/protocol/json';
import { refuse } from '../shared/errors';
import { fail } from '../../aiclk/util/result';
import { CREATIVE_STATUSES, MAX_DAYS } from './description';
import type { Settings } from './events/event';

function checked<T>(label: string, value: unknown, read: (value: unknown) => Read<T>): T {
	const result = read(value);
	if (result.ok) return result.value;
	return refuse(
		`'${label}' ${result.failure}`,
		'Nothing was sent. Correct the field or its expression.',
	);
}

const isEmpty = (value: unknown): boolean =>
	value === undefined || value === null || String(value).trim() === '';

/** The accounts in the field; the credential's only if the field itself is empty. */
function readAccounts(context: IPollFunctions, accountOfCredential: string): bigint[] {
	const typed = context.getNode().parameters.accountIds;
	const isLeftEmpty = isEmpty(typed) || typed === '=';
	const value = isLeftEmpty ? accountOfCredential : context.getNodeParameter('accountIds', '');
	const ids = checked('Account IDs', value, (ids) =>
		isLeftEmpty && isEmpty(ids)
			? fail('is empty, here and in the AiClk API credential')
			: readIds(ids),
	);
	return [...new Set(ids)];
}

/** Members of `query` for creative/get (P6). A filter that was added but is empty is refused. */
function readFilters(context: IPollFunctions): Record<string, Json> {
	const values = context.getNodeParameter('filters', {}) as IDataObject;
	const day = (value: unknown) => readDay(value, context.getTimezone());
	const pick = <T extends Json>(name: string, label: string, read: (value: unknown) => Read<T>) =>
		name in values ? checked(label, values[name], read) : undefined;
	const start = pick('createdFrom', 'Created From', day);
	const end = pick('createdTo', 'Created To', day);
	if (start !== undefined && end !== undefined && start > end) {
		refuse(
			`'Created From' (${start}) is after 'Created To' (${end})`,
			'Nothing was sent. Swap the two days.',
		);
	}
	const span = { ...(start !== undefined && { start }), ...(end !== undefined && { end }) };
	const filters: Record<string, Json | undefined> = {
		campaign_id: pick('campaignId', 'Campaign ID', readId),
		creative_id: pick('creativeIds', 'Creative IDs', readIds),
		configure_status: pick('configureStatus', 'Status', someOf(CREATIVE_STATUSES)),
		created_at: Object.keys(span).length > 0 ? span : undefined,
	};
	return Object.fromEntries(
		Object.entries(filters).filter((entry): entry is [string, Json] => entry[1] !== undefined),
	);
}

/**
 * Reads the fields that the event needs.
 *
 * @param accountOfCredential digits; '' for none
 * @throws FailureError for bad input, naming the field
 */
export function readSettings(
	context: IPollFunctions,
	event: string,
	accountOfCredential: string,
): Settings {
	const number = (name: string, label: string, max: number) =>
		checked(label, context.getNodeParameter(name), (value) =>
			readWholeNumber(value, { min: 0, max }),
		);
	const { emitExisting = false } = context.getNodeParameter('options', {}) as IDataObject;
	const isToken = event === 'tokenNeedsAttention';
	return {
		accounts: isToken ? [] : readAccounts(context, accountOfCredential),
		balance:
			event === 'balanceBelow' ? number('balance', 'Balance (Fen)', Number.MAX_SAFE_INTEGER) : 0,
		withinDays: isToken ? number('withinDays', 'Within Days', MAX_DAYS) : 0,
		filters: event === 'creativeChanged' ? readFilters(context) : {},
		emitExisting: checked('Emit Existing', emitExisting, readSwitch),
	};
}
