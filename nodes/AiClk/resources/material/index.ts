import type { Resource } from '../../operation';
import { getAll } from './getAll';
import { upload } from './upload';

export const material: Resource = {
	option: { name: 'Material', value: 'material' },
	defaultOperation: 'getAll',
	operations: [getAll, upload],
};
