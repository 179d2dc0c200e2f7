import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { getPages, type PageRequest, type Remark } from '../../aiclk/api/pagination';
import { nameOf, toHttpOptions } from '../../aiclk/api/request';
import { type Batching, MAX_TOGETHER } from '../../aiclk/api/throttle';
import type { TokenInput } from '../../aiclk/token/input';
import {
	fail,
	type Failure,
	newFailure,
	ok,
	type Outcome,
	type Result,
} from '../../aiclk/util/failure';
import { ofThrown, refuse, runsAsTool, toError, toErrorItem } from '../shared/errors';
import { Lane } from '../shared/lane';
import { Parameters } from '../shared/parameters';
import { readCredential, send } from '../shared/transport';
import { type ItemRemark, toHints } from './hints';
import { refuseRepetition } from './once';
import type { Operation, Plan } from './operations';
import { remarksOnFailures, remarksOnPage, toWholeItem } from './output';
import { RESOURCES } from './resources';

/** One item, read and checked. Nothing has been sent for it. */
interface ItemPlan extends Plan {
	itemIndex: number;
	input: TokenInput;
	batching: Batching | null;
	/** Digits; null where the call names none. */
	accountId: string | null;
}

/** What an item asks for, or why nothing is sent for it. */
type Planned = Result<ItemPlan, Failure>;

/** The output of an item, or why it failed. */
type ItemResult = Result<IDataObject[], Failure>;

/** Finds the chosen operation. n8n adds "Custom API Call" to both lists, which this node cannot carry out. */
function findOperation(context: IExecuteFunctions, itemIndex: number): Operation {
	const resource = context.getNodeParameter('resource', itemIndex, '');
	const operation = context.getNodeParameter('operation', itemIndex, '');
	const found = RESOURCES.find(({ option }) => option.value === resource)?.operations.find(
		({ option }) => option.value === operation,
	);
	if (found !== undefined) return found;
	return refuse(
		'The AiClk node has no such resource and operation',
		"To call another endpoint, choose the resource API, or use an HTTP Request node with the predefined credential type 'AiClk API'.",
	);
}

/** Reads and checks the fields and the credential of one item. Never throws. */
async function planItem(context: IExecuteFunctions, itemIndex: number): Promise<Planned> {
	let fields: Parameters | null = null;
	try {
		const { input } = await readCredential(context, itemIndex);
		if (!input.ok) return input;
		fields = new Parameters(context, itemIndex, input.value);
		const plan = await findOperation(context, itemIndex).plan(fields);
		refuseRepetition(context, plan.request.effect);
		// A request that cannot be built must fail before the first one is sent.
		toHttpOptions(input.value.baseUrl, plan.request);
		const batching = fields.readBatching();
		const { accountId } = fields;
		return ok({ ...plan, itemIndex, input: input.value, batching, accountId });
	} catch (error) {
		return fail({ ...ofThrown(error, 'not-sent'), accountId: fields?.accountId ?? null });
	}
}

const isChange = (item: Planned): boolean => item.ok && item.value.request.effect !== 'read';

/** Works on up to `MAX_TOGETHER` values at a time, taken in their order. */
async function inParallel<T>(values: T[], work: (value: T) => Promise<void>): Promise<void> {
	const rest = values.values();
	const takeAll = async () => {
		for (const value of rest) await work(value);
	};
	await Promise.all(Array.from({ length: MAX_TOGETHER }, takeAll));
}

/** What the requests of one run of the node have in common. */
interface Run {
	context: IExecuteFunctions;
	lane: Lane;
	/** About items that were read or carried out without a failure. */
	remarks: ItemRemark[];
}

/** A run that waited longer than this for a busy AiClk says so, in ms. */
const MAX_SILENT_MS = 5_000;

/** Shows what was remarked, in n8n's log and in the panel. */
function tell({ context, lane: { waitedMs }, remarks }: Run): void {
	const messages = toHints(remarks);
	if (waitedMs > MAX_SILENT_MS) {
		messages.push(`AiClk was busy: requests waited ${Math.round(waitedMs / 1000)} s`);
	}
	for (const message of messages) {
		context.logger.warn(message);
		try {
			context.addExecutionHints({ message, location: 'outputPane' });
		} catch {
			// It is in the log. What was carried out must come out.
		}
	}
}

const addAdvice = (failure: Failure, advice: string): Failure => ({
	...failure,
	description: `${failure.description} ${advice}`,
});

/** Sends the requests of one item. May throw unexpected errors. */
async function sendItem(run: Run, plan: ItemPlan): Promise<ItemResult> {
	const { itemIndex, request, simplify, pages, toItems, accountId } = plan;
	const isRead = request.effect === 'read';
	const sender = { ...run, ...plan };
	const description = `To see AiClk's whole answer, switch 'Simplify' off, and 'Paginate' too if it is on. ${nameOf(request)}.`;
	const unusable = (message: string) =>
		newFailure({ kind: 'unusable', outcome: 'unknown', isRead, message, description });
	const whose = accountId === null ? [] : [`account ${accountId}`];
	const remark = (remarks: Remark[]): void => {
		for (const { text, detail } of remarks) {
			run.remarks.push([itemIndex, { text, detail: [...whose, detail].join(', ') }]);
		}
	};
	if (pages === undefined) {
		const answer = await send(sender, request);
		if (!answer.ok) return answer;
		remark(remarksOnFailures(answer.value, isRead));
		remark(remarksOnPage(answer.value, request));
		const output = simplify ? toItems(answer.value) : ok([toWholeItem(answer.value)]);
		return output.ok ? output : fail(unusable(output.failure));
	}
	const { place, toRows } = pages;
	const getPage = async ({ page, pageSize }: PageRequest, isOver: () => boolean) => {
		const values = { ...(request[place] as object | undefined), page, page_size: pageSize };
		return await send({ ...sender, isOver }, { ...request, [place]: values });
	};
	const read = await getPages({ ...pages, isRead }, getPage, unusable);
	if (!read.ok) {
		const { why, pages: pagesBefore, rows } = read.failure;
		if (rows === 0) return fail(why);
		const advice = isRead
			? `Rows read before this: ${rows}. A 'Limit' of ${rows} returns them.`
			: `Pages carried out before this: ${pagesBefore}.`;
		const outcome = isRead ? why.outcome : 'unknown';
		return fail({ ...addAdvice(why, advice), outcome });
	}
	const { rows, envelopes, remarks } = read.value;
	remark(remarks);
	// Among other items, nobody would miss it.
	if (rows.length === 0 && run.context.getInputData().length > 1) {
		remark([{ text: 'No rows came for some items.', detail: '0 rows' }]);
	}
	for (const envelope of envelopes) remark(remarksOnFailures(envelope, isRead));
	const output = simplify ? toRows(rows) : ok(envelopes.map(toWholeItem));
	return output.ok ? output : fail(unusable(output.failure));
}

/** Carries out one item. Never throws. */
async function carryOut(run: Run, plan: ItemPlan): Promise<ItemResult> {
	const sent = await sendItem(run, plan).catch((error: unknown) =>
		fail(ofThrown(error, 'unknown')),
	);
	const { accountId, details = null } = plan;
	return sent.ok ? sent : fail({ ...sent.failure, accountId, details });
}

/** One line for n8n's log, where alone it can be said: after Stop, n8n stores and shows nothing of the node. */
function describeStop(planned: Planned[], results: ItemResult[]): string {
	const outcomeOf = (result?: ItemResult): Outcome | undefined =>
		result?.ok === false ? result.failure.outcome : undefined;
	const sent = results.filter((result) => outcomeOf(result) !== 'not-sent').length;
	const unknown = planned.filter(
		(item, index) => isChange(item) && outcomeOf(results[index]) === 'unknown',
	).length;
	const uncertain =
		unknown === 0 ? '' : `; ${unknown} of them may or may not have been carried out`;
	return `AiClk: the run was stopped; ${sent} of ${planned.length} items were sent${uncertain}`;
}

/**
 * Runs the node. All items are read and checked before the first request goes out. Then reads go out together, and changes
 * one after the other.
 *
 * @returns the output, in the order of the items and paired with them
 * @throws NodeApiError or NodeOperationError for the first item that fails, unless the node continues on error
 */
export async function execute(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const planned: Planned[] = [];
	await inParallel([...context.getInputData().keys()], async (itemIndex) => {
		planned[itemIndex] = await planItem(context, itemIndex);
	});
	const signal = context.getExecutionCancelSignal();
	// After Stop, n8n's Retry On Fail runs the node again.
	const wasStopped = signal?.aborted === true;
	// The batching of the first item that has one.
	const [batching = null] = planned.flatMap((item) => (item.ok && item.value.batching) || []);
	const run: Run = { context, lane: new Lane(batching, signal), remarks: [] };
	const results: ItemResult[] = [];
	/** Failures that end the run; none if the node continues on error. */
	const failures: Array<[failure: Failure, itemIndex: number]> = [];
	const noteFailure = (itemIndex: number, result: ItemResult | Planned): void => {
		if (result.ok || context.continueOnFail()) return;
		failures.push([result.failure, itemIndex]);
		run.lane.close();
	};
	for (const [itemIndex, item] of planned.entries()) noteFailure(itemIndex, item);
	const rest = [...planned.entries()];
	while (rest.length > 0) {
		// Successive reads go out together, and each change alone.
		const reads = rest.findIndex(([, item]) => isChange(item));
		const group = rest.splice(0, reads === -1 ? rest.length : Math.max(1, reads));
		await inParallel(group, async ([itemIndex, item]) => {
			if (failures.length > 0) return;
			const result = item.ok ? await carryOut(run, item.value) : item;
			results[itemIndex] = result;
			noteFailure(itemIndex, result);
		});
	}
	// Pages that were asked for beyond a failure may still wait for their turn.
	run.lane.close();
	tell(run);
	if (signal?.aborted === true && !wasStopped) context.logger.info(describeStop(planned, results));
	const [first] = failures;
	if (first !== undefined) {
		const [failure, itemIndex] = first;
		const changed = planned.filter((item, index) => isChange(item) && results[index]?.ok).length;
		const advice = `Items carried out before this one: ${changed}. Leave them out when you run again.`;
		throw toError(context, changed === 0 ? failure : addAdvice(failure, advice), itemIndex);
	}
	const output = results.flatMap((result, itemIndex) =>
		(result.ok ? result.value : [toErrorItem(context, result.failure)]).map((json) => ({
			json,
			pairedItem: { item: itemIndex },
		})),
	);
	// An AI agent sees the items only, and would take a list that is short for the whole.
	const hints = runsAsTool(context) ? toHints(run.remarks) : [];
	return [...output, ...hints.map((hint) => ({ json: { hint }, pairedItem: { item: 0 } }))];
}
