import { shortFingerprint } from '../../../aiclk/token/input';
import { reportToken, type TokenStatus } from '../../../aiclk/token/status';
import { type Failure, newFailure } from '../../../aiclk/util/failure';
import type { TokenCheck } from '../../../nodes/AiClkTrigger/events/event';
import { AWAY, current, N8n } from '../../harness/fakePolling';
import { DAY_MS, NOW, token } from '../../harness/fakes';

const FAILURE: Failure = newFailure({
	kind: 'refused',
	message: 'AiClk said no',
	description: 'Do this',
});

const live = token('a');
const at = (nowMs: number, isRejected = false): TokenCheck => ({
	report: reportToken(live, live.state.fingerprint, nowMs, 1, isRejected),
	failure: null,
});

let n8n: N8n;

/** Polls when the token is so. @returns the items */
async function see(check: TokenCheck) {
	n8n.world.tokenCheck = check;
	return (await n8n.poll()) ?? [];
}

beforeEach(() => {
	n8n = new N8n({ event: 'tokenNeedsAttention', withinDays: 10 });
});

describe('Token Needs Attention', () => {
	const TROUBLE: Array<[reason: string, check: TokenCheck]> = [
		['expiring', at(NOW + 80.5 * DAY_MS)],
		['expired', at(NOW + 91 * DAY_MS)],
		['rejected', at(NOW, true)],
		['missing', { report: reportToken(null, 'x', NOW, 0), failure: null }],
		['credentials-changed', { report: reportToken(live, 'x', NOW, 0), failure: null }],
		['not-renewed', { ...at(NOW), failure: FAILURE }],
		['credential-incomplete', { ...at(NOW), failure: { ...FAILURE, kind: 'input' } }],
	];

	it.each(TROUBLE)('a token that is %s emits attention once, then fine', async (reason, check) => {
		expect(await see(at(NOW))).toEqual([]);
		expect(await see(check)).toMatchObject([{ change: 'attention', reason }]);
		expect(await see(check)).toEqual([]);
		expect(await see(at(NOW))).toMatchObject([
			{ change: 'fine', reason: null, status: 'valid' satisfies TokenStatus },
		]);
	});

	it.each(TROUBLE)(
		'a token that is %s at the first look emits attention',
		async (reason, check) => {
			expect(await see(check)).toMatchObject([{ change: 'attention', reason }]);
		},
	);

	it('another reason is another alarm: first expiring, then expired', async () => {
		const reasons = [];
		for (const days of [70, 81, 85, 89, 91, 95]) {
			reasons.push(...(await see(at(NOW + days * DAY_MS))).map(({ reason }) => reason));
		}
		expect(reasons).toEqual(['expiring', 'expired']);
	});

	it('the attention item says what happened and what to do', async () => {
		expect(await see({ ...at(NOW), failure: FAILURE })).toMatchObject([
			{ message: 'AiClk said no', whatToDo: 'Do this', tokenFingerprint: shortFingerprint('a') },
		]);
	});

	it('a token emits attention within the set days before expiry', async () => {
		expect(await see(at(NOW + 79 * DAY_MS))).toEqual([]);
		n8n.parameters = { ...n8n.parameters, withinDays: 12 };
		expect(await see(at(NOW + 79 * DAY_MS))).toHaveLength(1);
	});

	it('a credential without a client is looked at as well', async () => {
		current.client = '';
		expect(await see({ ...at(NOW), failure: { ...FAILURE, kind: 'input' } })).toMatchObject([
			{ reason: 'credential-incomplete' },
		]);
	});

	it('an outage is neither: it is reported, and the state is kept', async () => {
		await see(at(NOW, true));
		n8n.world.failures.set('', AWAY);
		expect(await see(at(NOW))).toEqual([]);
		expect(n8n.errors).toHaveLength(1);
		n8n.world.failures.clear();
		expect(await see(at(NOW, true))).toEqual([]);
	});
});
