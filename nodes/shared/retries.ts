import { createHash } from 'node:crypto';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import { stringifyJson } from '../../aiclk/protocol/json';
import type { ApiRequest } from '../../aiclk/api/request';
import type { TokenInput } from '../../aiclk/token/input';
import { fail, type Result } from '../../aiclk/util/result';
import { type Failure, newFailure } from '../../aiclk/util/failure';
import { runsAsTool } from './tool';

/**
 * n8n's Retry On Fail calls `execute` again in the same process, with the same execution id, node and run index (n8n-core
 * workflow-execute.js). The result of each change is remembered here until the node has run without a failure, so that a
 * retry sends only what was certainly not carried out.
 */

/** The output of an item, or why it failed. */
export type ItemResult = Result<IDataObject[], Failure>;

interface Remembered {
	hash: string;
	result: ItemResult;
}

interface Run {
	/** By position of the item. */
	items: Map<number, Remembered>;
	/** When its last try ended; Infinity while one goes on. */
	endedAtMs: number;
}

/** Runs remembered at the same time, in one process. */
const MAX_RUNS = 1_000;

/** n8n waits at most 5 s before the next try (n8n-core workflow-execute.js, `getRetryParams`). */
const RUN_IDLE_MS = 5 * 60_000;

/** Changes remembered for one run. */
const MAX_ITEMS = 10_000;

/** Whether a change must not be sent again: it was carried out, or may have been. */
const isFinal = (result: ItemResult): boolean => result.ok || result.failure.outcome === 'unknown';

const REFUSAL = "Switch Retry On Fail off in the node's settings, or send fewer items at a time.";

/** All runs of this process whose node is set to Retry On Fail. */
export class RetryMemory {
	private readonly runs = new Map<string, Run>();

	constructor(private readonly now: () => number = Date.now) {}

	/** The memory of a run; null when there is no room without forgetting one that may still be retried. */
	private open(key: string): Run | null {
		const known = this.runs.get(key);
		if (known === undefined && this.runs.size >= MAX_RUNS) {
			for (const [other, { endedAtMs }] of this.runs) {
				if (this.now() - endedAtMs > RUN_IDLE_MS) this.runs.delete(other);
			}
			if (this.runs.size >= MAX_RUNS) return null;
		}
		const run = known ?? { items: new Map<number, Remembered>(), endedAtMs: Infinity };
		run.endedAtMs = Infinity;
		this.runs.set(key, run);
		return run;
	}

	/**
	 * The memory of one run.
	 *
	 * @param key tells the run from all others of this process
	 * @param items that the run has
	 * @returns null where the changes of the run cannot all be remembered
	 */
	forRun(key: string, items: number): RunMemory | null {
		const run = items > MAX_ITEMS ? null : this.open(key);
		if (run === null) return null;
		return {
			recall: (position, hash) => {
				const known = run.items.get(position);
				if (known === undefined || !isFinal(known.result)) return null;
				return known.hash === hash ? known.result : fail(OTHER_REQUEST);
			},
			remember: (position, hash, result) => {
				run.items.set(position, { hash, result });
			},
			end: (isDone) => {
				run.endedAtMs = this.now();
				if (isDone) this.runs.delete(key);
			},
		};
	}
}

/** The results of earlier tries of one run of the node. */
export interface RunMemory {
	/** The final result of an item; null if the item may be sent. */
	recall(position: number, hash: string): ItemResult | null;
	remember(position: number, hash: string, result: ItemResult): void;
	/** This try has ended. @param isDone whether without a failure: n8n does not retry it then */
	end(isDone: boolean): void;
}

const OTHER_REQUEST = newFailure({
	kind: 'input',
	outcome: 'unknown',
	message:
		'An earlier try of this run sent another request for this item. That request was, or may have been, carried out. Nothing was sent now.',
	description:
		'Check at AiClk what was carried out. With Retry On Fail, the fields must have the same values at each try: take times and random values from a node before this one.',
});

/** A SHA-256 that identifies a request; a file counts by its name and size. */
export function hashOf(client: TokenInput, request: ApiRequest): string {
	const { method, path, parameters = {}, query = {}, body = null, form = {} } = request;
	const fields = Object.entries(form).map(([name, value]) =>
		typeof value === 'string' ? [name, value] : [name, value.name, value.size],
	);
	const all = [client.fingerprint, method, path, parameters, query, body, fields];
	return createHash('sha256').update(stringifyJson(all)).digest('hex');
}

const memory = new RetryMemory();

/** Without an execution id a retry cannot be told from a new run; nor as a tool, where each try has a new run index. */
const REFUSED = newFailure({
	kind: 'input',
	message:
		'With Retry On Fail this change could be sent twice, because n8n does not say here which run is retried. Nothing was sent.',
	description: REFUSAL,
});

const TOO_MANY = newFailure({
	kind: 'input',
	message:
		'With Retry On Fail, changes could be sent twice: so many changes at once cannot be remembered. Nothing was sent.',
	description: REFUSAL,
});

/**
 * The memory of this run.
 *
 * @returns null where the node is not retried; or why changes cannot be sent
 */
export function memoryOf(
	context: IExecuteFunctions,
	items: number,
): Result<RunMemory | null, Failure> {
	const { name, retryOnFail } = context.getNode();
	if (retryOnFail !== true) return { ok: true, value: null };
	const executionId: string | undefined = context.getExecutionId();
	if (!executionId || runsAsTool(context)) return fail(REFUSED);
	const { $runIndex: runIndex } = context.getWorkflowDataProxy(0);
	const run = memory.forRun(JSON.stringify([executionId, name, runIndex]), items);
	return run === null ? fail(TOO_MANY) : { ok: true, value: run };
}
