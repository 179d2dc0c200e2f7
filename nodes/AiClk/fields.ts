import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';

import type { Json } from '../../aiclk/protocol/json';
import { readDay, readId, readWholeNumber, type Read } from '../../aiclk/api/values';
import { StreamedFile } from '../../aiclk/api/streamedFile';

/** What one item has in the node's fields. Every reading checks; a bad value is refused with the name of its field. */
export class Fields {
	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
		private readonly accountIdOfCredential: string,
	) {}

	/** @throws NodeOperationError always */
	refuse(message: string, description: string): never {
		throw new NodeOperationError(this.context.getNode(), message, {
			description,
			itemIndex: this.itemIndex,
		});
	}

	private checked<T>(label: string, value: unknown, read: (value: unknown) => Read<T>): T {
		const result = read(value);
		if (result.ok) return result.value;
		return this.refuse(
			`'${label}' ${result.failure}`,
			'Nothing was sent. Correct the field or its expression.',
		);
	}

	/** A field that is always there. */
	get<T>(name: string, label: string, read: (value: unknown) => Read<T>): T {
		return this.checked(label, this.context.getNodeParameter(name, this.itemIndex, ''), read);
	}

	/** A field out of a collection; undefined when it was not added, or left empty. */
	pick<T>(
		collection: string,
		name: string,
		label: string,
		read: (value: unknown) => Read<T>,
	): T | undefined {
		const all = this.context.getNodeParameter(collection, this.itemIndex, {}) as IDataObject | null;
		const value = all?.[name];
		const isEmpty = value === undefined || value === null || value === '';
		return isEmpty ? undefined : this.checked(label, value, read);
	}

	/** A switch. */
	isOn(name: string): boolean {
		return this.context.getNodeParameter(name, this.itemIndex, false) === true;
	}

	/** A day; that of a JavaScript Date is the one in the workflow's time zone. */
	readonly asDay = (value: unknown): Read<string> => readDay(value, this.context.getTimezone());

	/** The account the call is about: the field's, or else the credential's. */
	accountId(): bigint {
		return this.get('accountId', 'Account ID', (value) => {
			const isEmpty = String(value ?? '').trim() === '';
			const id = readId(isEmpty ? this.accountIdOfCredential : value);
			return id.ok || id.failure !== 'is empty'
				? id
				: { ok: false, failure: 'is empty, here and in the AiClk API credential' };
		});
	}

	/** Rows wanted; null for all. */
	limit(): number | null {
		if (this.isOn('returnAll')) return null;
		return this.get('limit', 'Limit', (value) =>
			readWholeNumber(value, { least: 1, most: Number.MAX_SAFE_INTEGER }),
		);
	}

	/** Whether n8n would run the node again after a failure. */
	get isRetried(): boolean {
		return this.context.getNode().retryOnFail === true;
	}

	/** A file out of a binary property; its bytes are read when it is sent. */
	async file(property: string): Promise<StreamedFile> {
		const { helpers } = this.context;
		const {
			id,
			data,
			fileName = 'file',
			mimeType,
		} = helpers.assertBinaryData(this.itemIndex, property);
		// n8n keeps small files, or all of them, in the item itself (base64); the others in a store of its own.
		const size =
			id === undefined
				? Buffer.byteLength(data, 'base64')
				: (await helpers.getBinaryMetadata(id)).fileSize;
		if (size === 0) this.refuse(`The file in '${property}' is empty`, 'Nothing was sent.');
		return new StreamedFile(fileName, mimeType, size, async () =>
			id === undefined ? [Buffer.from(data, 'base64')] : await helpers.getBinaryStream(id),
		);
	}
}

const isGiven = (entry: [string, Json | undefined]): entry is [string, Json] =>
	entry[1] !== undefined && !(Array.isArray(entry[1]) && entry[1].length === 0);

/** Leaves out what was not given, and empty lists. */
export const given = (fields: Record<string, Json | undefined>): Record<string, Json> =>
	Object.fromEntries(Object.entries(fields).filter(isGiven));
