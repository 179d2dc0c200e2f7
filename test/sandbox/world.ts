import { momentInChina } from './china';
import { ACCOUNT, creativeAt, materialAt } from './data';
import type { SandboxSettings } from './settings';

export type Row = Record<string, unknown>;

/** What tests may change while the sandbox runs. */
export type Kind = 'account' | 'creative' | 'material';

const ID: Record<Kind, string> = {
	account: 'account_id',
	creative: 'creative_id',
	material: 'material_id',
};

/** What the accounts hold at this moment: the rows of `data.ts`, as many as the settings say, with the changes made since. */
export class World {
	private readonly changes = new Map<string, Map<string, Row>>();

	private readonly lists = new Map<string, Row[]>();

	constructor(private readonly settings: () => SandboxSettings) {}

	/**
	 * Changes a row, or adds it.
	 *
	 * @param id digits
	 * @param now ms since 1970: a creative and a material get the day of their change
	 */
	change(account: string, kind: Kind, id: string, fields: Row, now: number): void {
		const key = `${account} ${kind}`;
		const changed = this.changes.get(key) ?? new Map<string, Row>();
		const isNew = this.find(account, kind, id) === undefined;
		const moment = momentInChina(now);
		changed.set(id, {
			...(isNew && { created_at: moment }),
			...changed.get(id),
			...fields,
			[ID[kind]]: BigInt(id),
			...(kind !== 'account' && { updated_at: moment }),
		});
		this.changes.set(key, changed);
		this.lists.clear();
	}

	/** As it was when the sandbox started. */
	reset(): void {
		this.changes.clear();
		this.lists.clear();
	}

	/** What AiClk knows of an account. */
	account(account: string): Row {
		return { ...ACCOUNT, ...this.changes.get(`${account} account`)?.get(account) };
	}

	/** What a list that is read page after page consists of, made once until something changes. */
	once(key: string, make: () => Row[]): Row[] {
		const known = this.lists.get(key);
		if (known !== undefined) return known;
		const rows = make();
		this.lists.set(key, rows);
		return rows;
	}

	/** All rows of an account: materials by id, creatives with the added ones last. */
	list(account: string, kind: 'creative' | 'material'): Row[] {
		const count = kind === 'creative' ? this.settings().creatives : this.settings().materials;
		const changed = this.changes.get(`${account} ${kind}`) ?? new Map<string, Row>();
		const key = `${changed.size > 0 ? account : ''} ${kind} ${count}`;
		return this.once(key, () => {
			const rows = new Map<string, Row>();
			for (let n = 0; n < count; n++) {
				const row = kind === 'creative' ? creativeAt(n) : materialAt(n);
				rows.set(String(row[ID[kind] as never]), row);
			}
			for (const [id, fields] of changed) rows.set(id, { ...rows.get(id), ...fields });
			const idOf = (row: Row) => BigInt(String(row[ID[kind]]));
			const list = [...rows.values()];
			// AiClk's pages sort materials only, by their ids.
			return kind === 'material' ? list.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1)) : list;
		});
	}

	private find(account: string, kind: Kind, id: string): Row | undefined {
		if (kind === 'account') return this.account(account);
		return this.list(account, kind).find((row) => String(row[ID[kind]]) === id);
	}
}
