import 'reflect-metadata';

import { measureCalls } from './parts/calls.mts';
import { measureRefreshes } from './parts/refreshes.mts';
import { report } from './parts/results.mts';

const sections = [await measureCalls(), await measureRefreshes()];
await report('results.md', 'Results', 'npm run bench', sections);
