import { balanceBelow } from './balanceBelow';
import { creativeChanged } from './creativeChanged';
import type { TriggerEvent } from './event';
import { materialReviewed } from './materialReviewed';
import { tokenNeedsAttention } from './tokenNeedsAttention';

/** What the trigger can wait for, by the value of its field Event. */
export const EVENTS = new Map<string, TriggerEvent<unknown, unknown>>(
	Object.entries({ balanceBelow, creativeChanged, materialReviewed, tokenNeedsAttention }),
);
