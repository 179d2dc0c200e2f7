/** Imported first: waiting only puts the clock forward. A new token that is rejected is left to another process for a while. */
let waitedMs = 0;
jest.mock('n8n-workflow', () => ({
	...jest.requireActual<object>('n8n-workflow'),
	sleep: async (ms: number) => {
		waitedMs += ms;
	},
}));
const now = Date.now;
jest.spyOn(Date, 'now').mockImplementation(() => now() + waitedMs);

export {};
