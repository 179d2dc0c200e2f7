import { quotaDay } from '../../aiclk/token/quota';
import { toStoredFields } from '../../aiclk/token/storedToken';
import type { Sandbox } from '../sandbox/server';
import type { Client } from '../sandbox/settings';
import { inputOf, token } from './fakes';

/** How old a token is, in ms. */
export interface TokenAge {
	lifeMs: number;
	/** Until it expires; below zero when it has. */
	leftMs: number;
}

/**
 * Has the sandbox issue a token, and makes of it what the credential stores, as if it had been issued long ago.
 * The refresh that this takes is left out of the journal.
 *
 * @param refreshesToday how many the credential is to have counted
 */
export async function storedToken(
	sandbox: Sandbox,
	client: Client,
	{ lifeMs, leftMs }: TokenAge,
	refreshesToday = 0,
): Promise<Record<string, string>> {
	const { expiresInSeconds, lifeSeconds, tokenFault, tokenDelayMs } = sandbox.settings();
	sandbox.configure({
		lifeSeconds: Math.max(0, leftMs / 1000),
		tokenFault: null,
		tokenDelayMs: 0,
	});
	const form = new FormData();
	form.set('client_id', client.clientId);
	form.set('refresh_token', client.refreshToken);
	const response = await fetch(`${sandbox.url}/oauth2/token`, { method: 'POST', body: form });
	const { data } = (await response.json()) as { data: { access_token: string } };
	sandbox.configure({ expiresInSeconds, lifeSeconds, tokenFault, tokenDelayMs });
	sandbox.clearJournal();

	const input = inputOf({ ...client, baseUrl: sandbox.url });
	const expiresAtMs = Math.round(Date.now() + leftMs);
	const { clientKey: hash, fingerprint } = input;
	const stored = token(data.access_token, {
		fingerprint,
		issuedAtMs: Math.round(expiresAtMs - lifeMs),
		expiresAtMs,
		header: sandbox.settings().tokenType,
		quota: { clientKey: hash, day: quotaDay(Date.now()), attempts: refreshesToday },
	});
	return { ...toStoredFields(stored) };
}
