import type { IDataObject } from 'n8n-workflow';

import { TEXT_IDS_OF_MATERIAL, UPLOAD_TYPE_FIELD } from '../../../../aiclk/protocol/assumptions';
import { readText } from '../../../../aiclk/api/values';
import { oneItem } from '../../items';
import type { Operation } from '../../operation';
import { accountId, simplify } from '../../properties';

/** The ids of a material as texts, whatever they came as; those of a video's cover, too. */
const withTextIds = (material: IDataObject): IDataObject => {
	const ids = TEXT_IDS_OF_MATERIAL.filter((name) => typeof material[name] === 'number');
	const cover = material.cover as IDataObject | null | undefined;
	return {
		...material,
		...Object.fromEntries(ids.map((name) => [name, String(material[name])])),
		...(typeof cover === 'object' && cover !== null && { cover: withTextIds(cover) }),
	};
};

/** POST material/upload (AiClk docs, P8). */
export const upload: Operation = {
	option: {
		name: 'Upload',
		value: 'upload',
		action: 'Upload material',
		description: 'Upload an image, a video or an app to an advertiser account',
	},
	properties: [
		accountId('The advertiser account'),
		{
			displayName: 'Input Binary Field',
			name: 'binaryPropertyName',
			type: 'string',
			default: 'data',
			required: true,
			hint: 'The name of the input field containing the binary file data to be uploaded',
		},
		{
			displayName: 'Additional Fields',
			name: 'additionalFields',
			type: 'collection',
			placeholder: 'Add Field',
			default: {},
			options: [
				{
					displayName: 'Material Type',
					name: 'materialType',
					type: 'string',
					default: '',
					placeholder: 'e.g. IMAGE',
					description:
						"AiClk's name of the type (material_type); its sizes must match exactly. Empty: AiClk finds out by format and aspect ratio. Its pages do not list the names, and one of their examples calls the field 'type'.",
				},
				{
					displayName: 'Package ID',
					name: 'pid',
					type: 'string',
					default: '',
					description: 'Channel package ID or name (pid), for materials of the type APP',
				},
			],
		},
		simplify,
	],
	plan: async (fields) => {
		const property = fields.get('binaryPropertyName', 'Input Binary Field', (value) =>
			readText(value, { required: true }),
		);
		const materialType = fields.pick('additionalFields', 'materialType', 'Material Type', readText);
		const pid = fields.pick('additionalFields', 'pid', 'Package ID', readText);
		return {
			request: {
				method: 'POST',
				path: '/openapi/v1/material/upload',
				effect: 'change',
				parameters: { account_id: fields.accountId() },
				form: {
					...(materialType !== undefined && { [UPLOAD_TYPE_FIELD]: materialType }),
					...(pid !== undefined && { pid }),
					file: await fields.file(property),
				},
			},
			hint: 'Check format and size of the file and the Material Type, and that your application may write to the account (ads_write).',
			simplify: fields.isOn('simplify'),
			toItems: (data) => oneItem(data).map(withTextIds),
		};
	},
};
