/** Summaries: a datagram, and a packet in plaintext, in one line for people. They never throw, whatever the bytes are. */
import { messageSummary } from '../../channel/summary.ts';
import type { PacketKind } from '../../core/machine.ts';
import { dtlsSummary } from '../../dtls/summary.ts';
import { rtcpSummary, rtpSummary, srtpSummary } from '../../rtp/summary.ts';
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
      return srtpSummary(data);
    case 'unknown':
      return `unknown, ${data.length} bytes`;
  }
}

/** A packet of that kind; one of SCTP with what its messages are to data channels: `SCTP DATA 4 stream 0 DCEP OPEN "chat"`. */
export function packetSummary(kind: PacketKind, packet: Uint8Array): string {
  switch (kind) {
    case 'sctp':
      return sctpSummary(packet, messageSummary);
    case 'rtp':
      return rtpSummary(packet);
    case 'rtcp':
      return rtcpSummary(packet);
  }
}
