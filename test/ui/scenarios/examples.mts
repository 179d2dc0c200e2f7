import assert from 'node:assert/strict';

import { listExamples, readExample } from '../../e2e/scenarios/examples.mts';
import type { UiScenarios } from '../rig.mts';

/** Nodes whose credential is a person's to choose, and without which the example makes no sense. */
const LACKING: Record<string, string[]> = { 'ai-agent': ['Chat model'] };

/** The copies in Chinese that a document shows. Their nodes are those of the English ones, and so are their marks. */
const CHINESE = ['zh-CN/daily-spending'];

/** Every workflow in `examples/` as a person sees it who has imported it and chosen an AiClk API credential. */
export const examples: UiScenarios = (rig, scenario) => {
	scenario('the examples show no red mark', async (editor) => {
		await rig.begin();
		const marks: Record<string, string[]> = {};
		for (const name of [...(await listExamples()), ...CHINESE]) {
			const example = await readExample(name);
			await editor.openWhole(await rig.n8n.importWorkflow(example, rig.credential));
			const found = await editor.redMarks();
			if (found.length > 0) marks[name] = found;
			await editor.picture(name.replace('/', ' '));
			await rig.docImage(`examples/${name}`, async (path) => await editor.pictureOfWorkflow(path));
		}
		assert.deepEqual(marks, LACKING);
	});
};
