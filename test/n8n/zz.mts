import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { installN8n } from './install.mts';
import { installByHand } from './package.mts';
import { startN8n } from './server.mts';
import { N8nClient } from './rest.mts';
import { createSandbox } from '../sandbox/server.ts';
import { call, chain, itemsOf, manualTrigger } from '../e2e/workflows.mts';

const version = process.argv[2] as '2.41.1';
const home = `/tmp/n8nlog/a2-${version}`;
await rm(home, { recursive: true, force: true });
await mkdir(home, { recursive: true });
await installByHand(`/work/main/.n8n/e2e/2.41.1/n8n-nodes-aiclk-0.1.0.tgz`, home);
const installation = await installN8n(version);
const sandbox = await createSandbox({ port: 0 } as never);
const clients = [1, 2, 3].map((n) => ({ clientId: `${n}${n}${n}`, refreshToken: `refresh${n}`.repeat(10) }));
sandbox.configure({ clients });
const server = await startN8n(installation, { userFolder: home, env: {} });
const n8n = new N8nClient(server.url);
await n8n.signIn();
const id = await n8n.createCredential({ clientId: '={{ $json.clientId }}', refreshToken: '={{ $json.refreshToken }}', accountId: '1000002', baseUrl: sandbox.url });
const url = `${sandbox.url}/openapi/v1/sandbox/echo`;
const flow = await n8n.importWorkflow(chain('Three', [manualTrigger, ...itemsOf(clients), call('GET', url)]), id);
for (let run = 0; run < 3; run++) {
	if (run > 0) await sleep(version.startsWith('1.') ? 1000 : 360_000);
	const execution = await n8n.run(flow, 'Start');
	const journal = sandbox.journal();
	console.log(new Date().toISOString(), version, 'run', run + 1, execution.status, 'refreshes so far', journal.filter(({ kind }) => kind === 'refresh').length,
		'clients of the last 3 calls', journal.filter(({ kind }) => kind === 'api').slice(-3).map((e) => `${(e as any).client} ${e.token}`).join(', '));
}
await server.stop();
await sandbox.close();
