/** Packet types of RTCP: the numbers that tell packets and their formats apart. */

/** Bytes in front of a packet's body. */
export const RTCP_HEADER_LENGTH = 4;

/** Packet types (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2). */
export const PACKET_TYPE = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  bye: 203,
  app: 204,
  transportFeedback: 205,
  payloadFeedback: 206,
  extendedReport: 207,
} as const;

/** The formats of the two feedback packets that are known, each beside its packet type. */
export const FORMAT = {
  /** Of 205: RFC 4585 §6.2.1, RFC 8888 §3.1, draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1. */
  nack: 1,
  congestion: 11,
  transportWide: 15,
  /** Of 206: RFC 4585 §6.3.1, RFC 5104 §4.3.1, RFC 4585 §6.4. */
  pli: 1,
  fir: 4,
  application: 15,
} as const;

/** True for RTCP beside RTP on one port: its packet types, 192–223, are no payload types with a marker in use (RFC 5761 §4). */
export function isRtcp(bytes: Uint8Array): boolean {
  if (bytes.length < RTCP_HEADER_LENGTH) return false;
  return bytes[0]! >> 6 === 2 && bytes[1]! >= 192 && bytes[1]! <= 223;
}
