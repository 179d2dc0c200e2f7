import type { IDataObject } from 'n8n-workflow';

import { rowsOf } from '../../aiclk/protocol/assumptions';
import type { Envelope } from '../../aiclk/protocol/envelope';

const toItem = (row: unknown): IDataObject =>
	typeof row === 'object' && row !== null && !Array.isArray(row)
		? (row as IDataObject)
		: { value: row as IDataObject[string] };

/** One item a row. */
export const rowItems = (data: unknown): IDataObject[] => rowsOf(data).map(toItem);

/** One item with what AiClk returned; `success` where it returned nothing (`data` is null on most writes). */
export const oneItem = (data: unknown): IDataObject[] =>
	data === null || data === undefined ? [{ success: true }] : [toItem(data)];

/** An answer as it came: AiClk's own names. */
export const envelopeItem = ({ code, message, data, traceId }: Envelope): IDataObject => ({
	code,
	message,
	data: data as IDataObject[string],
	...(traceId !== null && { trace_id: traceId }),
});
