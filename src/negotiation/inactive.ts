/**
 * Media sections kept open without media. This end has none yet, and may reject every section but one; only the one with
 * the BUNDLE tag speaks for the transport that all of the group share (RFC 9143 §7.2, §7.3). Chromium with `max-bundle` refuses
 * an answer that rejects it, and Firefox takes such an answer and never connects. So it is accepted as `inactive`, with one
 * of its codecs, RTCP on the same path, and our transport.
 */
import type { MediaDescription } from '../sdp/index.ts';
import { attributes, hasAttribute } from '../sdp/index.ts';
import type { MediaSection } from './state.ts';

/** Of a section without media: the one codec that it is accepted with. */
export interface InactiveMedia {
  /** A format of the offer's `m=` line. */
  readonly format: string;
  /** Its `rtpmap` and `fmtp`, as the offer has them. */
  readonly attributes: readonly string[];
}

/** RTP over DTLS-SRTP (RFC 9429 §5.1.2), whatever is said to be below. */
const SECURE_RTP = /(?:^|\/)RTP\/SAVPF?$/;

/** The name of a codec (RFC 8866 §6.6): `opus/48000/2`. */
const CODEC = /^[!#$%&'*+\-.^_`{|}~A-Za-z0-9]{1,64}\/\d{1,9}(?:\/\d{1,3})?$/;

/** Characters of a `fmtp` that is repeated. */
const MAX_PARAMETERS = 1024;

/** How `media` would be accepted without media; `undefined` for a section that is no such thing, or has no `rtcp-mux`. */
export function inactiveMedia(media: MediaDescription): InactiveMedia | undefined {
  if (media.kind !== 'audio' && media.kind !== 'video') return undefined;
  if (!SECURE_RTP.test(media.protocol) || !hasAttribute(media.lines, 'rtcp-mux')) return undefined;
  for (const format of media.formats) {
    const codec = valueFor(media, 'rtpmap', format);
    // Without a name only the static payload types mean something (RFC 3551 §6).
    if (codec === undefined ? !isStatic(format) : !CODEC.test(codec)) continue;
    const parameters = valueFor(media, 'fmtp', format);
    const repeated = codec === undefined ? [] : [`rtpmap:${format} ${codec}`];
    if (parameters !== undefined && isPlain(parameters)) repeated.push(`fmtp:${format} ${parameters}`);
    return { format, attributes: repeated };
  }
  return undefined;
}

/** True for the section of the data channels: neither rejected nor one without media. */
export function carriesData({ rejected, inactive }: MediaSection): boolean {
  return !rejected && inactive === undefined;
}

/** What `a=<name>:<format> …` says. */
function valueFor(media: MediaDescription, name: string, format: string): string | undefined {
  const found = attributes(media.lines, name).find(({ value }) => value.startsWith(`${format} `));
  return found?.value.slice(format.length + 1);
}

function isStatic(format: string): boolean {
  return /^\d{1,2}$/.test(format) && Number(format) < 35;
}

function isPlain(text: string): boolean {
  return text.length <= MAX_PARAMETERS && /^[ -~]*$/.test(text);
}
