import { randomInt } from 'node:crypto';
import { LoggerProxy, sleep } from 'n8n-workflow';

import { TokenManager } from '../aiclk/token/manager';

const RESOLUTION = 2 ** 47;

/** The one token manager of this n8n process, shared by the credential and the nodes. */
export const tokenManager = new TokenManager({
	now: () => Date.now(),
	random: () => randomInt(RESOLUTION) / RESOLUTION,
	sleep,
	log: {
		debug: (message) => LoggerProxy.debug(message),
		info: (message) => LoggerProxy.info(message),
		warn: (message) => LoggerProxy.warn(message),
	},
});
