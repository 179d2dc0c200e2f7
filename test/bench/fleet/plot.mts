import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';

import { TIMING } from '../../../aiclk/token/policy.ts';
import { estimate } from './estimate.mts';
import { BASE, type Scenario, simulate } from './fleet.mts';

const MINUTE_S = 60;
const DAY_S = 86_400;
const DAY_MS = 86_400_000;
const LIFE_DAYS = 90;

/** Means of the draw that are tried, in s. */
const MEANS = [
	{ s: MINUTE_S, label: '1 min', lives: 1_000 },
	{ s: 65 * MINUTE_S, label: '65 min', lives: 4_000 },
	{ s: DAY_S, label: '1 day', lives: 4_000 },
	{ s: 5 * DAY_S, label: '5 days', lives: 4_000 },
];

/** Days on which the window opens that are tried. */
const OPENINGS = [60, 67.5, 75, 81, 85.5];

const FLEETS = [
	{ workers: 3, colour: '#1b7f5c' },
	{ workers: 10, colour: '#2f5fc4' },
	{ workers: 100, colour: '#b5482a' },
];

/** Long enough for collisions to be seen. */
const REFRESH_MS = 5_000;

const fleet = (workers: number, meanS: number, openingDay: number, lives: number): Scenario => ({
	...BASE,
	workers,
	perSecond: workers / 10,
	refreshMs: REFRESH_MS,
	timing: {
		...TIMING,
		jitterMeanShare: meanS / DAY_S / LIFE_DAYS,
		renewalShare: openingDay / LIFE_DAYS,
	},
	lives,
});

interface Measured {
	lives: number;
	/** Lives with more than one refresh. */
	doubles: number;
	/** Day of the renewal: 5th, 50th and 95th percentile. */
	days: [low: number, middle: number, high: number];
}

async function measure(scenario: Scenario, seed: number): Promise<Measured> {
	const { lives } = await simulate(scenario, seed);
	const days = lives.map(({ renewedAfterMs }) => renewedAfterMs / DAY_MS).sort((a, b) => a - b);
	const at = (share: number) => days[Math.floor(share * (days.length - 1))] as number;
	return {
		lives: lives.length,
		doubles: lives.filter(({ refreshes }) => refreshes > 1).length,
		days: [at(0.05), at(0.5), at(0.95)],
	};
}

const PANEL = { width: 300, height: 260, top: 92, gap: 84, left: 66 };
const WIDTH = PANEL.left + 3 * PANEL.width + 2 * PANEL.gap + 30;
const HEIGHT = PANEL.top + PANEL.height + 88;

type Scale = ScaleContinuousNumeric<number, number>;

const n = (value: number): string => value.toFixed(1);

const text = (x: number, y: number, content: string, more = ''): string =>
	`<text x="${n(x)}" y="${n(y)}" ${more}>${content}</text>`;

interface Axis {
	label: string;
	ticks: Array<{ at: number; label: string }>;
}

/** The frame of a panel: title, grid, ticks and labels; the origin is its upper left corner. */
function frame(title: string, x: Scale, y: Scale, xAxis: Axis, yAxis: Axis): string {
	const { width, height } = PANEL;
	const across = yAxis.ticks.map(
		({ at, label }) =>
			`<line x2="${width}" y1="${n(y(at))}" y2="${n(y(at))}" stroke="#ddd"/>${text(-8, y(at) + 4, label, 'text-anchor="end"')}`,
	);
	const down = xAxis.ticks.map(
		({ at, label }) =>
			`<line x1="${n(x(at))}" x2="${n(x(at))}" y1="${height}" y2="${height + 5}" stroke="#666"/>${text(x(at), height + 20, label, 'text-anchor="middle"')}`,
	);
	return [
		text(0, -14, title, 'font-weight="600" font-size="14"'),
		...across,
		...down,
		`<line x2="${width}" y1="${height}" y2="${height}" stroke="#666"/>`,
		text(width / 2, height + 42, xAxis.label, 'text-anchor="middle"'),
		`<g transform="translate(-50 ${height / 2}) rotate(-90)">${text(0, 0, yAxis.label, 'text-anchor="middle"')}</g>`,
	].join('\n');
}

const meanAxis: Axis = {
	label: 'mean of the draw',
	ticks: MEANS.map(({ s, label }) => ({ at: s, label })),
};
const meanScale = () =>
	scaleLog()
		.domain([30, 10 * DAY_S])
		.range([0, PANEL.width]);

type ByFleet = Array<{ colour: string; workers: number; points: Measured[] }>;

/** Chance of a double refresh against the mean of the draw: dots measured, lines estimated. */
function doublesPanel(measured: ByFleet): string {
	const x = meanScale();
	const y = scaleLog().domain([1e-5, 1]).range([PANEL.height, 0]);
	const decades = [1, 0.1, 0.01, 0.001, 1e-4, 1e-5];
	const means = Array.from({ length: 60 }, (_, i) => x.invert((i / 59) * PANEL.width));
	const shapes = measured.flatMap(({ colour, workers, points }, fleetIndex) => {
		const curve = line<number>()
			.defined((mean) => estimate(fleet(workers, mean, 75, 1)).double >= 1e-5)
			.x((mean) => x(mean))
			.y((mean) => y(estimate(fleet(workers, mean, 75, 1)).double));
		const dots = points.map(({ lives, doubles }, i) => {
			const atX = x((MEANS[i] as { s: number }).s) + 9 * (fleetIndex - 1);
			// None seen: below this with 95 % confidence (rule of three).
			const atY = y(Math.max(doubles, 3) / lives);
			return doubles > 0
				? `<circle cx="${n(atX)}" cy="${n(y(doubles / lives))}" r="4" fill="${colour}"/>`
				: `<path d="M${n(atX - 5)} ${n(atY)}h10m-5 0v9m-3 -3l3 4l3 -4" stroke="${colour}" fill="none"/>`;
		});
		return [
			`<path d="${curve(means)}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
			...dots,
		];
	});
	return (
		frame('Chance of a double refresh in a life', x, y, meanAxis, {
			label: 'chance',
			ticks: decades.map((at) => ({ at, label: at >= 0.001 ? String(at) : at.toExponential(0) })),
		}) + shapes.join('\n')
	);
}

const range = (atX: number, y: Scale, [low, middle, high]: Measured['days'], colour: string) =>
	`<line x1="${n(atX)}" x2="${n(atX)}" y1="${n(y(low))}" y2="${n(y(high))}" stroke="${colour}" stroke-width="2"/><circle cx="${n(atX)}" cy="${n(y(middle))}" r="4" fill="${colour}"/>`;

const daysAxis = (label: string, days: number[]): Axis => ({
	label,
	ticks: days.map((at) => ({ at, label: String(at) })),
});

/** Day of the renewal against the mean of the draw: median, and 5 % to 95 %. */
function daysPanel(measured: ByFleet): string {
	const x = meanScale();
	const y = scaleLinear().domain([0, 90]).range([PANEL.height, 0]);
	const window = `<line x2="${PANEL.width}" y1="${n(y(75))}" y2="${n(y(75))}" stroke="#444" stroke-dasharray="4 3"/>${text(4, y(75) - 6, 'window opens', 'fill="#444"')}`;
	const shapes = measured.flatMap(({ colour, points }, fleetIndex) =>
		points.map(({ days }, i) =>
			range(x((MEANS[i] as { s: number }).s) + 9 * (fleetIndex - 1), y, days, colour),
		),
	);
	return (
		frame(
			'Day on which the token is renewed',
			x,
			y,
			meanAxis,
			daysAxis('day of 90', [0, 15, 30, 45, 60, 75, 90]),
		) +
		window +
		shapes.join('\n')
	);
}

/** Days left at the renewal against the day on which the window opens, and what it costs in refreshes. */
function openingPanel(points: Measured[]): string {
	const x = scaleLinear().domain([57, 88]).range([0, PANEL.width]);
	const y = scaleLinear().domain([0, 50]).range([PANEL.height, 0]);
	const shapes = points.map(({ days }, i) => {
		const left = days.map((day) => LIFE_DAYS - day) as Measured['days'];
		const aYear = (365 / days[1]).toFixed(1);
		const atX = x(OPENINGS[i] as number);
		return `${range(atX, y, left, '#2f5fc4')}${text(atX, y(Math.max(...left)) - 10, aYear, 'text-anchor="middle" fill="#2f5fc4"')}`;
	});
	const xAxis = daysAxis('day on which the window opens (10 workers, mean 1 day)', OPENINGS);
	return (
		frame(
			'Days left for outages; refreshes a year',
			x,
			y,
			xAxis,
			daysAxis('days left', [0, 10, 20, 30, 40, 50]),
		) + shapes.join('\n')
	);
}

const legend = FLEETS.map(
	({ workers, colour }, i) =>
		`<circle cx="${PANEL.left + 6 + i * 110}" cy="50" r="4" fill="${colour}"/>${text(PANEL.left + 16 + i * 110, 54, `${workers} workers`)}`,
).join('');

/** Simulates what the draw's mean and the opening of the window change, and draws it as SVG. */
export async function drawPlot(seed: number): Promise<string> {
	const measured: ByFleet = [];
	for (const { workers, colour } of FLEETS) {
		const points: Measured[] = [];
		for (const { s, lives } of MEANS)
			points.push(await measure(fleet(workers, s, 75, lives), seed));
		measured.push({ colour, workers, points });
	}
	const openings: Measured[] = [];
	for (const day of OPENINGS) openings.push(await measure(fleet(10, DAY_S, day, 500), seed));

	const panels = [doublesPanel(measured), daysPanel(measured), openingPanel(openings)].map(
		(panel, i) =>
			`<g transform="translate(${PANEL.left + i * (PANEL.width + PANEL.gap)} ${PANEL.top})">\n${panel}\n</g>`,
	);
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">
<title>What the draw's mean and the opening of the renewal window change</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${text(PANEL.left, 26, `Renewal ahead of time: steady traffic, one request per worker and 10 s, lenient server, a refresh takes ${REFRESH_MS / 1000} s`, 'font-size="15" font-weight="600"')}
${legend}${text(PANEL.left + 350, 54, 'dots: simulated (bars: 5 % to 95 %); lines: estimate; arrows: none seen, 95 % bound', 'fill="#555"')}
${panels.join('\n')}
</svg>
`;
}
