import type { TokenLook, TriggerEvent } from './event';

/** Whether the token needed attention. */
export type TokenTrouble = 'attention' | 'fine';

const DAY_S = 86_400;

/** Why a person is needed; null if nobody is. */
function reasonOf({ report, failure }: TokenLook, withinDays: number): string | null {
	if (failure !== null) return failure.kind === 'input' ? 'credential-incomplete' : 'not-renewed';
	if (!report.valid) return report.status;
	return (report.expiresInSeconds ?? 0) <= withinDays * DAY_S ? 'expiring' : null;
}

/**
 * Emits `attention` when the token cannot be used or renewed, is rejected or expires soon, and `fine` when that is over. An outage
 * is neither: the poll fails with its error.
 */
export const tokenNeedsAttention: TriggerEvent<TokenTrouble, TokenLook> = {
	look: async (api) => await api.readToken(),

	compare: (state, look, { withinDays, emitExisting }) => {
		const reason = reasonOf(look, withinDays);
		const now = reason === null ? 'fine' : 'attention';
		const before = state ?? (emitExisting ? 'fine' : now);
		if (now === before) return { state: now, items: [] };
		const { message = null, description: whatToDo = null } = look.failure ?? {};
		return { state: now, items: [{ change: now, reason, message, whatToDo, ...look.report }] };
	},
};
