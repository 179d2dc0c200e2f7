import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import type { PageOptions } from '../../aiclk/api/pagination';
import { type ApiRequest, textsOf } from '../../aiclk/api/request';
import type { Envelope } from '../../aiclk/protocol/envelope';
import type { JsonObject } from '../../aiclk/protocol/json';
import { ok } from '../../aiclk/util/failure';
import {
	AMOUNTS_IN_YUAN,
	type Collection,
	type Field,
	field,
	LIMIT,
	OPTIONS,
	OPTIONS_OF_AMOUNTS,
	RETURN_ALL,
	SIMPLIFY,
} from '../shared/fields';
import type { Parameters } from '../shared/parameters';
import { type Output, toMaterialItem, toReadItem, toRowItems, toWriteItem, toYuan } from './output';

/** Where what the fields hold is sent: in the one JSON object `query`, as plain URL parameters, in a JSON body, or in a form. */
type Place = 'query' | 'parameters' | 'body' | 'form';

/** What one item asks for, checked. Nothing has been sent. */
export interface Plan {
	request: ApiRequest;
	/** What to check when AiClk refuses it. */
	hint: string;
	/** What the error of a change adds to its data. */
	details?: Readonly<Record<string, string | number>>;
	/** Whether `toItems` or `toRows` makes the output; otherwise it is AiClk's whole answers. */
	simplify: boolean;
	toItems(envelope: Envelope): Output;
	/** Set for lists: which pages, and where page and page_size are sent. */
	pages?: PageOptions & {
		place: Place;
		toRows(rows: unknown[]): Output;
	};
}

/** One operation of the node: how it is shown, and how its fields become a request. */
export interface Operation {
	option: INodePropertyOptions;
	properties: INodeProperties[];
	/** @throws FailureError for bad input, naming the field */
	plan(fields: Parameters): Plan | Promise<Plan>;
}

/** A resource of the node, with its operations. */
export interface Resource {
	option: INodePropertyOptions;
	defaultOperation: string;
	operations: Operation[];
}

/** What one operation is, apart from its kind. Name, value, action and description are those of n8n's lists. */
export interface Spec extends INodePropertyOptions {
	/** Below `/openapi/v1/`. */
	path: string;
	/** The field for `account_id`; an advertiser's by default. */
	account?: Field<bigint>;
	/** Fields that are always shown. */
	parameters?: Field[];
	/** Reads `parameters` where they are not one parameter each. */
	read?(fields: Parameters): JsonObject;
	/** Fields that the user adds. */
	collection?: Collection;
	/** The order of a list, below Options, where n8n's guidelines want it. */
	sort?: Collection;
	/** AiClk's names of the amounts that a read returns, in fen. */
	amounts?: readonly string[];
}

/** What operations of one kind have in common. A read is a GET, and anything else a POST. */
interface Kind {
	effect: ApiRequest['effect'];
	place: Place;
	hint: string;
	/** Shown before the account. */
	before?: Array<{ property: INodeProperties }>;
	/** Shown after the parameters, but not sent as they are. */
	after?: Array<{ property: INodeProperties }>;
	/** @throws FailureError when nothing may be sent */
	check?(fields: Parameters): void;
	file?(fields: Parameters): Promise<File>;
	toItems(envelope: Envelope, accountId: bigint, values: JsonObject): Output;
	/** What the error of a change says of it, in words and as data. */
	about?(
		accountId: bigint,
		values: JsonObject,
		file?: File,
	): Pick<ApiRequest, 'subject'> & Pick<Plan, 'details'>;
	/** Of a list. */
	pages?: Pick<PageOptions, 'idField' | 'rowField'>;
}

/** A form sends every field as text. */
export const toForm = (values: JsonObject): Record<string, string> =>
	Object.fromEntries(textsOf(values));

const READ_HINT =
	'Check the account and the fields, and that your application may read this account (ads_read).';
const WRITE_HINT =
	'Check the fields, and that your application may write for this account (ads_write).';

const ADVERTISER = field.account('The advertiser account');

/** Makes an operation out of what it is and what its kind is. */
export function define(spec: Spec, kind: Kind): Operation {
	const { path, account = ADVERTISER, parameters = [], collection, sort, ...others } = spec;
	const { read, amounts = [], ...option } = others;
	const { effect, place, hint, before = [], after = [], pages } = kind;
	const options = amounts.length === 0 ? OPTIONS : OPTIONS_OF_AMOUNTS;
	const always = [...before, account, ...parameters, ...after];
	const shown = [...always, collection, SIMPLIFY, options, sort];
	return {
		option,
		properties: shown.flatMap((one) => one?.property ?? []),
		plan: async (fields) => {
			// The account first: the error names it.
			const accountId = fields.readAccount(account);
			kind.check?.(fields);
			const fixed = read?.(fields) ?? fields.readAll(parameters);
			const added = collection && fields.readAdded(collection);
			const sorted = sort && fields.readAdded(sort);
			// In the order of AiClk's examples.
			const values = place === 'query' ? { ...added, ...fixed, ...sorted } : { ...fixed, ...added };
			const inYuan = fields.readAdded(options)[AMOUNTS_IN_YUAN.name] === true;
			const finish = (output: Output): Output =>
				output.ok && inYuan ? toYuan(output.value, amounts) : output;
			const file = await kind.file?.(fields);
			const { subject, details } = kind.about?.(accountId, values, file) ?? {};
			return {
				request: {
					method: effect === 'read' ? 'GET' : 'POST',
					path: `/openapi/v1/${path}`,
					effect,
					subject,
					parameters: { account_id: accountId, ...(place === 'parameters' && values) },
					...(place === 'query' && { query: values }),
					// AiClk's pages call it a list, but every example is an object (P4, P5, P10-P13).
					...(place === 'body' && { body: values }),
					...(file && { form: { ...toForm(values), file } }),
				},
				hint,
				details,
				pages: pages && {
					...pages,
					place,
					limit: fields.readLimit(),
					toRows: (rows) => finish(ok(toRowItems(rows, accountId))),
				},
				simplify: fields.read(SIMPLIFY),
				toItems: (envelope) => finish(kind.toItems(envelope, accountId, values)),
			};
		},
	};
}

const READ = { effect: 'read', hint: READ_HINT, toItems: toReadItem } as const;

/** A GET that returns one object. */
export const get = (spec: Spec): Operation => define(spec, { ...READ, place: 'query' });

/**
 * A GET that returns rows, page by page.
 *
 * @param spec with where everything but the account is sent (`query` by default), the member of a row that AiClk documents as its
 *   ID, and a member that AiClk documents for each row (`idField` when left out)
 */
export const list = ({
	place = 'query',
	idField,
	rowField,
	...spec
}: Spec & Partial<Pick<Kind, 'place'>> & Kind['pages']): Operation =>
	define(spec, {
		...READ,
		place,
		after: [RETURN_ALL, LIMIT],
		pages: { idField, rowField },
	});

/** An account in the body is the advertiser to change; that of the call belongs to its agent. */
const advertiserIn = ({ account_id: id }: JsonObject): Record<string, string> =>
	id === undefined ? {} : { advertiserId: String(id) };

/** A POST with a JSON body that changes something. */
export const write = (spec: Spec): Operation =>
	define(spec, {
		effect: 'change',
		place: 'body',
		hint: WRITE_HINT,
		about: (_, values) => {
			const details = advertiserIn(values);
			const { advertiserId } = details;
			return { subject: advertiserId && `The change of advertiser ${advertiserId}`, details };
		},
		toItems: (envelope, _, values) => toWriteItem(envelope, advertiserIn(values)),
	});

const FILE = field.text('binary_property_name', 'Input Binary Field', undefined, undefined, {
	default: 'data',
	required: true,
	description: 'An expression that yields the file itself is taken, too',
	hint: 'The name of the input field containing the binary file data to be uploaded. In a workflow with combined binary mode, its path, e.g. _files.data.',
});

/** A POST with a file in a multipart form. */
export const upload = (spec: Spec): Operation =>
	define(spec, {
		effect: 'change',
		place: 'form',
		hint: `Check format and size of the file and the 'Material Type'. ${WRITE_HINT}`,
		after: [FILE],
		file: async (fields) => await fields.readFile(FILE),
		about: (_accountId, _values, file) => ({ subject: `The upload of '${file?.name}'` }),
		toItems: toMaterialItem,
	});
