import { chosenVersions } from '../harness/n8n/install.mts';
import { inEditor } from './rig.mts';
import { aiclkNode } from './scenarios/aiclkNode.mts';
import { dialogs } from './scenarios/dialogs.mts';
import { examples } from './scenarios/examples.mts';
import { firstCredential } from './scenarios/firstCredential.mts';
import { panel } from './scenarios/panel.mts';
import { stop } from './scenarios/stop.mts';
import { triggerPanel } from './scenarios/trigger.mts';
import { workflows } from './scenarios/workflows.mts';

/** What only the editor can show, as a person sees it: `npm run test:ui`. Pictures of every step are in reports/ui. */
for (const version of chosenVersions()) {
	inEditor(version, [
		panel,
		firstCredential,
		workflows,
		dialogs,
		examples,
		triggerPanel,
		aiclkNode,
		stop,
	]);
}
