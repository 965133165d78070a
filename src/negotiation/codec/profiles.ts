/**
 * VP9 and AV1: codecs whose formats are told apart by a number for their profile, and whose other parameters say what the end that
 * says them receives.
 */
import { formatParameter, numberParameter } from './parameters.ts';
import type { CodecRules } from './rules.ts';

/** The rules of `VP9`: "profile-id", 0 where it is absent, is used symmetrically (RFC 9628 §6.2). */
export const VP9_RULES: CodecRules = {
  identity: (fmtp) => profile(fmtp, 'profile-id'),
};

/**
 * The rules of `AV1`. Of `profile`, `level-idx` and `tier` its specification says (§7.2.3) that they "are asymmetrical and the answerer
 * MAY declare its own media configuration": each names the highest that an end receives. Browsers compare the profile all the same, and
 * offer a format for each; so a format of the same profile comes first, and another one only where there is none.
 */
export const AV1_RULES: CodecRules = {
  identity: (fmtp) => profile(fmtp, 'profile'),
  isAsymmetric: true,
};

function profile(fmtp: string | undefined, name: string): string {
  return String(numberParameter(fmtp, name, 0) ?? formatParameter(fmtp, name));
}
