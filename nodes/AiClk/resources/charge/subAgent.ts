import { charge } from './charge';

/** POST charge/sub-agent-v2 (AiClk docs, P12). Its scope line says sub_agent, its text allows agent, too. */
export const subAgent = charge({
	option: {
		name: 'Sub-Manager: Transfer Money',
		value: 'subAgent',
		action: 'Transfer money as sub manager',
		description: 'Move money from a sub-manager to an advertiser, or take it back',
	},
	path: 'sub-agent-v2',
	amount: 'money',
	payer: 'The account that authorised your application',
	target: 'Advertiser account',
	namesSubAgent: true,
	hint: 'Check all three accounts and the amount, and that your application has the permission sub_agent (or agent).',
});
