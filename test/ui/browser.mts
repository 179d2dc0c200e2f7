import { existsSync } from 'node:fs';
import { type Browser, chromium, selectors } from 'playwright-core';

const CHROMIUM = process.env.AICLK_CHROMIUM ?? '/usr/bin/chromium';

/**
 * Nothing but this machine is asked. Playwright's `route` would do that, too, but it takes every request through this process
 * and switches off the browser's cache: each look at the editor then costs twice as much.
 */
const LOOPBACK_ALONE = [
	'--no-proxy-server',
	'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/**
 * Starts a headless Chromium.
 *
 * @throws Error with a text for a person when there is none
 */
export async function startChromium(): Promise<Browser> {
	if (!existsSync(CHROMIUM)) {
		throw new Error(
			`No Chromium at ${CHROMIUM}. Install it (on Debian: apt install chromium fonts-noto-cjk) or name another one in the environment variable AICLK_CHROMIUM.`,
		);
	}
	selectors.setTestIdAttribute('data-test-id');
	return await chromium.launch({ executablePath: CHROMIUM, args: LOOPBACK_ALONE });
}
