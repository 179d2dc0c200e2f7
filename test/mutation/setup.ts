import fc from 'fast-check';

/** A mutant is tried with fewer random cases: the tables catch most of them, and there are a thousand. */
fc.configureGlobal({ numRuns: 100 });
