import type { Resource } from '../../operation';
import { getAll } from './getAll';

export const creative: Resource = {
	option: { name: 'Creative', value: 'creative' },
	defaultOperation: 'getAll',
	operations: [getAll],
};
