import type { IExecuteFunctions } from 'n8n-workflow';

import type { Effect } from '../../aiclk/api/request';
import { refuse } from '../shared/errors';

const NEW_EXECUTION =
	'See in the failed execution what was carried out, then start a new execution with the items that are left.';

/**
 * A change does not run where n8n would run it again: with Retry On Fail, or in a retried execution in which this node has run
 * before. A charge runs in no retried execution. n8n hands the node all its items again and does not say which of them were carried
 * out (n8n execution.service.js, `retry`; n8n-core workflow-execute.js).
 *
 * @throws FailureError where n8n could send it twice
 */
export function refuseRepetition(context: IExecuteFunctions, effect: Effect): void {
	if (effect === 'read') return;
	const what = effect === 'money' ? 'transfer' : 'change';
	const { name, retryOnFail } = context.getNode();
	if (retryOnFail === true) {
		refuse(
			`'Retry On Fail' could send this ${what} twice. Nothing was sent.`,
			`Switch 'Retry On Fail' off in the node's settings: AiClk cannot tell a repeated ${what} from a new one.`,
		);
	}
	if (context.getMode() !== 'retry') return;
	const { $: node } = context.getWorkflowDataProxy(0) as {
		$(name: string): { isExecuted: boolean };
	};
	if (node(name).isExecuted) {
		refuse(
			`Retrying this execution could send this ${what} twice. Nothing was sent.`,
			NEW_EXECUTION,
		);
	}
	if (effect === 'money') {
		refuse('No money is moved in a retried execution. Nothing was sent.', NEW_EXECUTION);
	}
}
