import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';

import { Rig } from '../e2e/rig.mts';
import { listExamples, readExample } from '../e2e/scenarios/examples.mts';
import { N8N_VERSIONS, type N8nVersion, ROOT } from '../n8n/install.mts';
import { startChromium } from './browser.mts';
import { Editor } from './editor.mts';

const DOC_IMAGES = join(ROOT, 'docs', 'images', 'examples');

/** Nodes whose credential is a person's to choose, and without which the example makes no sense. */
const LACKING: Record<string, string[]> = { 'ai-agent': ['Chat model'] };

/** Every workflow in `examples/` as a person sees it who has imported it and chosen an AiClk API credential. */
export function examplesInEditor(version: N8nVersion): void {
	describe(`The examples in the editor of n8n ${version}`, () => {
		const rig = new Rig(version, 'ui');
		let browser: Browser;
		let editor: Editor;

		before(async () => {
			browser = await startChromium();
			await rig.start();
			await rig.begin();
			const pictures = join(ROOT, 'reports', 'ui', `examples-${version}`);
			editor = await Editor.open(browser, rig.server.url, pictures);
			await editor.signIn();
		});

		after(async () => {
			await browser?.close();
			await rig.stop();
		});

		it('show no red mark', async () => {
			const marks: Record<string, string[]> = {};
			for (const name of await listExamples()) {
				const example = await readExample(name);
				await editor.openWhole(await rig.n8n.importWorkflow(example, rig.credential));
				const found = await editor.redMarks();
				if (found.length > 0) marks[name] = found;
				await editor.picture(name);
				if (process.env.AICLK_DOC_IMAGES === '1' && version === N8N_VERSIONS[0]) {
					await editor.pictureAs(join(DOC_IMAGES, `${name}.png`));
				}
			}
			assert.deepEqual(marks, LACKING);
		});
	});
}
