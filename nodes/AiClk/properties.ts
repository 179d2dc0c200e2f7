import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

/** `adgroup_id` as a person reads it: `Adgroup ID`. */
const titleOf = (name: string): string =>
	name
		.split('_')
		.map((word) =>
			['id', 'url', 'api', 'js', 'md5', 'h5'].includes(word)
				? word.toUpperCase()
				: word.charAt(0).toUpperCase() + word.slice(1),
		)
		.join(' ');

const byName = (one: INodePropertyOptions, other: INodePropertyOptions): number =>
	one.name < other.name ? -1 : 1;

/** AiClk's names as options of a list, in the order that n8n wants. */
export const toOptions = (names: readonly string[]): INodePropertyOptions[] =>
	names.map((name) => ({ name: titleOf(name), value: name })).sort(byName);

/** The account a call is about. */
export const accountId = (whose: string): INodeProperties => ({
	displayName: 'Account ID',
	name: 'accountId',
	type: 'string',
	default: '',
	placeholder: 'e.g. 1000002',
	description: `${whose}. Empty: the one in the credential. Digits of any length are kept.`,
});

/** Which fields AiClk is to return. */
export const fieldList = (
	known: readonly string[],
	chosen: readonly string[],
): INodeProperties => ({
	displayName: 'Fields',
	name: 'fields',
	type: 'multiOptions',
	options: toOptions(known),
	default: [...chosen],
	required: true,
	description: 'Which fields AiClk is to return',
});

/** Return All and Limit. */
export const paging: INodeProperties[] = [
	{
		displayName: 'Return All',
		name: 'returnAll',
		type: 'boolean',
		default: false,
		description: 'Whether to return all results or only up to a given limit',
	},
	{
		displayName: 'Limit',
		name: 'limit',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 50,
		displayOptions: { show: { returnAll: [false] } },
		description: 'Max number of results to return',
	},
];

/** What narrows a list down; each one is added when it is wanted. */
export const filters = (options: INodeProperties[]): INodeProperties => ({
	displayName: 'Filters',
	name: 'filters',
	type: 'collection',
	placeholder: 'Add Filter',
	default: {},
	options,
});

/** Rows only, or AiClk's whole answer. */
export const simplify: INodeProperties = {
	displayName: 'Simplify',
	name: 'simplify',
	type: 'boolean',
	default: true,
	description: 'Whether to return a simplified version of the response instead of the raw data',
};

/** Shows properties for one operation of one resource only. */
export const shownFor = (
	resource: string,
	operation: string,
	properties: INodeProperties[],
): INodeProperties[] =>
	properties.map((property) => ({
		...property,
		displayOptions: {
			...property.displayOptions,
			show: { ...property.displayOptions?.show, resource: [resource], operation: [operation] },
		},
	}));
