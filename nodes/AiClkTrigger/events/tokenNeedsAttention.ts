import type { IDataObject } from 'n8n-workflow';

import { parameter } from '../../shared/fields';
import { readWholeNumber } from '../../shared/values';
import type { TokenLook, TriggerEvent } from './event';

/** The documented life of a token, in days. */
const MAX_DAYS = 90;
const DAY_S = 86_400;

const WITHIN_DAYS = parameter(
	'within_days',
	'Within Days',
	(value) => readWholeNumber(value, { min: 0, max: MAX_DAYS }),
	{
		type: 'number',
		typeOptions: { minValue: 0, maxValue: MAX_DAYS, numberPrecision: 0 },
		default: 10,
		description:
			'Emit when the access token expires within this many days, from 0 to 90, and when it is fine again. The credential renews it at least two weeks before: with 10 days left, renewals have been failing.',
		hint: "Both are emitted, trouble and its end: an If node on 'change' (attention, fine) tells them apart",
	},
);

/** Why a person is needed; null if nobody is. */
function reasonOf({ report, failure }: TokenLook, withinDays: number): string | null {
	if (failure !== null) return failure.kind === 'input' ? 'credential-incomplete' : 'not-renewed';
	if (!report.valid) return report.status;
	return (report.expiresInSeconds ?? 0) <= withinDays * DAY_S ? 'expiring' : null;
}

function toItem(look: TokenLook, withinDays: number): IDataObject {
	const reason = reasonOf(look, withinDays);
	const { message = null, description: whatToDo = null } = look.failure ?? {};
	const change = reason === null ? 'fine' : 'attention';
	return { change, reason, message, whatToDo, ...look.report };
}

/**
 * Emits `attention` with a reason when the token cannot be used or renewed, is rejected or expires soon, again when the reason
 * changes, and `fine` when that is over. An outage is none of these: the poll fails with its error.
 */
export const tokenNeedsAttention: TriggerEvent = {
	option: {
		name: 'Token Needs Attention',
		value: 'tokenNeedsAttention',
		description:
			'The access token is invalid, rejected, about to expire or cannot be renewed, or is fine again',
	},
	properties: [WITHIN_DAYS.property],
	isAboutCredential: true,
	read: (fields) => {
		const withinDays = fields.read(WITHIN_DAYS);
		return {
			look: async (api, _, known) => {
				const item = toItem(await api.readToken(), withinDays);
				const is = String(item.reason ?? 'fine');
				return { known: { is }, items: is === (known?.is ?? 'fine') ? [] : [item] };
			},
			sample: async (api) => [toItem(await api.readToken(), withinDays)],
		};
	},
};
