/**
 * Codecs of a media section: `rtpmap` and `fmtp` (RFC 8866 §6.6, §6.15), `rtcp-fb` (RFC 4585 §4.2). The formats of the `m=` line say which
 * there are; lines of others say nothing.
 */
import { badArgument } from '../core/errors.ts';
import { attributes, mediaMid } from './attributes.ts';
import type { MediaDescription, SdpLine } from './description.ts';
import { attributeLine } from './description.ts';
import type { SdpError, SdpWarning } from './error.ts';
import { ignoredLine, isSdpError, sdpError } from './error.ts';
import { hasRtcpMux } from './rtcp.ts';
import type { SdpEncoding } from './static-payload-types.ts';
import { staticEncoding } from './static-payload-types.ts';
import { firstWord, isToken, isTrimmed, parseDecimal, withoutSpaceAround } from './token.ts';

/** A format of an `m=` line over RTP, and what the section says of it. */
export interface SdpCodec {
  /** 0–127. */
  readonly payloadType: number;
  /** `opus`, `VP8`: as written, and compared without regard to case. */
  readonly name: string;
  /** Hz, of RTP timestamps. */
  readonly clockRate: number;
  /** The number behind the second slash of the `rtpmap`, where there is one. */
  readonly channels: number | undefined;
  /** The format's `fmtp`, verbatim, several lines joined by `;`; `undefined` where there is none. */
  readonly fmtp: string | undefined;
  /** What `rtcp-fb` of this format and of `*` say, in order and each once: `nack`, `nack pli`, `ccm fir`. */
  readonly feedback: readonly string[];
}

const MAX_PAYLOAD_TYPE = 127;

/** RFC 5761 §4: with RTP and RTCP on one port these read as RTCP packet types. */
const RTCP_PACKET_TYPES = { first: 64, last: 95 };

/** Values that `rtcp-fb:*` can add to every format. Three at most are known: without a bound, lines times formats are. */
const MAX_SHARED_FEEDBACK = 32;

/** The payload type that `rtcp-fb` has for all of the section. */
const ANY = '*';

/**
 * The codecs of a section, in the order of its formats.
 * `payload-type-invalid` for a format that is no payload type, or none with `rtcp-mux`; `rtpmap-invalid` for a malformed `rtpmap` of a
 * format; `duplicate-attribute` for two of one format that differ. A format that means nothing without an `rtpmap` and has none is
 * passed over with a warning, and so are malformed lines of `fmtp` and `rtcp-fb`, and lines of formats that the section does not have.
 */
export function mediaCodecs(media: MediaDescription, warnings: SdpWarning[] = []): SdpCodec[] | SdpError {
  const mid = mediaMid(media);
  const payloadTypes = readPayloadTypes(media, mid);
  if (isSdpError(payloadTypes)) return payloadTypes;
  const encodings = readEncodings(media, payloadTypes, mid, warnings);
  if (isSdpError(encodings)) return encodings;
  const fmtps = readFormatParameters(media, payloadTypes, mid, warnings);
  const feedback = readFeedback(media, payloadTypes, mid, warnings);
  const codecs: SdpCodec[] = [];
  for (const payloadType of payloadTypes) {
    const encoding = encodings.get(payloadType) ?? staticEncoding(payloadType);
    if (encoding === undefined) {
      const message = `expected an "a=rtpmap" of format ${payloadType}`;
      warnings.push({ code: 'format-ignored', message, line: media.number, mid });
      continue;
    }
    codecs.push({
      payloadType,
      ...encoding,
      fmtp: fmtps.get(payloadType),
      feedback: [...(feedback.get(payloadType) ?? [])],
    });
  }
  return codecs;
}

function readPayloadTypes(media: MediaDescription, mid: string | undefined): ReadonlySet<number> | SdpError {
  const mux = hasRtcpMux(media);
  const payloadTypes = new Set<number>();
  for (const format of media.formats) {
    const payloadType = parseDecimal(format, MAX_PAYLOAD_TYPE);
    const isRtcp =
      payloadType !== undefined &&
      payloadType >= RTCP_PACKET_TYPES.first &&
      payloadType <= RTCP_PACKET_TYPES.last;
    if (payloadType === undefined || (mux && isRtcp)) {
      const range = mux ? '0–63 or 96–127 with "a=rtcp-mux"' : '0–127';
      return sdpError('payload-type-invalid', `a format over RTP is a number of ${range}`, {
        line: media.number,
        mid,
      });
    }
    payloadTypes.add(payloadType);
  }
  return payloadTypes;
}

function readEncodings(
  media: MediaDescription,
  payloadTypes: ReadonlySet<number>,
  mid: string | undefined,
  warnings: SdpWarning[],
): ReadonlyMap<number, SdpEncoding> | SdpError {
  const encodings = new Map<number, SdpEncoding>();
  for (const { value, line } of attributes(media.lines, 'rtpmap')) {
    const [format, text] = firstWord(value);
    const payloadType = parseDecimal(format, MAX_PAYLOAD_TYPE);
    if (payloadType === undefined || !payloadTypes.has(payloadType)) {
      warnings.push(ignoredLine('an "a=rtpmap" of a format of the section', line, mid));
      continue;
    }
    const encoding = parseEncoding(text);
    if (encoding === undefined) {
      return sdpError('rtpmap-invalid', '"a=rtpmap" needs a format and <name>/<clock rate>[/<channels>]', {
        line,
        mid,
      });
    }
    const other = encodings.get(payloadType);
    if (other !== undefined && encodingText(other) !== encodingText(encoding)) {
      const once = 'expected one "a=rtpmap" a format, got several that differ';
      return sdpError('duplicate-attribute', once, { line, mid });
    }
    encodings.set(payloadType, other ?? encoding);
  }
  return encodings;
}

function parseEncoding(text: string): SdpEncoding | undefined {
  const [name = '', rate = '', count, ...more] = text.split('/');
  const clockRate = parseDecimal(rate, 0xffff_ffff);
  const channels = count === undefined ? undefined : parseDecimal(count, 0xffff_ffff);
  if (!isToken(name) || !clockRate || more.length > 0) return undefined;
  if (count !== undefined && !channels) return undefined;
  return { name, clockRate, channels };
}

function encodingText({ name, clockRate, channels }: SdpEncoding): string {
  return channels === undefined ? `${name}/${clockRate}` : `${name}/${clockRate}/${channels}`;
}

/** RFC 8866 §6.15 has one `fmtp` a format. Where there are several, browsers take all that they say. */
function readFormatParameters(
  media: MediaDescription,
  payloadTypes: ReadonlySet<number>,
  mid: string | undefined,
  warnings: SdpWarning[],
): ReadonlyMap<number, string> {
  const parts = new Map<number, Set<string>>();
  for (const { value, line } of attributes(media.lines, 'fmtp')) {
    const [format, text] = firstWord(value);
    const payloadType = parseDecimal(format, MAX_PAYLOAD_TYPE);
    if (payloadType === undefined || !payloadTypes.has(payloadType) || text === '') {
      warnings.push(ignoredLine('an "a=fmtp" of a format of the section, with parameters', line, mid));
      continue;
    }
    addTo(parts, payloadType, text);
  }
  return new Map([...parts].map(([payloadType, texts]) => [payloadType, [...texts].join(';')]));
}

function readFeedback(
  media: MediaDescription,
  payloadTypes: ReadonlySet<number>,
  mid: string | undefined,
  warnings: SdpWarning[],
): ReadonlyMap<number, ReadonlySet<string>> {
  const feedback = new Map<number, Set<string>>();
  const shared = new Set<string>();
  for (const { value, line } of attributes(media.lines, 'rtcp-fb')) {
    const [format, text] = firstWord(value);
    if (format === ANY && isFeedback(text)) {
      if (shared.has(text)) continue;
      if (shared.size === MAX_SHARED_FEEDBACK) {
        warnings.push(ignoredLine(`at most ${MAX_SHARED_FEEDBACK} values of "a=rtcp-fb:*"`, line, mid));
        continue;
      }
      shared.add(text);
      for (const payloadType of payloadTypes) addTo(feedback, payloadType, text);
      continue;
    }
    const payloadType = parseDecimal(format, MAX_PAYLOAD_TYPE);
    if (payloadType === undefined || !payloadTypes.has(payloadType) || !isFeedback(text)) {
      warnings.push(ignoredLine('an "a=rtcp-fb" of "*" or a format of the section, and a value', line, mid));
      continue;
    }
    addTo(feedback, payloadType, text);
  }
  return feedback;
}

/** RFC 4585 §4.2: tokens with single blanks between; parameters of extensions may be any text. */
function isFeedback(text: string): boolean {
  return isToken(firstWord(text)[0]);
}

function addTo(sets: Map<number, Set<string>>, key: number, text: string): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([text]));
  else set.add(text);
}

/**
 * The lines of a codec: `rtpmap`, then each `rtcp-fb`, then `fmtp`. A static payload type has its `rtpmap` as well (RFC 9429 §5.2.1).
 * Parameters of blanks alone have no line. Throws `ERR_BAD_ARGUMENT` for a codec that would not be read back.
 */
export function codecLines(codec: SdpCodec): SdpLine[] {
  const { payloadType, fmtp, feedback } = codec;
  if (parseDecimal(`${payloadType}`, MAX_PAYLOAD_TYPE) === undefined)
    throw badArgument('payloadType', 'a number of 0–127', payloadType);
  const encoding = encodingText(codec);
  if (parseEncoding(encoding) === undefined)
    throw badArgument('codec', 'a token, a clock rate and perhaps a number of channels', encoding);
  const lines = [attributeLine('rtpmap', `${payloadType} ${encoding}`)];
  for (const value of feedback) {
    if (!isFeedback(value) || !isTrimmed(value))
      throw badArgument('feedback', 'a token and perhaps parameters', value);
    lines.push(attributeLine('rtcp-fb', `${payloadType} ${value}`));
  }
  const parameters = withoutSpaceAround(fmtp ?? '');
  if (parameters !== '') lines.push(attributeLine('fmtp', `${payloadType} ${parameters}`));
  return lines;
}
