import type { Resource } from '../../operation';
import { getAll } from './getAll';

export const monitorLink: Resource = {
	option: { name: 'Monitor Link', value: 'monitorLink' },
	defaultOperation: 'getAll',
	operations: [getAll],
};
