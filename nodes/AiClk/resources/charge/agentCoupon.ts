import { charge } from './charge';

/** POST charge/agent-coupon (AiClk docs, P11). */
export const agentCoupon = charge({
	option: {
		name: 'Agent: Transfer Coupon',
		value: 'agentCoupon',
		action: 'Transfer coupon as agent',
		description:
			'Move a coupon amount from an agent to a sub-manager or advertiser, or take it back',
	},
	path: 'agent-coupon',
	amount: 'coupon',
	payer: 'The agent account',
	target: 'Sub-manager or advertiser account',
	namesSubAgent: false,
	hint: 'Check both accounts and the amount, and that your application has the permission agent.',
});
