import type { INodeProperties } from 'n8n-workflow';

/** Days of a token's documented life: the widest sensible window. */
export const MAX_DAYS = 90;

/** What AiClk calls the states of a creative's switch (P6). */
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
			'One or several advertiser accounts, with commas between them. Empty: the one in the credential.',
		displayOptions: shownFor('balanceBelow', 'creativeChanged', 'materialReviewed'),
	},
	{
		displayName: 'Balance (Fen)',
		name: 'balance',
		type: 'number',
		typeOptions: { minValue: 0, numberPrecision: 0 },
		default: 100000,
		description: 'The amount in fen: a cash balance below it is emitted',
		hint: '100 fen are 1 yuan: 100,000 stands for 1,000 yuan',
		displayOptions: shownFor('balanceBelow'),
	},
	{
		displayName: 'Within Days',
		name: 'withinDays',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: MAX_DAYS, numberPrecision: 0 },
		default: 10,
		description: 'Emit when the access token expires within this many days, from 0 to 90',
		hint: 'The credential renews the token at least two weeks before it expires: with 10, renewals have failed for days',
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
				description: 'With commas between them',
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
					'Watch creatives that are switched like this (configure_status). One that is switched to another status is no longer seen.',
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
					'Whether the first look emits all that is there, and not only what changes afterwards',
			},
		],
	},
];
