import type { INodeProperties } from 'n8n-workflow';

/** The documented life of a token, in days. */
export const MAX_DAYS = 90;

/** AiClk's names for the status that a person sets for a creative (P6). */
export const CREATIVE_STATUSES = ['ENABLE', 'PAUSED', 'DELETED', 'RELATE_DELETED'];

const shownFor = (...event: string[]) => ({ show: { event } });

/** The fields of the AiClk Trigger node; n8n adds Poll Times. */
export const properties: INodeProperties[] = [
	{
		displayName: 'Event',
		name: 'event',
		type: 'options',
		noDataExpression: true,
		options: [
			{
				name: 'Balance Below',
				value: 'balanceBelow',
				description: 'The cash balance of an account fell below an amount, or has recovered',
			},
			{
				name: 'Creative Changed',
				value: 'creativeChanged',
				description: 'A creative is new, or its status, review result or reason has changed',
			},
			{
				name: 'Material Reviewed',
				value: 'materialReviewed',
				description: 'An image or video was approved or rejected',
			},
			{
				name: 'Token Needs Attention',
				value: 'tokenNeedsAttention',
				description:
					'The access token is invalid, rejected, about to expire or cannot be renewed, or is fine again',
			},
		],
		default: 'creativeChanged',
	},
	{
		displayName: 'Account IDs',
		name: 'accountIds',
		type: 'string',
		default: '',
		placeholder: 'e.g. 1000002, 1000003',
		description:
			'One or more advertiser accounts, separated by commas. If empty, the account of the credential.',
		displayOptions: shownFor('balanceBelow', 'creativeChanged', 'materialReviewed'),
	},
	{
		displayName: 'Balance (Fen)',
		name: 'balance',
		type: 'number',
		typeOptions: { minValue: 0, numberPrecision: 0 },
		default: 100000,
		description: 'Emit when the cash balance falls below this amount, in fen',
		hint: '100 fen are 1 yuan: 100,000 is 1,000 yuan',
		displayOptions: shownFor('balanceBelow'),
	},
	{
		displayName: 'Within Days',
		name: 'withinDays',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: MAX_DAYS, numberPrecision: 0 },
		default: 10,
		description: 'Emit when the access token expires within this many days, from 0 to 90',
		hint: 'The credential renews the token at least two weeks before it expires. With 10 days left, renewals have been failing.',
		displayOptions: shownFor('tokenNeedsAttention'),
	},
	{
		displayName: 'Filters',
		name: 'filters',
		type: 'collection',
		placeholder: 'Add Filter',
		default: {},
		displayOptions: shownFor('creativeChanged'),
		options: [
			{
				displayName: 'Campaign ID',
				name: 'campaignId',
				type: 'string',
				default: '',
				placeholder: 'e.g. 20195330',
				description: 'Watch creatives of this campaign only',
			},
			{
				displayName: 'Created From',
				name: 'createdFrom',
				type: 'dateTime',
				default: '',
				description: 'First day of creation, included',
			},
			{
				displayName: 'Created To',
				name: 'createdTo',
				type: 'dateTime',
				default: '',
				description: 'Last day of creation, included',
			},
			{
				displayName: 'Creative IDs',
				name: 'creativeIds',
				type: 'string',
				default: '',
				placeholder: 'e.g. 77777, 88888',
				description: 'Separated by commas',
			},
			{
				displayName: 'Status',
				name: 'configureStatus',
				type: 'multiOptions',
				options: [
					{ name: 'Deleted', value: 'DELETED' },
					{ name: 'Deleted With Its Parent', value: 'RELATE_DELETED' },
					{ name: 'Enabled', value: 'ENABLE' },
					{ name: 'Paused', value: 'PAUSED' },
				],
				default: [],
				description:
					'Watch only creatives with this status (configure_status). A creative that gets another status is no longer seen.',
			},
		],
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		options: [
			{
				displayName: 'Emit Existing',
				name: 'emitExisting',
				type: 'boolean',
				default: false,
				description:
					'Whether the first look emits everything that exists, and not only later changes',
			},
		],
	},
];
