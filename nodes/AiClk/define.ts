import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { toBody } from '../../aiclk/protocol/assumptions';
import type { Envelope } from '../../aiclk/protocol/envelope';
import type { Json } from '../../aiclk/protocol/json';
import type { PageOptions } from '../../aiclk/api/pagination';
import { type ApiRequest, textsOf } from '../../aiclk/api/request';
import { readAmount } from '../shared/values';
import {
	accountRow,
	additionalFields,
	AMOUNTS_IN_YUAN,
	type Collection,
	idRow,
	LIMIT,
	OPTIONS,
	OPTIONS_OF_AMOUNTS,
	type Parameter,
	parameter,
	RETURN_ALL,
	SIMPLIFY,
	switchRow,
	textRow,
} from '../shared/fields';
import {
	type Output,
	toMaterialItem,
	toReadItem,
	toRowItems,
	toTransferItem,
	toWriteItem,
	toYuan,
} from './output';
import type { Parameters } from '../shared/parameters';
import { refuse } from '../shared/errors';
import { ok } from '../../aiclk/util/result';
import { runsAsTool } from '../shared/tool';

/** Where the parameters of a call are sent: in the one JSON object `query`, as plain URL parameters, or in a JSON body. */
export type Place = 'query' | 'parameters' | 'body';

/** What one item asks for, checked. Nothing has been sent. */
export interface Plan {
	request: ApiRequest;
	/** What to check when AiClk refuses it. */
	hint: string;
	/** What the error of a transfer says of it. */
	details?: Readonly<Record<string, string | number>>;
	/** Whether `toItems` or `toRows` makes the output; otherwise it is AiClk's whole answers. */
	simplify: boolean;
	toItems(envelope: Envelope): Output;
	/** Set for lists: which pages, and where page and page_size are sent. */
	pages?: PageOptions & { place: Place; toRows(rows: unknown[]): Output };
}

/** One operation of the node: how it is shown, and how its fields become a request. */
export interface Operation {
	option: INodePropertyOptions;
	properties: INodeProperties[];
	/** @throws FailureError for bad input, naming the field */
	plan(fields: Parameters): Plan | Promise<Plan>;
}

export interface Resource {
	option: INodePropertyOptions;
	defaultOperation: string;
	operations: Operation[];
}

type Values = Record<string, Json>;

/** What one operation is, apart from its kind. Name, value, action and description are those of n8n's lists. */
interface Spec extends INodePropertyOptions {
	/** Below `/openapi/v1/`. */
	path: string;
	/** The field for `account_id`; an advertiser's by default. */
	account?: Parameter<bigint>;
	/** Fields that are not one parameter each. They are shown before `parameters`. */
	more?: { rows: Parameter[]; read(fields: Parameters): Values };
	/** Fields that are always shown. */
	parameters?: Parameter[];
	/** Fields that the user adds. */
	collection?: Collection;
	/** The order of a list, below Options, where n8n's guidelines want it. */
	sort?: Collection;
	/** What is sent where the user added nothing. */
	defaults?: Values;
	/** AiClk's names of the amounts that a read returns, in fen. */
	amounts?: readonly string[];
}

/** What operations of one kind have in common. */
interface Kind {
	method: 'GET' | 'POST';
	effect: ApiRequest['effect'];
	place: Place | 'form';
	hint: string;
	/** Shown before the account. */
	before?: Array<{ property: INodeProperties }>;
	/** Shown after the parameters, but not sent as they are. */
	after?: Array<{ property: INodeProperties }>;
	/** @throws FailureError when nothing may be sent */
	check?(fields: Parameters): void;
	file?(fields: Parameters): Promise<File>;
	toItems(envelope: Envelope, accountId: bigint, values: Values): Output;
	/** What the error of a change says of it, in words and as data. */
	describe?(
		accountId: bigint,
		values: Values,
		file?: File,
	): Pick<Plan, 'details'> & Pick<ApiRequest, 'subject'>;
	pages?(fields: Parameters): Omit<NonNullable<Plan['pages']>, 'toRows'>;
}

/** A form sends every field as text. */
export const toForm = (values: Values): Record<string, string> =>
	Object.fromEntries(textsOf(values));

const READ_HINT =
	'Check the account and the fields, and that your application may read this account (ads_read).';
const WRITE_HINT =
	'Check the fields, and that your application may write for this account (ads_write).';

const ADVERTISER = accountRow('The advertiser account');

const present = <T>(values: Array<T | undefined>): T[] =>
	values.filter((value) => value !== undefined);

function define(
	{
		path,
		account = ADVERTISER,
		more,
		parameters = [],
		collection,
		sort,
		defaults,
		amounts = [],
		...option
	}: Spec,
	kind: Kind,
): Operation {
	const { method, effect, place, hint, before = [], after = [] } = kind;
	const options = amounts.length === 0 ? OPTIONS : OPTIONS_OF_AMOUNTS;
	const always = [...before, account, ...(more?.rows ?? []), ...parameters, ...after];
	const shown = [...always, ...present([collection]), SIMPLIFY, options, ...present([sort])];
	return {
		option,
		properties: shown.map(({ property }) => property),
		plan: async (fields) => {
			// The account first: the error names it.
			const accountId = fields.readAccount(account);
			kind.check?.(fields);
			const own = more?.read(fields);
			const fixed = fields.readAll(parameters);
			const added = collection === undefined ? {} : fields.readAdded(collection);
			const sorted = sort === undefined ? {} : fields.readAdded(sort);
			// In the order of AiClk's examples.
			const values =
				place === 'query'
					? { ...own, ...added, ...fixed, ...sorted }
					: { ...own, ...fixed, ...defaults, ...added };
			const inYuan = fields.readAdded(options)[AMOUNTS_IN_YUAN.name] === true;
			const finish = (output: Output): Output =>
				output.ok && inYuan ? toYuan(output.value, amounts) : output;
			const pages = kind.pages?.(fields);
			const file = await kind.file?.(fields);
			const { subject, details } = kind.describe?.(accountId, values, file) ?? {};
			return {
				request: {
					method,
					path: `/openapi/v1/${path}`,
					effect,
					subject,
					parameters: { account_id: accountId, ...(place === 'parameters' && values) },
					...(place === 'query' && { query: values }),
					...(place === 'body' && { body: toBody(values) }),
					...(file !== undefined && { form: { ...toForm(values), file } }),
				},
				hint,
				details,
				simplify: fields.read(SIMPLIFY),
				toItems: (envelope) => finish(kind.toItems(envelope, accountId, values)),
				...(pages !== undefined && {
					pages: { ...pages, toRows: (rows) => finish(ok(toRowItems(rows, accountId))) },
				}),
			};
		},
	};
}

const GET = { method: 'GET', effect: 'read', hint: READ_HINT, toItems: toReadItem } as const;

/** A GET that returns one object. */
export const read = (spec: Spec): Operation => define(spec, { ...GET, place: 'query' });

interface ListSpec extends Spec {
	/** Where everything but the account is sent; `query` by default. */
	place?: 'query' | 'parameters';
	/** The member of a row that AiClk documents as its ID, if any. */
	idField?: string;
	/** A member that AiClk documents for each row; `idField` when left out. */
	rowField?: string;
}

/** A GET that returns rows, page by page. */
export const list = ({ place = 'query', idField, rowField, ...spec }: ListSpec): Operation =>
	define(spec, {
		...GET,
		place,
		after: [RETURN_ALL, LIMIT],
		pages: (fields) => ({ limit: fields.readLimit(), idField, rowField, place }),
	});

const POST = { method: 'POST', effect: 'change' } as const;

/** A POST with a JSON body that changes something. */
export const write = (spec: Spec): Operation =>
	define(spec, {
		...POST,
		place: 'body',
		hint: WRITE_HINT,
		// An account in the body is the advertiser to change; that of the call belongs to its agent.
		describe: (_, { account_id: advertiser }) =>
			advertiser === undefined
				? {}
				: {
						subject: `The change of advertiser ${String(advertiser)}`,
						details: { advertiserId: String(advertiser) },
					},
		toItems: (envelope, _, { account_id: advertiser }) =>
			toWriteItem(envelope, advertiser === undefined ? {} : { advertiserId: String(advertiser) }),
	});

const FILE = textRow('binary_property_name', 'Input Binary Field', undefined, undefined, {
	default: 'data',
	required: true,
	description: 'An expression that yields the file itself is taken, too',
	hint: 'The name of the input field containing the binary file data to be uploaded. In a workflow with combined binary mode, its path, e.g. _files.data.',
});

/** A POST with a file in a multipart form. */
export const upload = (spec: Spec): Operation =>
	define(spec, {
		...POST,
		place: 'form',
		hint: `Check format and size of the file and the 'Material Type'. ${WRITE_HINT}`,
		after: [FILE],
		file: async (fields) => await fields.readFile(FILE),
		describe: (_accountId, _values, file) => ({
			subject: `The upload of '${file?.name}'`,
		}),
		toItems: toMaterialItem,
	});

const CONFIRM = switchRow(
	'confirm',
	'Confirm',
	'Whether this may move money. Without it nothing is sent. AiClk cannot tell a repeated transfer from a new one, so it is sent exactly once.',
);

/** Shown only where the node is a tool of an agent (n8n-workflow node-helpers.js, `@tool`). */
const ALLOW_AGENTS = switchRow(
	'allow_agents',
	'Let AI Agents Move Money',
	'Whether an AI agent may move money with this tool. Only a person can switch this on, not an expression. Add a human review of tool calls.',
	undefined,
	{ noDataExpression: true, displayOptions: { show: { '@tool': [true] } } },
);

const NOTICE: INodeProperties = {
	displayName:
		'This moves money between accounts as soon as it runs, once for each item. A negative amount takes money back from the target. 100 fen are 1 yuan. Retrying a sub-workflow from outside, or executing a later node alone, can move it again.',
	name: 'transferNotice',
	type: 'notice',
	default: '',
};

const COMMENT = textRow(
	'comment',
	'Comment',
	'A remark that AiClk keeps with the transfer',
	'order 2026-0042',
	{ hint: "With a comment of its own, a transfer is easy to find in AiClk's console" },
);

const amountRow = (name: 'money' | 'coupon'): Parameter<number> =>
	parameter(name, name === 'money' ? 'Money (Fen)' : 'Coupon (Fen)', readAmount, {
		type: 'number',
		typeOptions: { numberPrecision: 0 },
		default: 0,
		required: true,
		description:
			'Amount in fen, a whole number other than 0. A negative amount is taken back from the target.',
		hint: '100 fen are 1 yuan: 10000 is 100 yuan',
	});

/** Refuses a transfer that nobody has confirmed. */
function checkTransfer(fields: Parameters): void {
	if (runsAsTool(fields.context) && fields.typed(ALLOW_AGENTS.property.name) !== true) {
		refuse(
			'An AI agent may not move money with this tool',
			"A person can allow it: switch 'Let AI Agents Move Money' on in the tool's panel. No expression can do that.",
		);
	}
	if (!fields.read(CONFIRM)) {
		refuse(
			"'Confirm' is off, so no money was moved",
			"Check accounts and amount, then switch 'Confirm' on.",
		);
	}
}

interface TransferSpec extends Spec {
	/** Whose account `account_id` is, where it is not the one that pays. */
	authorized?: string;
	/** Whose account the amount leaves. */
	payer?: string;
	/** Whose account `target_user` is. */
	target: string;
	amount: 'money' | 'coupon';
	/** The permission that the application needs. */
	permission: string;
}

/**
 * A POST that moves an amount between two accounts. It names its account, requires Confirm and is sent once: AiClk has no order
 * number by which it could recognize a repeated transfer (P10-P13).
 */
export function transfer({
	payer,
	authorized,
	target,
	amount,
	parameters = [],
	permission,
	...spec
}: TransferSpec): Operation {
	const whose = authorized ?? `${payer} that pays the amount (account_id)`;
	const label = authorized === undefined ? 'Payer' : 'Authorized Account';
	const account = idRow(
		'account_id',
		label,
		`${whose}. It is never taken from the credential.`,
		'1000002',
		{ required: true },
	);
	const receives = `${target} that receives the amount (target_user)`;
	const targetUser = idRow('target_user', 'Target', receives, '1000004', { required: true });
	return define(
		{
			...spec,
			account,
			parameters: [...parameters, targetUser, amountRow(amount)],
			collection: additionalFields([COMMENT]),
			// As in AiClk's examples.
			defaults: { comment: '' },
		},
		{
			method: 'POST',
			effect: 'money',
			place: 'body',
			hint: `Check the accounts and the amount, and that your application has the permission ${permission}.`,
			before: [{ property: NOTICE }],
			after: [CONFIRM, ALLOW_AGENTS],
			check: checkTransfer,
			describe: (accountId, { target_user: to, comment, ...values }) => {
				const fen = values[amount] as number;
				const what = `The transfer of ${fen} fen (${fen / 100} yuan${amount === 'coupon' ? ' in coupons' : ''})`;
				return {
					subject: `${what} ${authorized === undefined ? 'from' : 'by'} ${accountId} to ${String(to)}`,
					details: { target: String(to), amount: fen, kind: amount, comment: String(comment) },
				};
			},
			toItems: (envelope, accountId, { target_user: to, sub_agent_user: by, ...values }) =>
				toTransferItem(envelope, {
					[authorized === undefined ? 'payer' : 'authorizedAccount']: String(accountId),
					...(by !== undefined && { subManager: String(by) }),
					target: String(to),
					amount: values[amount] as number,
					kind: amount,
				}),
		},
	);
}
