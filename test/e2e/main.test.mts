import { N8N_VERSIONS } from '../n8n/install.mts';
import { onN8n } from './rig.mts';
import { aiclk } from './scenarios/aiclk.mts';
import { credentials } from './scenarios/credentials.mts';
import { faults } from './scenarios/faults.mts';
import { foundation } from './scenarios/foundation.mts';
import { life } from './scenarios/life.mts';
import { secrets } from './scenarios/secrets.mts';
import { workflows } from './scenarios/workflows.mts';

/** Every promise, on every n8n: `npm run test:e2e`. */
for (const version of N8N_VERSIONS) {
	onN8n(version, [foundation, faults, life, credentials, workflows, aiclk, secrets]);
}
