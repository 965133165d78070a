/** Summaries: a datagram, and a packet in plaintext, in one line for people. They never throw, whatever the bytes are. */
import { messageSummary } from '../../channel/summary.ts';
import { dtlsSummary } from '../../dtls/summary.ts';
import { sctpSummary } from '../../sctp/summary.ts';
import { stunSummary } from '../../stun/summary.ts';
import { datagramKind } from '../../transport/index.ts';

/** A datagram, by the protocol that its first byte names (RFC 7983). */
export function datagramSummary(data: Uint8Array): string {
  switch (datagramKind(data)) {
    case 'stun':
      return stunSummary(data);
    case 'dtls':
      return dtlsSummary(data);
    case 'rtp':
      return `RTP or RTCP, ${data.length} bytes`;
    case 'unknown':
      return `unknown, ${data.length} bytes`;
  }
}

/** An SCTP packet, with what its messages are to data channels: `SCTP DATA 4 stream 0 DCEP OPEN "chat"`. */
export function packetSummary(packet: Uint8Array): string {
  return sctpSummary(packet, messageSummary);
}
