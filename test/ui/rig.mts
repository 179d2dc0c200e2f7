import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Browser } from 'playwright-core';

import { Rig } from '../e2e/rig.mts';
import { N8N_VERSIONS, type N8nVersion, ROOT } from '../harness/n8n/install.mts';
import type { Workflow } from '../harness/n8n/rest.mts';
import { describeOnN8n } from '../harness/rig.mts';
import { startChromium } from './browser.mts';
import { Editor } from './editor.mts';

const DOC_IMAGES = join(ROOT, 'docs', 'images');

/** They are scaled down in a page, and should be sharp for who opens one. */
const DOC_SCALE = 2;

async function isShown(image: string): Promise<boolean> {
	const documents = [
		'README.md',
		...(await readdir(join(ROOT, 'docs'), { recursive: true })).map((name) => join('docs', name)),
	];
	for (const document of documents.filter((name) => name.endsWith('.md'))) {
		if ((await readFile(join(ROOT, document), 'utf8')).includes(image)) return true;
	}
	return false;
}

/** The rig of test/e2e with n8n's editor open in a browser. */
export class UiRig extends Rig {
	editor!: Editor;

	private browser?: Browser;

	/** Whether this run writes the pictures in docs/images. */
	private readonly isDocumenting: boolean;

	constructor(version: N8nVersion) {
		super(version, 'ui');
		this.isDocumenting = process.env.AICLK_DOC_IMAGES === '1' && version === N8N_VERSIONS[0];
	}

	override async start(): Promise<void> {
		const folder = join(ROOT, 'reports', 'ui', this.version);
		await rm(folder, { recursive: true, force: true });
		// First of all: without a browser there is no need to wait for n8n.
		this.browser = await startChromium();
		await super.start();
		this.editor = await Editor.open(this.browser, {
			url: this.server.url,
			isN8n1: this.isN8n1,
			folder,
			scale: this.isDocumenting ? DOC_SCALE : 1,
		});
		await this.editor.signIn();
	}

	override async stop(): Promise<void> {
		await this.browser?.close();
		await super.stop();
	}

	/**
	 * Makes a picture for the documentation, as small as pngquant can: only when asked for, of one n8n, and where a document
	 * shows it.
	 *
	 * @param path in docs/images, without its ending
	 * @param take given the path to write to
	 */
	async docImage(path: string, take: (path: string) => Promise<void>): Promise<void> {
		if (!this.isDocumenting || !(await isShown(`images/${path}.png`))) return;
		await this.editor.dismissMessages();
		const file = join(DOC_IMAGES, `${path}.png`);
		await take(file);
		await execa('pngquant', ['--force', '--ext=.png', '--strip', '--speed=1', '64', file]);
	}

	/** The same of one panel of the open node. */
	async docPanel(name: string, panel: Parameters<Editor['pictureOfPanel']>[0]): Promise<void> {
		await this.docImage(name, async (path) => await this.editor.pictureOfPanel(panel, path));
	}

	/** Opens a workflow with this scenario's credential, and a node in it if one is named. */
	async open(workflow: Workflow, node?: string): Promise<void> {
		await this.editor.openWorkflow(await this.n8n.importWorkflow(workflow, this.credential));
		if (node !== undefined) await this.editor.openNode(node);
	}

	/** No secret stands on the screen, and none came to the browser in any other way since it was opened. */
	async assertNoSecretSeen(): Promise<void> {
		const secrets = this.secrets();
		const seen = [await this.editor.visibleText(), ...this.editor.received];
		const found = secrets.filter((secret) => seen.some((text) => text.includes(secret)));
		assert.equal(found.length, 0, `${found.length} secrets came to the browser`);
	}
}

/** Defines one test. Its body may return figures for the closing table. When it fails there is a picture of the screen. */
type UiScenario = (name: string, body: (editor: Editor) => Promise<string | void>) => void;

/** A file of scenarios: defines them for one n8n. */
export type UiScenarios = (rig: UiRig, scenario: UiScenario) => void;

/** Runs scenarios in the editor of one version of n8n, one after the other. */
export function inEditor(version: N8nVersion, files: UiScenarios[]): void {
	const rig = new UiRig(version);
	describeOnN8n(`The editor of n8n ${version}`, {
		rig,
		start: async () => await rig.start(),
		run: async (name: string, body: (editor: Editor) => Promise<string | void>) => {
			rig.note(name, (await body(rig.editor)) ?? 'passed');
		},
		failed: async () => {
			await rig.editor.picture('failed');
			rig.editor.giveUp();
		},
		files,
	});
}
