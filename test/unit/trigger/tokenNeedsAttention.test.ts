import { reportToken, type TokenStatus } from '../../../aiclk/token/status';
import { shortFingerprint } from '../../../aiclk/token/input';
import { type Failure, newFailure } from '../../../aiclk/util/failure';
import type { TokenLook } from '../../../nodes/AiClkTrigger/events/event';
import {
	tokenNeedsAttention,
	type TokenTrouble,
} from '../../../nodes/AiClkTrigger/events/tokenNeedsAttention';
import { DAY_MS, NOW, token } from '../support';
import { settings } from './support';

const FAILURE: Failure = newFailure({
	kind: 'refused',
	message: 'AiClk said no',
	description: 'Do this',
});

const live = token('a');
const at = (nowMs: number, isRejected = false): TokenLook => ({
	report: reportToken(live, live.state.fingerprint, nowMs, 1, isRejected),
	failure: null,
});

const compare = (state: TokenTrouble | null, look: TokenLook, changes = {}) =>
	tokenNeedsAttention.compare(state, look, settings(changes), 1_000);

describe('Token Needs Attention', () => {
	const TROUBLE: Array<[reason: string, look: TokenLook]> = [
		['expiring', at(NOW + 80.5 * DAY_MS)],
		['expired', at(NOW + 91 * DAY_MS)],
		['rejected', at(NOW, true)],
		['missing', { report: reportToken(null, 'x', NOW, 0), failure: null }],
		['credentials-changed', { report: reportToken(live, 'x', NOW, 0), failure: null }],
		['not-renewed', { ...at(NOW), failure: FAILURE }],
		['credential-incomplete', { ...at(NOW), failure: { ...FAILURE, kind: 'input' } }],
	];

	it.each(TROUBLE)('a token that is %s emits attention once, then fine', (reason, look) => {
		const first = compare('fine', look);
		expect(first).toMatchObject({ state: 'attention', items: [{ change: 'attention', reason }] });
		expect(compare(first.state, look).items).toEqual([]);
		expect(compare('attention', at(NOW))).toMatchObject({
			state: 'fine',
			items: [{ change: 'fine', reason: null, status: 'valid' satisfies TokenStatus }],
		});
	});

	it('the attention item says what happened and what to do', () => {
		expect(compare('fine', { ...at(NOW), failure: FAILURE }).items).toMatchObject([
			{ message: 'AiClk said no', whatToDo: 'Do this', tokenFingerprint: shortFingerprint('a') },
		]);
	});

	it('a token emits attention within the set days before expiry', () => {
		expect(compare('fine', at(NOW + 79 * DAY_MS)).items).toEqual([]);
		expect(compare('fine', at(NOW + 79 * DAY_MS), { withinDays: 12 }).items).toHaveLength(1);
	});

	it('the first look at the token emits trouble only if asked to', () => {
		const trouble = { ...at(NOW), failure: FAILURE };
		expect(compare(null, trouble)).toEqual({ state: 'attention', items: [] });
		expect(compare(null, trouble, { emitExisting: true }).items).toHaveLength(1);
		expect(compare(null, at(NOW), { emitExisting: true }).items).toEqual([]);
	});
});
