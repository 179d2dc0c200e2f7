import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	JsonObject,
} from 'n8n-workflow';
import { NodeApiError, NodeConnectionTypes, NodeOperationError } from 'n8n-workflow';

import { readInput } from '../../aiclk/token/input';
import { toNodeError } from '../shared/errors';
import { CREDENTIAL } from '../shared/transport';
import { properties } from './description';
import { Fields } from './fields';
import type { Plan } from './operation';
import { carryOut, planItem } from './run';

/** Whoever runs the node again after an error must know what it has done. @param changes items that were carried out */
const afterChanges = (changes: number): string =>
	changes === 0
		? ''
		: ` Before this, ${changes} of the items were carried out: leave them out when you run again.`;

export class AiClk implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'AiClk',
		name: 'aiClk',
		icon: { light: 'file:../../icons/aiclk.svg', dark: 'file:../../icons/aiclk.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter["operation"] + ": " + $parameter["resource"] }}',
		description: 'Read and change advertiser accounts of AiClk (Qutoutiao) with its Marketing-API',
		defaults: { name: 'AiClk' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'aiClkApi', required: true }],
		properties,
	};

	/** All items are read and checked before the first request goes out; then they are carried out one after the other. */
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const input = readInput(await this.getCredentials(CREDENTIAL));
		const items = this.getInputData().map(() => ({
			plan: null as Plan | null,
			output: [] as INodeExecutionData[],
		}));
		let changes = 0;
		/** Lets something happen for one item; what goes wrong is the item's output, if the user wants to continue. */
		const attempt = async (itemIndex: number, work: () => Promise<IDataObject[]>) => {
			const pairedItem = { item: itemIndex };
			try {
				return (await work()).map((json) => ({ json, pairedItem }));
			} catch (error) {
				if (this.continueOnFail())
					return [{ json: { error: (error as Error).message }, pairedItem }];
				const shown =
					error instanceof NodeOperationError
						? new NodeOperationError(this.getNode(), error, { itemIndex })
						: new NodeApiError(this.getNode(), error as JsonObject, { itemIndex });
				shown.description = `${shown.description ?? ''}${afterChanges(changes)}`.trim();
				throw shown;
			}
		};

		for (const [itemIndex, item] of items.entries()) {
			item.output = await attempt(itemIndex, async () => {
				if (!input.ok) throw toNodeError(this, input.failure, itemIndex);
				const fields = new Fields(this, itemIndex, input.value.accountId);
				item.plan = await planItem(this, itemIndex, fields);
				return [];
			});
		}
		for (const [itemIndex, item] of items.entries()) {
			const { plan } = item;
			if (plan === null) continue;
			item.output = await attempt(itemIndex, async () => await carryOut(this, itemIndex, plan));
			if (plan.request.effect !== 'read') changes++;
		}
		return [items.flatMap(({ output }) => output)];
	}
}
