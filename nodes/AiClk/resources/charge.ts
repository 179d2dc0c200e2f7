import type { INodeProperties } from 'n8n-workflow';

import type { JsonObject } from '../../../aiclk/protocol/json';
import { refuse, runsAsTool } from '../../shared/errors';
import { additionalFields, field } from '../../shared/fields';
import type { Parameters } from '../../shared/parameters';
import { readAmount } from '../../shared/values';
import { define, type Operation, type Resource, type Spec } from '../operations';
import { toTransferItem } from '../output';

const CONFIRM = field.switch(
	'confirm',
	'Confirm',
	'Whether this may move money. Without it nothing is sent. AiClk cannot tell a repeated transfer from a new one, so it is sent exactly once.',
);

/** Shown only where the node is a tool of an agent (n8n-workflow node-helpers.js, `@tool`). */
const ALLOW_AGENTS = field.switch(
	'allow_agents',
	'Let AI Agents Move Money',
	'Whether an AI agent may move money with this tool. Only a person can switch this on, not an expression. Add a human review of tool calls.',
	undefined,
	{ noDataExpression: true, displayOptions: { show: { '@tool': [true] } } },
);

const NOTICE: INodeProperties = {
	displayName:
		'This moves money between accounts as soon as it runs, once for each item. A negative amount takes money back from the target. 100 fen are 1 yuan. Retrying a sub-workflow from outside, or executing a later node alone, can move it again.',
	name: 'transferNotice',
	type: 'notice',
	default: '',
};

const COMMENT = field.text(
	'comment',
	'Comment',
	'A remark that AiClk keeps with the transfer',
	'order 2026-0042',
	{ hint: "With a comment of its own, a transfer is easy to find in AiClk's console" },
);

/** Refuses a transfer that nobody has confirmed. */
function checkTransfer(fields: Parameters): void {
	if (runsAsTool(fields.context) && fields.typed(ALLOW_AGENTS.property.name) !== true) {
		refuse(
			'An AI agent may not move money with this tool',
			"A person can allow it: switch 'Let AI Agents Move Money' on in the tool's panel. No expression can do that.",
		);
	}
	if (!fields.read(CONFIRM)) {
		refuse(
			"'Confirm' is off, so no money was moved",
			"Check accounts and amount, then switch 'Confirm' on.",
		);
	}
}

/**
 * A POST that moves an amount between two accounts. It names its account, requires Confirm and is sent once: AiClk has no order
 * number by which it could recognize a repeated transfer (P10-P13).
 *
 * @param spec says in words whose account `account_id` is (`payer`, or `authorized` where it does not pay) and whose `target_user` is,
 *   what is moved, and which permission the application needs
 */
function transfer({
	payer,
	authorized,
	target,
	amount,
	parameters = [],
	permission,
	...spec
}: Spec & {
	payer?: string;
	authorized?: string;
	target: string;
	amount: 'money' | 'coupon';
	permission: string;
}): Operation {
	const whose = authorized ?? `${payer} that pays the amount (account_id)`;
	const label = authorized === undefined ? 'Payer' : 'Authorized Account';
	const givenAs = `${whose}. It is never taken from the credential.`;
	const receives = `${target} that receives the amount (target_user)`;
	const unit = amount === 'money' ? 'Money (Fen)' : 'Coupon (Fen)';
	const amountField = field.custom(amount, unit, readAmount, {
		type: 'number',
		typeOptions: { numberPrecision: 0 },
		default: 0,
		required: true,
		description:
			'Amount in fen, a whole number other than 0. A negative amount is taken back from the target.',
		hint: '100 fen are 1 yuan: 10000 is 100 yuan',
	});
	const moved = (values: JsonObject) => ({
		target: String(values.target_user),
		amount: values[amount] as number,
		kind: amount,
	});
	const targetField = field.id('target_user', 'Target', receives, '1000004', { required: true });
	const sent = [...parameters, targetField, amountField];
	return define(
		{
			...spec,
			account: field.id('account_id', label, givenAs, '1000002', { required: true }),
			parameters: sent,
			// Without a comment, as in AiClk's examples.
			read: (fields) => ({ ...fields.readAll(sent), comment: '' }),
			collection: additionalFields([COMMENT]),
		},
		{
			effect: 'money',
			place: 'body',
			hint: `Check the accounts and the amount, and that your application has the permission ${permission}.`,
			before: [{ property: NOTICE }],
			after: [CONFIRM, ALLOW_AGENTS],
			check: checkTransfer,
			about: (accountId, values) => {
				const details = { ...moved(values), comment: String(values.comment) };
				const { amount: fen, target: to } = details;
				const what = `The transfer of ${fen} fen (${fen / 100} yuan${amount === 'coupon' ? ' in coupons' : ''})`;
				const from = authorized === undefined ? 'from' : 'by';
				return { subject: `${what} ${from} ${accountId} to ${to}`, details };
			},
			toItems: (envelope, accountId, values) =>
				toTransferItem(envelope, {
					[authorized === undefined ? 'payer' : 'authorizedAccount']: String(accountId),
					...('sub_agent_user' in values && { subManager: String(values.sub_agent_user) }),
					...moved(values),
				}),
		},
	);
}

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

const SUB_AGENT = field.id(
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
