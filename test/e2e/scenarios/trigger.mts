import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { until, type Workflow } from '../../n8n/rest.mts';
import type { Rig, Scenarios } from '../rig.mts';
import { chain } from '../workflows.mts';

type Json = Record<string, unknown>;

const DAY_MS = 86_400_000;
const POLL_LIMIT_MS = 150_000;
const ACTIVATION_LIMIT_MS = 10_000;

/** A poll is over when nothing has arrived for so long: a change that is made in the middle of a first look is no change. */
const QUIET_MS = 2_000;
const CREATIVE = '18446744073709551615';

/** The AiClk Trigger, polled every minute. */
export const trigger = (parameters: Json): Workflow =>
	chain('AiClk Trigger', [
		{
			name: 'Trigger',
			type: 'n8n-nodes-aiclk.aiClkTrigger',
			parameters: {
				pollTimes: { item: [{ mode: 'everyMinute' }] },
				options: {},
				...parameters,
			},
			credentials: { aiClkApi: {} },
		},
		{ name: 'Changes', type: 'n8n-nodes-base.noOp', parameters: {} },
	]);

const CREATIVES = { event: 'creativeChanged', filters: {} };

/** A workflow with the trigger, and what it has emitted so far. */
export class Watched {
	/** @param node whose items count */
	constructor(
		private readonly rig: Pick<Rig, 'n8n' | 'sandbox'> & { isN8n1?: boolean },
		readonly id: string,
		private readonly node = 'Changes',
	) {}

	/** What was emitted since the workflow was first activated, oldest first; failed polls are in no item. */
	async items(): Promise<Json[]> {
		const runs = await this.rig.n8n.listExecutions(this.id);
		const succeeded = runs.filter(({ status }) => status === 'success');
		const read = await Promise.all(
			succeeded.map(async ({ id }) => (await this.rig.n8n.readExecution(id)).itemsOf(this.node)),
		);
		return read.reverse().flat();
	}

	/** Waits until so many items have been emitted, and then a little, whether there are more. */
	async untilItems(count: number, limitMs = 10_000): Promise<Json[]> {
		await until(
			async () => await this.items(),
			(items) => items.length >= count,
			limitMs,
			250,
		);
		await sleep(1_000);
		return await this.items();
	}

	/** Switches it on, which polls once: n8n 2 does so some time after it has answered. @returns whether it has polled */
	async activate(): Promise<boolean> {
		const before = this.requests;
		try {
			await this.rig.n8n.activate(this.id);
		} catch (error) {
			// n8n 1 says at once that the first poll failed.
			if (this.rig.isN8n1 !== true) throw error;
		}
		await until(
			async () => this.requests,
			(requests) => requests > before,
			ACTIVATION_LIMIT_MS,
		);
		const hasPolled = this.requests > before;
		let seen = 0;
		while (seen < this.requests) {
			seen = this.requests;
			await sleep(QUIET_MS);
		}
		return hasPolled;
	}

	/** A poll at once: it is switched off and on. n8n 2 does neither when one follows the other too soon. */
	async poll(): Promise<void> {
		for (let pauseMs = 1_000; pauseMs <= 8_000; pauseMs *= 2) {
			await this.rig.n8n.deactivate(this.id);
			await sleep(this.rig.isN8n1 === true ? 0 : pauseMs);
			if (await this.activate()) return;
		}
		throw new Error('n8n does not poll when it is switched on');
	}

	private get requests(): number {
		return this.rig.sandbox.journal().length;
	}
}

/** n8n's own poll comes with the full minute. It must not take a change away from the run by hand that is to show it. */
async function awayFromTheMinute(): Promise<void> {
	const seconds = new Date().getSeconds();
	if (seconds > 40) await sleep((63 - seconds) * 1_000);
	else if (seconds < 3) await sleep(3_000);
}

/** The trigger's promises on real n8n. Activating stands for a poll, where a minute is too long. */
export const triggers: Scenarios = (rig, scenario) => {
	const watch = async (parameters: Json): Promise<Watched> => {
		rig.sandbox.reset();
		const id = await rig.n8n.importWorkflow(trigger(parameters), rig.credential);
		const watched = new Watched(rig, id);
		await watched.activate();
		return watched;
	};
	const reject = (id: string, reason = '图片不清晰') =>
		rig.sandbox.change('creative', id, { effective_status: '审核拒绝', audit_reason: reason });

	scenario('trigger: a day of changes with a kill -9 and outages', async () => {
		const watched = await watch(CREATIVES);
		assert.deepEqual(await watched.untilItems(0), []);

		// Found by n8n's own schedule, in one poll.
		for (const id of ['101', '102', CREATIVE]) reject(id);
		const three = await watched.untilItems(3, POLL_LIMIT_MS);
		assert.deepEqual(three.map(({ creative_id: id, change }) => [String(id), change]).sort(), [
			['101', 'new'],
			['102', 'new'],
			[CREATIVE, 'changed'],
		]);
		const changed = three.find(({ change }) => change === 'changed');
		assert.deepEqual(changed?.old, {
			configure_status: 'ENABLE',
			effective_status: '审核中',
			unable_reason: '',
			audit_reason: '',
		});

		await rig.server.kill();
		reject('101', '太暗');
		await rig.startN8n();
		const four = await watched.untilItems(4, 30_000);
		assert.equal(four.length, 4);
		assert.deepEqual(four[3]?.changed, ['audit_reason']);

		await rig.n8n.deactivate(watched.id);
		reject('102', '太暗');
		await watched.activate();
		assert.equal((await watched.untilItems(5)).length, 5);

		rig.sandbox.configure({ apiFault: { kind: 'status', status: 503 } });
		reject('102', '太亮');
		for (let polls = 0; polls < 2; polls++) await watched.poll();
		rig.sandbox.configure({ apiFault: null });
		await watched.poll();
		const six = await watched.untilItems(6);
		assert.equal(six.length, 6);
		assert.equal((await watched.untilItems(6)).length, 6);
		await rig.n8n.deactivate(watched.id);
		assert.deepEqual([rig.refreshes, rig.deadCalls], [1, 0]);
		return '3 changes by the schedule, 1 after a kill -9, 1 of the time off, 1 after an outage: 6 items';
	});

	scenario('trigger: a failed poll is a failed execution, loses nothing', async () => {
		const watched = await watch(CREATIVES);
		rig.sandbox.configure({ apiFault: { kind: 'status', status: 503 } });
		reject(CREATIVE);
		const failed = await until(
			async () => await rig.n8n.listExecutions(watched.id),
			(runs) => runs.some(({ status }) => status === 'error'),
			POLL_LIMIT_MS,
			500,
		);
		const { error } = await rig.n8n.readExecution(failed[0]?.id ?? '');
		assert.match(error?.message ?? '', /AiClk is temporarily unavailable/);
		rig.sandbox.configure({ apiFault: null });
		assert.equal((await watched.untilItems(1, POLL_LIMIT_MS)).length, 1);
		await rig.n8n.deactivate(watched.id);
		return `"${error?.message}", then 1 item`;
	});

	scenario('trigger: materials, balances and token, each change once', async () => {
		const materials = await watch({ event: 'materialReviewed' });
		rig.sandbox.change('material', '50001', { material_status: 'PASSED' });
		await materials.poll();
		await materials.poll();
		const [material, ...moreMaterials] = await materials.untilItems(1);
		assert.deepEqual([material?.change, moreMaterials], ['approved', []]);
		await rig.n8n.deactivate(materials.id);

		const balances = await watch({ event: 'balanceBelow', balance: 100_000 });
		for (const balance of [99_999, 5, 100_000, 200_000]) {
			rig.sandbox.change('account', '1000002', { balance });
			await balances.poll();
		}
		const moves = await balances.untilItems(2);
		assert.deepEqual(
			moves.map(({ change, balance }) => [change, balance]),
			[
				['below', 99_999],
				['recovered', 100_000],
			],
		);
		await rig.n8n.deactivate(balances.id);

		const token = await watch({ event: 'tokenNeedsAttention', withinDays: 10 });
		rig.sandbox.configure({ clients: [] });
		rig.sandbox.revoke();
		// One poll: the next may send nothing, while the refused refresh token waits for its next attempt.
		await token.poll();
		const [attention, ...more] = await token.untilItems(1);
		assert.deepEqual(
			[attention?.change, attention?.reason, more],
			['attention', 'not-renewed', []],
		);
		await rig.n8n.deactivate(token.id);
		return '1 material, 2 balances, 1 token: 4 items of 11 polls';
	});

	scenario('trigger: a rejected token is refreshed within the poll', async () => {
		const watched = await watch(CREATIVES);
		rig.sandbox.revoke();
		reject(CREATIVE);
		await watched.poll();
		assert.equal((await watched.untilItems(1)).length, 1);
		assert.equal(rig.refreshes, 2);
		rig.sandbox.advance(5 * DAY_MS);
		reject(CREATIVE, '太暗');
		rig.sandbox.advance(5 * DAY_MS);
		await watched.poll();
		assert.equal((await watched.untilItems(2)).length, 2);
		await rig.n8n.deactivate(watched.id);
		return `${rig.refreshes} refreshes, 2 items`;
	});

	scenario('trigger: a manual run keeps changes for the next poll', async () => {
		const watched = await watch(CREATIVES);
		await awayFromTheMinute();
		reject(CREATIVE);
		const byHand = await rig.n8n.run(watched.id, 'Trigger');
		assert.equal(byHand.status, 'success', byHand.error?.message);
		const shown = byHand.itemsOf('Trigger');
		assert.ok(shown.length > 0);
		const before = (await watched.items()).length;
		await watched.poll();
		const all = await watched.untilItems(before + 1);
		assert.equal(all.length, before + 1);
		assert.equal(all.at(-1)?.change, 'changed');
		await rig.n8n.deactivate(watched.id);
		return `by hand: ${shown.length} items (${String(shown[0]?.change)}); by the poll: 1`;
	});
};
