/**
 * A Map that forgets what has not been used for long, so that what a long-lived n8n process remembers stays bounded.
 * Two generations: what is used goes into the young one; when that is full, it becomes the old one, and the old one
 * goes. So nothing has to be moved at each use (the algorithm of the package hashlru).
 */
export class BoundedMap<K, V> {
	private young = new Map<K, V>();

	private old = new Map<K, V>();

	/** @param limit so many of the entries used last are kept, at least 1; at most twice as many are */
	constructor(private readonly limit: number) {}

	/** The value of `key`; undefined when there is none. */
	get(key: K): V | undefined {
		const value = this.young.get(key);
		if (value !== undefined) return value;
		const older = this.old.get(key);
		if (older !== undefined) this.set(key, older);
		return older;
	}

	/** The value of `key`, created if there is none. */
	ensure(key: K, create: () => V): V {
		const known = this.get(key);
		if (known !== undefined) return known;
		const created = create();
		this.set(key, created);
		return created;
	}

	set(key: K, value: V): void {
		this.young.set(key, value);
		if (this.young.size < this.limit) return;
		this.old = this.young;
		this.young = new Map();
	}

	delete(key: K): void {
		this.young.delete(key);
		this.old.delete(key);
	}
}

/**
 * Memoizes a pure function of one string. What it computes is needed before every request and rarely changes.
 *
 * @param limit how many of the latest results are kept, at least
 * @param compute depends on nothing but the string; nobody may change what it returns
 */
export function memoize<R extends NonNullable<unknown>>(
	limit: number,
	compute: (text: string) => R,
): (text: string) => R {
	const known = new BoundedMap<string, R>(limit);
	return (text) => known.ensure(text, () => compute(text));
}
