import type { IDataObject, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import type { ApiRequest } from '../../aiclk/api/request';
import type { Fields } from './fields';

/** What one item asks for, checked. Nothing has been sent. */
export interface Plan {
	request: ApiRequest;
	/** What to check when AiClk refuses it. */
	hint: string;
	/** Set for lists: how many rows (null: all), and where page and page_size travel. */
	pages?: { limit: number | null; travelIn: 'query' | 'parameters' };
	/** Whether the output is the rows, or else AiClk's whole envelopes. */
	simplify: boolean;
	/** Makes items of the `data` of an answer; used with `simplify`. */
	toItems(data: unknown): IDataObject[];
}

/** One operation of the node: how it is shown, and how its fields become a request. */
export interface Operation {
	option: INodePropertyOptions;
	properties: INodeProperties[];
	/** @throws NodeOperationError for bad input, naming the field */
	plan(fields: Fields): Plan | Promise<Plan>;
}

/** A resource of the node. */
export interface Resource {
	option: INodePropertyOptions;
	/** The one that is chosen at first. */
	defaultOperation: string;
	operations: Operation[];
}
