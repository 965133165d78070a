/** Headers of RTP and RTCP, as far as SRTP reads them: what stays in plaintext, and whose it is. */
import type { Bytes } from '../core/bytes.ts';
import { readU16 } from '../core/bytes.ts';
import { RTCP_HEADER } from './packet-cipher.ts';

const FIXED_HEADER = 12;
const EXTENSION_HEADER = 4;
const VERSION = 2;

/**
 * Bytes of the header of the RTP packet of `length` bytes at `offset`: with its CSRCs and its extensions (RFC 3550 §5.1). -1: it
 * is none of this version, or ends early.
 */
export function rtpHeaderLength(buffer: Bytes, offset: number, length: number): number {
  if (length < FIXED_HEADER) return -1;
  const first = buffer[offset]!;
  if (first >> 6 !== VERSION) return -1;
  let headerLength = FIXED_HEADER + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (headerLength + EXTENSION_HEADER > length) return -1;
    headerLength += EXTENSION_HEADER + 4 * readU16(buffer, offset + headerLength + 2);
  }
  return headerLength > length ? -1 : headerLength;
}

/** True if an RTCP packet may begin at `offset`. */
export function isRtcpHeader(buffer: Bytes, offset: number, length: number): boolean {
  return length >= RTCP_HEADER && buffer[offset]! >> 6 === VERSION;
}
