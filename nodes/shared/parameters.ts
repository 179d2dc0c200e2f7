import type { IBinaryData, IDataObject, IExecuteFunctions, IPollFunctions } from 'n8n-workflow';
import { isExpression } from 'n8n-workflow';

import type { Json, JsonObject } from '../../aiclk/protocol/json';
import { fileNameOf, sizeOfBase64, StreamedFile } from '../../aiclk/api/streamedFile';
import type { Batching } from '../../aiclk/api/throttle';
import { withValue, faultOf, isNothing, readWholeNumber } from './values';
import type { TokenInput } from '../../aiclk/token/input';
import { type Context, refuse } from './errors';
import { BATCH, type Collection, type Field, LIMIT, RETURN_ALL } from './fields';

const CORRECT_IT = 'Correct the field or its expression.';
/** What to do about a file that cannot be sent. */
export const FETCH_AGAIN = 'Run again from the node that made or fetched the file.';

/** A file as n8n's expressions yield it: in n8n's store (`id`) or in itself (`data`, base64), as n8n tells them (`isBinaryValue`). */
const isFile = (value: unknown): value is IBinaryData => {
	const { id, data, mimeType } = (value ?? {}) as Partial<IBinaryData>;
	return mimeType !== undefined && [id, data].some((one) => typeof one === 'string' && one !== '');
};

/** Makes an object of names and values. A dot in a name leads into an inner object; undefined values are left out. */
function nest(entries: Array<[name: string, value: Json | undefined]>): JsonObject {
	const result: JsonObject = {};
	for (const [name, value] of entries) {
		if (value === undefined) continue;
		const [outer = '', inner] = name.split('.');
		result[outer] =
			inner === undefined ? value : { ...(result[outer] as object | undefined), [inner]: value };
	}
	return result;
}

/**
 * Reads and checks the node's fields for one item, or for a poll, which has none. A bad value is refused with the name of its
 * field. A field whose expression yields nothing is refused, too, because it was not left empty.
 */
export class Parameters {
	/** The account of the call, digits; null until it is read. */
	accountId: string | null = null;

	/** @param itemIndex null in a poll */
	constructor(
		readonly context: Context,
		private readonly itemIndex: number | null,
		readonly input: TokenInput,
	) {}

	/** What n8n has in a field. In a poll, n8n's own method takes no item. */
	private get(name: string, fallback: string | object, rawExpressions = false): unknown {
		return this.itemIndex === null
			? (this.context as IPollFunctions).getNodeParameter(name, fallback, { rawExpressions })
			: (this.context as IExecuteFunctions).getNodeParameter(name, this.itemIndex, fallback, {
					rawExpressions,
				});
	}

	/** A field as typed: an expression is not evaluated and begins with `=`. */
	typed(name: string): unknown {
		return this.get(name, '', true);
	}

	/** @throws FailureError for an expression that yields nothing */
	private value({ property: { name, displayName } }: Field<unknown>): unknown {
		const value = this.get(name, '');
		const typed = this.typed(name);
		const isLeftEmpty = !isExpression(typed) || String(typed).trim() === '=';
		if (isLeftEmpty || !isNothing(value)) return value;
		return refuse(`'${displayName}' holds an expression that yields nothing`, CORRECT_IT);
	}

	/** Reads a value that does not come from a field of its own. @throws FailureError for a bad value, which it shows */
	check<T>({ property, read }: Field<T>, value: unknown): T {
		const result = read(value, this.context.getTimezone());
		if (result.ok) return result.value;
		const { displayName, type, typeOptions } = property;
		const { refreshToken } = this.input;
		const holds = (one: unknown) => typeof one === 'string' && one.includes(refreshToken);
		if (refreshToken !== '' && [value].flat(9).some(holds)) {
			return refuse(`'${displayName}' holds the refresh token of the credential`, CORRECT_IT);
		}
		// JSON has readers that say where it is wrong.
		const isShown = typeOptions?.password !== true && type !== 'json';
		const fault = isShown ? withValue(value, result.failure) : result.failure;
		return refuse(`'${displayName}' ${fault}`, CORRECT_IT);
	}

	/** A field that is always there. @throws FailureError for a bad value */
	read<T>(field: Field<T>): T {
		return this.check(field, this.value(field));
	}

	/** Fields that are always there, under AiClk's names. @throws FailureError for a bad value */
	readAll(fields: Field[]): JsonObject {
		return nest(fields.map((field) => [field.name, this.read(field)]));
	}

	/**
	 * The fields of a collection that were added, under AiClk's names.
	 *
	 * @throws FailureError for a bad value, and for one that was added but is empty
	 */
	readAdded({ property, fields: known, isRequired }: Collection): JsonObject {
		const { name, displayName: label } = property;
		// n8n drops unknown members, and a collection that is one expression.
		const value = this.get(name, {}) as IDataObject;
		const added = Object.keys(this.typed(name) ?? {});
		if (isRequired && added.length === 0) {
			refuse(`'${label}' is empty`, 'Add the fields that you want to send.');
		}
		const fields = known.filter((field) => added.includes(field.property.name));
		const values = nest(
			fields.map((field) => {
				const member = value[field.property.name];
				if (!isNothing(member)) return [field.name, this.check(field, member)];
				const message = `'${field.property.displayName}' was added to '${label}' but is empty`;
				return refuse(message, 'Fill it in, correct its expression, or remove it.');
			}),
		);
		const fieldOf = (one: string) => fields.find((field) => field.name === one) as Field;
		for (const [one, span] of Object.entries(values)) {
			const { start, end } = (span ?? {}) as { start?: string; end?: string };
			if (start === undefined || end === undefined) continue;
			this.checkSpan([fieldOf(`${one}.start`), start], [fieldOf(`${one}.end`), end]);
		}
		return values;
	}

	/** @throws FailureError when a span of days ends before it begins */
	checkSpan([from, start]: [Field, string], [to, end]: [Field, string]): void {
		if (start <= end) return;
		const message = `'${from.property.displayName}' (${start}) is after '${to.property.displayName}' (${end})`;
		refuse(message, 'Swap the two days.');
	}

	/** A field for which the credential's account stands in if it was left empty and is not required. */
	private readForAccount<T>(field: Field<T>): T {
		const { property } = field;
		const value = this.value(field);
		if (property.required === true || !isNothing(value)) return this.check(field, value);
		const { accountId } = this.input;
		if (accountId === '') {
			const message = `'${property.displayName}' is empty, here and in the AiClk API credential`;
			return refuse(message, 'Fill it in here, or in the credential.');
		}
		const read = field.read(accountId, this.context.getTimezone());
		if (read.ok) return read.value;
		return refuse('The account in the AiClk API credential is no ID', 'Correct it there.');
	}

	/** The account of the call. @throws FailureError for a bad value */
	readAccount(field: Field<bigint>): bigint {
		const account = this.readForAccount(field);
		this.accountId = String(account);
		return account;
	}

	/** Accounts, each once. @throws FailureError for a bad value */
	readAccounts(field: Field<bigint[]>): bigint[] {
		return [...new Set(this.readForAccount(field))];
	}

	/**
	 * Batching, or null if it was not added. The panel's defaults count for members that were not typed.
	 *
	 * @throws FailureError for a bad value
	 */
	readBatching(): Batching | null {
		const { batching } = this.get('options', {}) as { batching?: { batch?: IDataObject } };
		if (batching === undefined) return null;
		const { batchSize, batchInterval } = {
			batchSize: BATCH.size.property.default,
			batchInterval: BATCH.interval.property.default,
			...batching.batch,
		};
		const size = this.check(BATCH.size, batchSize);
		const intervalMs = this.check(BATCH.interval, batchInterval);
		return size < 0 ? null : { size: Math.max(1, size), intervalMs };
	}

	/** The number of rows wanted; null for all. */
	readLimit(): number | null {
		return this.read(RETURN_ALL) ? null : this.read(LIMIT);
	}

	/** Where the file is: in the item's binary field of this name or path, or what an expression yields. */
	private findFile(field: Field<string>): { binary: IBinaryData; place: string } {
		const value = this.value(field);
		const place = `'${field.property.displayName}'`;
		if (isFile(value)) return { binary: value, place };
		if (typeof value === 'object') {
			return refuse(
				`${place} holds an expression that yields no file`,
				`n8n leaves the bytes out of $binary. Write the field's name in place of the expression, e.g. ${String(field.property.default)}, or $input.item.binary.data.`,
			);
		}
		const name = this.check(field, value);
		try {
			const { helpers } = this.context as IExecuteFunctions;
			return { binary: helpers.assertBinaryData(this.itemIndex ?? 0, name), place: `'${name}'` };
		} catch {
			return refuse(
				`The item has no binary field '${name}'`,
				`Correct ${place}. If the workflow's setting 'Binary Mode' is 'Combined', it is a path, e.g. _files.data.`,
			);
		}
	}

	/**
	 * A file from a binary field. Small files are in the item itself (base64). Others are in n8n's store. Both are read while they
	 * are sent.
	 *
	 * @throws FailureError when it is not there, empty or not readable
	 */
	async readFile(field: Field<string>): Promise<StreamedFile> {
		const { binary, place } = this.findFile(field);
		const { id, data, fileName, fileExtension } = binary;
		const { helpers } = this.context as IExecuteFunctions;
		const mimeType = binary.mimeType || 'application/octet-stream';
		const name = fileNameOf(fileName, fileExtension, mimeType);
		const fault = faultOf(name);
		if (fault !== null) refuse(`The name of the file in ${place} ${fault}`, CORRECT_IT);
		const stored = id ? await helpers.getBinaryMetadata(id).catch(() => null) : null;
		const found = id ? stored?.fileSize : typeof data === 'string' ? sizeOfBase64(data) : null;
		if (!id && found === null) {
			refuse(
				`The file in ${place} is not base64`,
				'The data must be base64, without a prefix such as data:image/png;base64.',
			);
		}
		const size = readWholeNumber(found, { min: 0, max: Number.MAX_SAFE_INTEGER });
		if (!size.ok) {
			const message = `The file '${name}' in ${place} could not be found, or its size is unknown: n8n may have deleted it`;
			return refuse(message, FETCH_AGAIN);
		}
		if (size.value === 0) refuse(`The file in ${place} is empty`, FETCH_AGAIN);
		return new StreamedFile(name, mimeType, size.value, async () =>
			id ? await helpers.getBinaryStream(id) : [Buffer.from(data, 'base64')],
		);
	}
}
