/**
 * RTX: packets that are sent again, in a stream of their own (RFC 4588 §4). The payload begins with the sequence number that
 * the packet had the first time; all behind it is what it was.
 *
 *     header (SSRC, sequence number, payload type of RTX) │ original sequence number │ original payload
 */
import type { Bytes } from '../core/bytes.ts';
import { readU16 } from '../core/bytes.ts';
import { setPayloadType, setSequenceNumber, setSsrc } from './header.ts';
import { RtpPacket } from './packet.ts';

const OSN_LENGTH = 2;

/** Of a packet of RTX. `undefined`: it repairs nothing, as those that are sent as padding. */
export function originalSequenceNumber(packet: RtpPacket): number | undefined {
  const { bytes, headerLength, paddingLength } = packet;
  if (headerLength + OSN_LENGTH > bytes.length - paddingLength) return undefined;
  return readU16(bytes, headerLength);
}

/**
 * Makes of a packet of RTX the packet that was sent first, with the payload type and the source that it had. Works where it
 * lies: the answer is a view of `packet`, whose first two bytes are of no more use. Header extensions are those of the repair.
 * @returns `undefined`, and nothing is changed: no RTP packet, or one that repairs nothing
 */
export function unwrapRtx(packet: Bytes, payloadType: number, ssrc: number): Bytes | undefined {
  const rtx = RtpPacket.view(packet);
  if (rtx === undefined) return undefined;
  const sequenceNumber = originalSequenceNumber(rtx);
  if (sequenceNumber === undefined) return undefined;
  packet.copyWithin(OSN_LENGTH, 0, rtx.headerLength);
  setSequenceNumber(packet, OSN_LENGTH, sequenceNumber);
  setPayloadType(packet, OSN_LENGTH, payloadType);
  setSsrc(packet, OSN_LENGTH, ssrc);
  return packet.subarray(OSN_LENGTH);
}
