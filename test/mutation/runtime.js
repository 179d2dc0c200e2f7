const { createRequire } = require('node:module');

const Runtime = require('jest-runtime').default;

/** The name of a package, and no path. */
const PACKAGE = /^[^./]/;

/** Takes packages from Node's own cache, so that n8n-core (6 s) is loaded once and not for each test file. */
module.exports = class SharedModulesRuntime extends Runtime {
	requireModule(from, name, options, isActual) {
		return name !== undefined && PACKAGE.test(name) && !options?.isInternalModule
			? createRequire(from)(name)
			: super.requireModule(from, name, options, isActual);
	}
};
