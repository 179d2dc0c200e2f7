/** `npm run test:e2e:install -- <folder>`: installs this package by hand into the folder that holds n8n's `.n8n`. */
import { resolve } from 'node:path';

import { installByHand, packTarball } from './package.mts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name the folder that holds .n8n');
await installByHand(await packTarball(resolve(folder)), resolve(folder));
console.log(
	`Installed below ${resolve(folder)}. Start n8n with N8N_USER_FOLDER=${resolve(folder)}.`,
);
