/** Inspection: the state of an association as plain, JSON-safe data; no tags, no cookies, no payload. */
import type { DeadlineName } from './association/deadlines.ts';
import type { PathMtuInspection } from './association/path-mtu.ts';
import type { SctpCounter, SctpState } from './events.ts';

/** What `SctpAssociation.inspect()` shows. */
export interface SctpInspection {
  readonly state: SctpState;
  /** What `setPathWritable` said last. */
  readonly pathWritable: boolean;
  /** Armed timers and gates with their deadlines, in milliseconds of the caller's clock. */
  readonly timers: Readonly<Partial<Record<DeadlineName, number>>>;
  /** The earliest of them, `null` for none. */
  readonly nextTimeout: number | null;
  readonly outboundStreams: number;
  /** Bytes; `null` for no limit. */
  readonly remoteMaxMessageSize: number | null;
  /** Negotiated: RFC 3758, RFC 8260, RFC 9653. */
  readonly partialReliability: boolean;
  readonly interleaving: boolean;
  readonly zeroChecksum: boolean;
  readonly pathMtu: PathMtuInspection;
  /** Events that wait for `pollEvent`. */
  readonly events: number;
  readonly send: SenderInspection;
  /** `null` until the peer has said where its numbers begin. */
  readonly receive: ReceiverInspection | null;
  readonly resets: {
    /** Streams of the request that waits for its answer. */
    readonly inFlight: readonly number[];
    /** The gate `streamReset` has told of them already. */
    readonly overdue: boolean;
    /** Streams that will be asked for next. */
    readonly waiting: number;
  };
  readonly counters: Readonly<Record<SctpCounter, number>>;
}

/** The sending half. Sizes in bytes of user data, times in milliseconds. */
export interface SenderInspection {
  /** Accepted and not yet put into a packet. */
  readonly bufferedBytes: number;
  /** Streams that take memory. */
  readonly streams: number;
  readonly outstandingChunks: number;
  /** Sent and not acknowledged by the cumulative TSN. */
  readonly unackedBytes: number;
  /** Of these, what is taken to be on the path. */
  readonly flightBytes: number;
  readonly lostChunks: number;
  /** The peer's window. */
  readonly peerWindow: number;
  /** In fast recovery. */
  readonly recovering: boolean;
  readonly retransmissionTimeout: number;
  /** Smoothed; `null` before the first sample. */
  readonly roundTripTime: number | null;
  /** The reordering window of RACK, in quarters of the smoothed round-trip time. */
  readonly reorderingQuarters: number;
  /** The congestion controller's own numbers and names. */
  readonly congestion: Readonly<Record<string, number | string>>;
}

/** The receiving half. Sizes in bytes. */
export interface ReceiverInspection {
  /** Taken of the receive window. */
  readonly usedBytes: number;
  /** What is left of it to advertise. */
  readonly window: number;
  /** The whole of it: `receiveWindow`, or what it has grown to. */
  readonly windowSize: number;
  /** Runs of chunks beyond the cumulative TSN. */
  readonly gaps: number;
  /** Chunks that wait for the rest of their message. */
  readonly fragments: number;
  /** Interleaved messages that have begun and are not whole (RFC 8260). */
  readonly openMessages: number;
  /** Chunks set aside behind a stream reset that waits. */
  readonly deferredChunks: number;
  /** Streams that take memory. */
  readonly streams: number;
  /** Streams whose chunks are dropped until the peer resets them. */
  readonly ignoredStreams: number;
}
