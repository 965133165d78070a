/**
 * Summaries: packets of RTP and RTCP in one line for people, and packets without what applications say. They never throw, whatever the bytes
 * are, and read only what they show: a connection that carries data alone does not carry the readers of RTCP for its trace.
 */
import type { Bytes } from '../core/bytes.ts';
import { copyBytes, readU16, readU24, readU32 } from '../core/bytes.ts';
import { quote } from '../core/text.ts';
import { RtpPacket } from './packet.ts';
import { FORMAT, PACKET_TYPE, RTCP_HEADER_LENGTH, isRtcp } from './rtcp/packet-types.ts';

/** Packets, SSRCs or sequence numbers that one line names, at the most. */
const MAX_NAMED = 8;

/** `RTP 96 marker sequence 17 time 90000 of 1234, 1100 bytes`: the payload type and what is in the header; of the payload its length. */
export function rtpSummary(bytes: Uint8Array): string {
  const packet = RtpPacket.view(bytes as Bytes);
  if (packet === undefined) return `RTP malformed, ${bytes.length} bytes`;
  const { payloadType, marker, sequenceNumber, timestamp, ssrc, headerLength, paddingLength } = packet;
  const length = bytes.length - headerLength - paddingLength;
  return `RTP ${payloadType}${marker ? ' marker' : ''} sequence ${sequenceNumber} time ${timestamp} of ${ssrc}, ${length} bytes`;
}

/** `SRTP 96 sequence 17 of 1234, 1120 bytes`, `SRTCP of 1, 80 bytes`: what both leave in the clear (RFC 3711 §3.1, §3.4). */
export function srtpSummary(bytes: Uint8Array): string {
  const { length } = bytes;
  if (isRtcp(bytes))
    return length < 8 ? `SRTCP malformed, ${length} bytes` : `SRTCP of ${readU32(bytes, 4)}, ${length} bytes`;
  if (length < 12) return `SRTP malformed, ${length} bytes`;
  return `SRTP ${bytes[1]! & 0x7f} sequence ${readU16(bytes, 2)} of ${readU32(bytes, 8)}, ${length} bytes`;
}

/** `RTCP SR of 1 reports 2, NACK of 1 to 2: 100 102`: the packets of a compound. */
export function rtcpSummary(compound: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < compound.length;) {
    if (parts.length === MAX_NAMED) {
      parts.push('…');
      break;
    }
    const end = endOf(compound, at);
    if (end === undefined) {
      parts.push('malformed');
      break;
    }
    parts.push(packetSummary(compound.subarray(at, end)));
    at = end;
  }
  return `RTCP ${parts.join(', ')}`;
}

function endOf(compound: Uint8Array, at: number): number | undefined {
  if (compound.length - at < RTCP_HEADER_LENGTH || compound[at]! >> 6 !== 2) return undefined;
  const end = at + 4 * (1 + readU16(compound, at + 2));
  return end > compound.length ? undefined : end;
}

/** One packet, whole. */
function packetSummary(packet: Uint8Array): string {
  const count = packet[0]! & 0x1f;
  const ssrcs = numbers(packet, 4, readU32, 4, 2);
  const of = ssrcs[0] === undefined ? '' : ` of ${ssrcs[0]}`;
  const to = ssrcs[1] === undefined ? '' : ` to ${ssrcs[1]}`;
  switch (packet[1]) {
    case PACKET_TYPE.senderReport:
      return `SR${of} reports ${count}`;
    case PACKET_TYPE.receiverReport:
      return `RR${of} reports ${count}`;
    case PACKET_TYPE.sourceDescription:
      return `SDES of ${count}`;
    case PACKET_TYPE.bye:
      return `BYE of ${numbers(packet, 4, readU32, 4, Math.min(count, MAX_NAMED)).join(' ')}`;
    case PACKET_TYPE.app:
      return `APP${of} ${quote(String.fromCharCode(...packet.subarray(8, 12)))}`;
    case PACKET_TYPE.extendedReport:
      return `XR${of}`;
    case PACKET_TYPE.transportFeedback:
      if (count === FORMAT.nack) return `NACK${of}${to}: ${nacked(packet)}`;
      if (count === FORMAT.transportWide) return `transport-wide feedback${of}: ${reported(packet)}`;
      return count === FORMAT.congestion ? `congestion control feedback${of}` : `feedback 205/${count}`;
    case PACKET_TYPE.payloadFeedback:
      if (count === FORMAT.pli) return `PLI${of}${to}`;
      if (count === FORMAT.fir) return `FIR${of} to ${numbers(packet, 12, readU32, 8, MAX_NAMED).join(' ')}`;
      if (count !== FORMAT.application) return `feedback 206/${count}`;
      return isRemb(packet) ? `REMB${of} ${rembRate(packet)} bit/s` : `application feedback${of}${to}`;
    default:
      return `type ${packet[1]}`;
  }
}

/** `most` numbers from `start` on, `step` bytes apart, as far as there are. */
function numbers(
  packet: Uint8Array,
  start: number,
  read: (bytes: Uint8Array, at: number) => number,
  step: number,
  most: number,
): number[] {
  const found: number[] = [];
  for (let at = start; found.length < most && at + step <= packet.length; at += step)
    found.push(read(packet, at));
  return found;
}

/** The first numbers, each with `+` and how many of the 16 behind it. */
function nacked(packet: Uint8Array): string {
  const entries = numbers(packet, 12, readU32, 4, MAX_NAMED).map((entry) => {
    let others = 0;
    for (let bits = entry & 0xffff; bits !== 0; bits &= bits - 1) others++;
    return others === 0 ? `${entry >>> 16}` : `${entry >>> 16}+${others}`;
  });
  return entries.join(' ');
}

/** How many packets from which on. */
function reported(packet: Uint8Array): string {
  return packet.length < 16 ? 'malformed' : `${readU16(packet, 14)} from ${readU16(packet, 12)}`;
}

/** `REMB`, in ASCII (draft-alvestrand-rmcat-remb-03 §2.2). */
const REMB = 0x52_45_4d_42;

function isRemb(packet: Uint8Array): boolean {
  return packet.length >= 20 && readU32(packet, 12) === REMB;
}

function rembRate(packet: Uint8Array): number {
  const rate = readU24(packet, 17);
  return (rate & 0x3ffff) * 2 ** (rate >> 18);
}

// --- without what applications say ---

/** A copy of a packet of RTP whose payload is zeros; one that cannot be read is zeroed as a whole. */
export function blankRtpPayload(bytes: Uint8Array): Bytes {
  const copy = copyBytes(bytes);
  const packet = RtpPacket.view(copy);
  if (packet === undefined) return copy.fill(0);
  return copy.fill(0, packet.headerLength, copy.length - packet.paddingLength);
}

/** A copy of a compound in which the data of applications are zeros (APP, and feedback that is no REMB); from what cannot be read on, all is. */
export function blankApplicationRtcp(compound: Uint8Array): Bytes {
  const copy = copyBytes(compound);
  for (let at = 0; at < copy.length;) {
    const end = endOf(copy, at);
    if (end === undefined) return copy.fill(0, at);
    const packet = copy.subarray(at, end);
    const isFeedback =
      packet[1] === PACKET_TYPE.payloadFeedback &&
      (packet[0]! & 0x1f) === FORMAT.application &&
      !isRemb(packet);
    if (isFeedback || packet[1] === PACKET_TYPE.app) packet.fill(0, 12);
    at = end;
  }
  return copy;
}
