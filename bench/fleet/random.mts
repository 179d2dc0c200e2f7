/** Numbers in [0, 1) that are the same for the same seed. */
export type Random = () => number;

/** SplitMix32 (the 32-bit variant of Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
export function createRandom(seed: number): Random {
	let state = seed >>> 0;
	const word = (): number => {
		state = (state + 0x9e3779b9) >>> 0;
		let z = state;
		z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
		z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
		return (z ^ (z >>> 15)) >>> 0;
	};
	// 53 bits: the tail of the jitter matters.
	return () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
}
