import { configurationKey, readState, writeState } from '../../../nodes/AiClkTrigger/state';

const KEY = configurationKey('balanceBelow', '7', {});
const STATE = { days: { 1000002: '2026-11-24', 1000003: '2026-11-23' }, rows: 'a\u2028"' };
const TEXT = writeState(KEY, STATE);

describe('a state as it is stored', () => {
	it.each([STATE, { b: 1, a: 2, 1: 3 }, 'fine', [], null])('is read back: %j', (state) => {
		expect(readState(writeState(KEY, state), KEY)).toEqual(state);
	});

	it.each([
		['nothing', undefined],
		['another configuration', writeState(configurationKey('balanceBelow', '8', {}), STATE)],
		['another shape', JSON.stringify({ ...JSON.parse(TEXT), state: { days: null } })],
		['one other digit', TEXT.replace('2026-11-23', '2026-11-22')],
		['a missing part', JSON.stringify({ sum: JSON.parse(TEXT).sum })],
		['a cut text', TEXT.slice(0, -1)],
		['JSON of something else', 'null'],
	])('is no state if it is of %s', (_, text) => {
		expect(readState(text, KEY)).toBeNull();
	});
});
