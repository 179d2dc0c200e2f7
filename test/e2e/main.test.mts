import { EXTERNAL_N8N } from '../n8n/external.mts';
import { EXTERNAL, LATEST, N8N_VERSIONS } from '../n8n/install.mts';
import { onN8n } from './rig.mts';
import { agency } from './scenarios/agency.mts';
import { aiclk } from './scenarios/aiclk.mts';
import { credentials } from './scenarios/credentials.mts';
import { examples } from './scenarios/examples.mts';
import { faults } from './scenarios/faults.mts';
import { foundation } from './scenarios/foundation.mts';
import { life } from './scenarios/life.mts';
import { secrets } from './scenarios/secrets.mts';
import { triggers } from './scenarios/trigger.mts';
import { workflows } from './scenarios/workflows.mts';

/** One n8n alone, e.g. 2.41.1, or `latest`; the pinned ones when it is not set. AICLK_N8N_URL names one that runs already. */
const { AICLK_N8N_VERSION: only } = process.env;

const pinned =
	only === undefined
		? N8N_VERSIONS
		: [...N8N_VERSIONS, LATEST].filter((version) => version === only);
const versions = EXTERNAL_N8N === null ? pinned : [EXTERNAL];
if (versions.length === 0) throw new Error(`AICLK_N8N_VERSION: there are no tests on n8n ${only}`);

/** Every promise, on every n8n: `npm run test:e2e`. */
for (const version of versions) {
	onN8n(version, [
		foundation,
		faults,
		life,
		credentials,
		workflows,
		aiclk,
		agency,
		triggers,
		examples,
		secrets,
	]);
}
