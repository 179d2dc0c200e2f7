/** `npm run examples:zh`: writes examples/zh-CN from the English examples and scripts/examples.zh-CN.json. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

import { type Example, type Texts, translate } from './translate.ts';

process.on('uncaughtException', ({ message }) => {
	console.error(message);
	process.exitCode = 1;
});

const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const read = async <T,>(name: string): Promise<T> =>
	JSON.parse(await readFile(pathOf(name), 'utf8')) as T;

const texts = await read<Texts>('scripts/examples.zh-CN.json');
await mkdir(pathOf('examples/zh-CN'), { recursive: true });
for (const file of await readdir(pathOf('examples'))) {
	if (!file.endsWith('.json')) continue;
	const example = await read<Example>(`examples/${file}`);
	const translated = translate(example, file.replace('.json', ''), texts);
	const filepath = pathOf(`examples/zh-CN/${file}`);
	const text = JSON.stringify(translated, null, '\t');
	await writeFile(filepath, await format(text, { ...(await resolveConfig(filepath)), filepath }));
	console.log(`examples/zh-CN/${file}`);
}
