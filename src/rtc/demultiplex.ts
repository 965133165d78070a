/** Which protocol a datagram on a shared port belongs to, by its first byte (RFC 7983 §7, updated by RFC 9443). */

export type DatagramKind = 'stun' | 'dtls' | 'rtp' | 'unknown';

export function datagramKind(data: Uint8Array): DatagramKind {
  if (data.length === 0) return 'unknown';
  const first = data[0]!;
  if (first <= 3) return 'stun';
  if (first >= 20 && first <= 63) return 'dtls';
  if (first >= 128 && first <= 191) return 'rtp';
  return 'unknown';
}
