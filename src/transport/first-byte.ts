/** The first byte of a datagram: which protocol it belongs to, of those that share a port (RFC 7983 §7, RFC 9443). */

/** A protocol on a shared port; RTP and RTCP are told apart later (RFC 5761 §4). */
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
