/**
 * Report: what `Rtc.getStats()` answers. Each machine tells facts, each file beside this one makes one kind of W3C's dictionaries from
 * them, and here they are put together:
 *
 *     connection ── transport ─┬─ certificates: ours, the peer's
 *         │                    └─ pairs of candidates, ours and the peer's
 *         ├── data channels
 *         └── streams of RTP, made by media themselves (`media/rtp-stats.ts`)
 *
 * Everything is counted whether anybody asks or not, and made into a report only then.
 */
import type { ChannelsStats } from '../../channel/index.ts';
import type { RtpStats } from '../../media/index.ts';
import type { TransportStats } from '../../transport/index.ts';
import type { CandidateIds } from './candidate-ids.ts';
import type { RTCIceCandidatePairStats } from './candidate-pair.ts';
import type { RTCIceCandidateStats } from './candidate.ts';
import type { RTCCertificateStats } from './certificate.ts';
import { certificateStats } from './certificate.ts';
import type { RTCDataChannelStats } from './data-channel.ts';
import { dataChannelStats } from './data-channel.ts';
import { iceStats } from './ice.ts';
import type { RTCPeerConnectionStats } from './peer-connection.ts';
import { peerConnectionStats } from './peer-connection.ts';
import type { RTCTransportStats } from './transport.ts';
import { transportStats } from './transport.ts';

/** A stats object of W3C webrtc-stats, by its `type`: plain, JSON-safe data that never changes. A member that is not known is absent. */
export type RTCStats =
  | RTCPeerConnectionStats
  | RTCTransportStats
  | RTCCertificateStats
  | RTCIceCandidateStats
  | RTCIceCandidatePairStats
  | RTCDataChannelStats
  | RtpStats;

/** The stats objects of one moment by their ids; `[...report.values()]` is JSON-safe. */
export type RTCStatsReport = ReadonlyMap<string, RTCStats>;

/** What the machines tell. */
export interface ConnectionStats {
  readonly transport: TransportStats;
  readonly channels: ChannelsStats;
  /** Where the connection was given media. */
  readonly media: readonly RtpStats[];
}

/** The report of a moment, `timestamp` milliseconds on the caller's clock. */
export function statsReport(
  { transport, channels, media }: ConnectionStats,
  ids: CandidateIds,
  timestamp: number,
): RTCStatsReport {
  const { localCertificate, remoteCertificate } = transport;
  const all: RTCStats[] = [
    peerConnectionStats(channels, timestamp),
    transportStats(transport, timestamp),
    certificateStats(localCertificate, timestamp),
    ...(remoteCertificate === undefined ? [] : [certificateStats(remoteCertificate, timestamp)]),
    ...iceStats(transport.ice, ids, timestamp),
    ...channels.channels.map((channel) => dataChannelStats(channel, timestamp)),
    ...media,
  ];
  return new Map(all.map((stats) => [stats.id, stats]));
}
