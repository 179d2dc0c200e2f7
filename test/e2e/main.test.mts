import { EXTERNAL_N8N } from '../harness/n8n/external.mts';
import { chosenVersions, EXTERNAL } from '../harness/n8n/install.mts';
import { onN8n } from './rig.mts';
import { agency } from './scenarios/agency.mts';
import { aiclk } from './scenarios/aiclk.mts';
import { credentials } from './scenarios/credentials.mts';
import { examples } from './scenarios/examples.mts';
import { faults } from './scenarios/faults.mts';
import { foundation } from './scenarios/foundation.mts';
import { life } from './scenarios/life.mts';
import { repetition } from './scenarios/repetition.mts';
import { secrets } from './scenarios/secrets.mts';
import { triggers } from './scenarios/trigger.mts';
import { workflows } from './scenarios/workflows.mts';

/** Every promise, on every n8n: `npm run test:e2e`. */
for (const version of EXTERNAL_N8N === null ? chosenVersions() : [EXTERNAL]) {
	onN8n(version, [
		foundation,
		faults,
		life,
		credentials,
		workflows,
		aiclk,
		agency,
		repetition,
		triggers,
		examples,
		secrets,
	]);
}
