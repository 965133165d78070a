/**
 * Data sections: data channels over SCTP over DTLS (RFC 8841). A session has one that is in use (RFC 9429 §5.2.1), because an
 * SCTP association has as many streams as both ends could want.
 *
 *   offered    in the form of RFC 8841; one that the session has already keeps its form
 *   answered   the one in use, or the first that is offered; any further one is rejected, and either end may reject the one in use
 *   read       the peer's SCTP port, and the largest message that it takes
 *   planned    those two: what the association has to know of the peer
 */
import { badArgument } from '../core/errors.ts';
import type { MediaDescription, SdpError, SdpWarning } from '../sdp/index.ts';
import {
  attributeLine,
  DATA_CHANNEL_FORMAT,
  isDataChannelSection,
  isSctpPortFormat,
  isSdpError,
  mediaMaxMessageSize,
  mediaSctpMap,
  mediaSctpPort,
  sdpError,
} from '../sdp/index.ts';
import type { SectionTransport } from './local-transport.ts';
import type { RemoteSection, SectionLine } from './section.ts';
import { lineOf, mediaLine } from './section.ts';

/** RFC 8841 §6: what an absent `a=max-message-size` means, bytes. */
export const DEFAULT_MAX_MESSAGE_SIZE = 65_536;

/** RFC 8841 §5 wants the line; 5000 is what every WebRTC stack would have written. */
const DEFAULT_SCTP_PORT = 5000;

/** `a=sctpmap` of the older form: as many streams as SCTP has; INIT says how many there are in fact. */
const MAX_STREAMS = 65_535;

/** A section for data channels, in use. */
export interface DataSection extends SectionLine {
  readonly kind: 'data';
}

/** What an end says of its own SCTP in a data section. */
export interface LocalData {
  /** 1–65535. */
  readonly sctpPort: number;
  /** Largest message this end accepts, bytes; `Infinity` for no limit. */
  readonly maxMessageSize: number;
}

/** What the SCTP association has to know of the peer. */
export interface DataPlan {
  readonly kind: 'data';
  readonly mid: string | undefined;
  /** 1–65535. */
  readonly sctpPort: number;
  /** Largest message the peer accepts, bytes; `Infinity` for no limit. */
  readonly maxMessageSize: number;
}

/** A data section of ours, under a mid that is free. */
export function newDataSection(mid: string): DataSection {
  return {
    kind: 'data',
    mid,
    media: 'application',
    protocol: 'UDP/DTLS/SCTP',
    formats: [DATA_CHANNEL_FORMAT],
  };
}

/** A section of the peer's, taken for data channels as it came. */
export function dataSection(section: RemoteSection): DataSection {
  return { kind: 'data', ...lineOf(section) };
}

/**
 * Which section of an offer is for data channels: the one in use, else the first that can be. `undefined` if there is none, or the
 * one in use is switched off.
 * @param inUse the index of the section that the session has for them; -1 for none
 * @param isWelcome whether a section shares the transport of the connection, and nobody has rejected it
 */
export function chooseDataSection(
  inUse: number,
  offered: readonly RemoteSection[],
  isWelcome: (section: RemoteSection) => boolean,
): RemoteSection | SdpError | undefined {
  const section = offered[inUse];
  if (section !== undefined && !section.isRejected && !isDataChannelSection(section.media)) {
    const place = { line: section.media.number, mid: section.mid };
    return sdpError('section-mismatch', 'the section of the data channels is in use', place);
  }
  const isUsable = (candidate: RemoteSection) =>
    !candidate.isRejected && isDataChannelSection(candidate.media) && isWelcome(candidate);
  return section !== undefined && isUsable(section) ? section : offered.find(isUsable);
}

/** What an answer has made of a data section of ours: the same, or why that cannot be. */
export function answeredDataSection(offered: DataSection, answer: RemoteSection): DataSection | SdpError {
  if (isDataChannelSection(answer.media)) return offered;
  const place = { line: answer.media.number, mid: offered.mid };
  return sdpError('section-mismatch', `expected "${DATA_CHANNEL_FORMAT}" over DTLS/SCTP`, place);
}

/** Reads the peer's side of a data section. What is passed over is added to `warnings`. */
export function readDataPlan(
  { mid }: DataSection,
  { media }: RemoteSection,
  strict: boolean,
  warnings: SdpWarning[],
): DataPlan | SdpError {
  const sctpPort = readSctpPort(media, mid, strict, warnings);
  if (isSdpError(sctpPort)) return sctpPort;
  const maxMessageSize = mediaMaxMessageSize(media);
  if (isSdpError(maxMessageSize)) return maxMessageSize;
  return { kind: 'data', mid, sctpPort, maxMessageSize: maxMessageSize ?? DEFAULT_MAX_MESSAGE_SIZE };
}

/** RFC 8841 §5: the port belongs to the SCTP association, which lives and dies with its DTLS association. */
export function checkDataChange(
  before: DataPlan,
  { mid, sctpPort }: DataPlan,
  newAssociation: boolean,
): SdpError | undefined {
  if (newAssociation || before.sctpPort === sctpPort) return undefined;
  return sdpError('sctp-port-changed', 'the SCTP association goes on, so its port cannot change', { mid });
}

/**
 * What an answer says where the offer said `offered`. `a=max-message-size` is the smaller of both, as Chromium answers (RFC
 * 8841 §6 allows any size).
 */
export function answeredData(local: LocalData, offered: DataPlan): LocalData {
  return { ...local, maxMessageSize: Math.min(local.maxMessageSize, offered.maxMessageSize) };
}

/** Writes a data section, in the form that it has in the session: the one of before RFC 8841 where the peer has offered that. */
export function writeDataSection(
  section: DataSection,
  transport: SectionTransport,
  { sctpPort, maxMessageSize }: LocalData,
): MediaDescription {
  const lines = [...transport.lines];
  const formIsOld = isSctpPortFormat(section.formats);
  if (formIsOld) lines.push(attributeLine('sctpmap', `${sctpPort} ${DATA_CHANNEL_FORMAT} ${MAX_STREAMS}`));
  else lines.push(attributeLine('sctp-port', String(sctpPort)));
  lines.push(attributeLine('max-message-size', maxMessageSize === Infinity ? '0' : String(maxMessageSize)));
  const media = { ...mediaLine(section), port: transport.port, lines };
  // The older form has each end's own port there.
  return formIsOld ? { ...media, formats: [String(sctpPort)] } : media;
}

/** Throws `ERR_BAD_ARGUMENT` for what could not be read back. */
export function checkLocalData({ sctpPort, maxMessageSize }: LocalData): void {
  if (!Number.isInteger(sctpPort) || sctpPort < 1 || sctpPort > 65_535) {
    throw badArgument('sctpPort', 'an integer of 1–65535', sctpPort);
  }
  if (maxMessageSize !== Infinity && (!Number.isSafeInteger(maxMessageSize) || maxMessageSize < 1)) {
    throw badArgument('maxMessageSize', 'a positive integer or Infinity', maxMessageSize);
  }
}

/** The peer's SCTP port, wherever its form of the section has it. */
function readSctpPort(
  media: MediaDescription,
  mid: string | undefined,
  strict: boolean,
  warnings: SdpWarning[],
): number | SdpError {
  const port = mediaSctpPort(media);
  if (isSdpError(port)) return port;
  const place = { line: media.number, mid };
  if (port === undefined) {
    if (strict) return sdpError('sctp-port-missing', 'expected "a=sctp-port"', place);
    const message = `"a=sctp-port" taken as ${DEFAULT_SCTP_PORT}`;
    warnings.push({ code: 'sctp-port-missing', message, ...place });
    return DEFAULT_SCTP_PORT;
  }
  if (isSctpPortFormat(media.formats) && mediaSctpMap(media) === undefined) {
    if (strict)
      return sdpError('sctpmap-missing', 'expected "a=sctpmap" to say what runs on the port', place);
    const message = 'no "a=sctpmap": what runs on the port is taken to be data channels';
    warnings.push({ code: 'sctpmap-missing', message, ...place });
  }
  return port;
}
