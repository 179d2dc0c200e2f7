import type { IExecuteFunctions, IPollFunctions } from 'n8n-workflow';

/**
 * Whether an AI agent runs this node as its tool. n8n makes the tool variant of a node by adding `Tool` to its type; n8n 1
 * has no `isToolExecution`, and in n8n 2 it is false where agents run tools (n8n tool-generation/ai-tools.js).
 */
export const runsAsTool = (context: IExecuteFunctions | IPollFunctions): boolean =>
	context.getNode().type.endsWith('Tool') ||
	('isToolExecution' in context && context.isToolExecution?.() === true);
