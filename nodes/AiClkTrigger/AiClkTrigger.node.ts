import type {
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	IPollFunctions,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';

import { MAX_PAGE_SIZE } from '../../aiclk/protocol/assumptions';
import { FailureError } from '../../aiclk/util/failure';
import { refuse, withErrors } from '../shared/errors';
import { Lane } from '../shared/lane';
import { CREDENTIAL, readCredential } from '../shared/transport';
import { properties } from './description';
import { EVENTS } from './events';
import { createApi } from './poll';
import { readSettings } from './settings';
import { configurationKey, MAX_STATE_BYTES, readState, writeState } from './state';

/** How many items a manual run shows if there is no earlier look to compare with. */
const MAX_EXAMPLES = 10;

/**
 * Looks at AiClk and emits what has changed since the last look. The state changes only after all requests of the poll have
 * succeeded, and never in a manual run.
 */
async function poll(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	const name = String(context.getNodeParameter('event'));
	const event = EVENTS.get(name);
	if (event === undefined) {
		return refuse(`The AiClk Trigger node has no event '${name}'`, 'Choose one from the list.');
	}
	const { input } = await readCredential(context);
	const isToken = name === 'tokenNeedsAttention';
	if (!input.ok && !isToken) throw new FailureError(input.failure);
	const { client, accountId } = input.ok ? input.value : { client: '', accountId: '' };
	const { parameters, credentials } = context.getNode();
	const whose = isToken ? credentials?.[CREDENTIAL]?.id : client;
	const key = configurationKey(name, whose, parameters.filters ?? {});

	const isManual = context.getMode() === 'manual';
	const settings = readSettings(context, name, accountId);
	const text = context.getWorkflowStaticData('node').state;
	const state = readState(text, key);
	// With nothing to compare with, a manual run shows a few examples.
	const showsExamples = isManual && state === null;
	if (showsExamples) settings.emitExisting = true;
	const lane = new Lane(null);
	const api = createApi(context, lane, showsExamples ? MAX_PAGE_SIZE : null);
	// The accounts are read together. After the first failure nothing more goes out.
	const look = await event.look(api, state, settings).finally(() => lane.close());
	const { state: next, items } = event.compare(state, look, settings, MAX_STATE_BYTES);
	if (next === null) {
		return refuse(
			'There is more to remember than n8n can store for a trigger',
			'Watch fewer accounts or campaigns with each AiClk Trigger. No change is lost: the state of the last poll is kept.',
		);
	}

	const output = [
		items.map((json) => ({ json })).slice(0, showsExamples ? MAX_EXAMPLES : undefined),
	];
	const emitted = items.length > 0 ? output : null;
	if (isManual) return emitted;
	const data = context.getWorkflowStaticData('node');
	// n8n starts a poll even while another one runs: the one that ends first counts, and the next poll finds the rest.
	if (data.state !== text) return null;
	data.state = writeState(key, next);
	return emitted;
}

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
		properties,
	};

	async poll(this: IPollFunctions): Promise<INodeExecutionData[][] | null> {
		return await withErrors(this, async () => await poll(this));
	}
}
