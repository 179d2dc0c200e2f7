import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

const SOURCE = fileURLToPath(new URL('../plainCredential.ts', import.meta.url));

/** The type under which n8n knows the plain credential. */
export const PLAIN_TYPE = 'plainApi';

/**
 * Puts the plain credential where n8n looks for credential types of one's own.
 *
 * @param folder for n8n's variable N8N_CUSTOM_EXTENSIONS
 */
export async function writePlainCredential(folder: string): Promise<void> {
	const { code } = await transformFile(SOURCE, {
		jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
		module: { type: 'commonjs' },
	});
	// n8n finds a class by the name of its file.
	const named = `exports.PlainApi = class extends PlainCredential { name = '${PLAIN_TYPE}'; };\n`;
	await mkdir(folder, { recursive: true });
	await writeFile(join(folder, 'PlainApi.credentials.js'), `${code}\n${named}`);
}
