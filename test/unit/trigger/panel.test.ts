import type { INodePropertyOptions } from 'n8n-workflow';

import { properties } from '../../../nodes/AiClkTrigger/description';
import { EVENTS } from '../../../nodes/AiClkTrigger/events';

const fieldOf = (name: string) => properties.find((property) => property.name === name);

/** n8n drops what was typed into a field that it does not show. */
it('the panel offers every event, and Account IDs for all but the one about the token', () => {
	const options = (fieldOf('event')?.options ?? []) as INodePropertyOptions[];
	expect(new Set(options.map(({ value }) => value))).toEqual(new Set(EVENTS.keys()));
	const shown = new Set(fieldOf('accountIds')?.displayOptions?.show?.event);
	expect(shown.add('tokenNeedsAttention')).toEqual(new Set(EVENTS.keys()));
});
