const { default: circus } = require('jest-circus/runner');

/** The names of a file's tests, from its first run. */
const namesOf = new Map();

/** The runs in which a test has failed. */
const failed = new WeakSet();

/** A result without a test is a failure for Jest, so it holds one that was not run. */
const nothing = (testFilePath) => ({
	numFailingTests: 0,
	numPassingTests: 0,
	numPendingTests: 1,
	numTodoTests: 0,
	openHandles: [],
	snapshot: { added: 0, fileDeleted: false, matched: 0, unchecked: 0, uncheckedKeys: [] },
	testFilePath,
	testResults: [{ ancestorTitles: [], failureMessages: [], fullName: '', status: 'pending' }],
});

/**
 * Leaves out files that hold none of the tests that Stryker asks for, and all files after a failure: one kills the mutant.
 * Stryker wants `jest-circus` in the runner's name.
 */
module.exports = async (globalConfig, config, environment, runtime, path, ...more) => {
	const asked = new RegExp(globalConfig.testNamePattern ?? '', 'i');
	const names = namesOf.get(path);
	if (failed.has(globalConfig) || names?.some((name) => asked.test(name)) === false) {
		return nothing(path);
	}
	const result = await circus(globalConfig, config, environment, runtime, path, ...more);
	if (result.numFailingTests > 0) failed.add(globalConfig);
	if (names === undefined) {
		namesOf.set(
			path,
			result.testResults.map(({ fullName }) => fullName),
		);
	}
	return result;
};
