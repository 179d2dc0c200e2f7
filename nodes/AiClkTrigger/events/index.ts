import { balanceBelow } from './balanceBelow';
import { creativeChanged } from './creativeChanged';
import type { TriggerEvent } from './event';
import { materialReviewed } from './materialReviewed';
import { tokenNeedsAttention } from './tokenNeedsAttention';

/** The trigger's events, by the value of the field Event. */
export const EVENTS = new Map<string, TriggerEvent<unknown, unknown>>(
	Object.entries({ balanceBelow, creativeChanged, materialReviewed, tokenNeedsAttention }),
);
