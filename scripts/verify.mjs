/**
 * `npm run verify`: checks what npm would publish, with n8n's own scan (@n8n/scan-community-package) and without a network.
 * Builds, packs and unpacks the package, then looks at package.json, at the files, at the source and at the tarball.
 *
 * With `--release` the list "before the first release" counts, too. The release workflow runs it so.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { config } from '@n8n/node-cli/eslint';
import { analyzePackage } from '@n8n/scan-community-package/scanner/scanner.mjs';
import Table from 'cli-table3';
import { ESLint } from 'eslint';

import { ROOT } from './bootstrap.mjs';

const SOURCES = ['aiclk', 'credentials', 'nodes'];

/** What @n8n/eslint-plugin-community-nodes 0.32 calls forbidden: scripts that run at a user's installation. */
const FORBIDDEN_SCRIPTS =
	'preinstall install postinstall prepare preprepare postprepare prepublish'.split(' ');

/** Everything else would have to be a dependency, which a verified package may not have. */
const ALLOWED_IMPORTS = ['n8n-workflow', 'crypto', 'node:crypto'];

const npm = (...args) =>
	execFileSync('npm', args, {
		cwd: ROOT,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'inherit'],
		shell: process.platform === 'win32',
	});

/** Builds from scratch, so that nothing of an older build is packed; packs as npm publishes, and unpacks into a folder. */
function unpack(folder) {
	rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
	npm('run', '--silent', 'build', '--', '--silent');
	const [packed] = JSON.parse(npm('pack', '--json', '--pack-destination', folder));
	execFileSync('tar', ['-xzf', packed.filename], { cwd: folder });
	return { root: join(folder, 'package'), bytes: packed.size };
}

/** All files below a folder, as paths with `/`. */
const filesBelow = (folder) =>
	readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
		.map((path) => path.replaceAll('\\', '/'));

/** `owner/name` on GitHub. package.json is where it is set; every other file only repeats it. */
const repositoryOf = ({ repository }) =>
	/^git\+https:\/\/github\.com\/([\w.-]+\/[\w.-]+)\.git$/.exec(repository?.url)?.[1];

/** What the scan wants of package.json, and what npm needs so that its provenance can be checked. */
const KEYS = {
	name: (name) => /^(@[\w.-]+\/)?n8n-nodes-[\w.-]+$/.test(name),
	version: (version) => /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
	description: (text) => typeof text === 'string' && text.length > 0,
	license: (license) => license === 'MIT',
	author: (author) => Boolean(author?.name && author.email),
	publishConfig: (config) => config?.provenance === true,
	homepage: (url) => /^https:\/\//.test(url),
	repository: (repository) => repositoryOf({ repository }) !== undefined,
	keywords: (keywords) => keywords?.includes('n8n-community-node-package') === true,
	files: (files) => JSON.stringify(files) === '["dist"]',
	peerDependencies: (peers) => JSON.stringify(peers) === '{"n8n-workflow":"*"}',
	dependencies: (dependencies) => dependencies === undefined,
	optionalDependencies: (dependencies) => dependencies === undefined,
	bundledDependencies: (dependencies) => dependencies === undefined,
	bundleDependencies: (dependencies) => dependencies === undefined,
	overrides: (overrides) => overrides === undefined,
	scripts: (scripts) =>
		scripts.prepublishOnly === 'n8n-node prerelease' &&
		FORBIDDEN_SCRIPTS.every((name) => !(name in scripts)),
	n8n: (n8n) =>
		n8n?.n8nNodesApiVersion === 1 &&
		n8n.strict === true &&
		n8n.nodes?.length > 0 &&
		n8n.credentials?.length > 0,
};

const checkKeys = (manifest) =>
	Object.entries(KEYS)
		.filter(([key, isRight]) => !isRight(manifest[key]))
		.map(([key]) => `package.json: '${key}' is ${JSON.stringify(manifest[key]) ?? 'missing'}`);

/** npm takes every README along, whatever `files` says; only the English one may be at the top. */
const BELONGS = /^(dist\/.+\.(js|json|svg)|README\.md|LICENSE|package\.json)$/;
const IS_TEST = /(^|[/.])(test|tests|spec|__tests__|fixtures?|mocks?)[/.]/i;

const checkFiles = (files) =>
	files
		.filter((path) => !BELONGS.test(path) || IS_TEST.test(path))
		.map((path) => `packed: ${path}`);

/** What package.json and the code name must be there: nodes, credentials, codex files, icons. */
function checkReferences(folder, files, { n8n }) {
	const has = (path) => files.includes(path);
	const missing = [...n8n.nodes, ...n8n.credentials].filter((path) => !has(path));
	const noCodex = n8n.nodes.map((path) => `${path}on`).filter((path) => !has(path));
	const icons = files
		.filter((path) => path.endsWith('.js'))
		.flatMap((path) =>
			[...readFileSync(join(folder, path), 'utf8').matchAll(/'file:([^']+)'/g)].map(([, icon]) =>
				join(path, '..', icon).replaceAll('\\', '/'),
			),
		)
		.filter((path) => !has(path));
	return [...new Set([...missing, ...noCodex, ...icons])].map((path) => `not packed: ${path}`);
}

const checkImports = (folder, files) =>
	files
		.filter((path) => path.endsWith('.js'))
		.flatMap((path) =>
			[
				...readFileSync(join(folder, path), 'utf8').matchAll(
					/\b(?:require|import)\(["'`]([^"'`]+)/g,
				),
			]
				.map(([, name]) => name)
				.filter((name) => !name.startsWith('.') && !ALLOWED_IMPORTS.includes(name))
				.map((name) => `${path}: needs ${name} at run time`),
		);

const checkExceptions = () =>
	SOURCES.flatMap((folder) => filesBelow(join(ROOT, folder)).map((path) => `${folder}/${path}`))
		.filter((path) =>
			/eslint-(disable|enable)|@ts-(ignore|nocheck)/.test(readFileSync(path, 'utf8')),
		)
		.map((path) => `${path}: switches a rule off`);

/** `strict` means: exactly the configuration that n8n's command brings. */
const checkConfiguration = () =>
	/^import \{ config \} from '@n8n\/node-cli\/eslint';\s+export default config;\s*$/.test(
		readFileSync('eslint.config.mjs', 'utf8'),
	)
		? []
		: ['eslint.config.mjs: is not the default configuration of @n8n/node-cli'];

/** Text that n8n shows, and what npm shows, is English. A codex alias is a search word that nobody is shown. */
const checkEnglish = (root, files) =>
	files
		.filter((path) => path !== 'LICENSE' && !path.endsWith('.svg'))
		.flatMap((path) =>
			readFileSync(join(root, path), 'utf8')
				.replace(path.endsWith('.node.json') ? /"alias": \[[^\]]*\]/ : /(?!)/, '')
				.split('\n')
				.flatMap((line, index) => {
					const found = /.{0,20}\p{Script=Han}.{0,20}/u.exec(line)?.[0];
					return found === undefined ? [] : [`${path}:${index + 1}: not English: ${found.trim()}`];
				}),
		);

/** Where an absolute address of this repository may stand: what users, n8n and npm read. */
const WITH_ADDRESS =
	/^((README|SECURITY|CONTRIBUTING)\.md|package\.json|(aiclk|credentials|docs|examples|nodes)\/.+)$/;
const ADDRESS = /(?:github\.com|raw\.githubusercontent\.com)\/([\w.-]+\/n8n-nodes-aiclk)\b/g;

const checkAddresses = (manifest) =>
	execFileSync('git', ['ls-files'], { encoding: 'utf8' })
		.split('\n')
		.filter((path) => WITH_ADDRESS.test(path) && /\.(json|md|ts)$/.test(path))
		.flatMap((path) =>
			[...readFileSync(path, 'utf8').matchAll(ADDRESS)]
				.map(([, repository]) => repository)
				.filter((repository) => repository !== repositoryOf(manifest))
				.map(
					(repository) => `${path}: names ${repository}, package.json ${repositoryOf(manifest)}`,
				),
		);

const MAX_IMAGE_BYTES = 500_000;

/** Relative links and pictures of the documents lead to a file, and every picture is shown and small. */
function checkDocuments() {
	const tracked = execFileSync('git', ['ls-files'], { encoding: 'utf8' })
		.split('\n')
		.filter((path) => existsSync(path));
	const folders = new Set(tracked.map((path) => dirname(path)));
	const images = tracked.filter((path) => path.startsWith('docs/images/'));
	const shown = new Set();
	const dead = [];
	for (const document of tracked.filter(
		(path) => path.endsWith('.md') && path !== 'CHANGELOG.md',
	)) {
		for (const [, target] of readFileSync(document, 'utf8').matchAll(/\]\(([^)\s#]+)/g)) {
			const path = join(dirname(document), target);
			// Out of the repository: GitHub's own pages beside it.
			if (/^[a-z]+:/.test(target) || path.startsWith('..')) continue;
			shown.add(path);
			if (!tracked.includes(path) && !folders.has(path.replace(/\/$/, ''))) {
				dead.push(`${document}: links to ${target}, which is not there`);
			}
		}
	}
	const bytes = images.reduce((sum, path) => sum + statSync(path).size, 0);
	const tooMuch =
		bytes > MAX_IMAGE_BYTES ? [`docs/images: ${bytes} bytes, at most ${MAX_IMAGE_BYTES}`] : [];
	const unused = images
		.filter((path) => !shown.has(path))
		.map((path) => `${path}: no document shows it`);
	return [...dead, ...unused, ...tooMuch];
}

/** Stands in package.json until the package has a home. */
const PLACEHOLDER_REPOSITORY = 'n8n-nodes-aiclk/n8n-nodes-aiclk';

/** What only the people who publish can fill in. GitHub names its repository to every workflow. */
function beforeTheFirstRelease(manifest) {
	const repository = repositoryOf(manifest);
	const { GITHUB_REPOSITORY: here } = process.env;
	const open = [];
	if (/\.example$/.test(manifest.author?.email)) {
		open.push(`package.json: the author's address ${manifest.author.email} is a placeholder`);
	}
	if (here === undefined && repository === PLACEHOLDER_REPOSITORY) {
		open.push(`package.json: the repository ${repository} is a placeholder`);
	}
	if (here !== undefined && here !== repository) {
		open.push(`package.json: names the repository ${repository}, but this is ${here}`);
	}
	return open;
}

/** The newest rules of n8n's command, which the scan follows later. A warning is a finding, too. */
async function lint(patterns) {
	const eslint = new ESLint({
		cwd: ROOT,
		allowInlineConfig: false,
		overrideConfigFile: true,
		overrideConfig: config,
	});
	return (await eslint.lintFiles(patterns)).flatMap(({ filePath, messages }) =>
		messages.map(
			({ line = 0, ruleId, message }) =>
				`${relative(ROOT, filePath)}:${line}: ${ruleId ?? 'syntax'}: ${message.split('\n', 1)[0]}`,
		),
	);
}

async function scan(folder, patterns) {
	const { passed, message, details } = await analyzePackage(folder, patterns);
	return passed && message === undefined ? [] : [[message, details].filter(Boolean).join('\n')];
}

/** Everything that is checked, and its findings. */
async function verify(folder) {
	const { root, bytes } = unpack(folder);
	const files = filesBelow(root);
	const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
	const size = `${files.length} files, ${Math.ceil(bytes / 1000)} kB packed`;
	const checks = [
		[`Tarball: dist, README, LICENSE, package.json only (${size})`, checkFiles(files)],
		['Tarball: what is named is there', checkReferences(root, files, manifest)],
		['Tarball: needs nothing but n8n-workflow', checkImports(root, files)],
		['Tarball: English', checkEnglish(root, files)],
		['package.json: keys', checkKeys(manifest)],
		["This repository's address: the same everywhere", checkAddresses(manifest)],
		['Documents: links and pictures', checkDocuments()],
		['Source: no rule is switched off', [...checkExceptions(), ...checkConfiguration()]],
		[
			'Source: rules of n8n-node lint',
			await lint(['package.json', ...SOURCES.map((source) => `${source}/**/*.ts`)]),
		],
		["Source: n8n's scan", await scan(ROOT, ['package.json', `{${SOURCES}}/**/*.{js,ts,json}`])],
		["Tarball: n8n's scan", await scan(root, ['package.json', '**/*.{js,json}'])],
	];
	return { checks, open: beforeTheFirstRelease(manifest) };
}

process.chdir(ROOT);
const folder = mkdtempSync(join(tmpdir(), 'aiclk-verify-'));
try {
	const { checks, open } = await verify(folder);
	const isRelease = process.argv.includes('--release');
	if (isRelease) checks.push(['Release: no placeholder, and the right repository', open]);
	const table = new Table({
		head: ['What', 'Findings'],
		style: { head: [], border: [], compact: true },
	});
	table.push(...checks.map(([what, findings]) => [what, findings.length || 'none']));
	console.log(table.toString());
	const findings = [...new Set(checks.flatMap(([, found]) => found))];
	for (const finding of findings) console.log(finding);
	if (!isRelease && open.length > 0) {
		console.log(`\nBefore the first release:\n${open.map((text) => `- ${text}`).join('\n')}\n`);
	}
	console.log(`${checks.length} checks, ${findings.length} findings`);
	process.exitCode = findings.length === 0 ? 0 : 1;
} finally {
	rmSync(folder, { recursive: true, force: true });
}
