import type { INodeProperties } from 'n8n-workflow';

import { toBody } from '../../../../aiclk/protocol/assumptions';
import { readAmount, readId, readText } from '../../../../aiclk/api/values';
import { given } from '../../fields';
import { oneItem } from '../../items';
import type { Operation } from '../../operation';
import { accountId, simplify } from '../../properties';

/** What tells the four charges apart. */
export interface Charge {
	option: Operation['option'];
	/** Below `/openapi/v1/charge/`. */
	path: string;
	/** The field of the amount, as AiClk names it. */
	amount: 'money' | 'coupon';
	/** Whose account `account_id` is. */
	payer: string;
	/** Whose account `target_user` is. */
	target: string;
	/** Whether the body names the sub-manager, too. */
	namesSubAgent: boolean;
	hint: string;
}

const targetUser = (whose: string): INodeProperties => ({
	displayName: 'Target User',
	name: 'targetUser',
	type: 'string',
	default: '',
	required: true,
	placeholder: 'e.g. 1000004',
	description: `${whose} that gets the amount (target_user)`,
});

const subAgentUser: INodeProperties = {
	displayName: 'Sub-Manager',
	name: 'subAgentUser',
	type: 'string',
	default: '',
	required: true,
	placeholder: 'e.g. 1000003',
	description: 'Account ID of the sub-manager (sub_agent_user)',
};

const amountField = (name: Charge['amount']): INodeProperties => ({
	displayName: name === 'money' ? 'Money' : 'Coupon',
	name,
	type: 'number',
	typeOptions: { numberPrecision: 0 },
	default: 0,
	required: true,
	description:
		'Amount in fen, a whole number other than 0. A negative amount takes the money back from the target.',
	hint: '100 fen are 1 yuan: 10000 is 100 yuan',
});

const comment: INodeProperties = {
	displayName: 'Comment',
	name: 'comment',
	type: 'string',
	default: '',
	placeholder: 'e.g. order 2026-0042',
	description: 'A remark that AiClk keeps with the transfer',
	hint: "One that is different for each transfer is easy to find in the account's transactions",
};

const confirm: INodeProperties = {
	displayName: 'Confirm',
	name: 'confirm',
	type: 'boolean',
	default: false,
	description:
		'Whether this may move money. Without it nothing is sent. AiClk knows no way to tell a repeated transfer from a new one, so it is sent exactly once.',
};

/** Moves an amount between two accounts. Sent once, whatever happens: no page knows an order number (AiClk docs, P10-P13). */
export const charge = ({
	option,
	path,
	amount,
	payer,
	target,
	namesSubAgent,
	hint,
}: Charge): Operation => ({
	option,
	properties: [
		accountId(payer),
		...(namesSubAgent ? [subAgentUser] : []),
		targetUser(target),
		amountField(amount),
		comment,
		confirm,
		simplify,
	],
	plan: (fields) => {
		if (!fields.isOn('confirm')) {
			fields.refuse(
				"'Confirm' is off, so no money was moved",
				'Nothing was sent. Switch Confirm on when account, target and amount are right.',
			);
		}
		if (fields.isRetried) {
			fields.refuse(
				'This node would repeat a transfer that may have been carried out',
				"Nothing was sent. Switch Retry On Fail off in the node's settings: AiClk cannot tell a repeated transfer from a new one.",
			);
		}
		const label = amount === 'money' ? 'Money' : 'Coupon';
		return {
			request: {
				method: 'POST',
				path: `/openapi/v1/charge/${path}`,
				effect: 'money',
				parameters: { account_id: fields.accountId() },
				body: toBody(
					given({
						sub_agent_user: namesSubAgent
							? fields.get('subAgentUser', 'Sub-Manager', readId)
							: undefined,
						target_user: fields.get('targetUser', 'Target User', readId),
						[amount]: fields.get(amount, label, readAmount),
						comment: fields.get('comment', 'Comment', readText),
					}),
				),
			},
			hint,
			simplify: fields.isOn('simplify'),
			toItems: oneItem,
		};
	},
});
