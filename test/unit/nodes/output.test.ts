import fc from 'fast-check';

import { toYuan } from '../../../nodes/AiClk/output';

/** Fen as yuan, by moving the decimal point. */
const byHand = (fen: number): string => {
	const digits = String(Math.abs(fen)).padStart(3, '0');
	return `${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

describe('toYuan', () => {
	it('every amount of up to 15 digits keeps both decimals, and comes back', () => {
		fc.assert(
			fc.property(fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }), (fen) => {
				const output = toYuan([{ balance: fen }], ['balance']);
				const [item] = output.ok ? output.value : [];
				const yuan = Number(item?.balance);
				expect(yuan.toFixed(2).replace('-0.00', '0.00')).toBe(byHand(fen));
				expect(Math.round(yuan * 100)).toBe(fen);
			}),
		);
	});

	it('changes nothing but the amounts, and not the row itself', () => {
		const row = { account_id: 100, balance: 250, date: '2026-01-01' };
		expect(toYuan([row], ['balance', 'coupon'])).toEqual({
			ok: true,
			value: [{ account_id: 100, balance: 2.5, date: '2026-01-01' }],
		});
		expect(row.balance).toBe(250);
	});
});
