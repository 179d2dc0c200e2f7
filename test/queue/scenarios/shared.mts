import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../../harness/n8n/install.mts';
import type { Workflow } from '../../harness/n8n/rest.mts';

export const ECHO = 'sandbox/echo';

const DAY_MS = 86_400_000;
const LIFE_MS = 90 * DAY_MS;
export const EXPIRED = { lifeMs: LIFE_MS, leftMs: -1_000 };
export const HALF_LIFE = { lifeMs: LIFE_MS, leftMs: 45 * DAY_MS };
export const DUE_FOR_ROTATION = { lifeMs: LIFE_MS, leftMs: 29 * DAY_MS };

/** The rotation workflow that the package brings along, and the node that starts it. */
export const ROTATION = JSON.parse(
	await readFile(join(ROOT, 'examples', 'token-rotation.json'), 'utf8'),
) as Workflow;
export const ROTATION_TRIGGER = 'Every day';
