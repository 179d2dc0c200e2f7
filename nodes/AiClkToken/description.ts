import type { INodeProperties } from 'n8n-workflow';

import { field, options } from '../shared/fields';

/** Days before the expiry of a token, which lives 90 days as documented. */
export const withinDaysField = (more: Partial<INodeProperties>) =>
	field.number('within_days', 'Within Days', {
		typeOptions: { minValue: 0, maxValue: 90, numberPrecision: 0 },
		...more,
	});

export const WITHIN_DAYS = withinDaysField({
	default: 30,
	displayOptions: { show: { operation: ['refresh'], when: ['whenExpiring'] } },
	description: 'Refresh when the access token expires within this many days, from 0 to 90',
	hint: 'With 30 days, a daily schedule is always first: the credential itself renews two to four weeks before expiry',
});

export const VERIFY = field.switch(
	'verify',
	'Verify',
	'Whether to also ask AiClk if it accepts the token. Like any request, this refreshes a token that is expired, rejected or due for renewal.',
	undefined,
	{ displayOptions: { show: { operation: ['status'] } } },
);

export const INCLUDE_ACCESS_TOKEN = field.switch(
	'include_access_token',
	'Include Access Token',
	'Whether to include the access token in the output. Everyone who can see the executions of this workflow can then read it. Not available to AI agents.',
);

export const OPTIONS = options([INCLUDE_ACCESS_TOKEN]);

/** The fields of the AiClk Token node. */
export const properties: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: [
			{
				name: 'Get Status',
				value: 'status',
				action: 'Get access token status',
				description:
					'Get how long the access token is valid, how many refreshes are left today and the last ten refreshes',
			},
			{
				name: 'Refresh',
				value: 'refresh',
				action: 'Refresh access token',
				description: 'Get a new access token and store it in the credential',
			},
		],
		default: 'refresh',
	},
	{
		displayName: 'When',
		name: 'when',
		type: 'options',
		options: [
			{
				name: 'Always',
				value: 'always',
				description:
					'Use one of the 300 refreshes that AiClk allows per day, however old the token is',
			},
			{
				name: 'Only When Expiring Soon',
				value: 'whenExpiring',
				description:
					"Do nothing while the token has more days left than 'Within Days'. Best for a daily schedule.",
			},
		],
		default: 'whenExpiring',
		displayOptions: { show: { operation: ['refresh'] } },
		description: 'When to get a new access token',
	},
	WITHIN_DAYS.property,
	VERIFY.property,
	OPTIONS.property,
];
