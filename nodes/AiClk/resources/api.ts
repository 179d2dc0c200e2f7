import type { IHttpRequestMethods } from 'n8n-workflow';
import { updateDisplayOptions } from 'n8n-workflow';

import type { Json } from '../../../aiclk/protocol/json';
import { readPath } from '../../../aiclk/api/request';
import { readJsonObject } from '../../shared/values';
import { type Operation, type Place, type Plan, type Resource, toForm } from '../define';
import {
	accountRow,
	choiceRow,
	countRow,
	LIMIT,
	parameter,
	RETURN_ALL,
	SIMPLIFY,
	switchRow,
} from '../../shared/fields';
import { toCallItems, toRowItems } from '../output';
import type { Parameters } from '../../shared/parameters';

const METHODS = { DELETE: 'DELETE', GET: 'GET', PATCH: 'PATCH', POST: 'POST', PUT: 'PUT' };

const METHOD = choiceRow('method', 'Method', METHODS, {
	default: 'GET',
	required: true,
	description: 'Anything but GET counts as a change and is sent once',
});
const PATH = parameter('path', 'Path', (value) => ({ ok: true, value }), {
	required: true,
	placeholder: 'e.g. /openapi/v1/account/info',
	description:
		"Path below /openapi/ on the credential's host, as AiClk's page about the endpoint shows it, or a full URL on that host",
});
const FORMATS = { json: 'Account ID and One JSON Object', parameters: 'Plain URL Parameters' };
const QUERY_FORMAT = choiceRow('query_format', 'Query Format', FORMATS, {
	default: 'json',
	description:
		"How the parameters are written into the URL. AiClk's page about the endpoint shows it: most take account_id and one JSON object named query. As plain URL parameters, each member of Query becomes a parameter, and account_id is not added.",
});
const ACCOUNT = accountRow('The account_id of the call');
const QUERY = parameter('query', 'Query', readJsonObject, {
	type: 'json',
	default: '{}',
	placeholder: 'e.g. { "fields": ["account_id"] }',
	description: 'A JSON object; it is encoded for you. Long IDs keep every digit.',
});
const BODY_TYPES = { form: 'Form', json: 'JSON', none: 'None' };
const BODY_TYPE = choiceRow('body_type', 'Body Type', BODY_TYPES, {
	default: 'none',
	description:
		"What is sent as the body: AiClk's page about the endpoint shows it. Form is a multipart form with text fields.",
	displayOptions: { hide: { method: ['GET'] } },
});
const BODY = parameter('body', 'Body', readJsonObject, {
	type: 'json',
	default: '{}',
	displayOptions: { hide: { method: ['GET'] }, show: { bodyType: ['form', 'json'] } },
	placeholder: 'e.g. { "campaign_id": 20195330 }',
	description: 'A JSON object. Long IDs keep every digit.',
});
const PAGINATE = switchRow(
	'paginate',
	'Paginate',
	'Whether to read page after page and output one item for each row. The parameters page and page_size are sent in the JSON body if there is one, or else with Query. If you set them there, reading begins at your page, with your page size.',
);

/** @param values where page and page_size are sent: if the user has set them there, they count */
function planPages(fields: Parameters, place: Place, values: Record<string, Json>): Plan['pages'] {
	const own = (name: string) =>
		values[name] === undefined ? undefined : fields.check(countRow(name, name), values[name]);
	return {
		limit: fields.readLimit(),
		firstPage: own('page'),
		pageSize: own('page_size'),
		place,
		toRows: (rows) => toRowItems(rows, null),
	};
}

/** Any endpoint below /openapi/. The pages P1 to P13 name none for campaigns, ad groups or reports. */
const call: Operation = {
	option: {
		value: 'call',
		name: 'Call Endpoint',
		action: 'Call endpoint',
		description:
			'Call any other endpoint of AiClk whose path you know, e.g. one for campaigns or reports',
	},
	properties: [
		...[METHOD, PATH, QUERY_FORMAT].map(({ property }) => property),
		...updateDisplayOptions({ show: { queryFormat: ['json'] } }, [ACCOUNT.property]),
		...[QUERY, BODY_TYPE, BODY, PAGINATE].map(({ property }) => property),
		...updateDisplayOptions({ show: { paginate: [true] } }, [RETURN_ALL.property, LIMIT.property]),
		SIMPLIFY.property,
	],
	plan: (fields) => {
		const method = fields.read(METHOD);
		const isRead = method === 'GET';
		const asJson = fields.read(QUERY_FORMAT) === 'json';
		const account = asJson ? { account_id: fields.readAccount(ACCOUNT) } : undefined;
		const path = fields.read({
			...PATH,
			read: (value) => readPath(value, fields.client.baseUrl, method),
		});
		const query = fields.read(QUERY);
		const bodyType = isRead ? 'none' : fields.read(BODY_TYPE);
		const body = bodyType === 'none' ? {} : fields.read(BODY);
		const paginates = fields.read(PAGINATE);
		const place: Place = bodyType === 'json' ? 'body' : asJson ? 'query' : 'parameters';
		const isPagedByQuery = paginates && place === 'query';
		return {
			request: {
				method: method as IHttpRequestMethods,
				path,
				effect: isRead ? 'read' : 'change',
				parameters: account ?? query,
				...(asJson && (isPagedByQuery || Object.keys(query).length > 0) && { query }),
				...(bodyType === 'json' && { body }),
				...(bodyType === 'form' && { form: toForm(body) }),
			},
			hint: "Compare path, query and body with AiClk's page about this endpoint, and check the permissions of your application.",
			simplify: fields.read(SIMPLIFY),
			toItems: (envelope) => toCallItems(envelope, isRead),
			...(paginates && { pages: planPages(fields, place, place === 'body' ? body : query) }),
		};
	},
};

export const api: Resource = {
	option: {
		name: 'API',
		value: 'api',
		description: 'Any other endpoint whose path you know, e.g. one for campaigns or reports',
	},
	defaultOperation: 'call',
	operations: [call],
};
