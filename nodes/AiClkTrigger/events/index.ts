import { balanceBelow } from './balanceBelow';
import { creativeChanged } from './creativeChanged';
import { materialReviewed } from './materialReviewed';
import { tokenNeedsAttention } from './tokenNeedsAttention';

/** The trigger's events, in alphabetical order. */
export const EVENTS = [balanceBelow, creativeChanged, materialReviewed, tokenNeedsAttention];
