/**
 * The poll contract: what goes into an `Rtc` and what comes out.
 *
 * Feed an input, then call `pollOutput()` until it answers `timeout`: send what it says to send, look at the events, and
 * come back with `{ type: 'timeout', now }` no later than `at`. Any number of inputs and API calls may come between polls;
 * a missed poll delays, it does not lose.
 */
import type { SctpTransportEvent } from '../channel/index.ts';
import type { TransportAddress, Protocol } from '../core/address.ts';
import type { Failure } from '../core/errors.ts';
import type { HostReply } from '../core/host.ts';
import type { IceCandidate, IceCandidateError, IceGatheringState, IceState, IceTimer } from '../ice/index.ts';
import type { MediaStreamEvent } from '../media/index.ts';
import type { MediaEvent } from './signaling/media.ts';
import type { SctpInspection } from '../sctp/index.ts';
import type { DtlsTransportState, Ecn, Transmit } from '../transport/index.ts';

export type { DtlsTransportState, Ecn, Transmit } from '../transport/index.ts';
export type { SctpTransportState } from '../channel/index.ts';

/** What the world did. `now` is milliseconds of one monotonic clock of the caller's, any origin, fractions allowed. */
export type Input =
  | {
      readonly type: 'receive';
      /** Milliseconds. A time earlier than the last one seen is treated as the last one. */
      readonly now: number;
      readonly protocol: Protocol;
      /** Where the datagram came from, in canonical text (core/address). Node's `rinfo` fits. */
      readonly source: TransportAddress;
      /** The local address it arrived at: the one given to `addLocalCandidate`. */
      readonly destination: TransportAddress;
      /** The UDP payload. Never mutated, never kept after the call, unless `owned` says that it is given away. */
      readonly data: Uint8Array;
      /**
       * True: `data` is given away with the memory it lies in. It is written to, opened where it lies, and parts of it may be
       * kept, which spares a copy of each datagram. Only for a buffer that nobody else has: no slice of a TCP stream's buffer, no
       * datagram that is fed again or elsewhere. Default false.
       */
      readonly owned?: boolean | undefined;
      /** What the network said of congestion (RFC 3168 §5), where the host can tell. */
      readonly ecn?: Ecn | undefined;
    }
  /** The host's reply to an event `resolve` (core/host.ts). */
  | Extract<HostReply, { readonly type: 'resolved' }>
  | { readonly type: 'timeout'; readonly now: number };

/** A path: one of our addresses and one of the peer's. Two connections of one host cannot share it. */
export interface PathAddresses {
  readonly protocol: Protocol;
  readonly local: TransportAddress;
  readonly remote: TransportAddress;
}

/** The drain is over: come back at `at` at the latest, or earlier with whatever arrives. */
export interface TimeoutOutput {
  readonly type: 'timeout';
  /** Milliseconds on the caller's clock, always later than the last time seen; `Infinity` once closed. */
  readonly at: number;
  /** Which timer it is, as `layer.timer`; `idle` when nothing is armed. */
  readonly reason: string;
}

/** What `pollOutput` answers: a datagram to send, an event, or, at the end of the drain, when to come back. */
export type Output = Transmit | { readonly type: 'event'; readonly event: RtcEvent } | TimeoutOutput;

/** W3C `RTCPeerConnectionState`. */
export type ConnectionState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';

/** What happened, one type per happening. */
export type RtcEvent =
  | SctpTransportEvent
  | { readonly type: 'connectionstatechange'; readonly state: ConnectionState }
  | { readonly type: 'iceconnectionstatechange'; readonly state: IceState }
  | { readonly type: 'dtlsstatechange'; readonly state: DtlsTransportState }
  /** A restart would lead to a better path, with `ice.pathUpgrade: 'restart'`. */
  | { readonly type: 'restartwanted' }
  /**
   * W3C's event of that name: something waits for an offer of ours, and none is out: a restart of ICE, wishes of a draft or of an
   * offer that was taken back, channels without a section. Make one.
   */
  | { readonly type: 'negotiationneeded' }
  /** `mediaadded`: the peer's offer has brought audio or video. `mediachanged`: its agreed direction or codecs, or it has ended. */
  | MediaEvent
  /** RTP, and what belongs to its streams: where `Rtc` was given media. */
  | MediaStreamEvent
  /** The addresses of an mDNS name that a candidate of the peer's has are wanted, as an input `resolved`; whoever has none says so, or nothing. */
  | { readonly type: 'resolve'; readonly name: string }
  /** W3C's event of that name: what `setGatheringState` was told. */
  | { readonly type: 'icegatheringstatechange'; readonly state: IceGatheringState }
  /** A candidate of ours that came once gathering had begun, so that no description has it: the peer is to be told. */
  | { readonly type: 'icecandidate'; readonly candidate: IceCandidate }
  /** A STUN or TURN server gave no candidate; what `reportCandidateError` was told. It ends nothing. */
  | ({ readonly type: 'icecandidateerror' } & IceCandidateError)
  /** Something is going wrong but has not ended anything yet: a suspected DTLS role conflict, for example. */
  | { readonly type: 'warning'; readonly failure: Failure }
  /**
   * The connection is over; always the last event. `reason.code` is `local-close` after `close()`, `remote-close` when
   * the peer closed in an orderly way, or the code of the failure that ended it, with the gate that expired.
   */
  | { readonly type: 'closed'; readonly reason: Failure };

/**
 * The reasons of a deadline whose lateness nobody notices: timers that recur every few seconds, spread at random by far more
 * than the slack an endpoint may give them.
 */
export const IDLE_TIMERS: ReadonlySet<string> = new Set<
  `ice.${IceTimer}` | `sctp.${keyof SctpInspection['timers']}`
>(['ice.consentCheck', 'sctp.heartbeat']);
