/**
 * Media sections: audio and video over RTP. This end has no media yet, so it offers none and keeps one open only where the
 * transport hangs on it: the section with the BUNDLE tag speaks for all of its group (RFC 9143 §7.2, §7.3). Chromium with
 * `max-bundle` refuses an answer that rejects that section, and Firefox takes such an answer and never connects.
 *
 *   offered    only again: what was kept open stays, until the peer closes it
 *   answered   the one with the tag, and one that was kept open before, as `inactive`: with one of its codecs, RTCP on the
 *              same path, and our transport; any other is rejected
 *   read       whether the peer has closed it
 *   planned    `inactive`: nothing to do
 */
import type { MediaDescription } from '../sdp/index.ts';
import { attributeLine, attributes, hasAttribute } from '../sdp/index.ts';
import type { SectionTransport } from './local-transport.ts';
import type { RemoteSection, SectionLine } from './section.ts';
import { lineOf, mediaLine } from './section.ts';

/** The one codec that a media section is kept open with. */
export interface MediaCodec {
  /** A format of the offer's `m=` line. */
  readonly format: string;
  /** Its `rtpmap` and `fmtp`, as the offer has them. */
  readonly attributes: readonly string[];
}

/** A section for media, kept open. */
export interface MediaSection extends SectionLine {
  readonly kind: 'media';
  readonly codec: MediaCodec;
}

/** What the connection has to do for a media section: nothing yet. */
export interface MediaPlan {
  readonly kind: 'media';
  readonly mid: string | undefined;
  readonly direction: 'inactive';
}

/** RTP over DTLS-SRTP (RFC 9429 §5.1.2), whatever is said to be below. */
const SECURE_RTP = /(?:^|\/)RTP\/SAVPF?$/;

/** The name of a codec (RFC 8866 §6.6): `opus/48000/2`. */
const CODEC = /^[!#$%&'*+\-.^_`{|}~A-Za-z0-9]{1,64}\/\d{1,9}(?:\/\d{1,3})?$/;

/** Characters of a `fmtp` that is repeated. */
const MAX_PARAMETERS = 1024;

/**
 * The section of an offer as it is kept open; `undefined` if it is to be rejected.
 * @param group the mids that share the transport of the connection, the tag first
 * @param wasKept it was kept open so far
 */
export function keptMediaSection(
  section: RemoteSection,
  group: readonly string[],
  wasKept: boolean,
): MediaSection | undefined {
  const { mid, media } = section;
  if (section.isRejected || mid === undefined) return undefined;
  if (mid !== group[0] && !(wasKept && group.includes(mid))) return undefined;
  const codec = firstCodec(media);
  return codec === undefined ? undefined : { kind: 'media', ...lineOf(section), codec };
}

/** What an answer has made of a section that we offer to keep open; `undefined` if the peer has closed it. */
export function answeredMediaSection(offered: MediaSection, answer: RemoteSection): MediaSection | undefined {
  return answer.isRejected ? undefined : offered;
}

/** The plan of a section that is kept open. */
export function mediaPlan({ mid }: MediaSection): MediaPlan {
  return { kind: 'media', mid, direction: 'inactive' };
}

/** Writes a section that is kept open. */
export function writeMediaSection(
  section: MediaSection,
  { port, lines }: SectionTransport,
): MediaDescription {
  const { format, attributes: texts } = section.codec;
  const codec = texts.map((text) => attributeLine(text));
  const own = [attributeLine('inactive'), attributeLine('rtcp-mux'), ...codec];
  return { ...mediaLine(section), formats: [format], port, lines: [...lines, ...own] };
}

/** The first codec that can be repeated; `undefined` for a section that is no RTP over DTLS, or has no `rtcp-mux`. */
function firstCodec(media: MediaDescription): MediaCodec | undefined {
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
