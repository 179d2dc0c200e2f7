import { type Resource, transfer } from '../define';

/** POST charge/agent (AiClk docs, P10). */
const agent = transfer({
	value: 'agent',
	name: 'Agent: Transfer Money',
	action: 'Transfer money as agent',
	description: 'Move money from an agent to a sub-manager or advertiser, or take it back',
	path: 'charge/agent',
	amount: 'money',
	account: 'The agent account',
	target: 'Sub-manager or advertiser account',
	permission: 'agent',
});

/** POST charge/agent-coupon (AiClk docs, P11). */
const agentCoupon = transfer({
	value: 'agentCoupon',
	name: 'Agent: Transfer Coupon',
	action: 'Transfer coupon as agent',
	description: 'Move a coupon amount from an agent to a sub-manager or advertiser, or take it back',
	path: 'charge/agent-coupon',
	amount: 'coupon',
	account: 'The agent account',
	target: 'Sub-manager or advertiser account',
	permission: 'agent',
});

/** POST charge/sub-agent-v2 (AiClk docs, P12). Its scope line says sub_agent, its text allows agent, too. */
const subAgent = transfer({
	value: 'subAgent',
	name: 'Sub-Manager: Transfer Money',
	action: 'Transfer money as sub manager',
	description: 'Move money from a sub-manager to an advertiser, or take it back',
	path: 'charge/sub-agent-v2',
	amount: 'money',
	account: 'The account that authorised your application,',
	target: 'Advertiser account',
	namesSubAgent: true,
	permission: 'sub_agent (or agent)',
});

/** POST charge/sub-agent-coupon (AiClk docs, P13). */
const subAgentCoupon = transfer({
	value: 'subAgentCoupon',
	name: 'Sub-Manager: Transfer Coupon',
	action: 'Transfer coupon as sub manager',
	description: 'Move a coupon amount from a sub-manager to an advertiser, or take it back',
	path: 'charge/sub-agent-coupon',
	amount: 'coupon',
	account: 'The sub-manager account',
	target: 'Advertiser account',
	permission: 'sub_agent',
});

export const charge: Resource = {
	option: {
		name: 'Charge',
		value: 'charge',
		description: 'Move money or coupons between accounts',
	},
	defaultOperation: 'agent',
	operations: [agentCoupon, agent, subAgentCoupon, subAgent],
};
