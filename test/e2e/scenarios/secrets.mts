import type { Scenarios } from '../rig.mts';

/** The last file: searches all that the scenarios before it have left behind. */
export const secrets: Scenarios = (rig, scenario) => {
	scenario('no secret in stored executions or in the debug log', async () => {
		const searched = await rig.assertNoSecretStored();
		return `searched n8n's database and log for ${searched} access and refresh tokens: none`;
	});
};
