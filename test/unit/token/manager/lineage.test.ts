import { aiclk, FakeProcess, n8n, NOTHING } from '../../../harness/fakeProcess';
import { DAY_MS, emptyRow, MINUTE_MS, NOW, type Row, tokenOf } from '../../../harness/fakes';

describe('a row that was deleted and created again with the same input', () => {
	it('a new row keeps its token beside a later generation in memory', async () => {
		aiclk.strict = true;
		const worker = n8n;
		await worker.ask();
		await worker.force();
		await worker.force();
		worker.environment.nowMs += DAY_MS;
		const main = new FakeProcess(aiclk, emptyRow());
		main.environment.nowMs = worker.environment.nowMs;
		await main.ask();
		const { accessToken } = main.row;
		expect(tokenOf(main.row).state.generation).toBe(1);
		worker.row = { ...main.row };
		worker.environment.nowMs += MINUTE_MS;
		expect(await worker.ask()).toEqual(NOTHING);
		expect(worker.row.accessToken).toBe(accessToken);
		expect(aiclk.live).toContain(accessToken);
	});

	it('a new row is refreshed within its own lineage', async () => {
		await n8n.ask();
		await n8n.force();
		const main = new FakeProcess(aiclk, emptyRow());
		await main.ask();
		n8n.row = { ...main.row };
		await n8n.force();
		const { lineage, generation } = tokenOf(n8n.row).state;
		expect({ lineage, generation }).toEqual({
			lineage: tokenOf(main.row).state.lineage,
			generation: 2,
		});
	});
});

describe('a valid token of the same input', () => {
	it('a known valid token is used for a row without one', async () => {
		await n8n.ask();
		n8n.environment.nowMs += 60 * DAY_MS;
		const copy = emptyRow();
		await n8n.ask(copy);
		expect(copy.accessToken).toBe('access-1');
		expect(aiclk.refreshes).toHaveLength(1);
	});

	it('a copied credential uses the valid token of the original', async () => {
		aiclk.strict = true;
		const copy = new FakeProcess(aiclk, emptyRow());
		await copy.ask();
		n8n.row = { ...copy.row };
		await n8n.ask();
		// The other row of this process, refreshed by another process before.
		const row = emptyRow();
		const elsewhere = new FakeProcess(aiclk, row);
		elsewhere.environment.nowMs = n8n.environment.nowMs += MINUTE_MS;
		await elsewhere.ask();
		await n8n.ask({ ...elsewhere.row });
		const read = await n8n.failedRequest();
		await n8n.ask(read);
		expect(read.accessToken).toBe(elsewhere.row.accessToken);
		expect(aiclk.refreshes).toHaveLength(2);
	});
});

describe('clients that share one credential by expressions', () => {
	const CLIENTS: Row[] = [
		{ clientId: '1', refreshToken: 'aaa' },
		{ clientId: '2', refreshToken: 'bbb' },
		{ clientId: '3', refreshToken: 'ccc' },
	];

	/** One request of each client, as n8n sends it: the row is read, the client's values are put in. */
	async function requestOfEach(process = n8n) {
		for (const typed of CLIENTS) {
			const credentials = { ...process.row, ...typed };
			const outcome = await process.ask(credentials);
			expect(outcome.ok).toBe(true);
			expect(aiclk.live).toContain(credentials.accessToken);
		}
	}

	it('clients behind expressions cost one refresh each in a day', async () => {
		for (let minute = 0; minute < 24 * 60; minute++) {
			n8n.environment.nowMs = NOW + minute * MINUTE_MS;
			await requestOfEach();
		}
		expect(aiclk.refreshes.map((body) => body.client_id)).toEqual(['1', '2', '3']);
	});

	it('clients behind expressions cost one refresh each per restart', async () => {
		await requestOfEach();
		const restarted = new FakeProcess(aiclk, n8n.row);
		restarted.environment.nowMs = NOW + DAY_MS;
		await requestOfEach(restarted);
		await requestOfEach(restarted);
		const clients = aiclk.refreshes.map((body) => body.client_id);
		expect(clients).toEqual(['1', '2', '3', '1', '2', '3']);
	});
});
