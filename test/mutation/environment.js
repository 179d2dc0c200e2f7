const SharedContextEnvironment = require('../integration/environment.js');

/** Skips the rest of a file after a failure: one kills the mutant. */
module.exports = class MutationEnvironment extends SharedContextEnvironment {
	hasFailed = false;

	handleTestEvent({ name, test }) {
		if (name === 'test_start' && this.hasFailed) test.mode = 'skip';
		if (name === 'test_done' && test.errors.length > 0) this.hasFailed = true;
	}
};
