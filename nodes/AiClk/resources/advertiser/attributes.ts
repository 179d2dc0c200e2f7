import type { INodeProperties } from 'n8n-workflow';

import { fail, ok } from '../../../../aiclk/util/result';
import {
	type Read,
	readId,
	readIds,
	readText,
	readWholeNumber,
} from '../../../../aiclk/api/values';
import type { Json } from '../../../../aiclk/protocol/json';
import { type Fields, given } from '../../fields';

const notEmpty = (value: unknown): Read<string> => readText(value, { required: true });

const someIds = (value: unknown): Read<bigint[]> => {
	const ids = readIds(value);
	return ids.ok && ids.value.length === 0 ? fail('is empty') : ids;
};

/** "6 to 30 characters, must hold upper case, lower case and digits" (AiClk docs, P4). The value is never in the text. */
export const readPassword = (value: unknown): Read<string> =>
	typeof value === 'string' &&
	/^.{6,30}$/s.test(value) &&
	[/[A-Z]/, /[a-z]/, /\d/].every((kind) => kind.test(value))
		? ok(value)
		: fail('must have 6 to 30 characters, with upper case, lower case and digits among them');

/** "Must be a valid e-mail address" (AiClk docs, P5): what nobody could deliver to is refused here. */
const readEmail = (value: unknown): Read<string> =>
	/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(String(value).trim())
		? ok(String(value).trim())
		: fail('is not an e-mail address');

/** One attribute of an advertiser: its field, its name at AiClk, and how its value is read. */
export interface Attribute {
	name: string;
	label: string;
	read(value: unknown): Read<Json>;
	property: INodeProperties;
}

const attribute = (
	name: string,
	label: string,
	read: Attribute['read'],
	more: Partial<INodeProperties> = {},
): Attribute => ({
	name,
	label,
	read,
	property: {
		displayName: label,
		name: name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
		type: 'string',
		default: '',
		...more,
	},
});

const idsWithCommas = { description: 'With commas between them' };
const forAppDownload = (what: string) => ({
	description: `${what}; AiClk wants it for the app download industry`,
});

const company = attribute('company', 'Company', notEmpty, {
	description: 'Full name of the company',
});
const licenseCode = attribute('license_code', 'License Code', notEmpty, {
	description: 'Unified social credit code of the business licence',
});
const companyRegion = attribute('company_region', 'Company Region', someIds, {
	placeholder: 'e.g. 310000, 310100, 310115',
	description: 'Codes of province, city and district, with commas between them',
});
const companyAddress = attribute('company_address', 'Company Address', notEmpty, {
	placeholder: 'e.g. Building 1, Software Park, Pudong, Shanghai',
});
const license = attribute('license', 'License', readId, {
	placeholder: 'e.g. 14705564',
	description: 'Resource ID of the picture of the business licence',
});
const qualification = attribute('qualification', 'Qualification', someIds, {
	placeholder: 'e.g. 14705564',
	description: `Resource IDs of further proofs. ${idsWithCommas.description}.`,
});
const link = attribute('link', 'Link', notEmpty, { placeholder: 'e.g. https://www.example.com' });
const sourceMark = attribute('source_mark', 'Source Mark', notEmpty, {
	description: 'Where the advertiser comes from',
});
const password = attribute('password', 'Password', readPassword, {
	typeOptions: { password: true },
	description: '6 to 30 characters, with upper case, lower case and digits among them',
});
const contacter = attribute('contacter', 'Contact Name', notEmpty);
const contacterPhone = attribute('contacter_phone', 'Contact Phone', notEmpty, {
	placeholder: 'e.g. 13800000000',
});
const contacterEmail = attribute('contacter_email', 'Contact Email', readEmail, {
	placeholder: 'e.g. name@email.com',
});
const appCompany = attribute(
	'app_company',
	'App Company',
	readText,
	forAppDownload('Owner of the software copyright'),
);
const privacyProtocolUrl = attribute(
	'privacy_protocol_url',
	'Privacy Policy URL',
	readText,
	forAppDownload('Address of the privacy policy'),
);
const appInfo = attribute(
	'app_info',
	'App Description',
	readText,
	forAppDownload('What the app does'),
);
const appPermission = attribute(
	'app_permission',
	'App Permissions',
	readText,
	forAppDownload('What the app asks for'),
);

/** What a new advertiser must have (AiClk docs, P4). */
export const REQUIRED: Attribute[] = [
	company,
	attribute('display_name', 'Display Name', notEmpty, { description: 'Short name of the company' }),
	licenseCode,
	companyRegion,
	companyAddress,
	license,
	qualification,
	attribute('category', 'Category', (value) => readWholeNumber(value, { least: 1 }), {
		placeholder: 'e.g. 100101101',
		description: 'ID of the finest class of the industry',
	}),
	attribute('app_name', 'App Name', notEmpty, { description: 'The product that is promoted' }),
	attribute('username', 'Username', notEmpty, { description: 'Login name of the new account' }),
	password,
	link,
	sourceMark,
	attribute('email', 'Email', readEmail, { placeholder: 'e.g. name@email.com' }),
	contacter,
	contacterPhone,
];

/** What a new advertiser may have besides (AiClk docs, P4). */
export const OPTIONAL: Attribute[] = [
	appCompany,
	appInfo,
	appPermission,
	contacterEmail,
	privacyProtocolUrl,
	attribute('sub_agent_id', 'Sub-Manager ID', readId, {
		placeholder: 'e.g. 1716318',
		description: 'May be given when the caller is an agent',
	}),
];

/** What can be changed of an advertiser (AiClk docs, P5). */
export const CHANGEABLE: Attribute[] = [
	appCompany,
	appInfo,
	appPermission,
	company,
	companyAddress,
	companyRegion,
	contacterEmail,
	contacter,
	contacterPhone,
	license,
	licenseCode,
	link,
	password,
	privacyProtocolUrl,
	qualification,
	sourceMark,
];

/** Reads fields that must be there. */
export const readRequired = (fields: Fields, attributes: Attribute[]): Record<string, Json> =>
	Object.fromEntries(
		attributes.map(({ name, label, read, property }) => [
			name,
			fields.get(property.name, label, read),
		]),
	);

/** Reads those fields of a collection that were given. */
export const readGiven = (
	fields: Fields,
	collection: string,
	attributes: Attribute[],
): Record<string, Json> =>
	given(
		Object.fromEntries(
			attributes.map(({ name, label, read, property }) => [
				name,
				fields.pick(collection, property.name, label, read),
			]),
		),
	);
