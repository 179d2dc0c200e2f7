import { randomInt } from 'node:crypto';
import { sleep } from 'n8n-workflow';

import { TokenManager } from '../aiclk/token/manager';

const FINENESS = 2 ** 47;

/** The one token manager of this n8n process, shared by the credential and the nodes. */
export const tokenManager = new TokenManager({
	now: () => Date.now(),
	random: () => randomInt(FINENESS) / FINENESS,
	sleep,
});
