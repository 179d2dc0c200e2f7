import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Locator, Page, PageScreenshotOptions } from 'playwright-core';

import { OWNER } from '../harness/n8n/rest.mts';

/** Two busy cores: what a person sees after a second takes ten, or more. */
const PATIENCE_MS = 60_000;

/** How long the editor takes to lay a node out anew. */
const SETTLED_MS = 500;

/** How long n8n may take to find out what a node lacks. */
const MARKS_MS = 3_000;

/** The size of every picture of the screen, too. */
const VIEWPORT = { width: 1280, height: 800 };

/** For a picture of one panel of a node: nothing in it is cut off. */
const VIEWPORT_OF_PANEL = { width: 1500, height: 1150 };

/** The panels of an open node that pictures are taken of. */
const PANELS = { parameters: 'node-parameters', output: 'output-panel' };

/** Around a workflow, in a picture of it alone. */
const MARGIN = 24;

/** Below what a panel holds, in a picture of it alone. */
const PANEL_MARGIN = 24;

/** What is drawn on the canvas: nodes and notes, the lines between them, and icons and texts beside a node. */
const DRAWN = [
	'.vue-flow__node',
	'.vue-flow__edge-path',
	'.vue-flow__node svg',
	'.vue-flow__node :not(:has(*), :empty)',
].join(', ');

/** What a panel of a node holds. */
const HELD = ':is(svg, input, textarea, :not(:has(*), :empty))';

/** What is not of the node: a way to write to n8n, mock data, and the nodes beside it. */
const NOT_OF_NODE = ['node-feature-request', 'ndv-edit-pinned-data', 'floating-nodes']
	.map((id) => `[data-test-id="${id}"]`)
	.join(', ');

/** Hides what lies around and over the canvas, and its dots, which are a fifth of a picture's bytes. */
const CANVAS_ALONE =
	'body :not(:has(.vue-flow), .vue-flow, .vue-flow *), .vue-flow__panel, .vue-flow__background { visibility: hidden; }';

/** The root of the editor, where Vue keeps the app. */
interface AppRoot {
	__vue_app__: {
		config: { globalProperties: { $router: { push(path: string): Promise<unknown> } } };
	};
}

/** Matches a text that is just this, whatever white space stands around it. */
const exactly = (text: string): RegExp =>
	new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);

/** Which n8n is opened, and how. */
export interface EditorOptions {
	url: string;
	isN8n1: boolean;
	/** Where pictures go. */
	folder: string;
	/** Pixels of a picture for each of the screen's, both ways. */
	scale: number;
}

/** What the search in the panel of nodes shows for one node. */
export interface FoundNode {
	/** Null on n8n 1, which shows none of a community node. */
	description: string | null;
	/** Natural width of its icon in pixels: 0 when the browser could not draw it. */
	iconWidth: number;
}

/**
 * n8n's editor in a browser, as a person uses it. All that is known about its pages stands in this file: when a new n8n
 * moves something, this is the file to change.
 */
export class Editor {
	/** Everything that n8n sent to the browser since it was opened: answers, pushed messages, lines on its console. */
	readonly received: string[] = [];

	private pictures = 0;

	/** Whether the editor is there and holds nothing that is not stored: it would ask what to do with that. */
	private isAtRest = false;

	private constructor(
		private readonly page: Page,
		private readonly options: EditorOptions,
	) {}

	static async open(browser: Browser, options: EditorOptions): Promise<Editor> {
		const { folder, scale } = options;
		const context = await browser.newContext({
			viewport: VIEWPORT,
			deviceScaleFactor: scale,
			colorScheme: 'light',
			locale: 'en-US',
			reducedMotion: 'reduce',
		});
		context.setDefaultTimeout(PATIENCE_MS);
		await mkdir(folder, { recursive: true });
		const editor = new Editor(await context.newPage(), options);
		editor.keepWhatIsReceived();
		return editor;
	}

	private keepWhatIsReceived(): void {
		this.page.on('response', (response) => {
			if (!response.url().includes('/rest/')) return;
			// A page that is left has no bodies any more.
			void response.text().then(
				(text) => this.received.push(text),
				() => undefined,
			);
		});
		this.page.on('websocket', (socket) => {
			socket.on('framereceived', ({ payload }) => this.received.push(String(payload)));
		});
		this.page.on('console', (message) => this.received.push(message.text()));
	}

	private at(testId: string): Locator {
		return this.page.getByTestId(testId);
	}

	/** Everything that stands on the screen, also in fields, except for what shows as dots. */
	async visibleText(): Promise<string> {
		const fields = await this.page
			.locator('input:visible:not([type=password]), textarea:visible')
			.all();
		const values = await Promise.all(fields.map(async (field) => await field.inputValue()));
		return [await this.page.locator('body').innerText(), ...values].join('\n');
	}

	/** Keeps a picture of the screen; they are numbered in the order of a run. */
	async picture(name: string): Promise<void> {
		const number = String(++this.pictures).padStart(2, '0');
		const file = `${number}-${name.replaceAll(' ', '-')}.png`;
		await this.pictureAs(join(this.options.folder, file), { scale: 'css' });
	}

	async pictureAs(path: string, more: PageScreenshotOptions = {}): Promise<void> {
		// Hovering makes tool bars appear.
		await this.page.mouse.move(VIEWPORT.width / 2, 1);
		await this.page.screenshot({ path, animations: 'disabled', ...more });
	}

	/** A picture of the workflow alone: what is drawn on the canvas, with a margin around it. */
	async pictureOfWorkflow(path: string): Promise<void> {
		// Takes the frame from the node that was opened last.
		await this.at('canvas').click({ position: { x: 20, y: 20 } });
		const boxes = await this.page.locator(DRAWN).evaluateAll((elements) =>
			elements
				.filter((element) => element.checkVisibility({ opacityProperty: true }))
				.map((element) => element.getBoundingClientRect())
				.map(({ left, top, right, bottom }) => ({ left, top, right, bottom })),
		);
		const x = Math.min(...boxes.map(({ left }) => left)) - MARGIN;
		const y = Math.min(...boxes.map(({ top }) => top)) - MARGIN;
		const width = Math.max(...boxes.map(({ right }) => right)) + MARGIN - x;
		const height = Math.max(...boxes.map(({ bottom }) => bottom)) + MARGIN - y;
		await this.pictureAs(path, { clip: { x, y, width, height }, style: CANVAS_ALONE });
	}

	/** A picture of one panel of the open node alone, as high as what it holds. */
	async pictureOfPanel(panel: keyof typeof PANELS, path: string): Promise<void> {
		await this.page.setViewportSize(VIEWPORT_OF_PANEL);
		await this.page.waitForTimeout(SETTLED_MS);
		const locator = this.at(PANELS[panel]);
		const bottoms = await locator.locator(HELD).evaluateAll(
			(elements, others) =>
				elements
					.filter((element) => element.closest(others) === null)
					.filter((element) => element.checkVisibility({ opacityProperty: true }))
					.map((element) => element.getBoundingClientRect().bottom),
			NOT_OF_NODE,
		);
		const box = await locator.boundingBox();
		if (box === null) throw new Error(`The open node shows no ${panel}`);
		const height = Math.min(box.height, Math.max(...bottoms) + PANEL_MARGIN - box.y);
		const style = `${NOT_OF_NODE} { display: none; }`;
		await this.pictureAs(path, { clip: { ...box, height }, style });
		await this.page.setViewportSize(VIEWPORT);
	}

	async signIn(): Promise<void> {
		await this.load('/signin');
		await this.page.locator('input[name="emailOrLdapLoginId"]').fill(OWNER.email);
		await this.page.locator('input[name="password"]').fill(OWNER.password);
		await this.at('form-submit-button').click();
		await this.page.waitForURL(/\/(home|workflow)/);
	}

	/** Loads the whole editor. */
	private async load(path: string): Promise<void> {
		await this.page.goto(this.options.url + path);
	}

	/**
	 * Goes to another page as the editor's links do, by its router, where it can: to load the whole editor takes ten times as much
	 * of the processor. On the page between is no canvas, so no node of the last workflow is taken for one of the next.
	 */
	private async go(path: string): Promise<void> {
		if (this.isAtRest) {
			for (const next of ['/settings/personal', path]) {
				// Not awaited: the router may ask a person first.
				await this.page.locator('#app').evaluate((app: AppRoot, to) => {
					void app.__vue_app__.config.globalProperties.$router.push(to);
				}, next);
				// The list of executions goes on to the newest one.
				await this.page.waitForURL(({ pathname }) => pathname.startsWith(next));
			}
		} else {
			await this.load(path);
		}
		this.isAtRest = true;
	}

	/** Gives up what is on the screen: the next page is loaded as a whole. */
	giveUp(): void {
		this.isAtRest = false;
	}

	private async openNew(): Promise<void> {
		await this.load('/workflow/new');
		this.isAtRest = false;
	}

	/** A new workflow with nothing but a trigger to start it by hand. */
	async newWorkflow(name: string): Promise<void> {
		await this.openNew();
		await this.at('workflow-name-input').getByTestId('inline-edit-preview').click();
		await this.at('workflow-name-input').getByTestId('inline-edit-input').fill(name);
		await this.page.keyboard.press('Enter');
		await this.at('canvas-plus-button').first().click();
		await this.at('node-creator-search-bar').fill('Manual Trigger');
		await this.entry('Manual Trigger').click();
		await this.at('canvas-node').first().waitFor();
	}

	async openWorkflow(id: string): Promise<void> {
		await this.go(`/workflow/${id}`);
		await this.at('canvas-node').first().waitFor();
	}

	/** A new workflow out of a file, by the workflow's menu. */
	async importFromFile(path: string): Promise<void> {
		await this.openNew();
		await this.at('workflow-menu').click();
		// n8n 1 has the entry in the menu itself.
		if (!this.options.isN8n1) await this.at('workflow-menu-item-import').click();
		const chooser = this.page.waitForEvent('filechooser');
		await this.at('workflow-menu-item-import-from-file').click();
		await (await chooser).setFiles(path);
		await this.at('canvas-node').first().waitFor();
		await this.at('zoom-to-fit').click();
	}

	/** An entry of the panel of nodes, or of a node's actions in it. */
	private entry(name: string): Locator {
		return this.at('item-iterator-item').filter({
			has: this.at('node-creator-item-name').filter({ hasText: exactly(name) }),
		});
	}

	/** Opens the panel of nodes and searches it. */
	async searchNodes(text: string): Promise<void> {
		await this.at('node-creator-plus-button').click();
		await this.at('node-creator-search-bar').fill(text);
	}

	/** What the panel of nodes shows of a node that has an icon of its own. */
	async lookAt(node: string): Promise<FoundNode> {
		const icon = this.entry(node).locator('img').first();
		await icon.waitFor();
		const description = this.entry(node).getByTestId('node-creator-item-description');
		return {
			description: this.options.isN8n1 ? null : await description.innerText(),
			iconWidth: await icon.evaluate((image: { naturalWidth: number }) => image.naturalWidth),
		};
	}

	/** Clicks a node in the panel. @returns what one can do with it */
	async actionsOf(node: string): Promise<string[]> {
		await this.entry(node).click();
		await this.at('node-creator-category-item').first().waitFor();
		const actions = this.at('item-iterator-item').getByTestId('node-creator-item-name');
		return (await actions.allInnerTexts()).map((text) => text.trim());
	}

	/** Drags an entry of the open panel of nodes onto the canvas. n8n connects it and opens the node. */
	async dragIn(entry: string): Promise<void> {
		const targetPosition = { x: 700, y: 500 };
		await this.entry(entry).dragTo(this.at('canvas'), { targetPosition });
		await this.at('ndv').waitFor();
	}

	private onCanvas(node: string): Locator {
		return this.page.locator(`[data-test-id="canvas-node"][data-node-name="${node}"]`);
	}

	async openNode(name: string): Promise<void> {
		await this.onCanvas(name).dblclick();
		await this.at('ndv').waitFor();
	}

	async closeNode(): Promise<void> {
		await this.at(this.options.isN8n1 ? 'back-to-canvas' : 'ndv-close-button').click();
		await this.at('ndv').waitFor({ state: 'hidden' });
	}

	/** Types into a text field of the open node. */
	async type(parameter: string, text: string): Promise<void> {
		await this.at(`parameter-input-${parameter}`).locator('input, textarea').first().fill(text);
	}

	/** Chooses from a list of the open node, by its words. */
	async choose(parameter: string, option: string): Promise<void> {
		await this.at(`parameter-input-${parameter}`).locator('input').first().click();
		const headline = this.page.locator('.option-headline', { hasText: exactly(option) });
		await this.at('parameter-input-item').filter({ has: headline }).click();
	}

	/** Searches the list of predefined credential types of the open HTTP Request node. @returns what it offers */
	async searchCredentialTypes(text: string): Promise<string[]> {
		await this.at('credential-select').locator('input').first().click();
		await this.page.keyboard.type(text);
		const options = this.at('credential-select-option').filter({ visible: true });
		await options
			.filter({ hasText: new RegExp(text, 'i') })
			.first()
			.waitFor();
		return (await options.allInnerTexts()).map((option) => option.trim());
	}

	/** Clicks an entry of that list. */
	async chooseCredentialType(name: string): Promise<void> {
		await this.at('credential-select-option')
			.filter({ hasText: exactly(name) })
			.click();
	}

	/** Opens the dialog for a first credential of the open node. */
	async createCredential(): Promise<CredentialDialog> {
		if (this.options.isN8n1) {
			// A list that holds nothing else.
			await this.at('node-credentials-select').click();
			await this.at('node-credentials-select-item-new').click();
		} else {
			await this.at('node-credentials-empty-state').getByRole('button').click();
		}
		return await CredentialDialog.opened(this.page, this.options.isN8n1);
	}

	/** Opens the dialog of the open node's credential. */
	async editCredential(): Promise<CredentialDialog> {
		await this.at('credential-edit-button').click();
		return await CredentialDialog.opened(this.page, this.options.isN8n1);
	}

	/** Gives the open node a credential that is there already. */
	async chooseCredential(id: string): Promise<void> {
		await this.at('node-credentials-select').click();
		await this.at(`node-credentials-select-item-${id}`).click();
	}

	/** Runs the workflow from its trigger and waits until every node shows that it is done. */
	async executeWorkflow(nodes: number): Promise<void> {
		await this.at('execute-workflow-button').click();
		await this.at('canvas-node-status-success')
			.nth(nodes - 1)
			.waitFor();
	}

	/** Starts the workflow from its trigger and waits until n8n offers to stop it. */
	async startRun(): Promise<void> {
		await this.at('execute-workflow-button').click();
		await this.at('stop-execution-button').waitFor();
	}

	/**
	 * Presses Stop and waits until the editor shows that nothing runs any more. n8n's message "Execution stopped" is left out of
	 * it: it does not come when the answer to Stop overtakes the news that the run has ended (seen on n8n 1).
	 *
	 * @returns how long that took, in ms
	 */
	async stopRun(): Promise<number> {
		const button = this.at('stop-execution-button');
		const beganAtMs = performance.now();
		await button.click();
		await button.waitFor({ state: 'hidden' });
		return performance.now() - beganAtMs;
	}

	/** What the list of a workflow's executions says of the newest one. */
	async readNewestExecution(workflow: string): Promise<string> {
		await this.go(`/workflow/${workflow}/executions`);
		const rows = this.at('current-executions-list').locator('[data-test-execution-status]');
		return await rows.first().innerText();
	}

	/** Runs the open node alone, on what the nodes before it have put out. */
	async executeStep(): Promise<void> {
		await this.at('node-execute-button').click();
	}

	/** Opens a workflow that is stored and shows the whole of it. */
	async openWhole(id: string): Promise<void> {
		await this.openWorkflow(id);
		await this.at('zoom-to-fit').click();
	}

	/** The names of the nodes on the canvas that carry a red mark. */
	async redMarks(): Promise<string[]> {
		// The marks come after the nodes.
		await this.page.waitForTimeout(MARKS_MS);
		const marked = this.at('canvas-node').filter({ has: this.at('node-issues') });
		const names = await marked.evaluateAll((nodes) =>
			nodes.map((node) => node.getAttribute('data-node-name') ?? 'a node without a name'),
		);
		return names.sort();
	}

	/** Lays the nodes out side by side, as n8n's button does. */
	async tidyUp(): Promise<void> {
		await this.at('tidy-up-button').click();
		await this.at('zoom-to-fit').click();
	}

	/** What the open node has put out, as the view Schema shows it: the fields of the first item by their names. */
	async readOutput(): Promise<Record<string, string>> {
		const panel = this.at('output-panel');
		await panel.getByTestId('radio-button-schema').click();
		const fields = panel.getByTestId('run-data-schema-item');
		await fields.first().waitFor();
		const lines = (await fields.allInnerTexts()).map((text) => text.trim().split(/\s*\n\s*/));
		// Members of lists come after the fields and may have their names: the first one counts.
		return Object.fromEntries(
			lines.reverse().map(([name = '', ...value]) => [name, value.join(' ')]),
		);
	}

	/** The labels of the open node's fields, from top to bottom, without the credential's. */
	async labels(): Promise<string[]> {
		// Those of the tab Settings are there, too, but hidden.
		const labels = this.at('node-parameters').getByTestId('input-label').filter({ visible: true });
		const texts = await labels.allInnerTexts();
		// On the lines below stand buttons and hints.
		return texts.map((text) => (text.split('\n', 1)[0] ?? '').trim());
	}

	/** All that the open node shows of its output as JSON. @param branch whose output, where it has several */
	async readOutputAsJson(branch?: 'Success' | 'Error'): Promise<string> {
		const panel = this.at('output-panel');
		if (branch !== undefined) await panel.getByText(new RegExp(`^\\s*${branch} Branch`)).click();
		await panel.getByTestId('radio-button-json').click();
		await panel.locator('.json-data').waitFor();
		return await panel.innerText();
	}

	/** Shows the open node's output as a table. @returns the hints of the node above it */
	async readHints(): Promise<string[]> {
		const panel = this.at('output-panel');
		await panel.getByTestId('radio-button-table').click();
		const hints = panel.getByTestId('node-hint');
		await hints.first().waitFor();
		return (await hints.allInnerTexts()).map((text) => text.trim());
	}

	/** Waits until n8n's messages in the corner are gone. */
	async dismissMessages(): Promise<void> {
		const messages = this.page.locator('.el-notification');
		for (const message of await messages.all()) {
			await message.locator('.el-notification__closeBtn').click();
		}
		await messages.first().waitFor({ state: 'hidden' });
	}
}

/** The dialog of a credential. */
export class CredentialDialog {
	private readonly dialog: Locator;

	private constructor(
		private readonly page: Page,
		private readonly isN8n1: boolean,
	) {
		this.dialog = page.getByTestId('editCredential-modal');
	}

	static async opened(page: Page, isN8n1: boolean): Promise<CredentialDialog> {
		const opened = new CredentialDialog(page, isN8n1);
		await opened.fields.first().waitFor();
		return opened;
	}

	private get fields(): Locator {
		return this.dialog.getByTestId('credential-connection-parameter');
	}

	/** A picture of the dialog alone. */
	async pictureAs(path: string): Promise<void> {
		await this.dialog.screenshot({ path, animations: 'disabled' });
	}

	/** The labels of all fields, from top to bottom, without the star of those that are required. */
	async labels(): Promise<string[]> {
		const texts = await this.fields.locator('label.n8n-input-label').allInnerTexts();
		// On the lines below stand the buttons to switch to an expression.
		return texts.map((text) => (text.split('\n', 1)[0] ?? '').replace('*', '').trim());
	}

	private field(name: string): Locator {
		return this.dialog.getByTestId(`parameter-input-${name}`).locator('input');
	}

	async read(field: string): Promise<string> {
		return await this.field(field).inputValue();
	}

	/** Whether a field shows dots for what is typed. */
	async isMasked(field: string): Promise<boolean> {
		return (await this.field(field).getAttribute('type')) === 'password';
	}

	async type(field: string, text: string): Promise<void> {
		await this.field(field).fill(text);
	}

	/** Presses Save and waits until n8n has tested what was saved. */
	async save(): Promise<void> {
		const tested = this.page.waitForResponse(/\/rest\/credentials\/test$/);
		await this.dialog.getByTestId('credential-save-button').click();
		await tested;
	}

	/** Saves a new credential that passes its test: n8n closes the dialog then, n8n 1 leaves that to the person. */
	async saveNew(): Promise<void> {
		await this.save();
		if (!this.isN8n1) return await this.closed();
		await this.success();
		await this.close();
	}

	private async closed(): Promise<void> {
		await this.dialog.waitFor({ state: 'hidden' });
	}

	/** Waits for a failed test. @param words a part of what it says @returns all that the dialog says then */
	async failure(words: string): Promise<string> {
		await this.dialog.getByText('connect with these settings').waitFor();
		// They stay open once a person has opened them.
		const more = this.dialog.getByText('More details');
		if (await more.isVisible()) await more.click();
		await this.dialog.getByText(words).waitFor();
		return await this.dialog.innerText();
	}

	/** Waits for a test that is passed: n8n tests a credential whenever its dialog is opened. */
	async success(): Promise<void> {
		await this.dialog.getByTestId('credentials-config-container-test-success').waitFor();
	}

	async close(): Promise<void> {
		await this.dialog.locator('.el-dialog__close').click();
		await this.closed();
	}
}
