import fc from 'fast-check';
import nock from 'nock';

/** A mutant is tried with fewer random cases: the tables catch most of them, and there are a thousand. */
fc.configureGlobal({ numRuns: 100 });

// All files share one nock, and it stays active: each time it is activated again, it adds its listeners again.
Object.assign(nock, { restore: nock.cleanAll });
nock.cleanAll();
nock.abortPendingRequests();
