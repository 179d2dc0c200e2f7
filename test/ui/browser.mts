import { existsSync } from 'node:fs';
import { type Browser, chromium, selectors } from 'playwright-core';

const CHROMIUM = process.env.AICLK_CHROMIUM ?? '/usr/bin/chromium';

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
	return await chromium.launch({ executablePath: CHROMIUM });
}
