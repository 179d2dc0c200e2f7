import type {
	Api,
	ReadRequest,
	Row,
	Settings,
	TriggerEvent,
} from '../../../nodes/AiClkTrigger/events/event';
import { MAX_STATE_BYTES } from '../../../nodes/AiClkTrigger/state';

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const PAGE = 100;

export const ACCOUNT = 1_000_002n;
export const OTHER = 1_000_003n;

export const settings = (changes: Partial<Settings> = {}): Settings => ({
	accounts: [ACCOUNT],
	balance: 100_000,
	withinDays: 10,
	filters: {},
	emitExisting: false,
	...changes,
});

interface Creative extends Row {
	account: bigint;
	creative_id: string;
	updated_at: string;
}

interface Material extends Row {
	account: bigint;
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

	balances = new Map<bigint, number>();

	creatives = new Map<string, Creative>();

	materials = new Map<string, Material>();

	/** Requests since the last look, a page each. */
	requests: ReadRequest[] = [];

	/** Requests that go well before AiClk is away; null: it is there. */
	failsAfter: number | null = null;

	/** What n8n's clock is ahead of this one, in ms. */
	clockAhead = 0;

	/** Whether answers bear the time. */
	namesTime = true;

	private hasAnswered = false;

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

	private answer(request: ReadRequest): void {
		this.requests.push(request);
		if (this.failsAfter !== null && this.requests.length > this.failsAfter) throw new Error('away');
		this.hasAnswered = true;
	}

	begin(): void {
		this.requests = [];
		this.hasAnswered = false;
	}

	now(): number {
		return this.time + (this.hasAnswered && this.namesTime ? 0 : this.clockAhead);
	}

	async readOne(request: ReadRequest): Promise<Row> {
		this.answer(request);
		return {
			account_id: Number(request.account),
			balance: this.balances.get(request.account) ?? 0,
		};
	}

	async readRows(request: ReadRequest, _id: string, limit: number | null = null): Promise<Row[]> {
		const rows = (request.path.includes('creative') ? this.listCreatives : this.listMaterials)
			.call(this, request)
			.slice(0, limit ?? undefined);
		for (let page = 0; page < Math.max(1, Math.ceil(rows.length / PAGE)); page++)
			this.answer(request);
		return rows;
	}

	async readToken(): Promise<never> {
		throw new Error('not here');
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

/** A trigger that is polled: its state, in memory and as n8n has saved it. */
export class Poller<State, Look> {
	private state: string | null = null;

	private saved: string | null = null;

	constructor(
		private readonly event: TriggerEvent<State, Look>,
		readonly world: World,
		public settings: Settings,
		private readonly maxBytes = MAX_STATE_BYTES,
	) {}

	/** One poll. @returns its items; null when it failed */
	async poll(): Promise<Row[] | null> {
		this.world.begin();
		const state = this.state === null ? null : (JSON.parse(this.state) as State);
		const isFirst = state === null;
		let look: Look;
		try {
			look = await this.event.look(this.world, state, this.settings);
		} catch {
			return null;
		}
		const before = JSON.stringify(state);
		const outcome = this.event.compare(state, look, this.settings, this.maxBytes);
		if (JSON.stringify(state) !== before) throw new Error('compare changed the state');
		if (outcome.state === null) throw new Error('too much to remember');
		this.state = JSON.stringify(outcome.state);
		// n8n saves after activation and when something is emitted.
		if (outcome.items.length > 0 || isFirst) this.saved = this.state;
		return outcome.items;
	}

	/** kill -9, and another start. */
	restart(): void {
		this.state = this.saved;
	}

	/** Bytes of the state in n8n's static data. */
	get bytes(): number {
		return Buffer.byteLength(
			JSON.stringify({ state: JSON.stringify({ state: JSON.parse(this.state ?? 'null') }) }),
		);
	}
}
