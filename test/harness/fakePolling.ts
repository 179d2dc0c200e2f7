import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';

import { reportToken } from '../../aiclk/token/status';
import { fail, type Failure, FailureError, newFailure, ok } from '../../aiclk/util/failure';
import type { Api, ReadRequest, Row, TokenCheck } from '../../nodes/AiClkTrigger/events/event';
import { poll } from '../../nodes/AiClkTrigger/poll';
import { ACCOUNT, emptyRow, HOUR_MS, inputOf, MINUTE_MS, NOW, token } from './fakes';

const PAGE = 100;

/** AiClk refuses an account. */
export const REFUSED = newFailure({
	kind: 'refused',
	outcome: 'refused',
	message: 'AiClk refused this: 账户不存在或无权限',
	description: 'Check the account.',
	code: 403,
	traceId: 't1',
});

/** AiClk is away. */
export const AWAY = newFailure({
	kind: 'unavailable',
	outcome: 'unknown',
	message: 'AiClk is temporarily unavailable: HTTP 503',
	description: 'Run this again later.',
	httpCode: '503',
});

interface Creative extends Row {
	account: string;
	creative_id: string;
	updated_at: string;
}

interface Material extends Row {
	account: string;
	material_id: string;
}

interface Query {
	updated_at?: { start: string };
	material_id?: bigint[];
	material_status?: string[];
	order_by?: string[][];
}

/** A row as AiClk sends it: without what belongs to this file. */
const shown = (row: Row): Row =>
	Object.fromEntries(
		Object.entries(row).filter(([key]) => key !== 'account' && key !== 'updated_at'),
	);

/** AiClk as its pages describe it (P2, P6, P7), in memory and with a clock of its own. */
export class World implements Api {
	time = Date.parse('2026-11-24T02:00:00Z');

	/** Of AiClk's days: hours ahead of UTC. */
	zone = 8;

	balances = new Map<string, number>();

	creatives = new Map<string, Creative>();

	materials = new Map<string, Material>();

	tokenCheck: TokenCheck = {
		report: reportToken(token('a'), token('a').state.fingerprint, NOW, 1, false),
		failure: null,
	};

	/** Requests since the last poll began, a page each. */
	requests: ReadRequest[] = [];

	/** Accounts that cannot be read; '' stands for all. */
	failures = new Map<string, Failure>();

	/** Of an account: requests that go well before it fails; else 0. */
	failsAfter = 0;

	/** Whether AiClk answers lists with no rows, and code 200. */
	isOdd = false;

	/** What n8n's clock is ahead of this one, in ms. */
	clockAhead = 0;

	/** Accounts that never answer. */
	hanging = new Set<string>();

	private get day(): string {
		return new Date(this.time + this.zone * HOUR_MS).toISOString().slice(0, 10);
	}

	setCreative(id: string, values: Row, account = ACCOUNT): void {
		const before = this.creatives.get(`${account} ${id}`);
		const row = { ...before, ...values, account, creative_id: id, updated_at: this.day };
		this.creatives.set(`${account} ${id}`, row);
	}

	setMaterial(id: string, material_status: string, audit_reason = '', account = ACCOUNT): void {
		this.materials.set(`${account} ${id}`, {
			account,
			material_id: id,
			material_status,
			audit_reason,
		});
	}

	private async answer(request: ReadRequest): Promise<void> {
		this.requests.push(request);
		if (this.hanging.has(request.account)) await new Promise(() => {});
		const failure = this.failures.get(request.account) ?? this.failures.get('');
		const count = this.requests.filter(({ account }) => account === request.account).length;
		if (failure !== undefined && count > this.failsAfter) throw new FailureError(failure);
	}

	begin(): void {
		this.requests = [];
	}

	async getBalance(account: string) {
		await this.answer({ path: '/openapi/v1/account/info', account, query: {} });
		return { account_id: Number(account), balance: this.balances.get(account) ?? 200_000 };
	}

	async getRows(request: ReadRequest, _id: string, limit?: number): Promise<Row[]> {
		const lists: Record<string, (request: ReadRequest) => Row[]> = {
			'/openapi/v1/creative/get': (one) => this.listCreatives(one),
			'/openapi/v1/material/get': (one) => this.listMaterials(one),
		};
		const list = lists[request.path];
		if (list === undefined) throw new Error(`World has no list for ${request.path}: add it`);
		const all = list(request);
		const rows = (this.isOdd ? [] : all).slice(0, limit);
		for (let page = 0; page < Math.max(1, Math.ceil(rows.length / PAGE)); page++) {
			await this.answer(request);
		}
		return rows;
	}

	async getToken(): Promise<TokenCheck> {
		await this.answer({ path: '/openapi/v1/account/info', account: '', query: {} });
		return this.tokenCheck;
	}

	private listCreatives({ account, query }: ReadRequest): Row[] {
		const { start = '' } = (query as Query).updated_at ?? {};
		return [...this.creatives.values()]
			.filter((row) => row.account === account && row.updated_at >= start)
			.map((row) => shown(row));
	}

	private listMaterials({ account, query }: ReadRequest): Row[] {
		const { material_id: ids, material_status: statuses, order_by: order } = query as Query;
		const rows = [...this.materials.values()].filter(
			(row) =>
				row.account === account &&
				(statuses === undefined
					? row.material_status !== 'DELETED'
					: statuses.includes(String(row.material_status))) &&
				(ids === undefined || ids.map(String).includes(row.material_id)),
		);
		if (order !== undefined)
			rows.sort((a, b) => (BigInt(a.material_id) < BigInt(b.material_id) ? 1 : -1));
		return rows.map((row) => shown(row));
	}
}

/** What polls read, in place of AiClk and of n8n's credential. */
export const current: { world: World; client: string } = { world: new World(), client: '7' };

jest.mock('../../nodes/AiClkTrigger/api', () => ({ createApi: () => current.world }));
jest.mock('../../nodes/shared/transport', () => ({
	CREDENTIAL: 'aiClkApi',
	readCredential: async () => ({ credentials: {}, input: inputOfClient() }),
}));

/** The credential's input, or why there is none. */
const inputOfClient = () =>
	current.client === ''
		? fail(
				newFailure({
					kind: 'input',
					message: "The credential has no 'Client ID'",
					description: '',
				}),
			)
		: ok(inputOf(emptyRow({ clientId: current.client, accountId: ACCOUNT })));

const itemsOf = (output: INodeExecutionData[][] | null): IDataObject[] | null =>
	output && (output[0] ?? []).map(({ json }) => json);

let workflows = 0;

/** n8n that polls one trigger. */
export class N8n {
	readonly world = new World();

	/** What n8n has saved. */
	private saved: IDataObject = {};

	/** The static data in the memory of classic polling. */
	private data: IDataObject = {};

	/** Messages of error executions. */
	readonly errors: string[] = [];

	readonly logs: string[] = [];

	/** ms that n8n gives a poll; none in n8n 1. */
	budgetMs: number | undefined = 300_000;

	/** Whether each poll begins with what is saved, as under the durable scheduler without durable cursors. */
	isDurable = false;

	/** Whether what a poll returns is thrown away, because the workflow is switched off meanwhile. */
	discards = false;

	workflowId = `w${++workflows}`;

	/** Fields as typed, where they hold expressions. */
	typed: IDataObject = {};

	/** Whether n8n takes no report of an error. */
	refusesErrors = false;

	constructor(public parameters: IDataObject) {
		current.world = this.world;
		current.client = '7';
	}

	/** Reads the workflow from the database: a save of the workflow, a restart of n8n, or another poller. */
	activate(): void {
		this.data = { ...this.saved };
	}

	/** What a restart of n8n leaves: the process forgets. */
	restart(): void {
		this.workflowId += "'";
		this.activate();
	}

	/** n8n's classic polling keeps static data by the name of the node. */
	rename(): void {
		this.data = {};
		this.saved = {};
	}

	/** Changes the state, as n8n has it. */
	damage(change: (text: string) => string): void {
		this.data = { state: change(String(this.data.state)) };
		this.saved = { ...this.data };
		this.workflowId += "'";
	}

	/** @returns polls of a second poller of the same trigger, with static data of its own */
	secondPoller(): () => Promise<IDataObject[] | null> {
		const data = { ...this.data };
		return async () => {
			return itemsOf(await poll(this.context('trigger', data), () => this.world.time));
		};
	}

	private context(mode: string, data: IDataObject): IPollFunctions {
		const get = (name: string, fallback?: unknown, { rawExpressions = false } = {}) =>
			(rawExpressions ? this.typed[name] : undefined) ?? this.parameters[name] ?? fallback;
		return {
			getMode: () => mode,
			getNode: () => ({
				id: 'n1',
				name: 'AiClk Trigger',
				type: 'n8n-nodes-aiclk.aiClkTrigger',
				parameters: this.parameters,
				credentials: { aiClkApi: { id: '1' } },
			}),
			getWorkflow: () => ({ id: this.workflowId }),
			getTimezone: () => 'Asia/Shanghai',
			getNodeParameter: get,
			getWorkflowStaticData: () => data,
			...(this.budgetMs !== undefined && { getPollBudgetMs: () => this.budgetMs }),
			__emitError: (error: Error) => {
				if (this.refusesErrors) throw new Error('Overwrite PollContext.__emitError function');
				this.errors.push(error.message);
			},
			logger: {
				warn: (text: string) => this.logs.push(text),
				error: (text: string) => this.logs.push(text),
			},
		} as unknown as IPollFunctions;
	}

	/** One poll. @returns its items; null for none */
	async poll(mode = 'trigger'): Promise<IDataObject[] | null> {
		this.world.begin();
		const data = this.isDurable ? { ...this.saved } : this.data;
		const now = () => this.world.time + this.world.clockAhead;
		const items = itemsOf(await poll(this.context(mode, data), now));
		if (items === null || mode === 'manual') return items;
		if (this.discards) return null;
		this.saved = { ...data };
		return items;
	}

	/** The first poll, after which n8n saves in classic polling. */
	async start(): Promise<IDataObject[] | null> {
		const items = await this.poll();
		if (!this.isDurable) this.saved = { ...this.data };
		return items;
	}

	/** Polls once a minute for some time. @returns how many items came */
	async pollFor(ms: number): Promise<number> {
		let items = 0;
		for (const end = this.world.time + ms; this.world.time < end;) {
			this.world.time += MINUTE_MS;
			items += (await this.poll())?.length ?? 0;
		}
		return items;
	}

	/** The state as text. */
	get state(): string {
		return String((this.isDurable ? this.saved : this.data).state ?? '');
	}

	/** Bytes of the static data, as n8n stores them. */
	get bytes(): number {
		return Buffer.byteLength(JSON.stringify({ 'node:AiClk Trigger': { state: this.state } }));
	}
}
