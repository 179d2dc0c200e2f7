const { projects } = require('../../jest.config.js');

const unit = projects.find(({ displayName }) => displayName === 'unit');

/** What Stryker (it knows no Jest projects) runs against each mutant: the unit tests of what it mutates. */
module.exports = {
	...unit,
	testMatch: ['<rootDir>/test/unit/token/**/*.test.ts'],
	setupFiles: ['<rootDir>/test/mutation/setup.ts'],
};
