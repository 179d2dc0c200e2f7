import { Command, InvalidArgumentError, Option } from 'commander';

import { createSandbox, type SandboxSettings } from './server.ts';

const number = (text: string): number => {
	const value = Number(text);
	if (text.trim() === '' || !Number.isFinite(value))
		throw new InvalidArgumentError('Not a number.');
	return value;
};

const json = (text: string): Partial<SandboxSettings> => {
	try {
		return JSON.parse(text) as Partial<SandboxSettings>;
	} catch {
		throw new InvalidArgumentError('Not JSON.');
	}
};

interface Options {
	port: number;
	mode?: SandboxSettings['mode'];
	deadTokenAnswer?: SandboxSettings['deadTokenAnswer'];
	rotateRefreshToken?: boolean;
	lifeSeconds?: number;
	tokenDelayMs?: number;
	settings?: Partial<SandboxSettings>;
}

const program = new Command('sandbox')
	.description(
		'A local AiClk: the documented endpoints on loopback, for tests and for a first look',
	)
	.option('--port <number>', 'where to listen', number, 5790)
	.addOption(
		new Option('--mode <mode>', 'whether a refresh kills older access tokens').choices([
			'lenient',
			'strict',
		]),
	)
	.addOption(
		new Option('--dead-token-answer <answer>', 'how a dead token is answered').choices([
			'http-401',
			'body-401',
		]),
	)
	.option('--rotate-refresh-token', 'answer each refresh with a new refresh token')
	.option('--life-seconds <seconds>', 'how long access tokens live', number)
	.option('--token-delay-ms <ms>', 'how long the token endpoint takes', number)
	.option('--settings <json>', 'any other settings (GET /__sandbox/settings shows all)', json);

const { port, settings, ...named } = program.parse().opts<Options>();

try {
	const sandbox = await createSandbox({ port, settings: { ...named, ...settings } });
	const [client] = sandbox.settings().clients;
	console.log(`AiClk sandbox    ${sandbox.url}`);
	console.log(`Client ID        ${client?.clientId}`);
	console.log(`Refresh token    ${client?.refreshToken}`);
	console.log(`Account ID       ${sandbox.settings().accountIds[0]}`);
	console.log(`Watch and change ${sandbox.url}/__sandbox/{state,journal,settings,clock,revoke}`);
	console.log('Ctrl-C ends it.');
	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		process.once(signal, () => void sandbox.close().then(() => process.exit(0)));
	}
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}
