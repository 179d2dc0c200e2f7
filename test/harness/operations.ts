import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

/** An operation of the AiClk node as a person sets it, and the request that AiClk's page documents for it. */
export interface OperationExample {
	parameters: IDataObject;
	/** Method, path below /openapi/v1/ and query, percent-decoded. */
	request: string;
	/** JSON; a form has none. */
	body?: string;
	/** The input, where the operation needs one. */
	item?: INodeExecutionData;
}

const ACCOUNT = 'account_id=1000002';

/** The credential's account is never the payer of a charge, so the field is filled in. */
const PAYER = { accountId: '1000002' };

/**
 * One for each operation, by resource and operation: what the tests in n8n-core, the tests on a real n8n and
 * docs/marketing-api.md use. The sandbox answers each of them with at least one row.
 */
export const OPERATIONS: Record<string, OperationExample> = {
	'account getInfo': {
		parameters: { fields: ['account_id', 'display_name', 'balance', 'configure_status'] },
		request: `GET account/info?${ACCOUNT}&query={"fields":["account_id","display_name","balance","configure_status"]}`,
	},
	'account getFundRecords': {
		parameters: {
			period: 'custom',
			startDate: '2026-01-01T00:00:00',
			endDate: '2099-12-31',
			limit: 2,
		},
		request: `GET account_fund/list?${ACCOUNT}&query={"start_date":"2026-01-01","end_date":"2099-12-31","fields":["date","cash_cost","coupon_cost","compensation"],"page":1,"page_size":2}`,
	},
	'advertiser create': {
		parameters: {
			company: '测试公司',
			displayName: '测试公司简称',
			licenseCode: 'DSSSAAASSSSWSSSSDA',
			companyRegion: '310000, 310100, 310115',
			companyAddress: '上海市浦东新区三林软件园1号楼',
			license: '14705564',
			qualification: '14705564',
			category: '100101101',
			appName: '测试产品名称',
			username: 'ceshizhanghao',
			password: 'Abcdef1',
			link: 'https://www.example.com',
			sourceMark: 'n8n',
			email: 'a@example.com',
			contacter: '联系人',
			contacterPhone: '13800000000',
			additionalFields: { subAgentId: '1716318' },
		},
		request: `POST adaccount/customer/create?${ACCOUNT}`,
		body: '{"company":"测试公司","display_name":"测试公司简称","license_code":"DSSSAAASSSSWSSSSDA","company_region":[310000,310100,310115],"company_address":"上海市浦东新区三林软件园1号楼","license":14705564,"qualification":[14705564],"category":100101101,"app_name":"测试产品名称","username":"ceshizhanghao","password":"Abcdef1","link":"https://www.example.com","source_mark":"n8n","email":"a@example.com","contacter":"联系人","contacter_phone":"13800000000","sub_agent_id":1716318}',
	},
	'advertiser update': {
		parameters: { advertiserId: '1928316', updateFields: { contacter: '新联系人' } },
		request: `POST adaccount/customer/update?${ACCOUNT}`,
		body: '{"account_id":1928316,"contacter":"新联系人"}',
	},
	'api call': {
		parameters: {
			method: 'GET',
			path: '/openapi/v1/account/info',
			query: '{ "fields": ["account_id", "coupon"] }',
		},
		request: `GET account/info?${ACCOUNT}&query={"fields":["account_id","coupon"]}`,
	},
	'charge agent': {
		parameters: {
			...PAYER,
			targetUser: '1000004',
			money: 10000,
			additionalFields: { comment: '一月' },
			confirm: true,
		},
		request: `POST charge/agent?${ACCOUNT}`,
		body: '{"target_user":1000004,"money":10000,"comment":"一月"}',
	},
	'charge agentCoupon': {
		parameters: { ...PAYER, targetUser: '18446744073709551615', coupon: -5000, confirm: true },
		request: `POST charge/agent-coupon?${ACCOUNT}`,
		body: '{"target_user":18446744073709551615,"coupon":-5000,"comment":""}',
	},
	'charge subAgent': {
		parameters: {
			...PAYER,
			subAgentUser: '1000003',
			targetUser: '1000004',
			money: 10000,
			confirm: true,
		},
		request: `POST charge/sub-agent-v2?${ACCOUNT}`,
		body: '{"sub_agent_user":1000003,"target_user":1000004,"money":10000,"comment":""}',
	},
	'charge subAgentCoupon': {
		parameters: { ...PAYER, targetUser: '1000004', coupon: 10000, confirm: true },
		request: `POST charge/sub-agent-coupon?${ACCOUNT}`,
		body: '{"target_user":1000004,"coupon":10000,"comment":""}',
	},
	'creative getAll': {
		parameters: {
			fields: ['creative_id', 'creative_name', 'effective_status'],
			limit: 2,
			filters: {
				campaignId: '300001',
				creativeIds: '18446744073709551614, 18446744073709551609',
				configureStatus: ['ENABLE'],
				createdFrom: '2026-01-01',
				createdTo: '2026-01-31',
				updatedFrom: '2026-01-02',
			},
		},
		request: `GET creative/get?${ACCOUNT}&query={"campaign_id":300001,"creative_id":[18446744073709551614,18446744073709551609],"configure_status":["ENABLE"],"created_at":{"start":"2026-01-01","end":"2026-01-31"},"updated_at":{"start":"2026-01-02"},"fields":["creative_id","creative_name","effective_status"],"page":1,"page_size":2}`,
	},
	'material getAll': {
		parameters: {
			fields: ['material_id', 'material_name', 'material_status'],
			limit: 2,
			sort: { materialId: 'desc' },
			filters: { materialIds: '50001,50002,50005', materialStatus: ['UNDER_PASSING', 'PASSED'] },
		},
		request: `GET material/get?${ACCOUNT}&query={"material_id":[50001,50002,50005],"material_status":["UNDER_PASSING","PASSED"],"fields":["material_id","material_name","material_status"],"order_by":[["material_id","desc"]],"page":1,"page_size":2}`,
	},
	'material upload': {
		parameters: { additionalFields: { materialType: 'IMAGE' } },
		item: {
			json: {},
			binary: {
				data: {
					data: Buffer.from('(the bytes of the file)').toString('base64'),
					mimeType: 'image/png',
					fileName: 'banner.png',
				},
			},
		},
		request: `POST material/upload?${ACCOUNT}`,
	},
	'monitorLink getAll': {
		parameters: {
			conversionType: 'API_DOWNLOAD',
			limit: 2,
			filters: {
				keywords: '下载',
				conversionGoal: 3,
				adgroupId: '20195330',
				click: 1,
				showShare: false,
			},
		},
		request: `GET conv/targeturl_monitor/list?${ACCOUNT}&conversion_type=API_DOWNLOAD&keywords=下载&adgroup_id=20195330&click=1&conversion_goal=3&show_share=0&page=1&page_size=2`,
	},
};

/** All that is set in the node for an operation, e.g. `account getInfo`. @throws Error if there is no row for it */
export function parametersOf(name: string): IDataObject {
	const [resource, operation] = name.split(' ');
	const example = OPERATIONS[name];
	if (example === undefined) throw new Error(`test/harness/operations.ts has no row for ${name}`);
	return { resource, operation, ...example.parameters };
}
