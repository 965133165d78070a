/**
 * Media sections of an edited description: what is left of codecs, header extensions and encodings, the direction, the streams.
 * The numbers stay what they are: packets have them.
 */
import type { Direction, MediaDescription, SdpCodec, SdpError, SdpExtension } from '../../sdp/index.ts';
import {
  allowsMixedExtensions,
  hasReducedSizeRtcp,
  isSdpError,
  mediaCodecs,
  mediaDirection,
  mediaExtensions,
  mediaRids,
  mediaSimulcast,
  mediaStreams,
  parseFormatParameters,
} from '../../sdp/index.ts';
import type { EditedPair, EditedSection, MediaEdit } from './edit.ts';
import { changed, placeOf } from './edit.ts';

/** What says which format a codec has (RFC 6184, RFC 7798, RFC 9628, AV1, RFC 4588): all else in `fmtp` are wishes of a receiver. */
const FORMAT_PARAMETERS: readonly string[] = [
  ...['apt', 'packetization-mode', 'profile-level-id', 'profile-id'],
  ...['profile', 'tier', 'profile-space', 'tier-flag', 'interop-constraints', 'tx-mode'],
];

/** Compares a media section that is in use. */
export function compareMedia(pair: EditedPair, section: EditedSection): MediaEdit | SdpError {
  const codecs = leftCodecs(section);
  if (isSdpError(codecs)) return codecs;
  const extensions = leftExtensions(pair, section);
  if (isSdpError(extensions)) return extensions;
  const encodings = leftEncodings(section);
  if (isSdpError(encodings)) return encodings;
  const { session } = pair.edited;
  const { media } = section.edited;
  const direction = mediaDirection(session, media);
  if (!isNarrower(direction, mediaDirection(pair.written.session, section.written.media))) {
    return changed(`the direction was changed to "${direction}"`, placeOf(section));
  }
  return {
    kind: 'media',
    direction,
    codecs,
    extensions,
    ...encodings,
    reducedSizeRtcp: hasReducedSizeRtcp(media),
    mixedExtensions: allowsMixedExtensions(session, media),
    streams: streamsOf(media),
  };
}

/** RFC 8830 §2: `-` is no stream. */
function streamsOf(media: MediaDescription): readonly string[] {
  const streams = new Set(mediaStreams(media).map(({ stream }) => stream));
  streams.delete('-');
  return [...streams];
}

/** The same, or without one or both of its ways. */
function isNarrower(direction: Direction, written: Direction): boolean {
  return direction === written || direction === 'inactive' || written === 'sendrecv';
}

// --- codecs ---

function leftCodecs(section: EditedSection): readonly SdpCodec[] | SdpError {
  const codecs = mediaCodecs(section.edited.media);
  if (isSdpError(codecs)) return codecs;
  const written = mediaCodecs(section.written.media);
  if (isSdpError(written)) return written;
  const before = new Map(written.map((codec) => [codec.payloadType, codec]));
  for (const codec of codecs) {
    const { payloadType } = codec;
    const old = before.get(payloadType);
    if (old === undefined || !isSameFormat(codec, old)) {
      return changed(`payload type ${payloadType} was added, or is of another codec`, placeOf(section));
    }
    if (!codec.feedback.every((feedback) => old.feedback.includes(feedback))) {
      return changed(`"a=rtcp-fb" of payload type ${payloadType} was added to`, placeOf(section));
    }
  }
  return codecs;
}

function isSameFormat(codec: SdpCodec, old: SdpCodec): boolean {
  return (
    codec.name.toLowerCase() === old.name.toLowerCase() &&
    codec.clockRate === old.clockRate &&
    (codec.channels ?? 1) === (old.channels ?? 1) &&
    formatOf(codec) === formatOf(old)
  );
}

/** Of redundant payload (RFC 2198) the formats within are the whole of it. */
function formatOf({ name, fmtp = '' }: SdpCodec): string {
  if (name.toLowerCase() === 'red') return fmtp.trim();
  const parameters = new Map(
    parseFormatParameters(fmtp).map(({ name: key, value }) => [key.toLowerCase(), value]),
  );
  return JSON.stringify(FORMAT_PARAMETERS.map((key) => parameters.get(key)?.toLowerCase() ?? null));
}

// --- header extensions ---

function leftExtensions(
  { written, edited }: EditedPair,
  section: EditedSection,
): readonly number[] | SdpError {
  const extensions = mediaExtensions(edited.session, section.edited.media);
  if (isSdpError(extensions)) return extensions;
  const known = mediaExtensions(written.session, section.written.media);
  if (isSdpError(known)) return known;
  const before = new Map(known.map((extension) => [extension.id, extension]));
  const added = extensions.find((extension) => !isLess(extension, before.get(extension.id)));
  if (added !== undefined) {
    return changed(`header extension ${added.id} was added, or means another`, placeOf(section));
  }
  return extensions.map(({ id }) => id);
}

function isLess(extension: SdpExtension, old: SdpExtension | undefined): boolean {
  if (extension.uri !== old?.uri || extension.attributes !== old.attributes) return false;
  return isNarrower(extension.direction ?? 'sendrecv', old.direction ?? 'sendrecv');
}

// --- encodings ---

/** `a=rid` lines are compared as lines (`lines.ts`); `a=simulcast` may name fewer of them. */
function leftEncodings(section: EditedSection): Pick<MediaEdit, 'rids' | 'simulcast'> | SdpError {
  const simulcast = mediaSimulcast(section.edited.media);
  if (isSdpError(simulcast)) return simulcast;
  const written = mediaSimulcast(section.written.media);
  if (isSdpError(written)) return written;
  for (const direction of ['send', 'recv'] as const) {
    const before = new Set(written?.[direction].flat().map(({ rid }) => rid));
    const added = simulcast?.[direction].flat().find(({ rid }) => !before.has(rid));
    if (added !== undefined) return changed('"a=simulcast" was added to', placeOf(section));
  }
  return { rids: mediaRids(section.edited.media), simulcast };
}
