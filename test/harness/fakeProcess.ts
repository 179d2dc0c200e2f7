import { TokenManager } from '../../aiclk/token/manager';
import { emptyRow, FakeAiClk, MINUTE_MS, NOW, type Row } from './fakes';

/** A clock, a jitter, a sleep and a log that a test owns. Sleeping moves the clock, and lets others run meanwhile. */
export class FakeEnvironment {
	nowMs = NOW;

	/** With 0 no renewal begins before its time. */
	jitter = 0;

	/** All lines of the log, apart from those for debugging. */
	logged: string[] = [];

	/** Those for debugging. */
	debugged: string[] = [];

	log = {
		debug: (message: string) => void this.debugged.push(message),
		info: (message: string) => void this.logged.push(`info ${message}`),
		warn: (message: string) => void this.logged.push(`warn ${message}`),
	};

	slept: number[] = [];

	duringSleep: () => Promise<void> | void = () => undefined;

	now = () => this.nowMs;

	random = () => this.jitter;

	sleep = async (ms: number) => {
		this.slept.push(ms);
		this.nowMs += ms;
		await this.duringSleep();
	};
}

/** What n8n is told when there is nothing to store. */
export const NOTHING = { ok: true, value: null };

/** One n8n process with a credential in its database, driven as n8n drives a hook. */
export class FakeProcess {
	readonly environment = new FakeEnvironment();

	readonly manager = new TokenManager(this.environment);

	constructor(
		readonly aiclk = new FakeAiClk(),
		public row: Row = emptyRow(),
	) {}

	/** Another process with the same row and the same time. */
	peer(): FakeProcess {
		const peer = new FakeProcess(this.aiclk, { ...this.row });
		peer.environment.nowMs = this.environment.nowMs;
		return peer;
	}

	/** A token has been in the store for a minute. AiClk has accepted a probe of it, and nothing has been counted yet. */
	async withToken(): Promise<void> {
		await this.ask();
		this.manager.observeProbe({ ...this.row }, 'accepted');
		this.environment.nowMs += MINUTE_MS;
		this.aiclk.refreshes = [];
		this.aiclk.checks = [];
		this.environment.slept = [];
	}

	/** What n8n does before a request: reads the row, asks the hook, stores what it returns. */
	async ask(credentials: Row = { ...this.row }) {
		const outcome = await this.manager.ensureToken(credentials, this.aiclk.http);
		if (outcome.ok && outcome.value !== null) {
			this.row = { ...this.row, ...outcome.value };
			Object.assign(credentials, outcome.value);
		}
		return outcome;
	}

	/** A request that was sent with the row's credentials and has failed; returns them for the second question. */
	async failedRequest(mayResend = true): Promise<Row> {
		const credentials = { ...this.row };
		await this.ask(credentials);
		this.manager.observeRequest(credentials, mayResend);
		return credentials;
	}

	async force() {
		const credentials = { ...this.row };
		this.manager.forceRefresh(credentials, null);
		return await this.ask(credentials);
	}
}

/** Of each test: a process that has no token yet, and its AiClk. */
export let n8n: FakeProcess;
export let aiclk: FakeAiClk;

beforeEach(() => {
	n8n = new FakeProcess();
	({ aiclk } = n8n);
});
