import Table from 'cli-table3';

/** Middle and spread of values that were measured in turn. */
export interface Figure {
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

const number = (value: number): string =>
	Math.abs(value) >= 100
		? Math.round(value).toLocaleString('en')
		: String(Number(value.toPrecision(3)));

/** Like `1.05 (0.98 to 1.2)`. */
export const show = ({ median, low, high }: Figure, unit = ''): string =>
	`${number(median)}${unit} (${number(low)} to ${number(high)})`;

/** A titled table, for the terminal and for the results file. */
export interface Section {
	title: string;
	/** What was done, in a sentence or two. */
	how: string;
	head: string[];
	rows: string[][];
}

export function print({ title, how, head, rows }: Section): void {
	const table = new Table({ head, style: { head: [] } });
	table.push(...rows);
	console.log(`\n${title}\n${how}\n${table.toString()}`);
}

export const toMarkdown = ({ title, how, head, rows }: Section): string =>
	`## ${title}\n\n${how}\n\n${[head, head.map(() => '---'), ...rows]
		.map((row) => `| ${row.join(' | ')} |`)
		.join('\n')}\n`;
