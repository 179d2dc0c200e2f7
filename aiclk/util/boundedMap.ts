/** A Map that forgets what was used longest ago, so that what a long-lived n8n process remembers stays bounded. */
export class BoundedMap<K, V> {
	/** Least recently used first. */
	private readonly entries = new Map<K, V>();

	constructor(private readonly limit: number) {}

	get(key: K): V | undefined {
		const value = this.entries.get(key);
		if (value !== undefined) this.set(key, value);
		return value;
	}

	/** The value of `key`, created if there is none. */
	ensure(key: K, create: () => V): V {
		const value = this.get(key) ?? create();
		this.set(key, value);
		return value;
	}

	set(key: K, value: V): void {
		this.entries.delete(key);
		this.entries.set(key, value);
		const [oldest] = this.entries.keys();
		if (this.entries.size > this.limit) this.entries.delete(oldest as K);
	}
}
