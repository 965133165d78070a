/** Plans of media that a caller gives: judged at the call, and copied. */
import type { OptionRules } from '../core/options.ts';
import { fields, listOf, oneOf, required, text } from '../core/options.ts';
import type { MediaPlan } from '../negotiation/index.ts';
import { mapPlain } from './tracer/entry.ts';

const RULES: OptionRules<Pick<MediaPlan, 'kind' | 'mid' | 'direction'>> = {
  kind: required(oneOf(['media'])),
  mid: text(),
  direction: required(oneOf(['sendrecv', 'sendonly', 'recvonly', 'inactive'])),
};

/** The plans, copied: nothing that the caller changes afterwards counts. Throws `ERR_BAD_ARGUMENT`. */
export function checkedMedia(plans: readonly MediaPlan[]): readonly MediaPlan[] {
  listOf(fields(RULES))(plans, 'plans');
  return mapPlain(plans, (leaf) => leaf);
}
