import type { Resource } from '../../operation';
import { create } from './create';
import { update } from './update';

export const advertiser: Resource = {
	option: { name: 'Advertiser', value: 'advertiser' },
	defaultOperation: 'update',
	operations: [create, update],
};
