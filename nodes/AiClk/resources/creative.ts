import { list, type Resource } from '../operations';
import { field, filters } from '../../shared/fields';

const FIELDS =
	'account_id campaign_id adgroup_id creative_id creative_name sub_cate pkg_name app_name app_logo api_id js_conversion_id conversion_type type optimization_goal configure_status effective_status unable_reason title second_title description app_introduction target_url target_url_h5 download_url image app video_id audit_reason clk_site_id click_feedback_url text_link_btn deep_link universal_link text_link_description game_url video_title motivate_style play_action play_duration conversion_target back_end_conversion game_material_id created_at motivate_video_autoplay original_id path resource_name';
const COMMON_FIELDS =
	'account_id campaign_id adgroup_id creative_id creative_name configure_status effective_status audit_reason title created_at';

const STATUSES = {
	ENABLE: 'Enabled',
	PAUSED: 'Paused',
	DELETED: 'Deleted',
	RELATE_DELETED: 'Deleted With Its Parent',
};

const day = (aiclkName: string, name: string, label: string, description: string) =>
	field.day(aiclkName, label, description, undefined, { name });

/** Of those of P6, the filters that the AiClk Trigger has as well. */
export const FILTERS = [
	field.id('campaign_id', 'Campaign ID', 'Return creatives of this campaign only', '20195330'),
	field.ids('creative_id', 'Creative IDs', 'Separated by commas', '77777, 88888', {
		name: 'creativeIds',
	}),
	field.choices('configure_status', 'Status', STATUSES, {
		description: 'Whether the creative is switched on (configure_status)',
	}),
	day('created_at.start', 'createdFrom', 'Created From', 'First day of creation, included'),
	day('created_at.end', 'createdTo', 'Created To', 'Last day of creation, included'),
];

/** GET creative/get (AiClk docs, P6). */
const getAll = list({
	value: 'getAll',
	name: 'Get Many',
	action: 'Get many creatives',
	description: 'Get the creatives of an advertiser account, with their status and review result',
	path: 'creative/get',
	parameters: [field.returned(FIELDS, COMMON_FIELDS)],
	collection: filters([
		...FILTERS,
		day(
			'updated_at.start',
			'updatedFrom',
			'Updated From',
			'First day of the last change, included',
		),
		day('updated_at.end', 'updatedTo', 'Updated To', 'Last day of the last change, included'),
	]),
	idField: 'creative_id',
});

export const creative: Resource = {
	option: { name: 'Creative', value: 'creative' },
	defaultOperation: 'getAll',
	operations: [getAll],
};
