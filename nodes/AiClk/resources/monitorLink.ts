import { ok } from '../../../aiclk/util/failure';
import { readSwitch } from '../../shared/values';
import { list, type Resource } from '../operations';
import { field, filters } from '../../shared/fields';

const TYPES = { API_DOWNLOAD: 'In an App', API_LANDING_PAGE: 'On a Landing Page' };
const REPORT_STATES = {
	0: 'Not Activated, Nothing Reported',
	1: 'Activated and Reported',
	2: 'Not Activated, Report Failed',
};

/** AiClk writes switches as 0 and 1. */
const readFlag = (value: unknown) => {
	const isOn = readSwitch(value);
	return isOn.ok ? ok(Number(isOn.value)) : isOn;
};

/** GET conv/targeturl_monitor/list (AiClk docs, P9): all parameters are plain URL parameters. */
const getAll = list({
	value: 'getAll',
	name: 'Get Many',
	action: 'Get many monitor links',
	description: 'Get the activated conversion tracking links of an advertiser account',
	path: 'conv/targeturl_monitor/list',
	place: 'parameters',
	parameters: [
		field.choice('conversion_type', 'Conversion Type', TYPES, {
			default: 'API_DOWNLOAD',
			required: true,
			description:
				'Where conversions happen (conversion_type). AiClk filters by it only together with an ad group.',
		}),
	],
	collection: filters([
		field.text('keywords', 'Keywords', 'Fuzzy search'),
		field.id('adgroup_id', 'Ad Group ID', 'Return links that suit this ad group', '20195330'),
		field.choice('click', 'Report State', REPORT_STATES, {
			default: '1',
			description: 'Whether a link is activated, and what became of its report (click)',
		}),
		field.number('conversion_goal', 'Conversion Goal', {
			default: 0,
			description:
				'-1 unknown, 0 activation, 1 registration; AiClk has other values, which this node does not know',
		}),
		field.text('deeplink', 'Deep Link', 'Deep link of the app (deeplink)', 'example://page'),
		field.custom('show_share', 'Shared Links', readFlag, {
			type: 'boolean',
			default: true,
			description: 'Whether to also return links that others share',
		}),
		field.text(
			'app_package',
			'App Package',
			'Package name of the app (app_package)',
			'com.example.app',
		),
	]),
	idField: 'id',
});

export const monitorLink: Resource = {
	option: { name: 'Monitor Link', value: 'monitorLink' },
	defaultOperation: 'getAll',
	operations: [getAll],
};
