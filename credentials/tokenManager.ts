import { LoggerProxy, sleep } from 'n8n-workflow';

import { TokenManager } from '../aiclk/token/manager';

/** The one token manager of this n8n process, shared by the credential and the nodes. */
export const tokenManager = new TokenManager({
	now: () => Date.now(),
	random: () => Math.random(),
	sleep,
	log: LoggerProxy,
});
