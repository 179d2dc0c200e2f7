import type { INodePropertyOptions } from 'n8n-workflow';
import { NodeHelpers } from 'n8n-workflow';

import { AiClkTrigger } from '../../../nodes/AiClkTrigger/AiClkTrigger.node';
import { EVENTS } from '../../../nodes/AiClkTrigger/events';

const { description } = new AiClkTrigger();
const { properties } = description;

/** The fields that n8n shows for an event. */
const shownFor = (event: string): string[] =>
	properties
		.filter((property) =>
			NodeHelpers.displayParameter({ event }, property, { typeVersion: 1 }, description),
		)
		.map(({ name }) => name);

describe('the panel of the trigger', () => {
	it('offers every event, under the label that n8n uses for triggers', () => {
		const [field] = properties;
		expect(field).toMatchObject({ displayName: 'Trigger On', name: 'event' });
		const values = (field?.options as INodePropertyOptions[]).map(({ value }) => value);
		expect(values).toEqual(EVENTS.map(({ option }) => option.value));
	});

	it.each([
		['balanceBelow', ['event', 'accountIds', 'balance']],
		['creativeChanged', ['event', 'accountIds', 'firstLookNotice', 'filters', 'options']],
		['materialReviewed', ['event', 'accountIds', 'firstLookNotice', 'options']],
		['tokenNeedsAttention', ['event', 'withinDays']],
	])('shows for %s: %j', (event, names) => {
		expect(shownFor(event)).toEqual(names);
	});
});
