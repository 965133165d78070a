/**
 * Limits of the size of a description. Reading is linear in the text, so these bound time as well as memory; whatever exceeds
 * one is refused with the code of the same name. The largest recorded browser offer is 8 kB with 300 lines.
 */
import type { OptionRule, OptionRules } from '../core/options.ts';
import { number } from '../core/options.ts';
import { attributes, countAttributes } from './attributes.ts';
import type { MediaDescription, SdpLine } from './description.ts';
import type { SdpError, SdpSyntaxCode } from './error.ts';
import { sdpError } from './error.ts';
import { firstWord } from './token.ts';

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
  /** Lines before the first `m=`: `too-many-session-lines`. Every section inherits from them, so that their number times that of sections is bounded. */
  readonly maxSessionLines: number;
  /** Lines of one media section: `too-many-section-lines`. */
  readonly maxSectionLines: number;
  /** Formats of one `m=` line: `too-many-payload-types`. */
  readonly maxPayloadTypes: number;
  /** SSRCs that the `a=ssrc` and `a=ssrc-group` lines of one media section name: `too-many-sources`. */
  readonly maxSources: number;
  /** `a=rid` lines of one media section: `too-many-rids`. */
  readonly maxRids: number;
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
  maxSessionLines: 256,
  maxSectionLines: 4096,
  maxPayloadTypes: 64,
  maxSources: 64,
  maxRids: 32,
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
  maxSessionLines: count,
  maxSectionLines: count,
  maxPayloadTypes: count,
  maxSources: count,
  maxRids: count,
  maxCandidates: count,
  maxFingerprints: count,
};

/** A limit within a level of a description, and what it counts there. */
interface LevelLimit {
  readonly count: (lines: readonly SdpLine[]) => number;
  readonly limit: keyof SdpLimits;
  readonly code: SdpSyntaxCode;
  /** What there may be at most so many of. */
  readonly what: string;
}

const OF_EITHER_LEVEL: readonly LevelLimit[] = [
  {
    count: (lines) => countAttributes(lines, 'candidate'),
    limit: 'maxCandidates',
    code: 'too-many-candidates',
    what: 'candidates in a section',
  },
  {
    count: (lines) => countAttributes(lines, 'fingerprint'),
    limit: 'maxFingerprints',
    code: 'too-many-fingerprints',
    what: 'fingerprints in a section',
  },
];

const OF_THE_SESSION: readonly LevelLimit[] = [
  {
    count: (lines) => lines.length,
    limit: 'maxSessionLines',
    code: 'too-many-session-lines',
    what: 'lines before the sections',
  },
  ...OF_EITHER_LEVEL,
];

const OF_A_SECTION: readonly LevelLimit[] = [
  {
    count: (lines) => lines.length,
    limit: 'maxSectionLines',
    code: 'too-many-section-lines',
    what: 'lines in a section',
  },
  { count: countSources, limit: 'maxSources', code: 'too-many-sources', what: 'sources in a section' },
  {
    count: (lines) => countAttributes(lines, 'rid'),
    limit: 'maxRids',
    code: 'too-many-rids',
    what: 'rids in a section',
  },
  ...OF_EITHER_LEVEL,
];

/** The first limit that the levels of a description exceed, each taken for itself. The error has the line at which the level begins. */
export function exceededLimit(
  session: readonly SdpLine[],
  media: readonly MediaDescription[],
  limits: SdpLimits,
): SdpError | undefined {
  const error = exceededBy(session, 1, OF_THE_SESSION, limits);
  if (error !== undefined) return error;
  for (const { formats, lines, number: line } of media) {
    if (formats.length > limits.maxPayloadTypes) {
      const message = `expected at most ${limits.maxPayloadTypes} formats in a section`;
      return sdpError('too-many-payload-types', message, { line });
    }
    const inSection = exceededBy(lines, line, OF_A_SECTION, limits);
    if (inSection !== undefined) return inSection;
  }
  return undefined;
}

function exceededBy(
  lines: readonly SdpLine[],
  line: number,
  level: readonly LevelLimit[],
  limits: SdpLimits,
): SdpError | undefined {
  const over = level.find(({ count: counted, limit }) => counted(lines) > limits[limit]);
  if (over === undefined) return undefined;
  return sdpError(over.code, `expected at most ${limits[over.limit]} ${over.what}`, { line });
}

/** Sources of the names that stand there: what is no number counts as well. */
function countSources(lines: readonly SdpLine[]): number {
  const sources = new Set(attributes(lines, 'ssrc').map(({ value }) => firstWord(value)[0]));
  for (const { value } of attributes(lines, 'ssrc-group'))
    for (const source of firstWord(value)[1].split(' ')) sources.add(source);
  sources.delete('');
  return sources.size;
}
