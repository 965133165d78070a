/**
 * H.265 (RFC 7798): a format is its profile, tier, the constraints on it and the transmission mode. Of the level RFC 7798 §7.2.2 says
 * that it is changeable "as long as the highest level indicated by the answer is not higher than that indicated by the offer"; who
 * takes more says `max-recv-level-id`, which stays as each end has it.
 */
import { formatParameter, numberParameter, withFormatParameter } from './parameters.ts';
import type { AgreedParameters, CodecRules } from './rules.ts';

/** Level 3.1, where `level-id` is absent (RFC 7798 §7.1). */
const DEFAULT_LEVEL_ID = 93;

/** The rules of `H265`. */
export const H265_RULES: CodecRules = {
  identity(fmtp) {
    const read = (name: string, fallback: string): string =>
      formatParameter(fmtp, name)?.toLowerCase() ?? fallback;
    return [
      read('profile-space', '0'),
      read('profile-id', '1'),
      read('tier-flag', '0'),
      read('interop-constraints', 'b00000000000'),
      read('tx-mode', 'srst'),
    ].join(' ');
  },

  agree(ours, theirs): AgreedParameters {
    const own = numberParameter(ours, 'level-id', DEFAULT_LEVEL_ID);
    const others = numberParameter(theirs, 'level-id', DEFAULT_LEVEL_ID);
    if (own === undefined || others === undefined || own === others) return { receive: ours, send: theirs };
    const lower = String(Math.min(own, others));
    return own > others
      ? { receive: withFormatParameter(ours, 'level-id', lower), send: theirs }
      : { receive: ours, send: withFormatParameter(theirs, 'level-id', lower) };
  },
};
