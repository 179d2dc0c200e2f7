import { charge } from './charge';

/** POST charge/agent (AiClk docs, P10). */
export const agent = charge({
	option: {
		name: 'Agent: Transfer Money',
		value: 'agent',
		action: 'Transfer money as agent',
		description: 'Move money from an agent to a sub-manager or advertiser, or take it back',
	},
	path: 'agent',
	amount: 'money',
	payer: 'The agent account',
	target: 'Sub-manager or advertiser account',
	namesSubAgent: false,
	hint: 'Check both accounts and the amount, and that your application has the permission agent.',
});
