/**
 * Media descriptions: what a media section says, read and written.
 *
 *   read       direction, codecs, header extensions, simulcast, streams and sources of a section of the peer's
 *   written    `extmap`, direction, `msid`, `rtcp-mux`, codecs, `rid` and `simulcast`, as RFC 9429 §5.2.1 orders them
 */
import type {
  Direction,
  MediaDescription,
  SdpCodec,
  SdpError,
  SdpExtension,
  SdpLine,
  SdpWarning,
} from '../sdp/index.ts';
import {
  allowsMixedExtensions,
  attributeLine,
  codecLines,
  extensionLine,
  hasAttribute,
  hasReducedSizeRtcp,
  hasRtcpMux,
  isBundleOnly,
  isSdpError,
  mediaCodecs,
  mediaDirection,
  mediaExtensions,
  mediaRids,
  mediaSimulcast,
  mediaSourceGroups,
  mediaSources,
  mediaStreams,
  ridLine,
  simulcastLine,
  streamLine,
} from '../sdp/index.ts';
import { CONGESTION_FEEDBACK, hasCongestionFeedback, toSdpCodecs } from './codec/index.ts';
import { sends } from './direction.ts';
import type { AgreedExtension } from './extensions.ts';
import type { MediaCodec, MediaFlow, ReceivedFlow } from './media.ts';
import type { RemoteSection, RemoteSession } from './section.ts';
import type { SimulcastLines } from './simulcast.ts';

/** What an end says of a media section in a description. */
export interface MediaDeclaration {
  readonly direction: Direction;
  readonly codecs: readonly MediaCodec[];
  readonly headerExtensions: readonly AgreedExtension[];
  readonly simulcast: SimulcastLines;
  readonly reducedSizeRtcp: boolean;
  /** One- and two-byte header extensions in one stream (RFC 8285 §4.1.2). */
  readonly mixedExtensions: boolean;
}

/** RTP over DTLS-SRTP (RFC 9429 §5.1.2), whatever is said to be below. */
const SECURE_RTP = /(?:^|\/)RTP\/SAVPF?$/;

/** True for the protocol of an `m=` line over which media is taken. */
export function isSecureRtp(protocol: string): boolean {
  return SECURE_RTP.test(protocol);
}

/** What some stacks write and mean RTP over DTLS-SRTP; then there is a fingerprint (RFC 9429 §5.1.2). */
const PLAIN_RTP = /^RTP\/AVPF?$/;

/** True for a section that this end could take: audio or video over DTLS-SRTP, with RTCP on the same path. */
export function isMediaSection({ media, isRejected }: RemoteSection): boolean {
  if (isRejected || (media.kind !== 'audio' && media.kind !== 'video')) return false;
  const isMeant = PLAIN_RTP.test(media.protocol) && hasAttribute(media.lines, 'fingerprint');
  // RFC 8858 §4: what is bundled only needs no line to say so.
  return (isMeant || isSecureRtp(media.protocol)) && (hasRtcpMux(media) || isBundleOnly(media));
}

/** What a description of the peer's says of a media section. */
export interface ReadMedia {
  readonly direction: Direction;
  readonly codecs: readonly SdpCodec[];
  readonly extensions: readonly SdpExtension[];
  readonly simulcast: SimulcastLines;
  readonly reducedSizeRtcp: boolean;
  readonly mixedExtensions: boolean;
}

/** Reads a media section. Errors: those of its codecs and header extensions; what is passed over is added to `warnings`. */
export function readMedia(
  { media, mid }: RemoteSection,
  inherited: RemoteSession['inherited'],
  warnings: SdpWarning[],
): ReadMedia | SdpError {
  const codecs = mediaCodecs(media, warnings);
  if (isSdpError(codecs)) return { ...codecs, mid };
  const extensions = mediaExtensions(inherited, media, warnings);
  if (isSdpError(extensions)) return { ...extensions, mid };
  const simulcast = mediaSimulcast(media);
  if (isSdpError(simulcast)) return { ...simulcast, mid };
  return {
    direction: mediaDirection(inherited, media),
    codecs,
    extensions,
    simulcast: { rids: mediaRids(media, warnings), simulcast },
    reducedSizeRtcp: hasReducedSizeRtcp(media),
    mixedExtensions: allowsMixedExtensions(inherited, media),
  };
}

/** What the peer will send over a section, and what it has told of it. */
export function readReceivedFlow(
  { media }: RemoteSection,
  flow: Omit<MediaFlow, 'streams'>,
  warnings: SdpWarning[],
): ReceivedFlow {
  return {
    ...flow,
    streams: streamsOf(media),
    sources: mediaSources(media, warnings),
    sourceGroups: mediaSourceGroups(media, warnings),
  };
}

/** The identifiers of the MediaStreams that a section's media belong to, each once. */
export function streamsOf(media: MediaDescription): readonly string[] {
  const streams = new Set(mediaStreams(media).map(({ stream }) => stream));
  streams.delete('-');
  return [...streams];
}

/**
 * The lines of a media section of ours behind those of its transport.
 * @param sent the MediaStreams and the name of the track that is sent
 */
export function mediaLines(
  said: MediaDeclaration,
  sent: { readonly streams: readonly string[]; readonly track: string },
  isAnswer: boolean,
): readonly SdpLine[] {
  const lines: SdpLine[] = [];
  if (said.mixedExtensions) lines.push(attributeLine('extmap-allow-mixed'));
  for (const extension of said.headerExtensions)
    lines.push(extensionLine({ ...extension, attributes: undefined }));
  lines.push(attributeLine(said.direction));
  if (sends(said.direction)) {
    const streams = sent.streams.length > 0 ? new Set(sent.streams) : ['-'];
    for (const stream of streams) lines.push(streamLine({ stream, track: sent.track }));
  }
  lines.push(attributeLine('rtcp-mux'));
  // RFC 8858 §3: in offers alone.
  if (!isAnswer) lines.push(attributeLine('rtcp-mux-only'));
  if (said.reducedSizeRtcp) lines.push(attributeLine('rtcp-rsize'));
  // RFC 8888 §6: it is for all formats, those of retransmissions, too.
  if (hasCongestionFeedback(said.codecs)) lines.push(attributeLine('rtcp-fb', `* ${CONGESTION_FEEDBACK}`));
  for (const codec of toSdpCodecs(said.codecs)) {
    const feedback = codec.feedback.filter((value) => value !== CONGESTION_FEEDBACK);
    lines.push(...codecLines({ ...codec, feedback }));
  }
  for (const rid of said.simulcast.rids) lines.push(ridLine(rid));
  if (said.simulcast.simulcast !== undefined) lines.push(simulcastLine(said.simulcast.simulcast));
  return lines;
}
