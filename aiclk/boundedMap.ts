/**
 * A Map that holds at most `limit` entries and drops the one that was used longest ago,
 * so that what a long-lived n8n process remembers stays bounded.
 */
export class BoundedMap<K, V> {
	private readonly entries = new Map<K, V>();

	/** The key that was used last: it need not be moved again, which is what nearly every request would do. */
	private latest: K | undefined;

	/** @param limit highest number of entries, at least 1 */
	constructor(private readonly limit: number) {}

	get size(): number {
		return this.entries.size;
	}

	/** The value of `key`, which thereby becomes the most recently used one; undefined when there is none. */
	get(key: K): V | undefined {
		const value = this.entries.get(key);
		if (value !== undefined) this.touch(key, value);
		return value;
	}

	/** Puts a value in, dropping the least recently used one when the map is full. */
	set(key: K, value: V): void {
		this.touch(key, value);
		if (this.entries.size <= this.limit) return;
		const [oldest] = this.entries.keys();
		this.entries.delete(oldest as K);
	}

	delete(key: K): void {
		this.entries.delete(key);
	}

	/** A Map iterates in the order of insertion, so the last one put in is the last one to go. */
	private touch(key: K, value: V): void {
		if (key !== this.latest) this.entries.delete(key);
		this.entries.set(key, value);
		this.latest = key;
	}
}

/**
 * Gives a function of one text a memory, for what is worked out anew before every request.
 *
 * @param limit how many of the latest results are remembered
 * @param compute depends on nothing but the text; what it returns must not be changed by anybody
 */
export function remembering<R extends NonNullable<unknown>>(
	limit: number,
	compute: (text: string) => R,
): (text: string) => R {
	const known = new BoundedMap<string, R>(limit);
	return (text) => {
		const remembered = known.get(text);
		if (remembered !== undefined) return remembered;
		const result = compute(text);
		known.set(text, result);
		return result;
	};
}
