import type { IDataObject } from 'n8n-workflow';

import { MAX_STATE_BYTES } from '../../nodes/AiClkTrigger/state';
import { TriggerBench } from './triggerBench';

const DAY_MS = 86_400_000;
const CREATIVES = { event: 'creativeChanged', accountIds: '', filters: {}, options: {} };
const MATERIALS = { event: 'materialReviewed', accountIds: '', options: {} };

/** Requests of the first look, of a poll in which one row has changed and of one without a change; bytes of static data. */
async function measure(parameters: IDataObject, count: number) {
	const bench = await TriggerBench.create(parameters);
	try {
		const { sandbox } = bench;
		sandbox.configure({ creatives: count, materials: count });
		const requestsOf = async (isChanged: boolean) => {
			sandbox.clearJournal();
			expect(await bench.poll()).toEqual(isChanged ? [expect.anything()] : null);
			return bench.requests.length;
		};
		const first = await requestsOf(false);
		sandbox.change('creative', '18446744073709551615', { audit_reason: '图片不清晰' });
		sandbox.change('material', '50001', { material_status: 'PASSED' });
		const change = await requestsOf(true);
		const quiet = await requestsOf(false);
		sandbox.advance(7 * DAY_MS);
		const later = await requestsOf(false);
		return { first, change, quiet, later, bytes: bench.bytes };
	} finally {
		await bench.sandbox.close();
	}
}

it.each([
	['creatives', CREATIVES, 10],
	['creatives', CREATIVES, 1_000],
	['creatives', CREATIVES, 100_000],
	['materials', MATERIALS, 10],
	['materials', MATERIALS, 1_000],
	['materials', MATERIALS, 100_000],
] as const)(
	'%s of %s',
	async (_, parameters, count) => {
		const figures = await measure(parameters, count);
		console.log(JSON.stringify({ event: parameters.event, count, ...figures }));
		expect(figures.bytes).toBeLessThanOrEqual(MAX_STATE_BYTES + 1024);
	},
	300_000,
);
