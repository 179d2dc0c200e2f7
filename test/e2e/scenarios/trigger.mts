import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { until, type Workflow } from '../../harness/n8n/rest.mts';
import type { Sandbox } from '../../sandbox/server.ts';
import type { Rig, Scenarios } from '../rig.mts';
import { chain } from '../workflows.mts';

type Json = Record<string, unknown>;

const DAY_MS = 86_400_000;
const POLL_LIMIT_MS = 150_000;
const ACTIVATION_LIMIT_MS = 20_000;

/** For what follows at once on a quiet machine. */
const PATIENCE_MS = 60_000;

/** A poll is over when nothing has arrived for so long: a change that is made in the middle of a first look is no change. */
const QUIET_MS = 2_000;
const CREATIVE = '18446744073709551615';

/** Longer than n8n 2 tries to activate a workflow. */
const OUTAGE_MS = 25_000;

/** What n8n 2.45 and newer does by default. */
const DURABLE = {
	N8N_SCHEDULER_ENABLED: 'true',
	N8N_SCHEDULER_POLL_TRIGGERS_ENABLED: 'true',
	N8N_USE_WORKFLOW_PUBLICATION_SERVICE: 'true',
};

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
const BALANCE = { event: 'balanceBelow', balance: 100_000 };

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

	/** Texts of the error executions so far, oldest first. */
	async errors(): Promise<string[]> {
		const runs = await this.rig.n8n.listExecutions(this.id);
		const failed = runs.filter(({ status }) => status === 'error').reverse();
		const read = failed.map(async ({ id }) => await this.rig.n8n.readExecution(id));
		return (await Promise.all(read)).map(({ error }) => error?.message ?? '');
	}

	/** Waits until so many executions have failed. */
	async untilErrors(count: number, limitMs = PATIENCE_MS): Promise<string[]> {
		const hasThem = (errors: string[]) => errors.length >= count;
		return await until(async () => await this.errors(), hasThem, limitMs, 500);
	}

	/** Waits until so many items have been emitted, and then a little, whether there are more. */
	async untilItems(count: number, limitMs = PATIENCE_MS): Promise<Json[]> {
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
	if (seconds > 25) await sleep((63 - seconds) * 1_000);
	else if (seconds < 3) await sleep(3_000);
}

/** A workflow with the trigger, which is activated: what there is now is no change. */
async function watchOn(rig: Rig, parameters: Json): Promise<Watched> {
	const id = await rig.n8n.importWorkflow(trigger(parameters), rig.credential);
	const watched = new Watched(rig, id);
	await watched.activate();
	return watched;
}

const rejectOn = (sandbox: Sandbox, id: string, reason = '图片不清晰') =>
	sandbox.change('creative', id, { effective_status: '审核拒绝', audit_reason: reason });

/** The trigger's promises on real n8n. Activating stands for a poll, where a minute is too long. */
export const triggers: Scenarios = (rig, scenario) => {
	const watch = async (parameters: Json) => {
		rig.sandbox.reset();
		return await watchOn(rig, parameters);
	};
	const reject = (id: string, reason?: string) => rejectOn(rig.sandbox, id, reason);

	scenario('trigger: one of three accounts is refused, the others are watched', async () => {
		rig.sandbox.configure({ accountIds: [1000002, 1000003] });
		rig.sandbox.change('account', '1000003', { balance: 5 }, '1000003');
		const accountIds = '1000002, 1000003, 1000004';
		const parameters = { event: 'balanceBelow', balance: 100_000, accountIds };
		const id = await rig.n8n.importWorkflow(trigger(parameters), rig.credential);
		const watched = new Watched(rig, id);
		await watched.activate();
		const moves = async (count: number) =>
			(await watched.untilItems(count)).map(({ account_id: one, change }) => [one, change]);
		// An alarm that is true when it is set.
		assert.deepEqual(await moves(1), [[1000003, 'below']]);
		for (const balance of [99_999, 100_000]) {
			rig.sandbox.change('account', '1000002', { balance });
			await watched.poll();
		}
		assert.deepEqual((await moves(3)).slice(1), [
			[1000002, 'below'],
			[1000002, 'recovered'],
		]);
		rig.sandbox.configure({ apiFault: { kind: 'status', status: 503 } });
		for (let polls = 0; polls < 3; polls++) await watched.poll();
		const errors = await watched.untilErrors(2);
		assert.equal(errors.length, 2);
		assert.match(errors[0] ?? '', /^Account 1000004: AiClk refused this/);
		assert.match(errors[1] ?? '', /^Accounts 1000002, 1000003, 1000004: AiClk is temporarily/);
		await rig.n8n.deactivate(watched.id);
		return `3 items; 2 failed executions for a refusal of 6 polls and an outage of 3: "${errors[0]}"`;
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

/** What needs another n8n than the one before. */
export const triggerRestarts: Scenarios = (rig, scenario) => {
	/** A sandbox, a client and a credential that no other workflow of the scenario has. */
	const alone = async (): Promise<Rig> => {
		const own = rig.beside();
		await own.openSandbox();
		await own.begin();
		return own;
	};

	scenario('trigger: a kill -9, outages, and AiClk away when n8n starts again', async () => {
		const watched = await watchOn(rig, CREATIVES);
		assert.deepEqual(await watched.untilItems(0), []);
		const other = await alone();
		const away = await watchOn(other, CREATIVES);

		// Found by n8n's own schedule, in one poll.
		for (const id of ['101', '102', CREATIVE]) rejectOn(rig.sandbox, id);
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

		rejectOn(other.sandbox, CREATIVE);
		other.sandbox.configure({ apiFault: { kind: 'status', status: 503 } });
		await rig.server.kill();
		rejectOn(rig.sandbox, '101', '太暗');
		await rig.startN8n();
		// n8n 2 tries an activation for some 15 s and then gives the workflow up.
		const isBack = sleep(OUTAGE_MS).then(() => other.sandbox.configure({ apiFault: null }));
		const four = await watched.untilItems(4);
		assert.equal(four.length, 4);
		assert.deepEqual(four[3]?.changed, ['audit_reason']);

		await rig.n8n.deactivate(watched.id);
		rejectOn(rig.sandbox, '102', '太暗');
		await watched.activate();
		assert.equal((await watched.untilItems(5)).length, 5);

		rig.sandbox.configure({ apiFault: { kind: 'status', status: 503 } });
		rejectOn(rig.sandbox, '102', '太亮');
		for (let polls = 0; polls < 2; polls++) await watched.poll();
		rig.sandbox.configure({ apiFault: null });
		await watched.poll();
		const six = await watched.untilItems(6);
		assert.equal(six.length, 6);
		assert.equal((await watched.untilItems(6)).length, 6);
		await rig.n8n.deactivate(watched.id);
		assert.deepEqual([rig.refreshes, rig.deadCalls], [1, 0]);

		await isBack;
		// Found by n8n's own schedule.
		assert.equal((await away.untilItems(1, POLL_LIMIT_MS)).length, 1);
		const errors = await away.errors();
		assert.equal(errors.length, 1);
		assert.match(errors[0] ?? '', /^Account 1000002: AiClk is temporarily unavailable/);
		await rig.n8n.deactivate(away.id);
		await other.closeSandbox();
		return `3 changes by the schedule, 1 after a kill -9, 1 of the time off, 1 after an outage: 6 items; away for ${OUTAGE_MS / 1_000} s: 1 failed execution, then 1 item by the schedule`;
	});

	// The last one: n8n keeps it. Its cursors (N8N_POLLER_DURABLE_CURSORS_ENABLED) are off by default. With them the same
	// comes out; it takes 4 minutes more.
	if (!rig.version.startsWith('1.')) {
		scenario("trigger: n8n's durable scheduler", async () => {
			await rig.server.stop();
			await rig.startN8n(DURABLE);
			const boxes: Sandbox[] = [];
			const watch = async (balance: number): Promise<[Watched, Sandbox]> => {
				const own = await alone();
				boxes.push(own.sandbox);
				own.sandbox.change('account', '1000002', { balance });
				return [await watchOn(own, BALANCE), own.sandbox];
			};
			const [[good], [slow, slowBox], [busy, busyBox]] = await Promise.all([
				watch(1),
				watch(200_000),
				watch(200_000),
			]);
			try {
				assert.equal((await good.untilItems(1)).length, 1);
				// n8n gives up a poll after 45 s, with a line in its log only.
				slowBox.configure({ apiDelayMs: 50_000 });
				busyBox.configure({ requestsPerSecond: 0, retryAfter: '50' });
				for (const box of boxes) box.change('account', '1000002', { balance: 100_000 });
				const [late = ''] = await slow.untilErrors(1, POLL_LIMIT_MS);
				const [refused = ''] = await busy.untilErrors(1, POLL_LIMIT_MS);
				assert.match(late, /^Account 1000002: AiClk did not answer within the 36 s/);
				assert.match(refused, /^Account 1000002: AiClk takes no more requests/);
				assert.deepEqual(
					(await good.untilItems(2, POLL_LIMIT_MS)).map(({ change }) => change),
					['below', 'recovered'],
				);
				slowBox.configure({ apiDelayMs: 0 });
				busyBox.configure({ requestsPerSecond: null });
				for (const box of boxes) box.change('account', '1000002', { balance: 5 });
				const items = await Promise.all(
					[good, slow, busy].map(
						async (one) => await one.untilItems(one === good ? 3 : 1, POLL_LIMIT_MS),
					),
				);
				assert.deepEqual(
					items.map(({ length }) => length),
					[3, 1, 1],
				);
				assert.deepEqual([await slow.errors(), await busy.errors()], [[late], [refused]]);
				for (const { id } of [good, slow, busy]) await rig.n8n.deactivate(id);
				return `5 items; "${late}"; "${refused}"`;
			} finally {
				for (const box of boxes) await box.close();
			}
		});
	}
};
