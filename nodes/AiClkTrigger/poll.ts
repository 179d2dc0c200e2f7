import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';
import { sleep } from 'n8n-workflow';

import type { TokenInput } from '../../aiclk/token/input';
import {
	fail,
	type Failure,
	FailureError,
	newFailure,
	ok,
	type Outcome,
	type Result,
} from '../../aiclk/util/failure';
import { ofThrown, refuse, toError } from '../shared/errors';
import { Lane } from '../shared/lane';
import { Parameters } from '../shared/parameters';
import { CREDENTIAL, readCredential } from '../shared/transport';
import { toItemId } from '../shared/values';
import { type Connection, createApi } from './api';
import { EVENTS } from './events';
import { ACCOUNT_IDS } from './events/event';
import {
	configurationOf,
	fit,
	type ProcessMemory,
	processMemoryOf,
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

/** How many accounts an error names. */
const MAX_ACCOUNTS_NAMED = 20;

/** How many items a run by hand shows where nothing has changed. */
const MAX_SHOWN = 10;

interface Poll extends Pick<Connection, 'context' | 'lane' | 'signal'> {
	isByHand: boolean;
	/** What n8n and this process remember, the latest first. */
	states: State[];
	/** ms since 1970 */
	now(): number;
	memory: ProcessMemory;
	/** Waits for work until the time of the poll is over. Never throws. */
	withinTime<T>(work: Promise<T>, outcome?: Outcome): Promise<Result<T, Failure>>;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Whether so much time has passed. A moment that is still to come was written by a clock that was ahead. */
const hasPassed = (at: string, ms: number, nowMs: number): boolean =>
	nowMs - Date.parse(at) >= ms || Date.parse(at) > nowMs;

/** @returns `withinTime` of a poll that the signal ends */
function withinTimeOf(signal: AbortSignal, budgetMs: number): Poll['withinTime'] {
	const tooLate = newFailure({
		kind: 'unavailable',
		outcome: 'unknown',
		isRead: true,
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

type Accounts = State['accounts'];

/** The changes of an account, or why it could not be read. */
type AccountResult = Result<IDataObject[], Failure>;

/** By account. `''` stands for what is about no account. */
type Results = Map<string, AccountResult>;

/** A failure as it is shown: it names the accounts that have it. */
function named(failure: Failure, all: string[]): Failure {
	const accounts = all.filter((account) => account !== '');
	const names = accounts.slice(0, MAX_ACCOUNTS_NAMED).join(', ');
	const unnamed = accounts.length - MAX_ACCOUNTS_NAMED;
	const more = unnamed > 0 ? ` and ${unnamed} more` : '';
	const whose = accounts.length === 0 ? '' : `Account${accounts[1] ? 's' : ''} ${names}${more}: `;
	// n8n 1 never again activates a workflow whose activation failed with this word, written so.
	const message = `${whose}${failure.message}`.replaceAll('Authorization', 'authorization');
	return { ...failure, message, accountId: accounts.length === 1 ? accounts.join() : null };
}

/** The failures among results, one for each cause, with the accounts that have it. */
function failuresOf(results: Results) {
	const causes = new Map<string, { causeKey: string; failure: Failure; accounts: string[] }>();
	for (const [account, result] of results) {
		if (result.ok) continue;
		const { kind, code, httpCode } = result.failure;
		const causeKey = kind === 'busy' ? kind : `${kind} ${code ?? httpCode ?? ''}`.trim();
		const { failure = result.failure, accounts = [] } = causes.get(causeKey) ?? {};
		causes.set(causeKey, { causeKey, failure, accounts: [...accounts, account] });
	}
	return [...causes.values()];
}

/**
 * Reports failures as n8n wants it of a trigger that goes on: a failed execution, and the error workflow. The same cause of the
 * same account is reported once an hour.
 *
 * @returns what was reported in the last hour
 */
function report({ context, now }: Poll, results: Results, before: State['reports']) {
	const reports = Object.fromEntries(
		Object.entries(before).filter(([, { at }]) => !hasPassed(at, HOUR_MS, now())),
	);
	for (const { causeKey, accounts, failure } of failuresOf(results)) {
		const reported = reports[causeKey]?.accounts ?? [];
		if (accounts.every((account) => reported.includes(account))) continue;
		reports[causeKey] = { at: iso(now()), accounts: [...new Set([...reported, ...accounts])] };
		const description = `${failure.description} What is known is kept: the next look finds what has changed since the last good one. If this lasts, it is reported again after an hour.`;
		const error = toError(context, { ...named(failure, accounts), description });
		try {
			context.__emitError(error);
		} catch {
			context.logger.error(`AiClk Trigger: ${error.message}`);
		}
	}
	return reports;
}

/** Reads fields and credential. @throws FailureError for bad input */
async function setUp({ context, lane, now, signal }: Poll) {
	const name = String(context.getNodeParameter('event'));
	const event = EVENTS.find(({ option }) => option.value === name);
	if (event === undefined) {
		return refuse(`The AiClk Trigger node has no event '${name}'`, 'Choose one from the list.');
	}
	const { input } = await readCredential(context);
	const { isAboutCredential = false } = event;
	if (!input.ok && !isAboutCredential) throw new FailureError(input.failure);
	// An event about the credential has no use for them.
	const client = input.ok ? input.value : ({ accountId: '', refreshToken: '' } as TokenInput);
	const { parameters, credentials } = context.getNode();
	const credentialOrClient = isAboutCredential ? credentials?.[CREDENTIAL]?.id : client.clientKey;
	const fields = new Parameters(context, null, client);
	return {
		/** Digits, each once; '' where the event is about the credential. */
		accounts: isAboutCredential ? [''] : fields.readAccounts(ACCOUNT_IDS).map(String),
		watcher: event.createWatcher(fields, now()),
		configuration: configurationOf(name, credentialOrClient, parameters.filters ?? {}),
		api: createApi({ context, input, lane, signal }),
	};
}

type Setup = Awaited<ReturnType<typeof setUp>>;

/** Items with their account, as the AiClk node has it. */
const withAccount = (items: IDataObject[], account: string): IDataObject[] =>
	account === '' ? items : items.map((item) => ({ ...item, account_id: toItemId(account) }));

/** Does the same for all accounts together. @returns what each has come to, in their order */
async function forAll(accounts: string[], work: (account: string) => Promise<AccountResult>) {
	const toEntry = async (account: string) => [account, await work(account)] as const;
	return new Map(await Promise.all(accounts.map(toEntry)));
}

/**
 * The account to look at in full: the one for which this was done longest ago, if that was more than a day ago. A first look, which
 * this is for an account without such a time, reads it in full anyway.
 */
function dueInFull({ isByHand, now }: Poll, { watcher, accounts }: Setup, known: Accounts) {
	const fullAt = (account: string): string => known[account]?.full ?? iso(now());
	const due = accounts.filter((account) => hasPassed(fullAt(account), DAY_MS, now()));
	due.sort((one, other) => (fullAt(one) < fullAt(other) ? -1 : 1));
	return watcher.hasFilter === true && !isByHand ? due[0] : undefined;
}

/**
 * Looks at all accounts together, each alone: its failure is its own.
 *
 * @returns what each has come to, and what is known of all from now on
 */
async function lookAtAll(poll: Poll, setup: Setup, before: Accounts) {
	const { watcher, api } = setup;
	const { isWanted = Boolean, hasFilter } = watcher;
	const accounts = { ...before };
	const due = dueInFull(poll, setup, before);
	const results = await forAll(setup.accounts, async (account) => {
		const known = before[account];
		const isFull = account === due;
		const found = await poll.withinTime(watcher.look(api, account, known, isFull));
		const nowMs = poll.now();
		if (found.ok) {
			const full = isFull ? iso(nowMs) : (known?.full ?? iso(nowMs));
			accounts[account] = { ...found.value.known, ...(hasFilter && { full }) };
			return ok(withAccount(found.value.items.filter(isWanted), account));
		}
		if (!isFull) return found;
		// The next polls look by the filter again, and another account has its turn.
		accounts[account] = { ...known, full: iso(nowMs - DAY_MS + HOUR_MS) };
		const description = `${found.failure.description} This was the daily full look. It is tried again after an hour.`;
		return fail({ ...found.failure, description });
	});
	return { results, accounts };
}

const TOO_MUCH = newFailure({
	kind: 'input',
	message: 'There is more to remember than n8n can store for a trigger',
	description: 'Watch fewer accounts or campaigns with each AiClk Trigger.',
});

/**
 * Makes a state fit. An account that cannot fit fails; what was known of it before is kept as far as it fits.
 *
 * @param before what was known before this poll
 * @returns the state, and the accounts that fail
 */
function fitAll(state: State, before: Accounts, watched: string[]): [State, Results] {
	const failed: Results = new Map();
	let fitted = fit(state, new Set(watched));
	while (fitted.tooLarge.length > 0) {
		const accounts = { ...fitted.state.accounts };
		for (const account of fitted.tooLarge) {
			const old = failed.has(account) ? undefined : before[account];
			delete accounts[account];
			if (old !== undefined) accounts[account] = old;
			failed.set(account, fail(TOO_MUCH));
		}
		fitted = fit({ ...state, accounts }, new Set(watched));
	}
	return [fitted.state, failed];
}

const toOutput = (items: IDataObject[]) => [items.map((json) => ({ json }))];

/**
 * What a run by hand shows where nothing has changed: the newest rows of the first account that has any, in the shape of what the
 * event emits. All accounts are asked, because whoever tries the trigger wants to know of a wrong one.
 */
async function sample(poll: Poll, { watcher, api, accounts }: Setup) {
	const samples = await forAll(
		accounts,
		async (account) => await poll.withinTime(watcher.sample(api, account)),
	);
	const [failed] = failuresOf(samples);
	if (failed) throw new FailureError(named(failed.failure, failed.accounts));
	for (const [account, items] of samples) {
		const newest = items.ok ? items.value.slice(0, MAX_SHOWN) : [];
		if (newest.length > 0) return toOutput(withAccount(newest, account));
	}
	return toOutput(withAccount([watcher.empty ?? {}], accounts[0] ?? ''));
}

/** Looks, compares, emits and stores, account by account. */
async function run(poll: Poll): Promise<INodeExecutionData[][] | null> {
	const { context, isByHand, now, memory, states } = poll;
	const setup = await poll.withinTime(setUp(poll), 'not-sent');
	const state = setup.ok
		? states.find(({ configuration }) => configuration === setup.value.configuration)
		: states[0];
	let accounts = state?.accounts ?? {};
	let results: Results = new Map();
	if (!setup.ok) results.set('', setup);
	// By hand there is nothing to compare with at first: rows are read for show only.
	else if (!isByHand || state !== undefined) {
		({ results, accounts } = await lookAtAll(poll, setup.value, accounts));
	}
	const [failed] = failuresOf(results);
	const hasState = state !== undefined || [...results.values()].some((result) => result.ok);
	// Where no account was ever read, nothing can be lost, and whoever switches the trigger on must know.
	if (failed && (isByHand || !hasState)) {
		throw new FailureError(named(failed.failure, failed.accounts));
	}
	const changes = () => [...results.values()].flatMap((result) => (result.ok ? result.value : []));
	if (isByHand && setup.ok && changes().length === 0) return await sample(poll, setup.value);
	if (isByHand) return toOutput(changes());
	const { configuration } = setup.ok ? setup.value : (state ?? { configuration: '' });
	// Later than the state before, even if the clock is not.
	const atMs = Math.max(now(), states[0] === undefined ? 0 : Date.parse(states[0].at) + 1);
	const reports = report(poll, results, state?.reports ?? {});
	const watched = setup.ok ? setup.value.accounts : Object.keys(accounts);
	const next: State = { at: iso(atMs), configuration, accounts, reports };
	const [fitted, tooLarge] = fitAll(next, state?.accounts ?? {}, watched);
	for (const [account, failure] of tooLarge) results.set(account, failure);
	const text = writeState({ ...fitted, reports: report(poll, tooLarge, reports) });
	context.getWorkflowStaticData('node').state = text;
	const items = changes();
	// n8n 2, which has this method, may throw items away, e.g. when the workflow is switched off meanwhile. So this process does not
	// remember them as emitted: the next poll begins with what n8n has stored, and finds the changes again if they are lost.
	// n8n 1 always emits them, but may poll a trigger twice, each time with static data of its own. So this process remembers them.
	const mayBeLost = items.length > 0 && 'getPollBudgetMs' in context;
	// A workflow that was never saved has no id.
	if (!mayBeLost && context.getWorkflow().id) memory.text = text;
	return items.length > 0 ? toOutput(items) : null;
}

/**
 * @returns the items; null if nothing has changed, or if another poll of this trigger is under way
 * @throws FailureError by hand, and where no account was ever read
 */
export async function poll(
	context: IPollFunctions,
	now = Date.now,
): Promise<INodeExecutionData[][] | null> {
	const memory = processMemoryOf(context.getWorkflow().id, context.getNode().id);
	const isByHand = context.getMode() === 'manual';
	if (memory.isPolling && !isByHand) return null;
	// n8n 1 has no such method.
	const givenMs = (context as Partial<IPollFunctions>).getPollBudgetMs?.() ?? MAX_POLL_MS;
	const budgetMs = Math.min(MAX_POLL_MS, givenMs);
	const signal = AbortSignal.timeout(budgetMs);
	const lane = new Lane(null, signal, budgetMs);
	// Where both are of the same moment, n8n's is first.
	const states = [...new Set([context.getWorkflowStaticData('node').state, memory.text])]
		.flatMap((text) => readState(text) ?? [])
		.sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
	const withinTime = withinTimeOf(signal, budgetMs);
	if (!isByHand) memory.isPolling = true;
	try {
		return await run({ context, isByHand, lane, memory, now, signal, states, withinTime });
	} finally {
		lane.close();
		if (!isByHand) memory.isPolling = false;
	}
}
