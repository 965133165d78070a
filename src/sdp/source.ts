/** Sources and streams of a media section: `ssrc`, `ssrc-group` (RFC 5576), `msid` (RFC 8830). */
import { badArgument } from '../core/errors.ts';
import { attributes, mediaMid } from './attributes.ts';
import type { MediaDescription, SdpLine } from './description.ts';
import { attributeLine } from './description.ts';
import type { SdpWarning } from './error.ts';
import { ignoredLine } from './error.ts';
import type { SdpParameter } from './parameter.ts';
import { firstWord, isToken, isVisible, parseDecimal, withoutSpaceBehind } from './token.ts';

/** What the `a=ssrc` lines say of one source. */
export interface SdpSource {
  /** 0–4294967295. */
  readonly ssrc: number;
  /** `cname`, `msid` and others, in order. */
  readonly attributes: readonly SdpParameter[];
}

/** One `a=ssrc-group`. */
export interface SdpSourceGroup {
  /** `FID` (RFC 5576), `SIM`, `FEC-FR` and others. */
  readonly semantics: string;
  readonly ssrcs: readonly number[];
}

/** One `a=msid`. */
export interface SdpStream {
  /** The identifier of a MediaStream; `-` for none. */
  readonly stream: string;
  /** The identifier of the track, where it is said. */
  readonly track: string | undefined;
}

const MAX_SSRC = 0xffff_ffff;

/** RFC 8830 §2: `msid-id = 1*64token-char`. */
const MAX_IDENTIFIER = 64;

/** The sources that `a=ssrc` lines tell, in the order in which each comes first. A line that does not read costs itself alone. */
export function mediaSources(media: MediaDescription, warnings: SdpWarning[] = []): SdpSource[] {
  const mid = mediaMid(media);
  const sources = new Map<number, SdpParameter[]>();
  for (const { value, line } of attributes(media.lines, 'ssrc')) {
    const [id, text] = firstWord(value);
    const ssrc = parseDecimal(id, MAX_SSRC);
    const attribute = parseSourceAttribute(text);
    if (ssrc === undefined || attribute === undefined) {
      warnings.push(ignoredLine('an "a=ssrc" of 32 bits and an attribute', line, mid));
      continue;
    }
    const known = sources.get(ssrc);
    if (known === undefined) sources.set(ssrc, [attribute]);
    else known.push(attribute);
  }
  return [...sources].map(([ssrc, attributes]) => ({ ssrc, attributes }));
}

function parseSourceAttribute(text: string): SdpParameter | undefined {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  return isToken(name) ? { name, value: colon < 0 ? undefined : text.slice(colon + 1) } : undefined;
}

/** The `a=ssrc` lines of a source, one for each attribute. Throws `ERR_BAD_ARGUMENT` for what would not be read back. */
export function sourceLines({ ssrc, attributes }: SdpSource): SdpLine[] {
  checkSsrc(ssrc);
  return attributes.map(({ name, value }) => {
    if (!isToken(name)) throw badArgument('name', 'a token', name);
    if (value !== undefined && withoutSpaceBehind(value) !== value)
      throw badArgument('value', 'text without blanks at its end', value);
    return attributeLine('ssrc', value === undefined ? `${ssrc} ${name}` : `${ssrc} ${name}:${value}`);
  });
}

/** The groups of sources, in order. A line that does not read costs itself alone. */
export function mediaSourceGroups(media: MediaDescription, warnings: SdpWarning[] = []): SdpSourceGroup[] {
  const mid = mediaMid(media);
  const groups: SdpSourceGroup[] = [];
  for (const { value, line } of attributes(media.lines, 'ssrc-group')) {
    const [semantics, text] = firstWord(value);
    const ssrcs = text === '' ? [] : text.split(' ').map((word) => parseDecimal(word, MAX_SSRC));
    if (isToken(semantics) && ssrcs.every((ssrc) => ssrc !== undefined)) groups.push({ semantics, ssrcs });
    else warnings.push(ignoredLine('an "a=ssrc-group" of semantics and SSRCs', line, mid));
  }
  return groups;
}

/** `a=ssrc-group:…`. Throws `ERR_BAD_ARGUMENT` for a group that would not be read back. */
export function sourceGroupLine({ semantics, ssrcs }: SdpSourceGroup): SdpLine {
  if (!isToken(semantics)) throw badArgument('semantics', 'a token', semantics);
  ssrcs.forEach(checkSsrc);
  return attributeLine('ssrc-group', [semantics, ...ssrcs].join(' '));
}

function checkSsrc(ssrc: number): void {
  if (parseDecimal(`${ssrc}`, MAX_SSRC) === undefined) throw badArgument('ssrc', 'a number of 32 bits', ssrc);
}

/**
 * The streams that a section belongs to, in order and each once; a line that does not read costs itself alone. Where there is no `a=msid`,
 * what `a=ssrc` lines say counts: GStreamer and older browsers have it there.
 */
export function mediaStreams(media: MediaDescription, warnings: SdpWarning[] = []): SdpStream[] {
  const mid = mediaMid(media);
  const streams = new Map<string, SdpStream>();
  const own = attributes(media.lines, 'msid');
  for (const { value, line } of own.length > 0 ? own : sourceStreams(media)) {
    const [stream, track] = firstWord(value);
    if (!isVisible(stream) || (track !== '' && !isVisible(track))) {
      warnings.push(ignoredLine('an "a=msid" of a stream and perhaps a track', line, mid));
      continue;
    }
    const key = track === '' ? stream : `${stream} ${track}`;
    streams.set(key, { stream, track: track === '' ? undefined : track });
  }
  return [...streams.values()];
}

/** The `msid` of `a=ssrc:1 msid:stream track`. */
function sourceStreams(media: MediaDescription): { value: string; line: number }[] {
  return attributes(media.lines, 'ssrc').flatMap(({ value, line }) => {
    const attribute = parseSourceAttribute(firstWord(value)[1]);
    return attribute?.name === 'msid' ? [{ value: attribute.value ?? '', line }] : [];
  });
}

/** `a=msid:…`. Throws `ERR_BAD_ARGUMENT` for identifiers that are none (RFC 8830 §2). */
export function streamLine({ stream, track }: SdpStream): SdpLine {
  if (!isStreamIdentifier(stream)) throw badArgument('stream', 'a token of 1–64 characters', stream);
  if (track === undefined) return attributeLine('msid', stream);
  if (!isStreamIdentifier(track)) throw badArgument('track', 'a token of 1–64 characters', track);
  return attributeLine('msid', `${stream} ${track}`);
}

/** True for what may stand in `a=msid`: a token of 1–64 characters. (What comes from a peer may be longer, and have others.) */
export function isStreamIdentifier(text: string): boolean {
  return text.length <= MAX_IDENTIFIER && isToken(text);
}
