import type { Journal } from './journal';
import type { Fault, SandboxSettings } from './settings';
import type { Store } from './store';
import type { Throttle } from './throttle';
import type { World } from './world';

/** What the routes work on. */
export interface Context {
	store: Store;
	throttle: Throttle;
	world: World;
	journal: Journal;
	settings(): SandboxSettings;
	configure(changes: Partial<SandboxSettings>): void;
	/** ms since 1970, by the sandbox's clock */
	now(): number;
	advance(ms: number): void;
}

/** The fault to answer with now, if one is set; one with `times` is used up by this. */
export function takeFault(context: Context, name: 'tokenFault' | 'apiFault'): Fault | null {
	const fault = context.settings()[name];
	if (fault?.times === undefined) return fault;
	const left = fault.times - 1;
	context.configure({ [name]: left > 0 ? { ...fault, times: left } : null });
	return fault;
}
