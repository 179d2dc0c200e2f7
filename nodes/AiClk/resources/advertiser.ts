import { fail, ok } from '../../../aiclk/util/failure';
import { type Read, readText } from '../../shared/values';
import { type Resource, write } from '../operations';
import { additionalFields, type Field, field, updateFields } from '../../shared/fields';

/** "6 to 30 characters, must hold upper case, lower case and digits" (AiClk docs, P4). The error never holds the value. */
const readPassword = (value: unknown): Read<string> =>
	typeof value === 'string' &&
	/^.{6,30}$/s.test(value) &&
	[/[A-Z]/, /[a-z]/, /\d/].every((kind) => kind.test(value)) &&
	readText(value).ok
		? ok(value)
		: fail('must have 6 to 30 characters, including upper case, lower case and digits');

/** No white space and no invisible characters, which pasted addresses hold. */
const ADDRESS = /^[^\s\p{C}@]+@[^\s\p{C}@]+\.[^\s\p{C}@]+$/u;

/** "Must be a valid e-mail address" (AiClk docs, P5). */
function readEmail(value: unknown): Read<string> {
	const text = readText(value);
	if (!text.ok) return text;
	const email = text.value.trim();
	return ADDRESS.test(email) ? ok(email) : fail('is not an e-mail address');
}

const EMAIL = { placeholder: 'e.g. name@email.com' };
const ifAppDownload = (what: string) => `${what}; AiClk requires it for the app download industry`;

/** What an advertiser has (AiClk docs, P4, P5). */
const FIELDS: Field[] = [
	field.text('app_company', 'App Company', ifAppDownload('Owner of the software copyright')),
	field.text('app_info', 'App Description', ifAppDownload('What the app does')),
	field.text('app_name', 'App Name', 'Name of the promoted product'),
	field.text('app_permission', 'App Permissions', ifAppDownload('What the app asks for')),
	field.count('category', 'Category', 'ID of the most specific class of the industry', '100101101'),
	field.text('company', 'Company', 'Full name of the company'),
	field.text('company_address', 'Company Address', undefined, 'Software Park, Pudong, Shanghai'),
	field.ids(
		'company_region',
		'Company Region',
		'Codes of province, city and district, separated by commas',
		'310000, 310100, 310115',
	),
	field.custom('contacter_email', 'Contact Email', readEmail, EMAIL),
	field.text('contacter', 'Contact Name'),
	field.text('contacter_phone', 'Contact Phone', undefined, '13800000000'),
	field.text('display_name', 'Display Name', 'Short name of the company'),
	field.custom('email', 'Email', readEmail, EMAIL),
	field.id('license', 'License', 'Resource ID of the picture of the business license', '14705564'),
	field.text('license_code', 'License Code', 'Unified social credit code of the business license'),
	field.text('link', 'Link', undefined, 'https://www.example.com'),
	field.custom('password', 'Password', readPassword, {
		typeOptions: { password: true },
		description: '6 to 30 characters, including upper case, lower case and digits',
	}),
	field.text('privacy_protocol_url', 'Privacy Policy URL', ifAppDownload('Address of the policy')),
	field.ids(
		'qualification',
		'Qualification',
		'Resource IDs of further documents, separated by commas',
		'14705564',
	),
	field.text('source_mark', 'Source Mark', 'Where the advertiser comes from'),
	field.id('sub_agent_id', 'Sub-Manager ID', 'For a caller that is an agent', '1716318'),
	field.text('username', 'Username', 'Login name of the new account'),
];

/** Fields by AiClk's names, in this order. */
const fieldsOf = (names: string): Field[] =>
	names.split(' ').flatMap((name) => FIELDS.filter((one) => one.name === name));

const REQUIRED = fieldsOf(
	'company display_name license_code company_region company_address license qualification category app_name username password link source_mark email contacter contacter_phone',
).map((one) => ({ ...one, property: { ...one.property, required: true } }));

const OPENER = field.account(
	'The account that manages the advertiser',
	'Agent or Sub-Manager Account ID',
);

/** POST adaccount/customer/create (AiClk docs, P4). */
const create = write({
	value: 'create',
	name: 'Create',
	action: 'Create advertiser',
	description: 'Open a new advertiser account below an agent or sub-manager',
	path: 'adaccount/customer/create',
	account: OPENER,
	parameters: REQUIRED,
	collection: additionalFields(
		fieldsOf(
			'app_company app_info app_permission contacter_email privacy_protocol_url sub_agent_id',
		),
	),
});

/** POST adaccount/customer/update (AiClk docs, P5). */
const update = write({
	value: 'update',
	name: 'Update',
	action: 'Update advertiser',
	description: 'Change company, contact or license data of an advertiser account',
	path: 'adaccount/customer/update',
	account: OPENER,
	parameters: [
		field.id(
			'account_id',
			'Advertiser ID',
			'The account to change (account_id in the body)',
			'1928316',
			{ name: 'advertiserId', required: true },
		),
	],
	collection: updateFields(
		fieldsOf(
			'app_company app_info app_permission company company_address company_region contacter_email contacter contacter_phone license license_code link password privacy_protocol_url qualification source_mark',
		),
	),
});

export const advertiser: Resource = {
	option: { name: 'Advertiser', value: 'advertiser' },
	defaultOperation: 'update',
	operations: [create, update],
};
