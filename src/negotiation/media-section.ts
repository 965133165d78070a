/**
 * Media sections: audio or video over RTP, secured by DTLS (RFC 9429 §5.2.1, RFC 8834).
 *
 *   offered    what this end wants, under numbers that mean one thing in the whole session
 *   accepted   a section of the peer's with a codec in common: the offer's numbers, and the direction that both want
 *   answered   what the peer has made of a section of ours: its codecs, its direction, its numbers
 *   planned    both flows, as they are agreed on
 *
 * A section that has no codec in common, no RTCP on the same path, or another profile than RTP over DTLS is rejected by who answers.
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
import { hasRtcpMux, isSdpError, sdpError } from '../sdp/index.ts';
import type { AgreedCodecs, PayloadTypes } from './codec/index.ts';
import {
  answeredCodecs,
  fromSdpCodecs,
  hasCongestionFeedback,
  matchAnswer,
  meaningOf,
  offeredCodecs,
  toSdpCodecs,
} from './codec/index.ts';
import { intersection, isWithin, reversed, sends } from './direction.ts';
import type { AgreedExtension, ExtensionTable } from './extensions.ts';
import {
  answeredExtensions,
  matchAnsweredExtensions,
  noteAgreedExtensions,
  offeredExtensions,
  receivedExtensions,
  sentExtensions,
  TRANSPORT_SEQUENCE_EXTENSION,
} from './extensions.ts';
import type { SectionTransport } from './local-transport.ts';
import type {
  CodecCapability,
  MediaCodec,
  MediaFlow,
  MediaKind,
  MediaPlan,
  MediaWish,
  OfferedMedia,
  SectionChoice,
} from './media.ts';
import type { MediaDeclaration, ReadMedia } from './media-description.ts';
import { isSecureRtp, mediaLines, readMedia, readReceivedFlow, streamsOf } from './media-description.ts';
import type { RemoteSection, RemoteSession, SectionLine } from './section.ts';
import { lineOf, mediaLine } from './section.ts';
import {
  answeredSimulcast,
  matchAnsweredSimulcast,
  NO_SIMULCAST,
  offeredEncodings,
  offeredSimulcast,
} from './simulcast.ts';
import type { SourceNaming } from './sources.ts';
import { sentSourceLines, sentSources } from './sources.ts';

/** A section for media, in use. */
export interface MediaSection extends SectionLine {
  readonly kind: 'media';
  readonly media: MediaKind;
  /** Names the media for as long as the session lasts. */
  readonly id: number;
  /** What this end wants of it. */
  readonly wish: MediaWish;
  /** What this end says of it in its latest description. */
  readonly said: MediaDeclaration;
}

/** What this end can do with media, by kind. */
export interface MediaCapabilities {
  readonly codecs: Readonly<Record<MediaKind, readonly CodecCapability[]>>;
  /** URIs. */
  readonly headerExtensions: Readonly<Record<MediaKind, readonly string[]>>;
}

/** What each number means, in the whole session. */
export interface Numbering {
  readonly payloadTypes: PayloadTypes;
  readonly extensions: ExtensionTable;
}

/** A section of the peer's that was taken, and the numbers that it says. */
export interface AcceptedMedia {
  readonly section: MediaSection;
  readonly plan: MediaPlan;
  readonly codecs: readonly SdpCodec[];
  readonly extensions: readonly SdpExtension[];
}

/** RFC 9429 §5.1.2: what an offer says. */
const PROTOCOL = 'UDP/TLS/RTP/SAVPF';

// --- our offer ---

/** Media that has no section yet: what stands in the `m=` line is filled in by `offeredMedia`. */
export function newMediaSection(
  mid: string,
  { id, media, wish }: Pick<MediaSection, 'id' | 'media' | 'wish'>,
): MediaSection {
  const said: MediaDeclaration = {
    direction: 'inactive',
    codecs: [],
    headerExtensions: [],
    simulcast: NO_SIMULCAST,
    reducedSizeRtcp: true,
    mixedExtensions: true,
  };
  return { kind: 'media', mid, media, protocol: PROTOCOL, formats: [], id, wish, said };
}

/**
 * A section as it is offered, with numbers for what has none yet.
 * @param orderIsWished the codecs stand in the order of the wish, though the last description had another one
 */
export function offeredMedia(
  section: MediaSection,
  capabilities: MediaCapabilities,
  orderIsWished: boolean,
  { payloadTypes, extensions }: Numbering,
): { readonly section: MediaSection; readonly numbering: Numbering } {
  const { media, wish, said } = section;
  const numbered = offeredCodecs(wish.codecs ?? capabilities.codecs[media], payloadTypes, said.codecs);
  const extended = offeredExtensions(
    wish.headerExtensions ?? capabilities.headerExtensions[media],
    extensions,
  );
  const codecs = orderIsWished ? numbered.codecs : inOrderOf(said.codecs, numbered.codecs);
  const declaration: MediaDeclaration = {
    direction: wish.direction,
    codecs,
    headerExtensions: extended.extensions.map((extension) => ({ ...extension, direction: undefined })),
    simulcast: offeredSimulcast(sends(wish.direction) ? wish.encodings : [], said.simulcast),
    reducedSizeRtcp: true,
    mixedExtensions: true,
  };
  return {
    section: declared(section, declaration),
    numbering: { payloadTypes: numbered.known, extensions: extended.table },
  };
}

/** RFC 9429 §5.2.2: formats stand in the order of the last description, what is new comes after them. */
function inOrderOf(before: readonly MediaCodec[], codecs: readonly MediaCodec[]): readonly MediaCodec[] {
  const places = new Map(before.map(({ payloadType }, place) => [payloadType, place]));
  const placeOf = ({ payloadType }: MediaCodec) => places.get(payloadType) ?? before.length;
  return [...codecs].sort((a, b) => placeOf(a) - placeOf(b));
}

/** The section with what is said of it, and the formats of its `m=` line. */
export function declared(section: MediaSection, said: MediaDeclaration): MediaSection {
  const formats = toSdpCodecs(said.codecs).map(({ payloadType }) => String(payloadType));
  return { ...section, formats, said };
}

// --- their offer ---

/**
 * Judges a section of an offer that `isMediaSection` has found possible.
 * @param before what the section is for so far; for new media a section with its id and its wish
 * @param taken what numbers mean in the sections before
 * @returns `undefined` where no codec is in common: the section is rejected, unless it speaks for the transport of others
 */
export function acceptedMedia(
  section: RemoteSection,
  { inherited }: RemoteSession,
  before: Pick<MediaSection, 'id' | 'wish'>,
  choice: SectionChoice | undefined,
  capabilities: MediaCapabilities,
  taken: ReadonlyMap<number, string>,
  warnings: SdpWarning[],
): AcceptedMedia | SdpError | undefined {
  const media = mediaKind(section);
  const read = readMedia(section, inherited, warnings);
  if (isSdpError(read)) return read;
  const offer = { ...read, codecs: withoutTaken(section, read, taken, warnings) };
  const wish = chosenWish(before.wish, choice);
  const wanted = wish.codecs ?? capabilities.codecs[media];
  const common = answeredCodecs(wanted, offer.codecs, wish.codecs !== undefined);
  const isOpenOnly = common.receive.length === 0;
  const { send, receive } = isOpenOnly && speaksForOthers(section) ? firstCodec(offer, media) : common;
  if (receive.length === 0) return undefined;
  const uris = wish.headerExtensions ?? capabilities.headerExtensions[media];
  const headerExtensions = answeredExtensions(
    // Its numbers nobody would be told of.
    hasCongestionFeedback(receive) ? uris.filter((uri) => uri !== TRANSPORT_SEQUENCE_EXTENSION) : uris,
    offer.extensions,
  );
  const direction = isOpenOnly ? 'inactive' : intersection(wish.direction, reversed(offer.direction));
  // RFC 9429 §5.3.1: what is sent is said where anything is; what is received always, or a browser gives it up for good.
  const simulcast = answeredSimulcast(
    offer.simulcast,
    { send: sends(direction) ? wish.encodings : [], receive: wish.receivedRids },
    new Set(receive.map(({ payloadType }) => payloadType)),
    headerExtensions,
  );
  const { reducedSizeRtcp } = offer;
  const said: MediaDeclaration = {
    direction,
    codecs: receive,
    headerExtensions,
    simulcast: { rids: simulcast.rids, simulcast: simulcast.simulcast },
    reducedSizeRtcp,
    mixedExtensions: offer.mixedExtensions,
  };
  const { id } = before;
  const line = { ...lineOf(section), media };
  const accepted = declared({ kind: 'media', ...line, id, wish, said }, said);
  const flows = flowsOf(headerExtensions, reducedSizeRtcp);
  const plan: MediaPlan = {
    kind: 'media',
    id,
    mid: section.mid,
    media,
    direction,
    send: { ...flows.send, codecs: send, encodings: simulcast.send, streams: wish.streams },
    receive: readReceivedFlow(
      section,
      { ...flows.receive, codecs: receive, encodings: simulcast.receive },
      warnings,
    ),
  };
  return { section: accepted, plan, codecs: offer.codecs, extensions: offer.extensions };
}

/**
 * RFC 9143 §9.1: a number means one codec in a BUNDLE group. Firefox gives a section that it adds its own numbers, also where another
 * one has ours under them: such a codec is not taken there.
 */
function withoutTaken(
  { mid, media }: RemoteSection,
  { codecs }: ReadMedia,
  taken: ReadonlyMap<number, string>,
  warnings: SdpWarning[],
): readonly SdpCodec[] {
  const free = codecs.filter((codec) => {
    const meaning = taken.get(codec.payloadType);
    return meaning === undefined || meaning === meaningOf(codec);
  });
  if (free.length < codecs.length) {
    const message = 'codecs under payload types that mean others in the BUNDLE group are not taken';
    warnings.push({ code: 'payload-type-conflict', message, line: media.number, mid });
  }
  return free;
}

/** True for the section with the tag of a group of several. */
function speaksForOthers({ mid, group }: RemoteSection): boolean {
  return group.length > 1 && mid === group[0];
}

/**
 * What keeps a section open that has no codec in common but the tag of its group: Chromium with `max-bundle` refuses an answer that rejects
 * it, and Firefox takes such an answer and never connects.
 */
function firstCodec({ codecs }: ReadMedia, media: MediaKind): AgreedCodecs {
  const [first] = fromSdpCodecs(codecs, media);
  if (first === undefined) return { send: [], receive: [] };
  const codec = { ...first, sdpFmtpLine: undefined, rtcpFeedback: [], rtxPayloadType: undefined };
  return { send: [codec], receive: [codec] };
}

/** What somebody who answers sees of a section of an offer. */
export function describeOffered(
  section: RemoteSection,
  { inherited }: RemoteSession,
  id: number | undefined,
  answer: Direction | undefined,
): OfferedMedia | undefined {
  const offer = readMedia(section, inherited, []);
  if (isSdpError(offer)) return undefined;
  const { index, mid, media } = section;
  return {
    index,
    mid,
    media: mediaKind(section),
    id,
    direction: offer.direction,
    codecs: fromSdpCodecs(offer.codecs, mediaKind(section)),
    headerExtensions: offer.extensions.map(({ id: number, uri }) => ({ id: number, uri })),
    encodings: offeredEncodings(offer.simulcast),
    streams: streamsOf(media),
    answer,
  };
}

// --- their answer ---

/** What an answer has made of a section of ours that it does not reject. */
export function answeredMedia(
  offered: MediaSection,
  answer: RemoteSection,
  { inherited }: RemoteSession,
  warnings: SdpWarning[],
): { readonly section: MediaSection; readonly plan: MediaPlan } | SdpError {
  const { said, wish, id, media, mid } = offered;
  const place = { line: answer.media.number, mid };
  if (!isSecureRtp(answer.media.protocol))
    return sdpError('section-mismatch', 'expected RTP over DTLS, as in the offer', place);
  if (!hasRtcpMux(answer.media))
    return sdpError('rtcp-mux-missing', 'expected "a=rtcp-mux": RTCP has no path of its own', place);
  const read = readMedia(answer, inherited, warnings);
  if (isSdpError(read)) return read;
  const direction = reversed(read.direction);
  if (!isWithin(direction, said.direction)) {
    const message = `the offer said "${said.direction}", and "${read.direction}" is no answer to it`;
    return sdpError('direction-mismatch', message, place);
  }
  const codecs = matchAnswer(said.codecs, read.codecs);
  if (isSdpError(codecs)) return { ...codecs, ...place };
  const headerExtensions = matchAnsweredExtensions(said.headerExtensions, read.extensions);
  if (isSdpError(headerExtensions)) return { ...headerExtensions, ...place };
  const simulcast = matchAnsweredSimulcast(said.simulcast, read.simulcast, headerExtensions);
  const flows = flowsOf(headerExtensions, read.reducedSizeRtcp);
  const plan: MediaPlan = {
    kind: 'media',
    id,
    mid,
    media,
    direction,
    send: { ...flows.send, codecs: codecs.send, encodings: simulcast.send, streams: wish.streams },
    receive: readReceivedFlow(
      answer,
      { ...flows.receive, codecs: codecs.receive, encodings: simulcast.receive },
      warnings,
    ),
  };
  return { section: offered, plan };
}

/** Writes a media section of ours. */
export function writeMediaSection(
  section: MediaSection,
  transport: SectionTransport,
  naming: SourceNaming | undefined,
  isAnswer: boolean,
): MediaDescription {
  const { said, wish, id } = section;
  // Every browser in the field wants a track's name behind the stream's, which RFC 8830 §2 leaves open.
  const sent = { streams: wish.streams, track: `media${id}` };
  const own = mediaLines(said, sent, isAnswer);
  const sources = naming === undefined ? [] : saidSources(naming, section);
  return { ...mediaLine(section), port: transport.port, lines: [...transport.lines, ...own, ...sources] };
}

/** The sources of one plain stream: those of a simulcast are told by their rids. */
function saidSources(naming: SourceNaming, { id, said }: MediaSection): readonly SdpLine[] {
  const { simulcast, direction, codecs } = said;
  if (!sends(direction) || (simulcast.simulcast?.send ?? []).length > 0) return [];
  const hasRtx = codecs.some(({ rtxPayloadType }) => rtxPayloadType !== undefined);
  return sentSources(naming, id, [], hasRtx).flatMap((source) => sentSourceLines(naming, source));
}

/** What is known of numbers once an answer has come to these plans. */
export function withAgreedExtensions(numbering: Numbering, plans: readonly MediaPlan[]): Numbering {
  const agreed = plans.flatMap(({ send, receive }) => [send.headerExtensions, receive.headerExtensions]);
  return { ...numbering, extensions: noteAgreedExtensions(numbering.extensions, agreed) };
}

function flowsOf(
  headerExtensions: readonly AgreedExtension[],
  reducedSizeRtcp: boolean,
): Readonly<Record<'send' | 'receive', Pick<MediaFlow, 'headerExtensions' | 'reducedSizeRtcp'>>> {
  return {
    send: { headerExtensions: sentExtensions(headerExtensions), reducedSizeRtcp },
    receive: { headerExtensions: receivedExtensions(headerExtensions), reducedSizeRtcp },
  };
}

function chosenWish(wish: MediaWish, choice: SectionChoice | undefined): MediaWish {
  if (choice === undefined) return wish;
  const { direction, codecs, headerExtensions, streams, encodings } = choice;
  return {
    ...wish,
    direction: direction ?? wish.direction,
    codecs: codecs ?? wish.codecs,
    headerExtensions: headerExtensions ?? wish.headerExtensions,
    streams: streams ?? wish.streams,
    receivedRids: encodings ?? wish.receivedRids,
  };
}

function mediaKind({ media }: RemoteSection): MediaKind {
  return media.kind === 'audio' ? 'audio' : 'video';
}
