import fc from 'fast-check';

/** One kind of event in a random history. @param varies what differs from one such event to another */
export const step = <Name extends string, Varying extends object = object>(
	name: Name,
	varies = {} as { [Key in keyof Varying]: fc.Arbitrary<Varying[Key]> },
): fc.Arbitrary<{ do: Name } & Varying> =>
	fc.record({ do: fc.constant(name), ...varies }) as fc.Arbitrary<{ do: Name } & Varying>;
