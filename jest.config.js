// n8n-core logs to the console when nothing else is said.
process.env.N8N_LOG_LEVEL = 'silent';

/** Jest transpiles with SWC and does not type-check: `npm run typecheck` does. */
const common = {
	rootDir: __dirname,
	testEnvironment: 'node',
	transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022' } }] },
	// Folders with a package.json of their own, or with copies of this code.
	modulePathIgnorePatterns: ['dist', '.n8n', '.stryker-tmp', 'test/harness/n8n'].map(
		(folder) => `<rootDir>/${folder}`,
	),
};

module.exports = {
	collectCoverageFrom: ['aiclk/**/*.ts', 'credentials/**/*.ts', 'nodes/**/*.ts'],
	coverageReporters: ['text'],
	coverageThreshold: {
		'./aiclk/': { branches: 95 },
		'./credentials/': { branches: 95 },
		'./nodes/': { branches: 95 },
	},
	projects: [
		{
			...common,
			displayName: 'unit',
			setupFiles: ['<rootDir>/test/unit/setup.ts'],
			testMatch: ['<rootDir>/test/unit/**/*.test.ts'],
		},
		{ ...common, displayName: 'sandbox', testMatch: ['<rootDir>/test/sandbox/**/*.test.ts'] },
		{
			...common,
			displayName: 'integration',
			// n8n-core's dependency injection expects its host to have loaded it.
			setupFiles: ['reflect-metadata'],
			setupFilesAfterEnv: ['<rootDir>/test/integration/setup.ts'],
			testMatch: ['<rootDir>/test/integration/**/*.test.ts'],
		},
	],
};
