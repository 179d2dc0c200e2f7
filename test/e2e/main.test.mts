import { describe } from 'node:test';

import { EXTERNAL_N8N } from '../harness/n8n/external.mts';
import { chosenVersions, EXTERNAL } from '../harness/n8n/install.mts';
import { onN8n, together } from './rig.mts';
import { agency } from './scenarios/agency.mts';
import { aiclk } from './scenarios/aiclk.mts';
import { credentials } from './scenarios/credentials.mts';
import { examples } from './scenarios/examples.mts';
import { faults } from './scenarios/faults.mts';
import { foundation } from './scenarios/foundation.mts';
import { life } from './scenarios/life.mts';
import { repetition } from './scenarios/repetition.mts';
import { restarts } from './scenarios/restarts.mts';
import { secrets } from './scenarios/secrets.mts';
import { triggerRestarts, triggers } from './scenarios/trigger.mts';
import { waits } from './scenarios/waits.mts';
import { workflows } from './scenarios/workflows.mts';

const WORKFLOWS = [
	foundation,
	faults,
	life,
	credentials,
	workflows,
	aiclk,
	agency,
	repetition,
	examples,
	restarts,
	secrets,
];
const WAITS = [together(triggers, waits), triggerRestarts, secrets];

/** Every promise, on every n8n: `npm run test:e2e`. What mostly waits, e.g. for n8n's own minute, has an n8n of its own beside the others. */
if (EXTERNAL_N8N === null) {
	for (const version of chosenVersions()) {
		describe(`n8n ${version}`, { concurrency: 2 }, () => {
			onN8n(version, 'e2e', WORKFLOWS);
			onN8n(version, 'e2e-waits', WAITS);
		});
	}
} else {
	onN8n(EXTERNAL, 'e2e', [...WORKFLOWS.slice(0, -1), ...WAITS]);
}
