/**
 * Fragments: candidates of a session on their way by themselves, with the credentials that they belong to (RFC 8840 §9). SIP INFO carries
 * them, and HTTP PATCH of WHIP (RFC 9725 §4.3) and WHEP:
 *
 *   a=group:BUNDLE 0 1
 *   a=ice-ufrag:EsAw
 *   a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
 *   m=audio 9 UDP/TLS/RTP/SAVPF 0
 *   a=mid:0
 *   a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host
 *   a=end-of-candidates
 *
 * It has the lines of a description but those that begin one. Sections that have nothing to say are left out, so the place of an `m=` line
 * means nothing and its mid everything.
 */
import { badArgument } from '../core/errors.ts';
import { checkOptions, withDefaults } from '../core/options.ts';
import { attributeName, attributes, hasAttribute, singleAttribute } from './attributes.ts';
import { readMids } from './bundle.ts';
import type { CandidateInit, SdpCandidate } from './candidate.ts';
import { parseCandidate, writeCandidate, writeCandidateLine } from './candidate.ts';
import type { MediaDescription, SdpLine } from './description.ts';
import { attributeLine } from './description.ts';
import type { SdpError, SdpWarning } from './error.ts';
import { ignoredLine, isSdpError, sdpError } from './error.ts';
import type { SdpIceParameters } from './ice.ts';
import { readCredentials } from './ice.ts';
import type { SdpLimits } from './limits.ts';
import { DEFAULT_SDP_LIMITS, SDP_LIMIT_RULES } from './limits.ts';
import { divide, splitLines } from './parse.ts';
import { isTolerableIceText, isToken, isVisible } from './token.ts';
import { joinLines, mediaLine } from './write.ts';

/** The media type of a fragment, for `Content-Type`. */
export const FRAGMENT_MEDIA_TYPE = 'application/trickle-ice-sdpfrag';

/** What either level of a fragment may say of ICE. */
export interface SdpFragmentLevel {
  /** `undefined` if this level has none. Those of the fragment hold for every section without its own. */
  readonly ice: SdpIceParameters | undefined;
  /** The words of `a=ice-options`. */
  readonly iceOptions: readonly string[];
  /** `a=end-of-candidates`: of the section, or, said of the fragment, of them all. */
  readonly endOfCandidates: boolean;
  /** Whatever else stands there, verbatim. */
  readonly lines: readonly SdpLine[];
}

/** A section of a fragment. Of its `m=` line only the mid below it has a meaning (RFC 8840 §9.2). */
export interface SdpFragmentMedia extends SdpFragmentLevel, Omit<MediaDescription, 'lines' | 'number'> {
  readonly mid: string | undefined;
  readonly candidates: readonly SdpCandidate[];
}

/** A fragment as data. */
export interface SdpFragment extends SdpFragmentLevel {
  /** The BUNDLE groups of the session. They name sections that the fragment need not have. */
  readonly bundles: readonly (readonly string[])[];
  readonly media: readonly SdpFragmentMedia[];
}

/**
 * @param limits those of a description
 * @param warnings receives what was passed over: candidates and options that do not read
 * @returns the fragment, or why the text is none: a line that is none or has no place in it, a mid or a group that does not read, a username
 *   fragment without a password. Throws `ERR_BAD_ARGUMENT` for limits that are none.
 */
export function parseSdpFragment(
  text: string,
  limits: Partial<SdpLimits> = {},
  warnings: SdpWarning[] = [],
): SdpFragment | SdpError {
  checkOptions('parseSdpFragment', limits, SDP_LIMIT_RULES);
  const bounds = withDefaults(DEFAULT_SDP_LIMITS, limits);
  const lines = splitLines(text, bounds);
  if (isSdpError(lines)) return lines;
  const preamble = lines.find(({ type }) => type === 'v' || type === 'o');
  if (preamble !== undefined) {
    const grammar = 'a fragment begins without "v=" and "o="';
    return sdpError('line-malformed', grammar, { line: preamble.number });
  }
  const levels = divide(lines, bounds);
  if (isSdpError(levels)) return levels;
  const mids = readMids(levels);
  if (isSdpError(mids)) return mids;
  const bundles = readGroups(levels.lines);
  if (isSdpError(bundles)) return bundles;
  const session = readLevel(levels.lines, undefined, isSessionField, warnings);
  if (isSdpError(session)) return session;
  const media: SdpFragmentMedia[] = [];
  for (const [index, section] of levels.media.entries()) {
    const { kind, port, portCount, protocol, formats } = section;
    const mid = mids[index];
    const level = readLevel(section.lines, mid, isSectionField, warnings);
    if (isSdpError(level)) return level;
    const candidates = readCandidates(section.lines, mid, warnings);
    media.push({ kind, port, portCount, protocol, formats, mid, ...level, candidates });
  }
  return { ...session, bundles, media };
}

const ICE_FIELDS: readonly string[] = ['ice-ufrag', 'ice-pwd', 'ice-options', 'end-of-candidates'];

const SECTION_FIELDS: readonly string[] = [...ICE_FIELDS, 'mid', 'candidate'];

/** Whether a line stands in a field of its own. A group that is no BUNDLE stays a line. */
function isSessionField(line: SdpLine): boolean {
  return ICE_FIELDS.includes(attributeName(line) ?? '') || bundleOf(line) !== undefined;
}

function isSectionField(line: SdpLine): boolean {
  return SECTION_FIELDS.includes(attributeName(line) ?? '');
}

const BUNDLE = 'BUNDLE';

function readLevel(
  lines: readonly SdpLine[],
  mid: string | undefined,
  isField: (line: SdpLine) => boolean,
  warnings: SdpWarning[],
): SdpFragmentLevel | SdpError {
  const ufrag = singleAttribute(lines, 'ice-ufrag');
  if (isSdpError(ufrag)) return { ...ufrag, mid };
  const pwd = singleAttribute(lines, 'ice-pwd');
  if (isSdpError(pwd)) return { ...pwd, mid };
  const ice = readCredentials(ufrag, pwd, mid, false);
  if (isSdpError(ice)) return ice;
  const iceOptions: string[] = [];
  for (const { value, line } of attributes(lines, 'ice-options')) {
    for (const word of value.split(' ')) {
      if (isVisible(word)) iceOptions.push(word);
      else if (word !== '') warnings.push(ignoredLine('words in "a=ice-options"', line, mid));
    }
  }
  return {
    ice,
    iceOptions,
    endOfCandidates: hasAttribute(lines, 'end-of-candidates'),
    lines: lines.filter((line) => !isField(line)),
  };
}

function readCandidates(
  lines: readonly SdpLine[],
  mid: string | undefined,
  warnings: SdpWarning[],
): SdpCandidate[] {
  const candidates: SdpCandidate[] = [];
  for (const { value, line } of attributes(lines, 'candidate')) {
    const candidate = parseCandidate(value);
    if (isSdpError(candidate))
      warnings.push({ code: 'candidate-ignored', message: candidate.message, line, mid });
    else candidates.push(candidate);
  }
  return candidates;
}

function readGroups(lines: readonly SdpLine[]): string[][] | SdpError {
  const bundles: string[][] = [];
  for (const line of lines) {
    const mids = bundleOf(line);
    if (mids === undefined) continue;
    if (!mids.every(isToken)) {
      return sdpError('bundle-invalid', 'a BUNDLE group names mids', { line: line.number });
    }
    bundles.push(mids);
  }
  return bundles;
}

/** The words of `a=group:BUNDLE`; `undefined` for another line. */
function bundleOf(line: SdpLine): string[] | undefined {
  const [attribute] = attributes([line], 'group');
  const [semantics, ...mids] = (attribute?.value ?? '').split(' ').filter((word) => word !== '');
  return semantics === BUNDLE ? mids : undefined;
}

/**
 * The text of a fragment, lines ended by CRLF, in the order of RFC 8840 §9.2. Throws `ERR_BAD_ARGUMENT` for what would not be read back:
 * a mid that is no token, credentials of other characters or lengths, a line with a line end inside.
 */
export function writeSdpFragment(fragment: SdpFragment): string {
  const lines = fragment.bundles.map((mids) => {
    checkTokens('bundles', mids);
    return attributeLine('group', [BUNDLE, ...mids].join(' '));
  });
  lines.push(...levelLines(fragment), ...endLines(fragment), ...fragment.lines);
  const texts = lines.map(lineText);
  for (const media of fragment.media) texts.push(mediaLine(media), ...sectionLines(media).map(lineText));
  return joinLines(texts);
}

function sectionLines(media: SdpFragmentMedia): SdpLine[] {
  const { mid, candidates } = media;
  if (mid !== undefined) checkTokens('mid', [mid]);
  return [
    ...(mid === undefined ? [] : [attributeLine('mid', mid)]),
    ...levelLines(media),
    ...candidates.map((candidate) => attributeLine('candidate', writeCandidate(candidate))),
    ...endLines(media),
    ...media.lines,
  ];
}

function levelLines({ ice, iceOptions }: SdpFragmentLevel): SdpLine[] {
  const lines: SdpLine[] = [];
  if (ice !== undefined) {
    const { usernameFragment, password } = ice;
    if (!isTolerableIceText(usernameFragment, 4, 256))
      throw badArgument('usernameFragment', '4–256 ICE characters', usernameFragment);
    // The value is a secret, and an error is for people to read.
    if (!isTolerableIceText(password, 22, 256))
      throw badArgument('password', '22–256 ICE characters', `${password.length} characters`);
    lines.push(attributeLine('ice-ufrag', usernameFragment), attributeLine('ice-pwd', password));
  }
  if (iceOptions.length > 0) {
    for (const option of iceOptions)
      if (!isVisible(option)) throw badArgument('iceOptions', 'words without spaces', option);
    lines.push(attributeLine('ice-options', iceOptions.join(' ')));
  }
  return lines;
}

function endLines({ endOfCandidates }: SdpFragmentLevel): SdpLine[] {
  return endOfCandidates ? [attributeLine('end-of-candidates')] : [];
}

function checkTokens(name: string, tokens: readonly string[]): void {
  for (const token of tokens) if (!isToken(token)) throw badArgument(name, 'a token', token);
}

function lineText({ type, text }: SdpLine): string {
  return `${type}=${text}`;
}

/**
 * The candidates of a fragment one by one, as `Rtc` takes them: each with the mid and the username fragment that it belongs to; an empty one
 * where a section, or the whole fragment, says that no more will come.
 */
export function fragmentCandidates(fragment: SdpFragment): CandidateInit[] {
  const inits: CandidateInit[] = [];
  for (const { mid, ice, candidates, endOfCandidates } of fragment.media) {
    const usernameFragment = (ice ?? fragment.ice)?.usernameFragment;
    const of = { sdpMid: mid ?? null, sdpMLineIndex: null };
    for (const candidate of candidates) {
      const own = candidate.usernameFragment ?? usernameFragment;
      inits.push({ candidate: writeCandidateLine(candidate), ...of, usernameFragment: own ?? null });
    }
    if (endOfCandidates || fragment.endOfCandidates)
      inits.push({ candidate: '', ...of, usernameFragment: usernameFragment ?? null });
  }
  return inits;
}
