/** `npm start`: installs what is missing, then hands over to start.mts. */
import { installDependencies } from './bootstrap.mjs';

installDependencies();
const { tsImport } = await import('tsx/esm/api');
await tsImport('./start.mts', import.meta.url);
