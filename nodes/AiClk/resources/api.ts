import { updateDisplayOptions } from 'n8n-workflow';

import { ok } from '../../../aiclk/util/failure';
import { readPath } from '../../../aiclk/api/request';
import { refuse } from '../../shared/errors';
import { readId, readJsonBody, readJsonObject } from '../../shared/values';
import { type Operation, type Resource, toForm } from '../operations';
import {
	EVERY_DIGIT,
	type Field,
	field,
	LIMIT,
	OPTIONS,
	RETURN_ALL,
	SIMPLIFY,
} from '../../shared/fields';
import { toCallItems, toRowItems } from '../output';

const METHODS = { DELETE: 'DELETE', GET: 'GET', PATCH: 'PATCH', POST: 'POST', PUT: 'PUT' };

const METHOD = field.choice('method', 'Method', METHODS, {
	default: 'GET',
	required: true,
	description:
		'Anything but GET counts as a change: it is sent again only if AiClk was busy and refused it for certain',
});
const PATH = field.custom('path', 'Path', ok, {
	required: true,
	placeholder: 'e.g. /openapi/v1/account/info',
	description:
		"Path below /openapi/ on the credential's host, as AiClk's page about the endpoint shows it, or a full URL on that host",
});
const FORMATS = { json: 'Account ID and One JSON Object', parameters: 'Plain URL Parameters' };
const QUERY_FORMAT = field.choice('query_format', 'Query Format', FORMATS, {
	default: 'json',
	description:
		"How the parameters are written into the URL. AiClk's page about the endpoint shows it: most take account_id and one JSON object named query. As plain URL parameters, each member of 'Query' becomes a parameter, and account_id is not added.",
});
const ACCOUNT = field.account('The account_id of the call');
const QUERY = field.custom('query', 'Query', readJsonObject, {
	type: 'json',
	default: '{}',
	placeholder: 'e.g. { "fields": ["account_id"] }',
	description: `A JSON object; it is encoded for you. ${EVERY_DIGIT}`,
});
const BODY_TYPES = { form: 'Form', json: 'JSON', none: 'None' };
const BODY_TYPE = field.choice('body_type', 'Body Type', BODY_TYPES, {
	default: 'none',
	description:
		"What is sent as the body: AiClk's page about the endpoint shows it. Form is a multipart form with text fields.",
	displayOptions: { hide: { method: ['GET'] } },
});
const BODY = field.custom('body', 'Body', readJsonBody, {
	type: 'json',
	default: '{}',
	displayOptions: { hide: { method: ['GET'] }, show: { bodyType: ['form', 'json'] } },
	placeholder: 'e.g. { "campaign_id": 20195330 }',
	description: `A JSON object; for an endpoint that takes a list, and without 'Paginate', a JSON list. ${EVERY_DIGIT}`,
});
const PAGINATE = field.switch(
	'paginate',
	'Paginate',
	"Whether to read page after page and output one item for each row. The parameters page and page_size are sent in the JSON body if there is one, or else with 'Query'. If you set them there, reading begins at your page, with your page size.",
);

/** AiClk counts pages from 1; endpoints that no page documents may count from 0. */
const PAGE = field.number('page', 'page', { typeOptions: { minValue: 0 } });
const PAGE_SIZE = field.count('page_size', 'page_size');

/** Any endpoint below /openapi/. AiClk's pages that this package was written from name none for campaigns or reports. */
const call: Operation = {
	option: {
		value: 'call',
		name: 'Call Endpoint',
		action: 'Call API endpoint',
		description: 'Call any other endpoint of the Marketing API whose path you know',
	},
	properties: [
		...[METHOD, PATH, QUERY_FORMAT].map(({ property }) => property),
		...updateDisplayOptions({ show: { queryFormat: ['json'] } }, [ACCOUNT.property]),
		...[QUERY, BODY_TYPE, BODY, PAGINATE].map(({ property }) => property),
		...updateDisplayOptions({ show: { paginate: [true] } }, [RETURN_ALL.property, LIMIT.property]),
		SIMPLIFY.property,
		OPTIONS.property,
	],
	plan: (fields) => {
		const method = fields.read(METHOD);
		const isRead = method === 'GET';
		const asJson = fields.read(QUERY_FORMAT) === 'json';
		const ownAccount = asJson ? fields.readAccount(ACCOUNT) : null;
		const path = fields.read({
			...PATH,
			read: (value) => readPath(value, fields.input.baseUrl, method),
		});
		const query = fields.read(QUERY);
		const typed = readId(query.account_id);
		const account = ownAccount ?? (typed.ok ? typed.value : null);
		const bodyType = isRead ? 'none' : fields.read(BODY_TYPE);
		const paginates = fields.read(PAGINATE);
		const body = bodyType === 'none' ? {} : fields.read(BODY);
		if (Array.isArray(body) && (bodyType === 'form' || paginates)) {
			const why = paginates
				? "'Paginate' adds page and page_size to it"
				: 'a form has named fields';
			refuse(`'Body' is a list, but ${why}`, 'Write a JSON object, or change that setting.');
		}
		const members = Array.isArray(body) ? {} : body;
		const place = bodyType === 'json' ? 'body' : asJson ? 'query' : 'parameters';
		const paged = place === 'body' ? members : query;
		/** Of page and page_size, what the user has set counts. */
		const readOwn = (own: Field<number>) =>
			paged[own.name] === undefined ? undefined : fields.check(own, paged[own.name]);
		return {
			request: {
				method,
				path,
				effect: isRead ? 'read' : 'change',
				parameters: ownAccount === null ? query : { account_id: ownAccount },
				...(asJson && Object.keys(query).length > 0 && { query }),
				...(bodyType === 'json' && { body }),
				...(bodyType === 'form' && { form: toForm(members) }),
			},
			hint: "Compare path, query and body with AiClk's page about this endpoint, and check the permissions of your application.",
			simplify: fields.read(SIMPLIFY),
			toItems: (envelope) => toCallItems(envelope, isRead, account),
			...(paginates && {
				pages: {
					limit: fields.readLimit(),
					firstPage: readOwn(PAGE),
					pageSize: readOwn(PAGE_SIZE),
					place,
					toRows: (rows) => ok(toRowItems(rows, account)),
				},
			}),
		};
	},
};

export const api: Resource = {
	option: {
		name: 'API',
		value: 'api',
		description:
			'Any other endpoint whose path you know, e.g. if AiClk has named you one for campaigns or reports',
	},
	defaultOperation: 'call',
	operations: [call],
};
