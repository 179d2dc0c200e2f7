import { type Resource, transfer } from '../operations';
import { idRow } from '../../shared/fields';

const OF_AGENT = {
	payer: 'The agent account',
	target: 'Sub-manager or advertiser account',
	permission: 'agent',
};

/** POST charge/agent (AiClk docs, P10). */
const agent = transfer({
	...OF_AGENT,
	value: 'agent',
	name: 'Agent: Transfer Money',
	action: 'Create agent charge',
	description: 'Move money from an agent to a sub-manager or advertiser, or take it back',
	path: 'charge/agent',
	amount: 'money',
});

/** POST charge/agent-coupon (AiClk docs, P11). */
const agentCoupon = transfer({
	...OF_AGENT,
	value: 'agentCoupon',
	name: 'Agent: Transfer Coupon',
	action: 'Create agent coupon charge',
	description: 'Move a coupon amount from an agent to a sub-manager or advertiser, or take it back',
	path: 'charge/agent-coupon',
	amount: 'coupon',
});

const SUB_AGENT = idRow(
	'sub_agent_user',
	'Sub-Manager',
	'Account ID of the sub-manager (sub_agent_user)',
	'1000003',
	{ required: true },
);

/** POST charge/sub-agent-v2 (AiClk docs, P12). Its scope line says sub_agent, its text allows agent, too. */
const subAgent = transfer({
	value: 'subAgent',
	name: 'Sub-Manager: Transfer Money',
	action: 'Create sub manager charge',
	description: 'Move money from a sub-manager to an advertiser, or take it back',
	path: 'charge/sub-agent-v2',
	amount: 'money',
	authorized:
		"The account that authorized your application (account_id). AiClk's page does not say which account pays",
	target: 'Advertiser account',
	parameters: [SUB_AGENT],
	permission: 'sub_agent (or agent)',
});

/** POST charge/sub-agent-coupon (AiClk docs, P13). */
const subAgentCoupon = transfer({
	value: 'subAgentCoupon',
	name: 'Sub-Manager: Transfer Coupon',
	action: 'Create sub manager coupon charge',
	description: 'Move a coupon amount from a sub-manager to an advertiser, or take it back',
	path: 'charge/sub-agent-coupon',
	amount: 'coupon',
	payer: 'The sub-manager account',
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
