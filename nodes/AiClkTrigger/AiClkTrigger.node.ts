import type {
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	IPollFunctions,
} from 'n8n-workflow';
import { NodeConnectionTypes, updateDisplayOptions } from 'n8n-workflow';

import { ofThrown, toError } from '../shared/errors';
import { EVENTS } from './events';
import { poll } from './poll';

export class AiClkTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'AiClk Trigger',
		name: 'aiClkTrigger',
		icon: { light: 'file:../../icons/aiclk.svg', dark: 'file:../../icons/aiclk.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle:
			'={{ $parameter["event"].replace(/[A-Z]/g, " $&").replace(/^./, (first) => first.toUpperCase()) }}',
		// n8n's panel merges AiClk and AiClk Trigger into one entry, which shows this text (n8n-editor-ui, `mergedNodes`).
		description:
			'Read and change AiClk (Qutoutiao) ad accounts, or start when a creative is reviewed, a balance falls or a token needs a person',
		defaults: { name: 'AiClk Trigger' },
		polling: true,
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'aiClkApi', required: true }],
		// n8n adds Poll Times.
		properties: [
			{
				displayName: 'Trigger On',
				name: 'event',
				type: 'options',
				noDataExpression: true,
				options: EVENTS.map(({ option }) => option),
				default: 'creativeChanged',
			},
			...EVENTS.flatMap(({ option, properties }) =>
				updateDisplayOptions({ show: { event: [option.value] } }, properties),
			),
		],
	};

	async poll(this: IPollFunctions): Promise<INodeExecutionData[][] | null> {
		try {
			return await poll(this);
		} catch (error) {
			throw toError(this, ofThrown(error, 'not-sent'));
		}
	}
}
