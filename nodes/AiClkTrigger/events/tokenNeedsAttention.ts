import { expiresWithin } from '../../../aiclk/token/status';
import { withinDaysField } from '../../AiClkToken/description';
import { alarm, type TokenCheck, type TriggerEvent } from './event';

const WITHIN_DAYS = withinDaysField({
	default: 10,
	description:
		'Emit when the access token expires within this many days, from 0 to 90, and when it is fine again. The credential renews it at least two weeks before: with 10 days left, renewals have been failing.',
	hint: "Both are emitted, trouble and its end: an If node on 'change' (attention, fine) tells them apart",
});

/** Why a person is needed; null if nobody is. */
function reasonOf({ report, failure }: TokenCheck, withinDays: number): string | null {
	if (failure !== null) return failure.kind === 'input' ? 'credential-incomplete' : 'not-renewed';
	if (!report.valid) return report.status;
	return expiresWithin(report, withinDays) ? 'expiring' : null;
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
	createWatcher: (fields) => {
		const withinDays = fields.read(WITHIN_DAYS);
		return alarm(async (api) => {
			const check = await api.getToken();
			const reason = reasonOf(check, withinDays);
			const { message = null, description: whatToDo = null } = check.failure ?? {};
			const change = reason === null ? 'fine' : 'attention';
			return { is: reason ?? 'fine', item: { change, reason, message, whatToDo, ...check.report } };
		});
	},
};
