/**
 * `npm run verify`: judges what npm would publish as n8n's scan does (@n8n/scan-community-package), without a network.
 * Builds, packs and unpacks the package, then looks at package.json, at the files, at the source and at the tarball.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import Table from 'cli-table3';
import { ESLint } from 'eslint';

import { ROOT } from './bootstrap.mjs';

const SOURCES = ['aiclk', 'credentials', 'nodes'];

/** What @n8n/eslint-plugin-community-nodes 0.32 calls forbidden: scripts that run at a user's installation. */
const FORBIDDEN_SCRIPTS =
	'preinstall install postinstall prepare preprepare postprepare prepublish'.split(' ');

/** Everything else would have to be a dependency, which a verified package may not have. */
const ALLOWED_IMPORTS = ['n8n-workflow', 'crypto', 'node:crypto'];

/** The rule sets come with n8n's own command, in the versions that it was made for. */
const fromCli = createRequire(createRequire(import.meta.url).resolve('@n8n/node-cli/eslint'));
const load = async (name) => await import(pathToFileURL(fromCli.resolve(name)).href);

const npm = (...args) =>
	execFileSync('npm', args, {
		cwd: ROOT,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'inherit'],
		shell: process.platform === 'win32',
	});

/** Builds anew, so that nothing of an older build is packed; packs as npm publishes, and unpacks into a folder. */
function unpack(folder) {
	rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
	npm('run', '--silent', 'build', '--', '--silent');
	const [packed] = JSON.parse(npm('pack', '--json', '--pack-destination', folder));
	execFileSync('tar', ['-xzf', packed.filename], { cwd: folder });
	return { folder: join(folder, 'package'), bytes: packed.size };
}

/** All files below a folder, as paths with `/`. */
const filesBelow = (folder) =>
	readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
		.map((path) => path.replaceAll('\\', '/'));

/** What the scan wants of package.json, and what npm needs so that its provenance can be checked. */
const KEYS = {
	name: (name) => /^(@[\w.-]+\/)?n8n-nodes-[\w.-]+$/.test(name),
	version: (version) => /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
	description: (text) => typeof text === 'string' && text.length > 0,
	license: (license) => license === 'MIT',
	author: (author) => Boolean(author?.name && author.email),
	homepage: (url) => /^https:\/\//.test(url),
	repository: ({ url } = {}) => /^git\+https:\/\/github\.com\/[\w.-]+\/[\w.-]+\.git$/.test(url),
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

/** npm takes every README along, whatever `files` says. */
const BELONGS = /^(dist\/.+\.(js|json|svg)|README(\.[\w-]+)?\.md|LICENSE|package\.json)$/;
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

/** The rules of the scan: those of community nodes, no console, and n8n's rules for credentials and nodes. */
async function scanRules() {
	const { n8nCommunityNodesPlugin: community } = await load('@n8n/eslint-plugin-community-nodes');
	const base = fromCli('eslint-plugin-n8n-nodes-base');
	const { parser } = fromCli('typescript-eslint');
	/** The scan leaves these out: they do not hold for community nodes. */
	const without = (rules, ...names) => ({
		...rules,
		...Object.fromEntries(names.map((name) => [`n8n-nodes-base/${name}`, 'off'])),
	});
	return [
		community.configs.recommended,
		{ rules: { 'no-console': 'error' }, plugins: { 'n8n-nodes-base': base } },
		{ files: ['**/*.json', '**/*.ts'], languageOptions: { parser } },
		{ files: ['package.json'], rules: base.configs.community.rules },
		{
			files: ['**/credentials/**/*.ts'],
			rules: without(
				base.configs.credentials.rules,
				'cred-class-field-documentation-url-miscased',
				'cred-class-field-type-options-password-missing',
			),
		},
		{
			files: ['**/nodes/**/*.ts'],
			rules: without(
				base.configs.nodes.rules,
				'node-class-description-inputs-wrong-regular-node',
				'node-class-description-outputs-wrong',
				'node-param-type-options-max-value-present',
			),
		},
	].flat();
}

/** Lints files of a folder. Comments that switch rules off have no effect; a warning is a finding, too. */
async function lint(cwd, overrideConfig, patterns) {
	const eslint = new ESLint({
		cwd,
		allowInlineConfig: false,
		overrideConfigFile: true,
		overrideConfig,
	});
	return (await eslint.lintFiles(patterns)).flatMap(({ filePath, messages }) =>
		messages.map(
			({ line = 0, ruleId, message }) =>
				`${relative(cwd, filePath)}:${line}: ${ruleId ?? 'syntax'}: ${message.split('\n', 1)[0]}`,
		),
	);
}

/** Everything that is looked at: what, and how many findings. */
async function verify(folder) {
	const unpacked = unpack(folder);
	const files = filesBelow(unpacked.folder);
	const manifest = JSON.parse(readFileSync(join(unpacked.folder, 'package.json'), 'utf8'));
	const { config } = fromCli('./eslint.js');
	const rules = await scanRules();
	const sources = SOURCES.map((source) => `${source}/**/*.ts`);
	const size = `${files.length} files, ${Math.ceil(unpacked.bytes / 1000)} kB packed`;
	return [
		[`Tarball: dist, README, LICENSE, package.json only (${size})`, checkFiles(files)],
		['Tarball: what is named is there', checkReferences(unpacked.folder, files, manifest)],
		['Tarball: needs nothing but n8n-workflow', checkImports(unpacked.folder, files)],
		['package.json: keys', checkKeys(manifest)],
		['Source: no rule is switched off', [...checkExceptions(), ...checkConfiguration()]],
		['Source: rules of n8n-node lint', await lint(ROOT, config, ['package.json', ...sources])],
		[
			'Source: rules of the scan',
			await lint(ROOT, rules, ['package.json', ...sources, '{credentials,nodes}/**/*.json']),
		],
		[
			'Tarball: rules of the scan',
			await lint(unpacked.folder, rules, ['package.json', 'dist/**/*.{js,json}']),
		],
	];
}

process.chdir(ROOT);
const folder = mkdtempSync(join(tmpdir(), 'aiclk-verify-'));
try {
	const results = await verify(folder);
	const table = new Table({
		head: ['What', 'Findings'],
		style: { head: [], border: [], compact: true },
	});
	table.push(...results.map(([what, findings]) => [what, findings.length || 'none']));
	console.log(table.toString());
	const findings = [...new Set(results.flatMap(([, found]) => found))];
	for (const finding of findings) console.log(finding);
	console.log(`${results.length} checks, ${findings.length} findings`);
	process.exitCode = findings.length === 0 ? 0 : 1;
} finally {
	rmSync(folder, { recursive: true, force: true });
}
