import type { IDataObject } from 'n8n-workflow';

import { TriggerBench } from '../harness/triggerRig';

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
		return { first, change, quiet, bytes: bench.bytes };
	} finally {
		await bench.sandbox.close();
	}
}

// docs/trigger.md names these figures; half of the sandbox's materials are under review or rejected.
it.each([
	['creatives', CREATIVES, 10, { first: 2, change: 1, quiet: 1 }],
	['creatives', CREATIVES, 1_000, { first: 11, change: 1, quiet: 1 }],
	['creatives', CREATIVES, 100_000, { first: 1_001, change: 1, quiet: 1 }],
	['materials', MATERIALS, 10, { first: 2, change: 3, quiet: 2 }],
	['materials', MATERIALS, 1_000, { first: 6, change: 7, quiet: 6 }],
	['materials', MATERIALS, 100_000, { first: 501, change: 502, quiet: 501 }],
] as const)(
	'a poll of %s makes the documented number of requests and keeps its state below 256 kB (case %#)',
	async (_, parameters, count, requests) => {
		const { bytes, ...figures } = await measure(parameters, count);
		expect(figures).toEqual(requests);
		expect({ count, bytes, fits: bytes <= 256 * 1024 }).toMatchObject({ fits: true });
	},
	300_000,
);
