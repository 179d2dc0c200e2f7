const { projects } = require('../../jest.config.js');

const unit = projects.find(({ displayName }) => displayName === 'unit');

/** What Stryker (it knows no Jest projects) runs against each mutant. */
module.exports = {
	...unit,
	testEnvironment: require.resolve('./environment.js'),
	testSequencer: require.resolve('./sequencer.js'),
	testRunner: require.resolve('./jest-circus.js'),
	runtime: require.resolve('../integration/runtime.js'),
	testMatch: ['<rootDir>/test/unit/**/*.test.ts', '<rootDir>/test/integration/aiclk*.test.ts'],
	// n8n-core's dependency injection expects its host to have loaded it.
	setupFiles: ['reflect-metadata', '<rootDir>/test/mutation/setup.ts'],
	setupFilesAfterEnv: ['<rootDir>/test/integration/setup.ts'],
};
