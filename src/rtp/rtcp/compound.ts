/**
 * Compounds: RTCP packets one behind the other in a datagram (RFC 3550 §6.1), or few of them without a report in front, reduced in size
 * (RFC 5506). What can be read is read: a packet that is malformed within its bounds is left out, and what follows counts.
 */
import type { Bytes } from '../../core/bytes.ts';
import { Reader, readU16 } from '../../core/bytes.ts';
import { badArgument } from '../../core/errors.ts';
import { checkFields, fields, integer, oneOf, required } from '../../core/options.ts';
import { APPLICATION_FEEDBACK } from './application-feedback.ts';
import { APP } from './app.ts';
import { BYE } from './bye.ts';
import { CONGESTION_FEEDBACK } from './congestion-feedback.ts';
import { EXTENDED_REPORT } from './extended-report.ts';
import { FIR } from './fir.ts';
import type { PacketForm } from './form.ts';
import { FORMAT, PACKET_TYPE, RTCP_HEADER_LENGTH } from './packet-types.ts';
import { NACK } from './nack.ts';
import type { RtcpPacket } from './packet.ts';
import { PLI } from './pli.ts';
import { RECEIVER_REPORT } from './receiver-report.ts';
import { REMB, isRemb } from './remb.ts';
import { SENDER_REPORT } from './sender-report.ts';
import { SOURCE_DESCRIPTION } from './source-description.ts';
import { TRANSPORT_FEEDBACK } from './transport-feedback.ts';

/**
 * Packets that the feedback of one compound names in all, at the most: lost ones, and what became of others. Few bytes can name many, a
 * run of 8,191 that did not come in two of them; beyond this a packet is malformed. A datagram of 1,500 bytes full of NACKs names 6,290.
 */
export const MAX_NAMED_PACKETS = 8192;

/** What has been read of a compound. */
export interface RtcpCompound {
  /** In their order; views in them are of the bytes that were read. */
  readonly packets: RtcpPacket[];
  /** Packets that end early, or contradict themselves; behind one whose end is unknown nothing is read. */
  readonly malformed: number;
  /** Packets of a type or a format that is not known. */
  readonly unknown: number;
}

type PacketType = RtcpPacket['type'];

const FORMS: { readonly [Type in PacketType]: PacketForm<Extract<RtcpPacket, { type: Type }>> } = {
  'sender-report': SENDER_REPORT,
  'receiver-report': RECEIVER_REPORT,
  'source-description': SOURCE_DESCRIPTION,
  bye: BYE,
  app: APP,
  'extended-report': EXTENDED_REPORT,
  nack: NACK,
  pli: PLI,
  fir: FIR,
  remb: REMB,
  'transport-feedback': TRANSPORT_FEEDBACK,
  'congestion-feedback': CONGESTION_FEEDBACK,
  'application-feedback': APPLICATION_FEEDBACK,
};

const isPacket = fields<Pick<RtcpPacket, 'type'>>({ type: required(oneOf(Object.keys(FORMS))) });

/** Reads what can be read of a datagram, opened; it never throws, and costs no more than its bytes and `MAX_NAMED_PACKETS`. */
export function readRtcp(compound: Uint8Array): RtcpCompound {
  const packets: RtcpPacket[] = [];
  let malformed = 0;
  let unknown = 0;
  let room = MAX_NAMED_PACKETS;
  for (let at = 0; at < compound.length;) {
    const end = endOf(compound, at);
    if (end === undefined) {
      malformed++;
      break;
    }
    const body = bodyOf(compound, at, end);
    const form = body && formAt(compound, at, body);
    if (body === undefined) malformed++;
    else if (form === undefined) unknown++;
    else {
      const packet = form.read(body, compound[at]! & 0x1f, room);
      if (packet === undefined) malformed++;
      else {
        packets.push(packet);
        room -= namedPackets(packet);
      }
    }
    at = end;
  }
  return { packets, malformed, unknown };
}

/** Where the packet at `at` ends; `undefined`: nobody knows. */
function endOf(compound: Uint8Array, at: number): number | undefined {
  if (compound.length - at < RTCP_HEADER_LENGTH || compound[at]! >> 6 !== 2) return undefined;
  const end = at + 4 * (1 + readU16(compound, at + 2));
  return end > compound.length ? undefined : end;
}

/**
 * Without the header and the padding. RFC 3550 §6.4.1 pads the last packet alone, and by whole words; Chromium pads transport-wide
 * feedback to the word, wherever it stands. `undefined`: more padding than there are bytes, or none.
 */
function bodyOf(compound: Uint8Array, at: number, end: number): Reader | undefined {
  const start = at + RTCP_HEADER_LENGTH;
  if ((compound[at]! & 0x20) === 0) return new Reader(compound, start, end);
  const padding = compound[end - 1]!;
  return padding === 0 || padding > end - start ? undefined : new Reader(compound, start, end - padding);
}

function formAt(compound: Uint8Array, at: number, body: Reader): PacketForm<RtcpPacket> | undefined {
  const format = compound[at]! & 0x1f;
  switch (compound[at + 1]) {
    case PACKET_TYPE.senderReport:
      return SENDER_REPORT;
    case PACKET_TYPE.receiverReport:
      return RECEIVER_REPORT;
    case PACKET_TYPE.sourceDescription:
      return SOURCE_DESCRIPTION;
    case PACKET_TYPE.bye:
      return BYE;
    case PACKET_TYPE.app:
      return APP;
    case PACKET_TYPE.extendedReport:
      return EXTENDED_REPORT;
    case PACKET_TYPE.transportFeedback:
      if (format === FORMAT.nack) return NACK;
      if (format === FORMAT.transportWide) return TRANSPORT_FEEDBACK;
      return format === FORMAT.congestion ? CONGESTION_FEEDBACK : undefined;
    case PACKET_TYPE.payloadFeedback:
      if (format === FORMAT.pli) return PLI;
      if (format === FORMAT.fir) return FIR;
      if (format !== FORMAT.application) return undefined;
      return isRemb(body) ? REMB : APPLICATION_FEEDBACK;
    default:
      return undefined;
  }
}

function namedPackets(packet: RtcpPacket): number {
  switch (packet.type) {
    case 'nack':
      return packet.sequenceNumbers.length;
    case 'transport-feedback':
      return packet.deltas.length;
    case 'congestion-feedback':
      return packet.streams.reduce((sum, { packets }) => sum + packets.length, 0);
    default:
      return 0;
  }
}

/** Bytes that `writeRtcp` writes of a packet that it takes. */
export function rtcpLength(packet: RtcpPacket): number {
  return formOf(packet).length(packet);
}

/**
 * Writes one packet, without padding, at `offset` of `into`. Throws `ERR_BAD_ARGUMENT`, and writes nothing, for what can be no packet and
 * for one that `into` has no room for. Report blocks beyond 31 are the caller's to split (`splitReports`).
 * @returns the bytes written
 */
export function writeRtcp(packet: RtcpPacket, into: Bytes, offset: number): number {
  const form = formOf(packet);
  checkFields(packet.type, packet, form.rules);
  const length = form.length(packet);
  if (length > MAX_LENGTH) throw badArgument(packet.type, `${MAX_LENGTH} bytes at the most`, length);
  integer(0, into.length - length)(offset, 'offset');
  form.write(packet, into, offset, length);
  return length;
}

/** What 16 bits can say in words. */
const MAX_LENGTH = 0x4_0000;

function formOf(packet: RtcpPacket): PacketForm<RtcpPacket> {
  isPacket(packet, 'packet');
  return FORMS[packet.type];
}
