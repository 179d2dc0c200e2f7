import { readIds, readNames } from '../../../../aiclk/api/values';
import { given } from '../../fields';
import { rowItems } from '../../items';
import type { Operation } from '../../operation';
import { accountId, fieldList, filters, paging, simplify } from '../../properties';

const FIELDS =
	'account_id material_id material_name material_status material_type remote_url material_md5 audit_reason width height duration size created_at'.split(
		' ',
	);

const STATUSES = ['PASSED', 'DELETED', 'UNDER_PASSING', 'UN_PASSED'];

/** GET material/get (AiClk docs, P7). */
export const getAll: Operation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many materials',
		description: 'Get images and videos of an advertiser account, with their review status',
	},
	properties: [
		accountId('The advertiser account'),
		fieldList(FIELDS, FIELDS),
		...paging,
		{
			displayName: 'Sort',
			name: 'sort',
			type: 'options',
			options: [
				{ name: 'As AiClk Returns Them', value: '' },
				{ name: 'Newest First', value: 'desc', description: 'Material ID, descending' },
				{ name: 'Oldest First', value: 'asc', description: 'Material ID, ascending' },
			],
			default: '',
			description: 'The order of the rows; AiClk sorts by material ID only',
		},
		filters([
			{
				displayName: 'Material IDs',
				name: 'materialIds',
				type: 'string',
				default: '',
				placeholder: 'e.g. 55555, 77777',
				description: 'With commas between them',
			},
			{
				displayName: 'Status',
				name: 'materialStatus',
				type: 'multiOptions',
				options: [
					{ name: 'Approved', value: 'PASSED' },
					{ name: 'Deleted', value: 'DELETED' },
					{ name: 'Rejected', value: 'UN_PASSED' },
					{ name: 'Under Review', value: 'UNDER_PASSING' },
				],
				default: [],
				description: 'Review status; without it AiClk leaves deleted materials out',
			},
		]),
		simplify,
	],
	plan: (fields) => {
		const direction = fields.get('sort', 'Sort', (value) =>
			readNames(value, ['asc', 'desc'], { mayBeEmpty: true }),
		)[0];
		return {
			request: {
				method: 'GET',
				path: '/openapi/v1/material/get',
				effect: 'read',
				parameters: { account_id: fields.accountId() },
				query: given({
					material_id: fields.pick('filters', 'materialIds', 'Material IDs', readIds),
					material_status: fields.pick('filters', 'materialStatus', 'Status', (value) =>
						readNames(value, STATUSES, { mayBeEmpty: true }),
					),
					fields: fields.get('fields', 'Fields', (value) => readNames(value, FIELDS)),
					order_by: direction && [['material_id', direction]],
				}),
			},
			hint: 'Check the Account ID and the filters, and that your application may read it (ads_read).',
			pages: { limit: fields.limit(), travelIn: 'query' },
			simplify: fields.isOn('simplify'),
			toItems: rowItems,
		};
	},
};
