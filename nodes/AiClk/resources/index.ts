import type { Resource } from '../operations';
import { account } from './account';
import { advertiser } from './advertiser';
import { api } from './api';
import { charge } from './charge';
import { creative } from './creative';
import { material } from './material';
import { monitorLink } from './monitorLink';

/** All resources, in the order of n8n's list. */
export const RESOURCES: Resource[] = [
	account,
	advertiser,
	api,
	charge,
	creative,
	material,
	monitorLink,
];
