import ts from 'typescript';

import type { Outcome } from '../../aiclk/util/failure';

const ROOT = ts.sys.getCurrentDirectory();

interface Condition {
	leftValue: string;
	rightValue: string;
	operator: { operation: string };
}

interface Rule {
	outputKey: string;
	conditions: { conditions: Condition[]; combinator: 'and' | 'or' };
}

interface Example {
	nodes: Array<{ name: string; parameters: { rules: { values: Rule[] } } }>;
}

const { nodes } = JSON.parse(
	ts.sys.readFile(`${ROOT}/examples/error-workflow.json`) ?? '',
) as Example;

const rules = nodes.find(({ name }) => name === 'Which error?')?.parameters.rules.values ?? [];

/** What the node "What failed" tells the rules. */
interface Told {
	error: string;
	/** '' where the error holds no data: n8n made it of what the credential threw in another node. */
	outcome: Outcome | '';
}

function holds({ leftValue, rightValue, operator }: Condition, told: Told): boolean {
	const field = /^=\{\{ \$json\.(error|outcome) \}\}$/.exec(leftValue)?.[1] as keyof Told;
	const value = told[field];
	switch (operator.operation) {
		case 'contains':
			return value.includes(rightValue);
		case 'equals':
			return value === rightValue;
		case 'regex':
			return new RegExp(rightValue).test(value);
		default:
			throw new Error(`This test does not know the operation ${operator.operation}`);
	}
}

/** The branch that such an error takes. */
function branchOf(error: string, outcome: Told['outcome'] = ''): string {
	const rule = rules.find(({ conditions: { conditions, combinator } }) =>
		combinator === 'and'
			? conditions.every((condition) => holds(condition, { error, outcome }))
			: conditions.some((condition) => holds(condition, { error, outcome })),
	);
	return rule?.outputKey ?? 'Anything else';
}

const parse = (path: string): ts.SourceFile =>
	ts.createSourceFile(path, ts.sys.readFile(path) ?? '', ts.ScriptTarget.ES2022, true);

const sources = ['aiclk', 'credentials', 'nodes']
	.flatMap((folder) => ts.sys.readDirectory(`${ROOT}/${folder}`, ['.ts']))
	.map(parse);

/** Calls `see` for a node and all nodes in it. */
function walk(node: ts.Node, see: (node: ts.Node) => void): void {
	see(node);
	ts.forEachChild(node, (child) => walk(child, see));
}

/** The texts that an expression can be. What a template puts in is an x; what a call or another name yields is left out. */
function textsOf(node: ts.Node | undefined): string[] {
	if (node === undefined) return [];
	if (ts.isStringLiteralLike(node)) return [node.text];
	if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].flatMap(textsOf);
	if (!ts.isTemplateExpression(node)) return [];
	return [node.head.text + node.templateSpans.map(({ literal }) => `x${literal.text}`).join('')];
}

/** What the message of a failure, or its beginning, is called in this package. */
const isMessage = (name: ts.Node): boolean => /^(message|what)$/.test(name.getText());

/** Functions that take the message of a failure, by name, and which argument it is. */
const makers = new Map([['interrupt', 0]]);
for (const source of sources) {
	walk(source, (node) => {
		if (!ts.isFunctionLike(node)) return;
		const place = node.parameters.findIndex(({ name }) => isMessage(name));
		const name = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : null);
		if (place >= 0 && name !== null) makers.set(name.getText(), place);
	});
}

/** The messages of failures in a source file: what is called so, or handed to a function that takes one. */
function messagesIn(source: ts.SourceFile): string[] {
	const found: string[] = [];
	walk(source, (node) => {
		if ((ts.isPropertyAssignment(node) || ts.isVariableDeclaration(node)) && isMessage(node.name)) {
			found.push(...textsOf(node.initializer));
		}
		if (ts.isReturnStatement(node)) found.push(...textsOf(node.expression).filter(isAboutAiClk));
		if (ts.isCallExpression(node)) {
			const name = node.expression.getText().split('.').at(-1) ?? '';
			found.push(...textsOf(node.arguments[makers.get(name) ?? -1]));
		}
	});
	return found.filter(isSentence);
}

const isAboutAiClk = (text: string): boolean => /^AiClk('s)? /.test(text);

/** Not a word within a message, and not the whole of another one. */
const isSentence = (text: string): boolean =>
	/^[A-Z'].*[a-z] /.test(text) && !/^'?x'? ?x$/.test(text);

/** How messages begin, by the branch that they belong to: an x stands for what varies. All others are bad input. */
const BRANCHES: Record<string, string[]> = {
	'Quota used up': ['All x refreshes that AiClk allows', 'The last x refreshes of the day'],
	'Token needs a person': ['AiClk refused to refresh the access token'],
	'Run it again': [
		'Another n8n process refreshed',
		'The run was stopped before',
		'The access token of the AiClk API credential belongs to another client',
		'The credential has changed since this item was read',
		'AiClk refreshed the access token, but n8n did not store it',
	],
	'AiClk unavailable': [
		'AiClk could not refresh the access token',
		"AiClk's token endpoint did not answer as documented",
		'AiClk (x) could not be reached',
		'AiClk could not be reached',
		"AiClk's answer was lost",
		'AiClk is temporarily unavailable',
		'AiClk did not answer ',
		'AiClk sent no answer that n8n could read',
		'AiClk takes no more requests',
		'The proxy of n8n requires a login',
	],
	'Refused by AiClk': [
		'AiClk refused ',
		'AiClk does not accept the access token',
		'AiClk does not know this call',
		'AiClk answered with a redirect',
	],
	'Answer cannot be used': [
		'AiClk answered with a token that cannot be used',
		"AiClk's answer ",
		'AiClk names ',
		'AiClk still answers with ',
		'AiClk answered about account',
	],
};

const starts = Object.entries(BRANCHES)
	.flatMap(([branch, texts]) => texts.map((start) => ({ branch, start })))
	.sort((one, other) => other.start.length - one.start.length);

/** What n8n's log or an output says. */
const NO_ERRORS = /^AiClk(, item | access token |: | says: | sent a new refresh token )/;

/** The test of a credential starts no error workflow, and in the resources *what* is what a field is about. */
const NO_SOURCES = /\/credentials\/|\/resources\//;

const messages = sources
	.filter(({ fileName }) => !NO_SOURCES.test(fileName))
	.flatMap((source) =>
		messagesIn(source).map((text) => ({ text, isOfNodes: source.fileName.includes('/nodes/') })),
	)
	.filter(({ text }) => !NO_ERRORS.test(text))
	.map((message) => ({
		...message,
		expected: starts.find(({ start }) => message.text.startsWith(start))?.branch ?? 'To correct',
	}));

it.each(messages)('$text: $expected', ({ text, isOfNodes, expected }) => {
	expect(branchOf(text, 'not-sent')).toBe(expected);
	// What the credential throws in a node of n8n's own comes without data.
	if (expected !== 'To correct' || !isOfNodes) expect(branchOf(text)).toBe(expected);
});

const consequences: string[] = [];
for (const source of sources) {
	walk(source, (node) => {
		if (!ts.isPropertyAssignment(node) || node.name.getText() !== 'consequence') return;
		consequences.push(...textsOf(node.initializer).filter((text) => /[a-z]/.test(text)));
	});
}

it.each(consequences)('anything that ends in "%s" is urgent', (consequence) => {
	const branches = messages.map(({ text }) => branchOf(`${text}${consequence}`, 'unknown'));
	expect(new Set(branches)).toEqual(new Set(['May have been carried out']));
});

it('finds the messages of the package, and what is added to those of changes', () => {
	expect(messages.length).toBeGreaterThan(60);
	expect(new Set(messages.map(({ expected }) => expected)).size).toBe(rules.length - 1);
	expect(consequences).toHaveLength(2);
});

it.each([
	// Of the other examples, which start this one as error workflow.
	['AiClk token: missing, 0 days left. ', 'Token needs a person'],
	['The token is rejected, 3 days left. ', 'Token needs a person'],
	['Token 的状态是 rejected，剩余 3 天。', 'Token needs a person'],
	['AiClk token: missing，剩余 0 天。', 'Token needs a person'],
	['AiClk：未能读取以下账户的余额\n客户A（7）：AiClk refused account 7: no', 'Refused by AiClk'],
	['Client B: failed. AiClk refused to refresh the access token: no', 'Token needs a person'],
	[
		"AiClk: could not read yesterday's spending of\nClient A (7): AiClk refused this: no",
		'Refused by AiClk',
	],
	[
		"AiClk: could not read the balance of\nClient A (7): AiClk's answer was lost: it",
		'AiClk unavailable',
	],
	[
		'The request names too many IDs, or its URL is too long for AiClk (HTTP 414)',
		'Refused by AiClk',
	],
])('%s: %s', (text, branch) => {
	expect(branchOf(text)).toBe(branch);
});

it.each(['', 'Something of our own', "Cannot read properties of undefined (reading 'id')"])(
	'nobody foresaw "%s": Anything else',
	(text) => {
		expect(branchOf(text)).toBe('Anything else');
		expect(branchOf(text, 'unknown')).toBe('Anything else');
	},
);

it.each([
	['refused', 'Refused by AiClk'],
	['not-sent', 'To correct'],
] as const)('words of AiClk that nobody knows are sorted by the outcome %s', (outcome, branch) => {
	expect(branchOf('余额不足', outcome)).toBe(branch);
});
