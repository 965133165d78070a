/**
 * Limits of the size of a description. Reading is linear in the text, so these bound time as well as memory; whatever exceeds
 * one is refused with the code of the same name. The largest recorded browser offer is 8 kB with 300 lines.
 */
import type { OptionRule, OptionRules } from '../core/options.ts';
import { number } from '../core/options.ts';

/** How large a description may be. */
export interface SdpLimits {
  /** Characters of the whole text: `sdp-too-large`. */
  readonly maxLength: number;
  /** Lines of the whole text: `too-many-lines`. */
  readonly maxLines: number;
  /** Characters of one line: `line-too-long`. */
  readonly maxLineLength: number;
  /** `m=` lines: `too-many-media-sections`. */
  readonly maxMediaSections: number;
  /** `a=candidate` lines of one media section: `too-many-candidates`. */
  readonly maxCandidates: number;
  /** `a=fingerprint` lines of the session or of one media section: `too-many-fingerprints`. */
  readonly maxFingerprints: number;
}

/** What holds where nothing else is said. */
export const DEFAULT_SDP_LIMITS: SdpLimits = {
  maxLength: 262_144,
  maxLines: 16_384,
  maxLineLength: 16_384,
  maxMediaSections: 256,
  maxCandidates: 128,
  maxFingerprints: 16,
};

const count: OptionRule = number(0, Infinity);

/** What each limit must be. */
export const SDP_LIMIT_RULES: OptionRules<SdpLimits> = {
  maxLength: count,
  maxLines: count,
  maxLineLength: count,
  maxMediaSections: count,
  maxCandidates: count,
  maxFingerprints: count,
};
