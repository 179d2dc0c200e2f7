import type { Resource } from '../../operation';
import { agent } from './agent';
import { agentCoupon } from './agentCoupon';
import { subAgent } from './subAgent';
import { subAgentCoupon } from './subAgentCoupon';

export const charge: Resource = {
	option: {
		name: 'Charge',
		value: 'charge',
		description: 'Move money or coupons between accounts',
	},
	defaultOperation: 'agent',
	operations: [agentCoupon, agent, subAgentCoupon, subAgent],
};
