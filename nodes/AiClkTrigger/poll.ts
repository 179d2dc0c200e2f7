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
import { type Connection, createApi } from './api';
import { EVENTS } from './events';
import { ACCOUNT_IDS, type Found, type Watcher } from './events/event';
import {
	configurationOf,
	fit,
	type Local,
	localOf,
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

/** How many items a run by hand shows where nothing has changed, and how many accounts an error names. */
const MAX_SAMPLES = 10;
const MAX_NAMED = 20;

/** One poll. */
interface Poll extends Pick<Connection, 'context' | 'lane' | 'signal'> {
	isByHand: boolean;
	/** What n8n and this process remember, the latest first. */
	states: State[];
	/** ms since 1970 */
	now(): number;
	local: Local;
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

/** What each account has come to: its changes, or why it could not be read. `''` stands for what is about no account. */
type Results = Map<string, Result<IDataObject[], Failure>>;

/** A failure as it is shown: it names the accounts that have it. */
function named(failure: Failure, all: string[]): Failure {
	const accounts = all.filter((account) => account !== '');
	const names = accounts.slice(0, MAX_NAMED).join(', ');
	const more = accounts.length > MAX_NAMED ? ` and ${accounts.length - MAX_NAMED} more` : '';
	const whose = accounts.length === 0 ? '' : `Account${accounts[1] ? 's' : ''} ${names}${more}: `;
	// n8n 1 never again activates a workflow whose activation failed with this word, written so.
	const message = `${whose}${failure.message}`.replaceAll('Authorization', 'authorization');
	return { ...failure, message, accountId: accounts.length === 1 ? accounts.join() : null };
}

/** The failures among results, one for each cause, with the accounts that have it. */
function failuresOf(results: Results) {
	const causes = new Map<string, { cause: string; failure: Failure; accounts: string[] }>();
	for (const [account, result] of results) {
		if (result.ok) continue;
		const { kind, code, httpCode } = result.failure;
		const cause = kind === 'busy' ? kind : `${kind} ${code ?? httpCode ?? ''}`.trim();
		const { failure = result.failure, accounts = [] } = causes.get(cause) ?? {};
		causes.set(cause, { cause, failure, accounts: [...accounts, account] });
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
	for (const { cause, accounts, failure } of failuresOf(results)) {
		const known = reports[cause]?.accounts ?? [];
		if (accounts.every((account) => known.includes(account))) continue;
		reports[cause] = { at: iso(now()), accounts: [...new Set([...known, ...accounts])] };
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
async function setUp({ context, lane, signal }: Poll) {
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
	const subject = isAboutCredential ? credentials?.[CREDENTIAL]?.id : client.clientKey;
	const fields = new Parameters(context, null, client);
	return {
		/** Digits, each once; '' where the event is about the credential. */
		accounts: isAboutCredential ? [''] : fields.readAccounts(ACCOUNT_IDS).map(String),
		watcher: event.read(fields),
		of: configurationOf(name, subject, parameters.filters ?? {}),
		api: createApi({ context, input, lane, signal }),
	};
}

type Setup = Awaited<ReturnType<typeof setUp>>;

/** Items with their account: a number where that is exact, as the AiClk node has it. */
const withAccount = (items: IDataObject[], account: string): IDataObject[] => {
	const id = Number.isSafeInteger(Number(account)) ? Number(account) : account;
	return account === '' ? items : items.map((item) => ({ ...item, account_id: id }));
};

const toItems = ({ items }: Found, { isWanted = Boolean }: Watcher, account: string) =>
	withAccount(items.filter(isWanted), account);

/** The account to look at in full: the one for which this was done longest ago, if that was more than a day ago. */
function dueInFull({ isByHand, now }: Poll, { watcher, accounts }: Setup, known: Accounts) {
	const fullAt = (account: string): string => known[account]?.full ?? iso(now());
	const due = accounts.filter((account) => hasPassed(fullAt(account), DAY_MS, now()));
	due.sort((one, other) => (fullAt(one) < fullAt(other) ? -1 : 1));
	return watcher.hasFilter === true && !isByHand ? due[0] : undefined;
}

/**
 * Looks at all accounts together, each alone: its failure is its own. What is known of them is replaced.
 *
 * @returns what each has come to
 */
async function lookAtAll(poll: Poll, setup: Setup, known: Accounts): Promise<Results> {
	const { watcher, api, accounts } = setup;
	const due = dueInFull(poll, setup, known);
	const looks = accounts.map(async (account): Promise<[string, Result<IDataObject[], Failure>]> => {
		const before = known[account];
		const isFull = account === due;
		const look = await poll.limit(watcher.look(api, account, before, isFull, poll.now()));
		const nowMs = poll.now();
		if (look.ok) {
			const full = isFull ? iso(nowMs) : (before?.full ?? iso(nowMs));
			known[account] = { ...look.value.known, ...(watcher.hasFilter && { full }) };
			return [account, ok(toItems(look.value, watcher, account))];
		}
		if (!isFull) return [account, look];
		// The next polls look by the filter again, and another account has its turn.
		known[account] = { ...before, full: iso(nowMs - DAY_MS + HOUR_MS) };
		const description = `${look.failure.description} This was the daily full look. It is tried again after an hour.`;
		return [account, fail({ ...look.failure, description })];
	});
	return new Map(await Promise.all(looks));
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
			if (old !== undefined) accounts[account] = { ...old, pinned: 0 };
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
	const samples: Results = new Map(accounts.map((account) => [account, ok([])]));
	await Promise.all(
		accounts.map(async (account) => {
			samples.set(account, await poll.limit(watcher.sample(api, account, poll.now())));
		}),
	);
	const [failed] = failuresOf(samples);
	if (failed) throw new FailureError(named(failed.failure, failed.accounts));
	for (const [account, items] of samples) {
		const newest = items.ok ? items.value.slice(0, MAX_SAMPLES) : [];
		if (newest.length > 0) return toOutput(withAccount(newest, account));
	}
	return toOutput(withAccount([watcher.empty ?? {}], accounts[0] ?? ''));
}

/** Looks, compares, emits and stores, account by account. */
async function run(poll: Poll): Promise<INodeExecutionData[][] | null> {
	const { context, isByHand, now, local, states } = poll;
	const setup = await poll.limit(setUp(poll), 'not-sent');
	const state = setup.ok ? states.find(({ of }) => of === setup.value.of) : states[0];
	const accounts = { ...state?.accounts };
	let results: Results = new Map();
	if (!setup.ok) results.set('', setup);
	// By hand there is nothing to compare with at first: rows are read for show only.
	else if (!isByHand || state !== undefined) {
		results = await lookAtAll(poll, setup.value, accounts);
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
	const of = setup.ok ? setup.value.of : (state?.of ?? '');
	// Later than the state before, even if the clock is not.
	const atMs = Math.max(now(), states[0] === undefined ? 0 : Date.parse(states[0].at) + 1);
	const reports = report(poll, results, state?.reports ?? {});
	const watched = setup.ok ? setup.value.accounts : Object.keys(accounts);
	const next: State = { at: iso(atMs), of, accounts, reports };
	const [fitted, tooLarge] = fitAll(next, state?.accounts ?? {}, watched);
	for (const [account, failure] of tooLarge) results.set(account, failure);
	const text = writeState({ ...fitted, reports: report(poll, tooLarge, reports) });
	context.getWorkflowStaticData('node').state = text;
	const items = changes();
	// n8n 2, which has this method, may throw away what a poll returns, e.g. when the workflow is switched off meanwhile. Then what
	// n8n has stored counts, and the change is found again. n8n 1 always emits it, but may poll twice.
	const isCertain = items.length === 0 || !('getPollBudgetMs' in context);
	// A workflow that was never saved has no id.
	if (isCertain && context.getWorkflow().id) local.text = text;
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
	const local = localOf(context.getWorkflow().id, context.getNode().id);
	const isByHand = context.getMode() === 'manual';
	if (local.isPolling && !isByHand) return null;
	// n8n 1 has no such method.
	const givenMs = (context as Partial<IPollFunctions>).getPollBudgetMs?.() ?? MAX_POLL_MS;
	const budgetMs = Math.min(MAX_POLL_MS, givenMs);
	const signal = AbortSignal.timeout(budgetMs);
	const lane = new Lane(null, signal, budgetMs);
	// Where both are of the same moment, n8n's is first.
	const states = [...new Set([context.getWorkflowStaticData('node').state, local.text])]
		.flatMap((text) => readState(text) ?? [])
		.sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
	const limit = limitOf(signal, budgetMs);
	if (!isByHand) local.isPolling = true;
	try {
		return await run({ context, isByHand, lane, limit, now, local, signal, states });
	} finally {
		lane.close();
		if (!isByHand) local.isPolling = false;
	}
}
