import ts from 'typescript';

interface Example {
	nodes: Array<{ name: string; type: string; parameters: Record<string, unknown> }>;
	connections: Record<string, { main: Array<Array<{ node: string }>> }>;
}

const read = (name: string): Example =>
	JSON.parse(
		ts.sys.readFile(`${ts.sys.getCurrentDirectory()}/examples/${name}.json`) ?? '',
	) as Example;

/** A process that exits after one POST forgets that AiClk rejected its token (docs/how-it-works.md). */
it.each([
	['token-rotation', 1],
	['token-rotation-with-alerts', 1],
	['token-rotation-clients', 3],
])('%s refreshes each day what expires soon, then asks AiClk about it', (name, clients) => {
	const { nodes, connections } = read(name);
	const refreshing = nodes.filter(({ parameters }) => parameters.operation === 'refresh');
	expect(refreshing).toHaveLength(clients);
	for (const node of refreshing) {
		expect(node.parameters).toMatchObject({ when: 'whenExpiring', withinDays: 30 });
		const next = connections[node.name]?.main[0]?.[0]?.node;
		expect(nodes.find((one) => one.name === next)).toMatchObject({
			type: 'n8n-nodes-aiclk.aiClkToken',
			parameters: { operation: 'status', verify: true },
		});
	}
	const schedule = nodes.find(({ type }) => type === 'n8n-nodes-base.scheduleTrigger');
	expect(schedule?.parameters).toMatchObject({ rule: { interval: [{ field: 'days' }] } });
});
