/** `npm start`: installs what is missing, then runs start.mts. */
import { installDependencies } from './bootstrap.mjs';

await installDependencies();
const { tsImport } = await import('tsx/esm/api');
await tsImport('./start.mts', import.meta.url);
