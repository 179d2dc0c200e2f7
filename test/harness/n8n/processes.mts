import type { ResultPromise } from 'execa';

/** Sends a signal to a process that leads a group of its own (`detached`), and to all that it started. */
export function signalGroup({ pid }: Pick<ResultPromise, 'pid'>, name: NodeJS.Signals): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, name);
	} catch {
		// Gone already.
	}
}
