import type { Resource } from '../../operation';
import { getFundRecords } from './getFundRecords';
import { getInfo } from './getInfo';

export const account: Resource = {
	option: { name: 'Account', value: 'account' },
	defaultOperation: 'getInfo',
	operations: [getFundRecords, getInfo],
};
