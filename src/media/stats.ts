/** The facts behind W3C's stats of RTP streams: counted always, read by whoever makes a report. Times are ms on the caller's clock. */
import type { CodecParameters } from './parameters.ts';

/** What has been received of one source. */
export interface ReceivedStreamStats {
  readonly mediaId: number;
  readonly kind: 'audio' | 'video';
  readonly mid: string | undefined;
  readonly rid: string | undefined;
  readonly ssrc: number;
  readonly codec: CodecParameters | undefined;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
  readonly headerBytesReceived: number;
  readonly packetsLost: number;
  readonly packetsDiscarded: number;
  /** Seconds. */
  readonly jitter: number;
  readonly lastPacketReceivedAt: number | undefined;
  readonly retransmittedPacketsReceived: number;
  readonly retransmittedBytesReceived: number;
  readonly nackCount: number;
  readonly pliCount: number;
  readonly firCount: number;
  readonly keyFramesReceived: number;
  /** What the peer's sender reports say. */
  readonly remote:
    | {
        readonly packetsSent: number;
        readonly bytesSent: number;
        readonly reportsSent: number;
        /** Milliseconds since 1900, the peer's clock. */
        readonly remoteTimestamp: number;
        /** Seconds, by DLRR. */
        readonly roundTripTime: number | undefined;
        readonly totalRoundTripTime: number;
        readonly roundTripTimeMeasurements: number;
      }
    | undefined;
}

/** What has been sent from one source. */
export interface SentStreamStats {
  readonly mediaId: number;
  readonly kind: 'audio' | 'video';
  readonly mid: string | undefined;
  readonly rid: string | undefined;
  readonly ssrc: number;
  readonly rtxSsrc: number | undefined;
  readonly codec: CodecParameters | undefined;
  readonly active: boolean;
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly headerBytesSent: number;
  readonly retransmittedPacketsSent: number;
  readonly retransmittedBytesSent: number;
  readonly nackCount: number;
  readonly pliCount: number;
  readonly firCount: number;
  /** What the peer's reports say. */
  readonly remote:
    | {
        readonly packetsLost: number;
        /** 0–1. */
        readonly fractionLost: number;
        /** Seconds. */
        readonly jitter: number;
        /** Seconds. */
        readonly roundTripTime: number | undefined;
        readonly totalRoundTripTime: number;
        readonly roundTripTimeMeasurements: number;
        readonly packetsReceived: number;
      }
    | undefined;
}

/** What `MediaUser.stats` tells. */
export interface MediaStats {
  readonly received: readonly ReceivedStreamStats[];
  readonly sent: readonly SentStreamStats[];
}
