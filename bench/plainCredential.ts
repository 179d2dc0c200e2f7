import type {
	IAuthenticate,
	ICredentialDataDecryptedObject,
	ICredentialType,
	IHttpRequestHelper,
	INodeProperties,
} from 'n8n-workflow';

/**
 * The baseline: what a credential with n8n's hook looks like without a policy, as n8n's built-in ones are written
 * (the token field is the expirable one, the hook refreshes whenever it is called). Never published.
 */
export class PlainCredential implements ICredentialType {
	name = 'aiClkApi';

	displayName = 'Plain';

	/** The field that counts for n8n's request code. */
	properties: INodeProperties[] = [
		{
			displayName: 'Access Token',
			name: 'accessToken',
			type: 'hidden',
			typeOptions: { expirable: true, password: true },
			default: '',
		},
	];

	async preAuthentication(
		this: IHttpRequestHelper,
		{ baseUrl, clientId, refreshToken }: ICredentialDataDecryptedObject,
	): Promise<ICredentialDataDecryptedObject> {
		const { data } = (await this.helpers.httpRequest({
			method: 'POST',
			url: `${String(baseUrl)}/oauth2/token`,
			headers: { 'Content-Type': 'multipart/form-data' },
			body: { client_id: String(clientId), refresh_token: String(refreshToken) },
			json: true,
		})) as { data: { access_token: string } };
		return { accessToken: data.access_token };
	}

	/** What n8n makes of the usual declarative one, without the cost of its expressions. */
	authenticate: IAuthenticate = async (credentials, requestOptions) => ({
		...requestOptions,
		headers: { ...requestOptions.headers, OGW_ACCESS_TOKEN: String(credentials.accessToken) },
	});
}
