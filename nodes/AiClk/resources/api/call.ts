import type { IHttpRequestMethods, INodeProperties } from 'n8n-workflow';

import { type Json, textOf } from '../../../../aiclk/protocol/json';
import { readPath } from '../../../../aiclk/api/request';
import { readJsonObject, readNames, readText } from '../../../../aiclk/api/values';
import { given } from '../../fields';
import { oneItem, rowItems } from '../../items';
import type { Operation } from '../../operation';
import { accountId, paging, simplify } from '../../properties';

const METHODS: IHttpRequestMethods[] = ['DELETE', 'GET', 'PATCH', 'POST', 'PUT'];

const onlyFor = (property: INodeProperties, show: Record<string, unknown[]>): INodeProperties => ({
	...property,
	displayOptions: { show: { ...property.displayOptions?.show, ...(show as object) } },
});

/** A charge under another spelling would get around Confirm and all that keeps it from being sent twice. */
const isCharge = (path: string): boolean => /\/charge/i.test(decodeURIComponent(path));

const toForm = (body: Record<string, Json>): Record<string, string> =>
	Object.fromEntries(Object.entries(body).map(([name, value]) => [name, textOf(value)]));

/** Any endpoint below /openapi/, for those whose pages are not known here: campaigns, ad groups, reports. */
export const call: Operation = {
	option: {
		name: 'Custom API Call',
		value: 'call',
		action: 'Make custom API call',
		description:
			'Call an endpoint that this node has no operation for, e.g. of campaigns or reports',
	},
	properties: [
		{
			displayName: 'Method',
			name: 'method',
			type: 'options',
			options: METHODS.map((method) => ({ name: method, value: method })),
			default: 'GET',
			required: true,
			description: 'Anything but GET counts as a change and is sent once',
		},
		{
			displayName: 'Path',
			name: 'path',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. /openapi/v1/account/info',
			description:
				"Path below /openapi/ on the credential's host, as AiClk's page of the endpoint has it",
		},
		{
			displayName: 'Query Format',
			name: 'queryFormat',
			type: 'options',
			options: [
				{
					name: 'Account ID and One JSON Object',
					value: 'json',
					description: "URL parameters account_id and query, as on most of AiClk's pages",
				},
				{
					name: 'Plain URL Parameters',
					value: 'parameters',
					description: 'Each member of Query is a URL parameter of its own; nothing is added',
				},
			],
			default: 'json',
			description: "How the parameters stand in the URL: look at AiClk's page of the endpoint",
		},
		onlyFor(accountId('The account_id of the call'), { queryFormat: ['json'] }),
		{
			displayName: 'Query',
			name: 'query',
			type: 'json',
			default: '{}',
			placeholder: 'e.g. { "fields": ["account_id"] }',
			description: 'A JSON object; it is encoded for you. Long IDs keep every digit.',
		},
		{
			displayName: 'Body Type',
			name: 'bodyType',
			type: 'options',
			options: [
				{ name: 'Form', value: 'form', description: 'Multipart form of texts' },
				{ name: 'JSON', value: 'json' },
				{ name: 'None', value: 'none' },
			],
			default: 'none',
			description: "What is sent besides the URL: look at AiClk's page of the endpoint",
			displayOptions: { hide: { method: ['GET'] } },
		},
		{
			displayName: 'Body',
			name: 'body',
			type: 'json',
			default: '{}',
			displayOptions: { hide: { method: ['GET'] }, show: { bodyType: ['form', 'json'] } },
			placeholder: 'e.g. { "campaign_id": 20195330 }',
			description: 'A JSON object. Long IDs keep every digit.',
		},
		{
			displayName: 'Paginate',
			name: 'paginate',
			type: 'boolean',
			default: false,
			displayOptions: { show: { method: ['GET'] } },
			description: 'Whether to read page after page with page and page_size, one item a row',
		},
		...paging.map((property) => onlyFor(property, { method: ['GET'], paginate: [true] })),
		simplify,
	],
	plan: (fields) => {
		const method = fields.get('method', 'Method', (value) => readNames(value, METHODS))[0];
		const path = fields.get('path', 'Path', readPath);
		if (isCharge(path)) {
			fields.refuse(
				"'Path' leads to a charge, which a custom call does not send",
				'Nothing was sent. Use the resource Charge: it asks for a confirmation and sends once.',
			);
		}
		const query = fields.get('query', 'Query', readJsonObject);
		const asJson = fields.get('queryFormat', 'Query Format', readText) !== 'parameters';
		const isRead = method === 'GET';
		const bodyType = isRead ? 'none' : fields.get('bodyType', 'Body Type', readText);
		const body = bodyType === 'none' ? {} : fields.get('body', 'Body', readJsonObject);
		const paginate = isRead && fields.isOn('paginate');
		return {
			request: {
				method: method as IHttpRequestMethods,
				path,
				effect: isRead ? 'read' : 'change',
				parameters: asJson ? { account_id: fields.accountId() } : given(query),
				...(asJson && (paginate || Object.keys(query).length > 0) && { query }),
				...(bodyType === 'json' && { body }),
				...(bodyType === 'form' && { form: toForm(body) }),
			},
			hint: "Compare path, query and body with AiClk's page of this endpoint, and check the permissions of your application.",
			...(paginate && {
				pages: { limit: fields.limit(), travelIn: asJson ? 'query' : 'parameters' },
			}),
			simplify: fields.isOn('simplify'),
			toItems: paginate ? rowItems : oneItem,
		};
	},
};
