import { N8n, type World } from '../../harness/fakePolling';
import { ACCOUNT, OTHER } from '../../harness/fakes';

let n8n: N8n;
let world: World;

const start = (changes = {}) => {
	n8n = new N8n({ event: 'balanceBelow', accountIds: ACCOUNT, balance: 100_000, ...changes });
	({ world } = n8n);
};

/** Moves the balance in fen, and polls. @returns account and change of each item */
async function at(balance: number, account = ACCOUNT) {
	world.balances.set(account, balance);
	return ((await n8n.poll()) ?? []).map(({ account_id: id, change }) => [id, change]);
}

beforeEach(() => {
	start();
});

describe('Balance Below', () => {
	it('a balance emits below and recovered, each once', async () => {
		expect(await at(100_000)).toEqual([]);
		expect(await at(99_999)).toEqual([[1000002, 'below']]);
		expect(await at(0)).toEqual([]);
		expect(await at(100_000)).toEqual([[1000002, 'recovered']]);
		expect(await at(500_000)).toEqual([]);
		expect(await at(-1)).toEqual([[1000002, 'below']]);
	});

	it('a balance item says what it is about first, and names the amount in fen', async () => {
		await at(100_000);
		world.balances.set(ACCOUNT, 12);
		const [item = {}] = (await n8n.poll()) ?? [];
		expect(item).toEqual({
			account_id: 1000002,
			balance: 12,
			change: 'below',
			amount: 100_000,
			display_name: null,
		});
		expect(Object.keys(item).slice(0, 2)).toEqual(['change', 'display_name']);
	});

	it('a balance that is low at the first look is emitted once, one that is not is not', async () => {
		expect(await at(1)).toEqual([[1000002, 'below']]);
		expect(await at(1)).toEqual([]);
		start();
		expect(await at(100_000)).toEqual([]);
	});

	it('an account beyond 2^53 is text in the item', async () => {
		start({ accountIds: '18446744073709551615' });
		expect(await at(1, '18446744073709551615')).toEqual([['18446744073709551615', 'below']]);
	});

	it('another amount is compared with what was true of the one before', async () => {
		await at(50_000);
		n8n.parameters = { ...n8n.parameters, balance: 10_000 };
		expect(await at(50_000)).toEqual([[1000002, 'recovered']]);
		n8n.parameters = { ...n8n.parameters, balance: 60_000 };
		expect(await at(50_000)).toEqual([[1000002, 'below']]);
	});

	it('several balances are kept apart, one request each', async () => {
		start({ accountIds: `${ACCOUNT} ${OTHER}` });
		await n8n.start();
		expect(await at(1, OTHER)).toEqual([[1000003, 'below']]);
		expect(world.requests).toHaveLength(2);
		n8n.restart();
		expect(await at(1)).toEqual([[1000002, 'below']]);
	});
});
