import { balanceBelow } from '../../../nodes/AiClkTrigger/events/balanceBelow';
import { ACCOUNT, OTHER, Poller, settings, World } from './support';

let world: World;
let poller: Poller<unknown, unknown>;

const start = (changes = {}) => {
	poller = new Poller(balanceBelow as never, world, settings({ balance: 100_000, ...changes }));
};

/** Moves the balance in fen, and polls. @returns account and change of each item */
async function at(balance: number, account = ACCOUNT) {
	world.balances.set(account, balance);
	return (await poller.poll())?.map(({ account_id: id, change }) => [id, change]);
}

beforeEach(() => {
	world = new World();
	start();
});

describe('Balance Below', () => {
	it('a balance emits below and recovered, each once', async () => {
		expect(await at(100_000)).toEqual([]);
		expect(await at(99_999)).toEqual([['1000002', 'below']]);
		expect(await at(0)).toEqual([]);
		expect(await at(100_000)).toEqual([['1000002', 'recovered']]);
		expect(await at(500_000)).toEqual([]);
		expect(await at(-1)).toEqual([['1000002', 'below']]);
	});

	it('a balance item names the amount in fen', async () => {
		await at(100_000);
		world.balances.set(ACCOUNT, 12);
		expect(await poller.poll()).toEqual([
			{ account_id: '1000002', balance: 12, change: 'below', amount: 100_000 },
		]);
	});

	it('the first look at balances emits low ones only if asked to', async () => {
		expect(await at(1)).toEqual([]);
		start({ emitExisting: true });
		expect(await at(1)).toEqual([['1000002', 'below']]);
		start({ emitExisting: true });
		expect(await at(100_000)).toEqual([]);
	});

	it('several balances are kept apart, one request each', async () => {
		start({ accounts: [ACCOUNT, OTHER] });
		world.balances.set(OTHER, 200_000);
		await at(200_000);
		expect(await at(1, OTHER)).toEqual([['1000003', 'below']]);
		expect(world.requests).toHaveLength(2);
		poller.restart();
		expect(await at(1)).toEqual([['1000002', 'below']]);
	});

	it('a failed second account leaves the balance state unchanged', async () => {
		start({ accounts: [ACCOUNT, OTHER] });
		world.balances.set(OTHER, 200_000);
		await at(200_000);
		world.failsAfter = 1;
		expect(await at(1)).toBeUndefined();
		world.failsAfter = null;
		expect(await at(1)).toEqual([['1000002', 'below']]);
	});
});
