/** The header of an RTP packet (RFC 3550 §5.1): its measures, and changes where it lies. */
import type { Bytes } from '../core/bytes.ts';
import { writeU16, writeU32 } from '../core/bytes.ts';

/** Bytes of a header without CSRCs and extensions. */
export const FIXED_HEADER = 12;

/** What tells the form of header extensions (RFC 8285 §4.2, §4.3). The low four bits of the second are an application's. */
export const ONE_BYTE_PROFILE = 0xbede;
/** @see ONE_BYTE_PROFILE */
export const TWO_BYTE_PROFILE = 0x1000;

/** Sets the sequence number of the packet at `offset` of `packet`. Like its kin it checks nothing; `value` is cut to its field. */
export function setSequenceNumber(packet: Bytes, offset: number, value: number): void {
  writeU16(packet, offset + 2, value);
}

/** Sets the timestamp of the packet at `offset`: the low 32 bits of `value`. */
export function setTimestamp(packet: Bytes, offset: number, value: number): void {
  writeU32(packet, offset + 4, value);
}

/** Sets the source of the packet at `offset`. */
export function setSsrc(packet: Bytes, offset: number, value: number): void {
  writeU32(packet, offset + 8, value);
}

/** Sets the payload type, 0–127, of the packet at `offset`. */
export function setPayloadType(packet: Bytes, offset: number, value: number): void {
  packet[offset + 1] = (packet[offset + 1]! & 0x80) | (value & 0x7f);
}

/** Sets or clears the marker of the packet at `offset`. */
export function setMarker(packet: Bytes, offset: number, value: boolean): void {
  packet[offset + 1] = (packet[offset + 1]! & 0x7f) | (value ? 0x80 : 0);
}
