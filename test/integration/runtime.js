const { createRequire } = require('node:module');

const Runtime = require('jest-runtime').default;

/** The name of a package, and no path. Each file has its own nock, because it can end it only once. */
const SHARED = /^(?!nock$)[^./]/;

/**
 * Takes the packages that our code imports from Node's own cache: n8n-core takes seconds to load, and it is loaded once for all
 * test files. Needs an environment in Node's own context (`environment.js`).
 */
module.exports = class SharedModulesRuntime extends Runtime {
	requireModule(from, name, options, isActual) {
		const isShared =
			name !== undefined &&
			SHARED.test(name) &&
			!from.includes('/node_modules/') &&
			options?.isInternalModule !== true;
		return isShared
			? createRequire(from)(name)
			: super.requireModule(from, name, options, isActual);
	}
};
