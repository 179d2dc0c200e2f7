import { charge } from './charge';

/** POST charge/sub-agent-coupon (AiClk docs, P13). */
export const subAgentCoupon = charge({
	option: {
		name: 'Sub-Manager: Transfer Coupon',
		value: 'subAgentCoupon',
		action: 'Transfer coupon as sub manager',
		description: 'Move a coupon amount from a sub-manager to an advertiser, or take it back',
	},
	path: 'sub-agent-coupon',
	amount: 'coupon',
	payer: 'The sub-manager account',
	target: 'Advertiser account',
	namesSubAgent: false,
	hint: 'Check both accounts and the amount, and that your application has the permission sub_agent.',
});
