import fc from 'fast-check';

/** How many random cases a property is tried with. */
fc.configureGlobal({ numRuns: 2_000 });
