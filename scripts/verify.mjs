/**
 * `npm run verify`: checks what npm would publish, with n8n's rules (a warning counts, and no comment switches a rule off) and n8n's
 * own scan (@n8n/scan-community-package), without a network. What those find nothing wrong with is checked here.
 *
 * With `--release` the list "before the first release" counts, too. The release workflow runs it so.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { analyzePackage } from '@n8n/scan-community-package/scanner/scanner.mjs';
import Table from 'cli-table3';
import { ESLint } from 'eslint';

import { ROOT } from './bootstrap.mjs';

const SOURCES = ['aiclk', 'credentials', 'nodes'];

/** Everything else would have to be a dependency, which a verified package may not have. */
const ALLOWED_IMPORTS = ['n8n-workflow', 'crypto', 'node:crypto'];

const MAX_IMAGE_BYTES = 500_000;

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

/** Files of the repository that are there. */
const trackedFiles = () =>
	execFileSync('git', ['ls-files'], { encoding: 'utf8' })
		.split('\n')
		.filter((path) => path !== '' && existsSync(path));

/** What a pattern finds in files: the path of each, and its first group. */
const findIn = (folder, paths, pattern) =>
	paths.flatMap((path) =>
		[...readFileSync(join(folder, path), 'utf8').matchAll(pattern)].map(([, found]) => ({
			path,
			found,
		})),
	);

/** `owner/name` on GitHub. package.json is where it is set; every other file only repeats it. */
const repositoryOf = ({ repository }) =>
	/^git\+https:\/\/github\.com\/([\w.-]+\/[\w.-]+)\.git$/.exec(repository?.url)?.[1];

/** What n8n and npm need of package.json, and the rules do not ask for. */
const KEYS = {
	repository: (repository) => repositoryOf({ repository }) !== undefined,
	publishConfig: (config) => config?.provenance === true,
	optionalDependencies: (dependencies) => dependencies === undefined,
	bundledDependencies: (dependencies) => dependencies === undefined,
	bundleDependencies: (dependencies) => dependencies === undefined,
	scripts: ({ prepublishOnly }) => prepublishOnly === 'n8n-node prerelease',
	// With `strict` n8n-node lint refuses any other configuration of ESLint than its own.
	n8n: ({ n8nNodesApiVersion, strict, credentials }) =>
		n8nNodesApiVersion === 1 && strict === true && credentials?.length > 0,
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
function checkReferences(root, files, { n8n }) {
	const scripts = files.filter((path) => path.endsWith('.js'));
	const icons = findIn(root, scripts, /'file:([^']+)'/g).map(({ path, found }) =>
		join(path, '..', found).replaceAll('\\', '/'),
	);
	const named = [
		...n8n.nodes,
		...n8n.credentials,
		...n8n.nodes.map((path) => `${path}on`),
		...icons,
	];
	return [...new Set(named)]
		.filter((path) => !files.includes(path))
		.map((path) => `not packed: ${path}`);
}

/** The rules allow what n8n brings, and development dependencies, which an author might bundle. */
const checkImports = (root, files) =>
	findIn(
		root,
		files.filter((path) => path.endsWith('.js')),
		/\b(?:require|import)\(["'`]([^"'`]+)/g,
	)
		.filter(({ found }) => !found.startsWith('.') && !ALLOWED_IMPORTS.includes(found))
		.map(({ path, found }) => `${path}: needs ${found} at run time`);

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
	/^((README|SECURITY|CONTRIBUTING)\.md|package\.json|(aiclk|credentials|docs|examples|nodes)\/.+\.(json|md|ts))$/;
const ADDRESS = /(?:github\.com|raw\.githubusercontent\.com)\/([\w.-]+\/n8n-nodes-aiclk)\b/g;

const checkAddresses = (manifest, tracked) =>
	findIn(
		ROOT,
		tracked.filter((path) => WITH_ADDRESS.test(path)),
		ADDRESS,
	)
		.filter(({ found }) => found !== repositoryOf(manifest))
		.map(({ path, found }) => `${path}: names ${found}, package.json ${repositoryOf(manifest)}`);

/** Every picture is shown by a document, and all of them are small. */
function checkPictures(tracked) {
	const images = tracked.filter((path) => path.startsWith('docs/images/'));
	const documents = tracked.filter((path) => path.endsWith('.md'));
	const shown = findIn(ROOT, documents, /\]\(([^)\s#]+)/g).map(({ path, found }) =>
		join(path, '..', found),
	);
	const bytes = images.reduce((sum, path) => sum + statSync(path).size, 0);
	return [
		...images.filter((path) => !shown.includes(path)).map((path) => `${path}: nobody shows it`),
		...(bytes > MAX_IMAGE_BYTES ? [`docs/images: ${bytes} bytes, at most ${MAX_IMAGE_BYTES}`] : []),
	];
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

/** The rules of `npm run lint`, where a warning is a finding, too, and a comment switches nothing off. */
async function lint() {
	const eslint = new ESLint({ cwd: ROOT, allowInlineConfig: false });
	const results = await eslint.lintFiles(['package.json', ...SOURCES]);
	return results.flatMap(({ filePath, messages }) =>
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
	const tracked = trackedFiles();
	const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
	const size = `${files.length} files, ${Math.ceil(bytes / 1000)} kB packed`;
	const checks = [
		[`Tarball: dist, README, LICENSE, package.json only (${size})`, checkFiles(files)],
		['Tarball: what is named is there', checkReferences(root, files, manifest)],
		['Tarball: needs nothing but n8n-workflow', checkImports(root, files)],
		['Tarball: English', checkEnglish(root, files)],
		['package.json: keys', checkKeys(manifest)],
		["This repository's address: the same everywhere", checkAddresses(manifest, tracked)],
		['Documents: pictures', checkPictures(tracked)],
		['Source: rules of n8n-node lint', await lint()],
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
