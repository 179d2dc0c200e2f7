import { readId, readNames, readText, readWholeNumber } from '../../../../aiclk/api/values';
import { given } from '../../fields';
import { rowItems } from '../../items';
import type { Operation } from '../../operation';
import { accountId, filters, paging, simplify } from '../../properties';

const TYPES = ['API_DOWNLOAD', 'API_LANDING_PAGE'];

/** GET conv/targeturl_monitor/list (AiClk docs, P9): all parameters are plain URL parameters. */
export const getAll: Operation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many monitor links',
		description: 'Get the activated conversion tracking links of an advertiser account',
	},
	properties: [
		accountId('The advertiser account'),
		{
			displayName: 'Conversion Type',
			name: 'conversionType',
			type: 'options',
			options: [
				{ name: 'In an App', value: 'API_DOWNLOAD' },
				{ name: 'On a Landing Page', value: 'API_LANDING_PAGE' },
			],
			default: 'API_DOWNLOAD',
			required: true,
			description:
				'Where conversions happen (conversion_type). AiClk filters by it only together with an ad group.',
		},
		...paging,
		filters([
			{
				displayName: 'Ad Group ID',
				name: 'adgroupId',
				type: 'string',
				default: '',
				placeholder: 'e.g. 20195330',
				description: 'Return links that suit this ad group',
			},
			{
				displayName: 'App Package',
				name: 'appPackage',
				type: 'string',
				default: '',
				placeholder: 'e.g. com.example.app',
				description: 'Package name of the app (app_package)',
			},
			{
				displayName: 'Conversion Goal',
				name: 'conversionGoal',
				type: 'number',
				default: 0,
				description:
					'-1 unknown, 0 activation, 1 registration; AiClk has more that are not known here',
			},
			{
				displayName: 'Deep Link',
				name: 'deeplink',
				type: 'string',
				default: '',
				placeholder: 'e.g. example://page',
				description: 'Deep link of the app (deeplink)',
			},
			{
				displayName: 'Keywords',
				name: 'keywords',
				type: 'string',
				default: '',
				description: 'Fuzzy search',
			},
			{
				displayName: 'Report State',
				name: 'click',
				type: 'options',
				options: [
					{ name: 'Activated and Reported', value: 1 },
					{ name: 'Not Activated, Nothing Reported', value: 0 },
					{ name: 'Not Activated, Report Failed', value: 2 },
				],
				default: 1,
				description: 'Whether a link is activated, and what became of its report (click)',
			},
			{
				displayName: 'Shared Links',
				name: 'showShare',
				type: 'boolean',
				default: true,
				description: 'Whether to return links that others share, too',
			},
		]),
		simplify,
	],
	plan: (fields) => {
		const pick = <T>(name: string, label: string, read: Parameters<typeof fields.pick<T>>[3]) =>
			fields.pick('filters', name, label, read);
		const share = pick('showShare', 'Shared Links', (value) => ({
			ok: true,
			value: value === true,
		}));
		return {
			request: {
				method: 'GET',
				path: '/openapi/v1/conv/targeturl_monitor/list',
				effect: 'read',
				parameters: given({
					account_id: fields.accountId(),
					conversion_type: fields.get('conversionType', 'Conversion Type', (value) =>
						readNames(value, TYPES),
					)[0],
					keywords: pick('keywords', 'Keywords', readText),
					adgroup_id: pick('adgroupId', 'Ad Group ID', readId),
					click: pick('click', 'Report State', (value) =>
						readWholeNumber(value, { least: 0, most: 2 }),
					),
					conversion_goal: pick('conversionGoal', 'Conversion Goal', readWholeNumber),
					deeplink: pick('deeplink', 'Deep Link', readText),
					show_share: share === undefined ? undefined : Number(share),
					app_package: pick('appPackage', 'App Package', readText),
				}),
			},
			hint: 'Check the Account ID and the filters, and that your application may read it (ads_read).',
			pages: { limit: fields.limit(), travelIn: 'parameters' },
			simplify: fields.isOn('simplify'),
			toItems: rowItems,
		};
	},
};
