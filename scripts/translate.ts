/**
 * English texts and what stands in their place, by example; `*` holds those of several examples. A text is the whole of a string,
 * or else a part of one, e.g. within an expression.
 */
export type Texts = Record<string, Record<string, string>>;

interface Node {
	name: string;
	type: string;
	parameters: Record<string, unknown>;
}

/** What an example workflow holds, as far as it counts here. */
export interface Example {
	name: string;
	nodes: Node[];
}

const isChinese = (text: unknown): boolean => /\p{Script=Han}/u.test(String(text));

/**
 * An example in another language: its name and what its nodes say, above all notes and messages. Names of nodes stay, because
 * expressions and connections hold them.
 *
 * @throws Error for a text that the example no longer holds, and for a note without a translation
 */
export function translate<T extends Example>(example: T, file: string, texts: Texts): T {
	const own = Object.entries(texts[file] ?? {});
	const all = new Map([...own, ...Object.entries(texts['*'] ?? {})]);
	const used = new Set<string>();
	const put = (value: unknown): unknown => {
		if (Array.isArray(value)) return value.map(put);
		if (typeof value === 'object' && value !== null) {
			return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, put(member)]));
		}
		if (typeof value !== 'string') return value;
		const parts = all.has(value) ? [value] : [...all.keys()];
		return parts.reduce((text, english) => {
			if (!text.includes(english)) return text;
			used.add(english);
			return text.replaceAll(english, () => all.get(english) as string);
		}, value);
	};
	const nodes = example.nodes.map((node) => ({
		...node,
		parameters: put(node.parameters) as Node['parameters'],
	}));
	const translated = { ...example, name: put(example.name) as string, nodes };
	const unused = own.filter(([english]) => !used.has(english)).map(([english]) => english);
	if (unused.length > 0) throw new Error(`${file} no longer says: ${unused.join('\n---\n')}`);
	const left = [
		...(isChinese(translated.name) ? [] : [translated.name]),
		...nodes
			.filter(({ type, parameters }) => /stickyNote$/.test(type) && !isChinese(parameters.content))
			.map(({ parameters }) => String(parameters.content)),
	];
	if (left.length > 0) throw new Error(`${file} is not translated: ${left.join('\n---\n')}`);
	return translated;
}
