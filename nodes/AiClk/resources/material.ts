import { ok } from '../../../aiclk/util/failure';
import { oneOf } from '../../shared/values';
import { UPLOAD_TYPE_FIELD } from '../../../aiclk/protocol/assumptions';
import { list, type Resource, upload } from '../operations';
import { additionalFields, field, filters, sort } from '../../shared/fields';

const FIELDS =
	'account_id material_id material_name material_status material_type remote_url material_md5 audit_reason width height duration size created_at';

const COMMON_FIELDS =
	'account_id material_id material_name material_status material_type remote_url audit_reason width height created_at';

const STATUSES = {
	PASSED: 'Approved',
	DELETED: 'Deleted',
	UNDER_PASSING: 'Under Review',
	UN_PASSED: 'Rejected',
};

/** AiClk takes a list of [field, direction] (P7). Without it, AiClk's own order applies. */
const ORDER = field.custom(
	'order_by',
	'Material ID',
	(value) => {
		const direction = oneOf(['asc', 'desc'])(value);
		return direction.ok ? ok([['material_id', direction.value]]) : direction;
	},
	{
		name: 'materialId',
		type: 'options',
		options: [
			{ name: 'Newest First', value: 'desc', description: 'Material ID, descending' },
			{ name: 'Oldest First', value: 'asc', description: 'Material ID, ascending' },
		],
		default: 'desc',
		description: 'The order of the rows; AiClk sorts by material ID only',
	},
);

/** GET material/get (AiClk docs, P7). */
const getAll = list({
	value: 'getAll',
	name: 'Get Many',
	action: 'Get many materials',
	description: 'Get images and videos of an advertiser account, with their review status',
	path: 'material/get',
	parameters: [field.returned(FIELDS, COMMON_FIELDS)],
	collection: filters([
		field.ids('material_id', 'Material IDs', 'Separated by commas', '55555, 77777', {
			name: 'materialIds',
		}),
		field.choices('material_status', 'Status', STATUSES, {
			description: 'Review status; without it AiClk leaves deleted materials out',
		}),
	]),
	sort: sort([ORDER]),
	idField: 'material_id',
});

const MATERIAL_TYPE = field.text(
	UPLOAD_TYPE_FIELD,
	'Material Type',
	"AiClk's name for the type (material_type). The file must have exactly the dimensions of that type. Without this field, AiClk decides by format and aspect ratio. AiClk's pages do not list the names, and one example calls the field 'type'.",
	'IMAGE',
);

/** POST material/upload (AiClk docs, P8). */
const uploadMaterial = upload({
	value: 'upload',
	name: 'Upload',
	action: 'Upload material',
	description: 'Upload an image, a video or an app to an advertiser account',
	path: 'material/upload',
	collection: additionalFields([
		MATERIAL_TYPE,
		field.text(
			'pid',
			'Package ID',
			'Channel package ID or name (pid), for materials of the type APP',
		),
	]),
});

export const material: Resource = {
	option: { name: 'Material', value: 'material' },
	defaultOperation: 'getAll',
	operations: [getAll, uploadMaterial],
};
