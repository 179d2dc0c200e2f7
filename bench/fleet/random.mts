/** A stream of numbers that is the same for the same seed. */
export interface Random {
	/** [0, 1) */
	uniform(): number;
	/** Exponentially distributed with this mean. */
	exponential(mean: number): number;
	/** A whole number from 0 to below `count`. */
	below(count: number): number;
}

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
	/** 53 bits: the tail of the draw matters. */
	const uniform = () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
	return {
		uniform,
		exponential: (mean) => -mean * Math.log(1 - uniform()),
		below: (count) => Math.floor(uniform() * count),
	};
}
