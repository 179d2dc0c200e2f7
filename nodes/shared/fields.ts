import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { readDay } from './days';
import type { Json } from '../../aiclk/protocol/json';
import {
	oneOf,
	type Read,
	readId,
	readIds,
	readSwitch,
	readText,
	readWholeNumber,
	someOf,
} from './values';

/** One parameter of a call: how it is shown and read. */
export interface Field<T = Json | undefined> {
	/** AiClk's name. A dot leads into an object: `created_at.start`. */
	name: string;
	/** Reads what the user typed. @param timeZone the workflow's, IANA name */
	read(value: unknown, timeZone: string): Read<T>;
	/** n8n's field. */
	property: INodeProperties;
}

const camelCase = (name: string): string =>
	name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** A text field with AiClk's name in camelCase, unless `more` says otherwise. */
const custom = <T>(
	name: string,
	label: string,
	read: Field<T>['read'],
	more: Partial<INodeProperties> = {},
): Field<T> => ({
	name,
	read,
	property: { displayName: label, name: camelCase(name), type: 'string', default: '', ...more },
});

/** Makes a builder for fields that are read in the same way. */
const readWith =
	<T>(read: Field<T>['read'], all: Partial<INodeProperties> = {}) =>
	(
		name: string,
		label: string,
		description?: string,
		example?: string,
		more: Partial<INodeProperties> = {},
	): Field<T> =>
		custom(name, label, read, {
			...all,
			...(description !== undefined && { description }),
			...(example !== undefined && { placeholder: `e.g. ${example}` }),
			...more,
		});

/** Options in alphabetical order, as n8n's lint rules require. @param names what the panel shows, by AiClk's value */
const toOptions = (names: Record<string, string>): INodePropertyOptions[] =>
	Object.entries(names)
		.map(([value, name]) => ({ name, value }))
		.sort((one, other) => (one.name < other.name ? -1 : 1));

const CAPITALS = ['id', 'url', 'api', 'js', 'md5', 'h5'];

/** `adgroup_id` as a person reads it: `Ad Group ID`. */
const titleOf = (name: string): string =>
	name
		.replace('adgroup', 'ad_group')
		.split('_')
		.map((word) =>
			CAPITALS.includes(word) ? word.toUpperCase() : word.charAt(0).toUpperCase() + word.slice(1),
		)
		.join(' ');

export const EVERY_DIGIT = 'Long IDs keep every digit, unless the node before has rounded them.';

/** Builds fields, each kind with its reader. */
export const field = {
	custom,
	text: readWith(readText),
	id: readWith(readId),
	ids: readWith(readIds),
	day: readWith(readDay, { type: 'dateTime' }),
	count: readWith((value) => readWholeNumber(value, { min: 1 })),
	switch: readWith(readSwitch, { type: 'boolean', default: false }),

	/** A whole number, within the limits of its `typeOptions`. */
	number: (name: string, label: string, more: Partial<INodeProperties>) => {
		const { minValue: min, maxValue: max } = more.typeOptions ?? {};
		const read = (value: unknown) => readWholeNumber(value, { min, max });
		return custom(name, label, read, { type: 'number', ...more });
	},

	/** One of some values. @param names what the panel shows, by AiClk's value */
	choice: <T extends string>(
		name: string,
		label: string,
		names: Record<T, string>,
		more: Partial<INodeProperties>,
	) =>
		custom(name, label, oneOf(Object.keys(names) as T[]), {
			type: 'options',
			options: toOptions(names),
			...more,
		}),

	/** Some of some values. @param names what the panel shows, by AiClk's value */
	choices: (
		name: string,
		label: string,
		names: Record<string, string>,
		more: Partial<INodeProperties>,
	) =>
		custom(name, label, someOf(Object.keys(names)), {
			type: 'multiOptions',
			options: toOptions(names),
			default: [],
			...more,
		}),

	/**
	 * The fields that AiClk should return.
	 *
	 * @param known AiClk's names, separated by spaces
	 * @param chosen the default, at most ten as n8n's guidelines ask; all if left out
	 */
	returned: (known: string, chosen = known, more: Partial<INodeProperties> = {}): Field<string[]> =>
		field.choices(
			'fields',
			'Fields',
			Object.fromEntries(known.split(' ').map((name) => [name, titleOf(name)])),
			{
				default: chosen.split(' '),
				required: true,
				description: 'Which fields AiClk should return',
				...more,
			},
		),

	/** The account of a call. A field that is left empty means the credential's account. */
	account: (whose: string, label = 'Account ID'): Field<bigint> =>
		field.id(
			'account_id',
			label,
			`${whose}. If empty, the account in the credential is used. ${EVERY_DIGIT}`,
			'1000002',
		),
};

/** Batching has the names, texts and defaults that HTTP Request has. */
export const BATCH = {
	size: field.number('batch_size', 'Items per Batch', {
		typeOptions: { minValue: -1 },
		default: 50,
		description:
			'Input will be split in batches to throttle requests; each page of a list counts like an item. -1 for disabled. 0 will be treated as 1.',
	}),
	interval: field.number('batch_interval', 'Batch Interval (Ms)', {
		typeOptions: { minValue: 0 },
		default: 1000,
		description: 'Time (in milliseconds) between each batch of requests. 0 for disabled.',
	}),
};

const BATCHING: INodeProperties = {
	displayName: 'Batching',
	name: 'batching',
	type: 'fixedCollection',
	placeholder: 'Add Batching',
	default: { batch: {} },
	options: [
		{
			displayName: 'Batching',
			name: 'batch',
			values: [BATCH.size.property, BATCH.interval.property],
		},
	],
};

export const RETURN_ALL = field.switch(
	'return_all',
	'Return All',
	'Whether to return all results or only up to a given limit',
);
export const LIMIT = field.number('limit', 'Limit', {
	typeOptions: { minValue: 1 },
	default: 50,
	description: 'Max number of results to return',
	displayOptions: { show: { returnAll: [false] } },
});
export const SIMPLIFY = field.switch(
	'simplify',
	'Simplify',
	'Whether to return a simplified version of the response instead of the raw data',
	undefined,
	{ default: true },
);

/** Fields that the user adds one by one. */
export interface Collection {
	/** In the order in which they are sent. */
	fields: Field[];
	/** Whether at least one must be added. */
	isRequired: boolean;
	/** n8n's field. Its members are in alphabetical order, as n8n's lint rules require. */
	property: INodeProperties;
}

/** @param more members that are not read as fields */
const collectionOf =
	(
		name: string,
		label: string,
		placeholder: string,
		isRequired = false,
		more: INodeProperties[] = [],
	) =>
	(fields: Field[]): Collection => ({
		fields,
		isRequired,
		property: {
			displayName: label,
			name,
			type: 'collection',
			placeholder,
			default: {},
			options: [...fields.map(({ property }) => property), ...more].sort((one, other) =>
				one.displayName < other.displayName ? -1 : 1,
			),
		},
	});

/** Builders of the collections that n8n's own nodes have. */
export const filters = collectionOf('filters', 'Filters', 'Add Filter');
export const additionalFields = collectionOf('additionalFields', 'Additional Fields', 'Add Field');
export const updateFields = collectionOf('updateFields', 'Update Fields', 'Add Field', true);
export const options = collectionOf('options', 'Options', 'Add Option');
export const sort = collectionOf('sort', 'Sort', 'Add Sort');
const batched = collectionOf('options', 'Options', 'Add Option', false, [BATCHING]);

/** The options of every operation. */
export const OPTIONS = batched([]);

export const AMOUNTS_IN_YUAN = field.switch(
	'amounts_in_yuan',
	'Amounts in Yuan',
	"Whether amounts come out in yuan, as numbers with two decimals (102.49), rather than in fen (10249), as AiClk has them. Without 'Simplify', AiClk's whole answer stays as it is.",
);

/** Says the unit of the amounts that a read returns. */
export const FEN = {
	hint: "Amounts are in fen: 100 fen are 1 yuan. 'Amounts in Yuan' under 'Options' converts them.",
};

/** The options of a read that returns amounts. */
export const OPTIONS_OF_AMOUNTS = batched([AMOUNTS_IN_YUAN]);
