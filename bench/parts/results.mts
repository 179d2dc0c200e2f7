import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';

import { ROOT } from '../../test/harness/n8n/install.mts';

/** Middle and spread of values that were measured in turn. */
interface Figure {
	median: number;
	/** 10th and 90th percentile. */
	low: number;
	high: number;
}

/** Median and spread; the values are those of pairs taken in turn, so that a busy machine slows both alike. */
export function figure(values: number[]): Figure {
	const sorted = [...values].sort((a, b) => a - b);
	const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
	return { median: at(0.5), low: at(0.1), high: at(0.9) };
}

/** Values as shares of others that were measured in the same rounds. */
export const ratio = (values: number[], others: number[]): Figure =>
	figure(values.map((value, round) => value / (others[round] as number)));

const number = (value: number): string =>
	Math.abs(value) >= 100
		? Math.round(value).toLocaleString('en')
		: String(Number(value.toPrecision(3)));

/** Like `1.05 (0.98 to 1.2)`. */
export const show = ({ median, low, high }: Figure, unit = ''): string =>
	`${number(median)}${unit} (${number(low)} to ${number(high)})`;

/** A titled table. */
export interface Section {
	title: string;
	/** What was done, in a sentence or two. */
	how?: string;
	head: string[];
	rows: string[][];
}

const toMarkdown = ({ title, how, head, rows }: Section): string =>
	[
		`## ${title}`,
		...(how === undefined ? [] : [how]),
		[head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n'),
	].join('\n\n');

const versionOf = async (folder: string): Promise<string> =>
	(JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8')) as { version: string })
		.version;

/** How many processes wanted a core, on the average of a minute. */
const load = (): string => (loadavg()[0] as number).toFixed(1);

const loadAtStart = load();

/** Date, machine, how busy it was, and versions: without them no figure means anything. */
async function circumstances(): Promise<string> {
	const [cpu] = cpus();
	return [
		new Date().toISOString().slice(0, 10),
		`${cpu?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB`,
		`load ${loadAtStart} at the start and ${load()} at the end, the measurement's own included`,
		`Node ${process.versions.node}`,
		`n8n-core ${await versionOf('node_modules/n8n-core')}`,
		`n8n-workflow ${await versionOf('node_modules/n8n-workflow')}`,
		`n8n-nodes-aiclk ${await versionOf('.')}`,
	].join('; ');
}

/**
 * Prints results, and writes them to a file of bench/.
 *
 * @param command that makes the file
 * @param about what holds for all sections
 */
export async function report(
	file: string,
	title: string,
	command: string,
	sections: Section[],
	about = '',
): Promise<void> {
	const where = `Written by \`${command}\`: ${await circumstances()}.`;
	const text = [`# ${title}`, where, about, ...sections.map(toMarkdown)]
		.filter((part) => part !== '')
		.join('\n\n');
	console.log(text);
	await writeFile(join(ROOT, 'bench', file), `${text}\n`);
}
