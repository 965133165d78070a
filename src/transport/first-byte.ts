/** The first bytes of a datagram: which protocol it belongs to, of those that share a port (RFC 7983 §7, RFC 9443, RFC 5761 §4). */

/** A protocol on a shared port; RTP and RTCP are told apart by `isRtcp`. */
export type DatagramKind = 'stun' | 'dtls' | 'rtp' | 'unknown';

/** The protocol of a UDP payload. */
export function datagramKind(data: Uint8Array): DatagramKind {
  if (data.length === 0) return 'unknown';
  const first = data[0]!;
  if (first <= 3) return 'stun';
  if (first >= 20 && first <= 63) return 'dtls';
  if (first >= 128 && first <= 191) return 'rtp';
  return 'unknown';
}

/**
 * Whether a datagram of the kind `rtp` is RTCP: packet types 192–223 are RTCP's where both share a port, so that RTP does without the
 * payload types 64–95 (RFC 5761 §4). SRTP leaves these bytes in plaintext.
 */
export function isRtcp(data: Uint8Array): boolean {
  const type = data[1] ?? 0;
  return type >= 192 && type <= 223;
}
