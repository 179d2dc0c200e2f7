import { readId, readIds, readNames } from '../../../../aiclk/api/values';
import { given, type Fields } from '../../fields';
import { rowItems } from '../../items';
import type { Operation } from '../../operation';
import { accountId, fieldList, filters, paging, simplify } from '../../properties';

const FIELDS =
	'account_id campaign_id adgroup_id creative_id creative_name sub_cate pkg_name app_name app_logo api_id js_conversion_id conversion_type type optimization_goal configure_status effective_status unable_reason title second_title description app_introduction target_url target_url_h5 download_url image app video_id audit_reason clk_site_id click_feedback_url text_link_btn deep_link universal_link text_link_description game_url video_title motivate_style play_action play_duration conversion_target back_end_conversion game_material_id created_at motivate_video_autoplay original_id path resource_name'.split(
		' ',
	);

const COMMON_FIELDS = [
	'account_id',
	'campaign_id',
	'adgroup_id',
	'creative_id',
	'creative_name',
	'configure_status',
	'effective_status',
	'audit_reason',
	'title',
	'created_at',
];

const STATUSES = ['ENABLE', 'PAUSED', 'DELETED', 'RELATE_DELETED'];

/** A span of days as AiClk has it; undefined when neither end is given. */
function spanOf(fields: Fields, name: string, label: string) {
	const start = fields.pick('filters', `${name}From`, `${label} From`, fields.asDay);
	const end = fields.pick('filters', `${name}To`, `${label} To`, fields.asDay);
	if (start !== undefined && end !== undefined && start > end) {
		fields.refuse(
			`'${label} From' (${start}) is after '${label} To' (${end})`,
			'Nothing was sent. Exchange the two.',
		);
	}
	return start === undefined && end === undefined ? undefined : given({ start, end });
}

/** GET creative/get (AiClk docs, P6). */
export const getAll: Operation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many creatives',
		description: 'Get the creatives of an advertiser account, with their status and review result',
	},
	properties: [
		accountId('The advertiser account'),
		fieldList(FIELDS, COMMON_FIELDS),
		...paging,
		filters([
			{
				displayName: 'Campaign ID',
				name: 'campaignId',
				type: 'string',
				default: '',
				placeholder: 'e.g. 20195330',
				description: 'Return creatives of this campaign only',
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
				description: 'Whether the creative is switched on (configure_status)',
			},
			{
				displayName: 'Updated From',
				name: 'updatedFrom',
				type: 'dateTime',
				default: '',
				description: 'First day of the last change, included',
			},
			{
				displayName: 'Updated To',
				name: 'updatedTo',
				type: 'dateTime',
				default: '',
				description: 'Last day of the last change, included',
			},
		]),
		simplify,
	],
	plan: (fields) => ({
		request: {
			method: 'GET',
			path: '/openapi/v1/creative/get',
			effect: 'read',
			parameters: { account_id: fields.accountId() },
			query: given({
				campaign_id: fields.pick('filters', 'campaignId', 'Campaign ID', readId),
				creative_id: fields.pick('filters', 'creativeIds', 'Creative IDs', readIds),
				configure_status: fields.pick('filters', 'configureStatus', 'Status', (value) =>
					readNames(value, STATUSES, { mayBeEmpty: true }),
				),
				created_at: spanOf(fields, 'created', 'Created'),
				updated_at: spanOf(fields, 'updated', 'Updated'),
				fields: fields.get('fields', 'Fields', (value) => readNames(value, FIELDS)),
			}),
		},
		hint: 'Check the Account ID and the filters, and that your application may read it (ads_read).',
		pages: { limit: fields.limit(), travelIn: 'query' },
		simplify: fields.isOn('simplify'),
		toItems: rowItems,
	}),
};
