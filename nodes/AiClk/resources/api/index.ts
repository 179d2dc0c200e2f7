import type { Resource } from '../../operation';
import { call } from './call';

export const api: Resource = {
	option: {
		name: 'API',
		value: 'api',
		description: 'Endpoints that this node has no operation for',
	},
	defaultOperation: 'call',
	operations: [call],
};
