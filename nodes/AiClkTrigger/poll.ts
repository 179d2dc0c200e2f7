import {
	type IDataObject,
	type INodeExecutionData,
	type IPollFunctions,
	sleep,
} from 'n8n-workflow';

import type { TokenInput } from '../../aiclk/token/input';
import { type Failure, FailureError, newFailure, type Outcome } from '../../aiclk/util/failure';
import { fail, ok, type Result } from '../../aiclk/util/result';
import { ofThrown, refuse, toError } from '../shared/errors';
import { Lane } from '../shared/lane';
import { Parameters } from '../shared/parameters';
import { CREDENTIAL, readCredential } from '../shared/transport';
import { type Connection, createApi } from './api';
import { EVENTS } from './events';
import { ACCOUNT_IDS, type Api, type Found, type Watch } from './events/event';
import {
	configurationOf,
	fit,
	type Process,
	processOf,
	readState,
	type State,
	writeState,
} from './memory';

/** How long a poll may take, in ms; less where n8n gives it less. */
const MAX_POLL_MS = 2 * 60_000;

/** How long after that its requests may take to end as well, in ms: their failures say more. */
const GRACE_MS = 100;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How many items a run by hand shows at most where nothing has changed. */
const MAX_SAMPLES = 10;

/** How many accounts an error names. */
const MAX_NAMED = 20;

/** For the fields of an event that has no accounts. */
const NO_CLIENT = { accountId: '' } as TokenInput;

/** One poll. */
interface Poll extends Pick<Connection, 'context' | 'lane' | 'signal'> {
	isByHand: boolean;
	/** What n8n and this process remember, the latest first. */
	states: State[];
	/** ms since 1970 */
	now(): number;
	process: Process;
	/** Waits for work until the time of the poll is over. Never throws. */
	limit<T>(work: Promise<T>, outcome?: Outcome): Promise<Result<T, Failure>>;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Whether so much time has passed. A moment that is still to come was written by a clock that was ahead. */
const hasPassed = (at: string, ms: number, nowMs: number): boolean =>
	nowMs - Date.parse(at) >= ms || Date.parse(at) > nowMs;

/** @returns `limit` of a poll whose end the signal is */
function limitOf(signal: AbortSignal, budgetMs: number): Poll['limit'] {
	const tooLate = newFailure({
		kind: 'unavailable',
		outcome: 'unknown',
		message: `AiClk did not answer within the ${Math.round(budgetMs / 1000)} s that a poll has`,
		description: 'If AiClk is always this slow, watch fewer accounts with each AiClk Trigger.',
	});
	const end = new Promise((resolve) => signal.addEventListener('abort', resolve));
	const late = end.then(async () => await sleep(GRACE_MS)).then(() => fail(tooLate));
	return async (work, outcome = 'unknown') => {
		const ended = work.then(ok, (error: unknown) => {
			const failure = ofThrown(error, outcome);
			return fail(signal.aborted && failure.kind !== 'busy' ? tooLate : failure);
		});
		return await Promise.race([ended, late]);
	};
}

/** Failures of accounts, by account; `''` where a failure is about none. */
type Failures = Map<string, Failure>;

/** Failures with the same cause, as one: what happened, of which accounts. */
interface Group {
	cause: string;
	failure: Failure;
	accounts: string[];
}

/** Failures by cause, in the order of the accounts. */
function groupsOf(failures: Failures): Group[] {
	const groups = new Map<string, Group>();
	for (const [account, failure] of failures) {
		const { kind, code, httpCode } = failure;
		const cause = kind === 'busy' ? kind : `${kind} ${code ?? httpCode ?? ''}`.trim();
		const { accounts = [], ...group } = groups.get(cause) ?? { cause, failure };
		groups.set(cause, { ...group, accounts: [...accounts, account] });
	}
	return [...groups.values()];
}

/** The failure of a group as it is shown: it names the accounts. */
function named({ failure, accounts: all }: Omit<Group, 'cause'>): Failure {
	const accounts = all.filter((account) => account !== '');
	const names = accounts.slice(0, MAX_NAMED).join(', ');
	const more = accounts.length > MAX_NAMED ? ` and ${accounts.length - MAX_NAMED} more` : '';
	const whose = accounts.length === 0 ? '' : `Account${accounts[1] ? 's' : ''} ${names}${more}: `;
	// n8n 1 never again activates a workflow whose activation failed with this word, written so.
	const message = `${whose}${failure.message}`.replaceAll('Authorization', 'authorization');
	return { ...failure, message, accountId: accounts.length === 1 ? accounts.join() : null };
}

const KEPT =
	'What is known is kept: the next look finds what has changed since the last good one. If this lasts, it is reported again after an hour.';

/**
 * Reports failures as n8n wants it of a trigger that goes on: a failed execution, and the error workflow. The same cause of the
 * same account is reported once an hour.
 *
 * @returns what was reported in the last hour
 */
function report({ context, now }: Poll, failures: Failures, before: State['reports']) {
	const reports = Object.fromEntries(
		Object.entries(before).filter(([, { at }]) => !hasPassed(at, HOUR_MS, now())),
	);
	for (const group of groupsOf(failures)) {
		const { cause, accounts } = group;
		const known = reports[cause]?.accounts ?? [];
		if (accounts.every((account) => known.includes(account))) continue;
		reports[cause] = { at: iso(now()), accounts: [...new Set([...known, ...accounts])] };
		const failure = named(group);
		const description = `${failure.description} ${KEPT}`;
		const error = toError(context, { ...failure, description });
		try {
			context.__emitError(error);
		} catch {
			context.logger.error(`AiClk Trigger: ${error.message}`);
		}
	}
	return reports;
}

/** The fields and the credential of a poll. */
interface Setup {
	watch: Watch;
	/** Digits, each once; '' where the event is about the credential. */
	accounts: string[];
	/** Tells configurations apart. */
	of: string;
	api: Api;
}

/** Reads fields and credential. @throws FailureError for bad input */
async function setUp({ context, lane, signal }: Poll): Promise<Setup> {
	const name = String(context.getNodeParameter('event'));
	const event = EVENTS.find(({ option }) => option.value === name);
	if (event === undefined) {
		return refuse(`The AiClk Trigger node has no event '${name}'`, 'Choose one from the list.');
	}
	const { input } = await readCredential(context);
	const { isAboutCredential = false } = event;
	if (!input.ok && !isAboutCredential) throw new FailureError(input.failure);
	const client = input.ok ? input.value : NO_CLIENT;
	const { parameters, credentials } = context.getNode();
	const whose = isAboutCredential ? credentials?.[CREDENTIAL]?.id : client.client;
	const fields = new Parameters(context, null, client);
	return {
		accounts: isAboutCredential ? [''] : fields.readAccounts(ACCOUNT_IDS).map(String),
		watch: event.read(fields),
		of: configurationOf(name, whose, parameters.filters ?? {}),
		api: createApi({ context, input, lane, signal }),
	};
}

/** Items with their account: a number where that is exact, as the AiClk node has it. */
const withAccount = (items: IDataObject[], account: string): IDataObject[] => {
	const id = Number.isSafeInteger(Number(account)) ? Number(account) : account;
	return account === '' ? items : items.map((item) => ({ ...item, account_id: id }));
};

/** What the accounts of one poll have come to. */
interface Looked {
	accounts: State['accounts'];
	/** By account; an account that failed has none. */
	items: Map<string, IDataObject[]>;
	failures: Failures;
}

/** Looks at all accounts together, each alone: its failure is its own. */
async function lookAtAll(poll: Poll, setup: Setup, before: State['accounts']): Promise<Looked> {
	const { watch, api, accounts } = setup;
	const { isWanted = Boolean } = watch;
	const looked: Looked = { accounts: { ...before }, items: new Map(), failures: new Map() };
	const looks = await Promise.all(
		accounts.map(async (account) => ({
			account,
			known: before[account],
			look: await poll.limit(watch.look(api, account, before[account])),
		})),
	);
	for (const { account, known, look } of looks) {
		if (look.ok) {
			const full = watch.lookInFull && { full: known?.full ?? iso(poll.now()) };
			looked.accounts[account] = { ...look.value.known, ...full };
			looked.items.set(account, withAccount(look.value.items.filter(isWanted), account));
		} else looked.failures.set(account, look.failure);
	}
	if (!poll.isByHand) await lookInFull(poll, setup, looked);
	return looked;
}

/** Looks in full at the account for which this was done longest ago, if that was more than a day ago. */
async function lookInFull(poll: Poll, { watch, api }: Setup, looked: Looked): Promise<void> {
	const nowMs = poll.now();
	const fullAt = (account: string): string => looked.accounts[account]?.full ?? iso(nowMs);
	const [due] = [...looked.items.keys()]
		.filter((account) => hasPassed(fullAt(account), DAY_MS, nowMs))
		.sort((one, other) => (fullAt(one) < fullAt(other) ? -1 : 1));
	const known = due === undefined ? undefined : looked.accounts[due];
	if (due === undefined || known === undefined || watch.lookInFull === undefined) return;
	const full = await poll.limit(watch.lookInFull(api, due, known));
	const { known: now, items: all }: Found = full.ok ? full.value : { known, items: [] };
	const items = withAccount(all.filter(watch.isWanted ?? Boolean), due);
	// If it failed, it is another account's turn: this one has its turn again in an hour.
	looked.accounts[due] = { ...now, full: iso(full.ok ? nowMs : nowMs - DAY_MS + HOUR_MS) };
	looked.items.set(due, [...(looked.items.get(due) ?? []), ...items]);
	if (full.ok && items.length === 0) return;
	const what = full.ok ? `found changes that other looks had missed: ${items.length}` : 'failed';
	const why = full.ok ? '' : `: ${full.failure.message}`;
	poll.context.logger.warn(`AiClk Trigger: the daily full look at account ${due} ${what}${why}`);
}

const TOO_MUCH = newFailure({
	kind: 'input',
	message: 'There is more to remember than n8n can store for a trigger',
	description: 'Watch fewer accounts or campaigns with each AiClk Trigger.',
});

/** Makes a state fit. An account that cannot fit fails; what was known of it before is kept as far as it fits. */
function fitAll(state: State, before: State['accounts'], watched: string[], looked: Looked): State {
	const accounts = { ...state.accounts };
	for (;;) {
		const fitted = fit({ ...state, accounts }, new Set(watched));
		if (fitted.ok) return fitted.value;
		const account = fitted.failure;
		const old = accounts[account]?.keep ? before[account] : undefined;
		delete accounts[account];
		if (old !== undefined) accounts[account] = { ...old, keep: 0 };
		looked.items.delete(account);
		looked.failures.set(account, TOO_MUCH);
	}
}

const toOutput = (items: IDataObject[]): INodeExecutionData[][] => [
	items.map((json) => ({ json })),
];

/** What a run by hand shows where nothing has changed: the newest rows, in the shape of what the event emits. */
async function sample(poll: Poll, { watch, api, accounts }: Setup): Promise<IDataObject[]> {
	for (const account of accounts) {
		const items = await poll.limit(watch.sample(api, account));
		if (!items.ok) throw new FailureError(named({ failure: items.failure, accounts: [account] }));
		if (items.value.length > 0) return withAccount(items.value.slice(0, MAX_SAMPLES), account);
	}
	return withAccount([watch.empty], accounts[0] ?? '');
}

/** What becomes of accounts that are not looked at, because AiClk has said for how long it takes no requests; null if it has not. */
function ofBusy({ process, now }: Poll, { accounts, of }: Setup, known: State['accounts']) {
	const { busy } = process;
	const leftMs = busy?.of === of ? busy.untilMs - now() : 0;
	if (busy === null || leftMs <= 0) return null;
	const failure = { ...busy.failure, retryAfterMs: leftMs };
	const failures: Failures = new Map(accounts.map((account) => [account, failure]));
	return { accounts: known, items: new Map(), failures };
}

/** Looks, compares, emits and stores, account by account. */
async function run(poll: Poll): Promise<INodeExecutionData[][] | null> {
	const { context, isByHand, now, process, states } = poll;
	const setup = await poll.limit(setUp(poll), 'not-sent');
	const state = setup.ok ? states.find(({ of }) => of === setup.value.of) : states[0];
	const before = state?.accounts ?? {};
	let looked: Looked = { accounts: before, items: new Map(), failures: new Map() };
	if (!setup.ok) looked.failures.set('', setup.failure);
	else if (!isByHand) {
		looked = ofBusy(poll, setup.value, before) ?? (await lookAtAll(poll, setup.value, before));
	} else if (state !== undefined) looked = await lookAtAll(poll, setup.value, before);
	const [failed] = groupsOf(looked.failures);
	// Where no account was ever read, nothing can be lost, and whoever switches the trigger on must know.
	const throws = isByHand || (state === undefined && looked.items.size === 0);
	const of = setup.ok ? setup.value.of : (state?.of ?? '');
	const busy = [...looked.failures.values()].find(({ retryAfterMs }) => retryAfterMs !== null);
	if (!isByHand && busy?.retryAfterMs) {
		process.busy = { of, untilMs: now() + busy.retryAfterMs, failure: busy };
	}
	if (failed !== undefined && throws) throw new FailureError(named(failed));
	const watched = setup.ok ? setup.value.accounts : Object.keys(before);
	const changes = () => watched.flatMap((account) => looked.items.get(account) ?? []);
	if (isByHand) {
		const isShown = changes().length > 0 || !setup.ok;
		return toOutput(isShown ? changes() : await sample(poll, setup.value));
	}

	const [latest] = states;
	// Later than the state before, even if the clock is not.
	const atMs = Math.max(now(), latest === undefined ? 0 : Date.parse(latest.at) + 1);
	const next = { at: iso(atMs), of, accounts: looked.accounts, reports: {} };
	const fitted = fitAll(next, before, watched, looked);
	const reports = report(poll, looked.failures, state?.reports ?? {});
	const text = writeState({ ...fitted, reports });
	context.getWorkflowStaticData('node').state = text;
	const items = changes();
	// n8n 2, which has this method, may throw away what a poll returns, e.g. when the workflow is switched off meanwhile. Then what
	// n8n has stored counts, and the change is found again. n8n 1 always emits it, but may poll twice.
	const isCertain = items.length === 0 || !('getPollBudgetMs' in context);
	// A workflow that was never saved has no id.
	if (isCertain && context.getWorkflow().id) process.text = text;
	return items.length > 0 ? toOutput(items) : null;
}

/**
 * One poll.
 *
 * @param now ms since 1970
 * @returns the items; null if nothing has changed, or if another poll of this trigger is under way
 * @throws FailureError by hand, and where no account was ever read
 */
export async function poll(
	context: IPollFunctions,
	now = Date.now,
): Promise<INodeExecutionData[][] | null> {
	const process = processOf(context.getWorkflow().id, context.getNode().id);
	const isByHand = context.getMode() === 'manual';
	if (process.isPolling && !isByHand) return null;
	// n8n 1 has no such method.
	const givenMs = (context as Partial<IPollFunctions>).getPollBudgetMs?.() ?? Infinity;
	const budgetMs = Math.min(MAX_POLL_MS, givenMs);
	const signal = AbortSignal.timeout(budgetMs);
	const lane = new Lane(null, signal);
	// Where both are of the same moment, n8n's is first.
	const states = [...new Set([context.getWorkflowStaticData('node').state, process.text])]
		.map(readState)
		.filter((state): state is State => state !== null)
		.sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
	const limit = limitOf(signal, budgetMs);
	if (!isByHand) process.isPolling = true;
	try {
		return await run({ context, isByHand, lane, limit, now, process, signal, states });
	} finally {
		lane.close();
		if (!isByHand) process.isPolling = false;
	}
}
