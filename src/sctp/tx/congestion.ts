/**
 * The congestion controller as an interface: it hears what was acknowledged, lost and timed out, and answers how much may be in
 * flight and how fast it may leave. `Bbr` (the default) and `NewReno` are two; `sctp.congestion` takes another.
 *
 *   chunks go out ─→ a SACK: onAcknowledged, then onLost if chunks were found lost ─→ window, pacingRate
 *                 ─→ the reordering timer: onLost · T3-rtx: onTimeout · the path came back: onPathChange
 *
 * Bytes are chunks with their headers, times milliseconds of the association's clock, rates bytes a millisecond. A
 * controller has no clock and no timer of its own; whatever it answers, the sender lets one packet out while nothing is in
 * flight, so that none can shut the association for ever.
 */

/** What one SACK brought. */
export interface AckSample {
  readonly now: number;
  /** Bytes acknowledged for the first time, by the cumulative TSN or by gap reports. */
  readonly ackedBytes: number;
  /** Bytes in flight after it. */
  readonly inFlight: number;
  /** Bytes delivered since the association began, these included. */
  readonly delivered: number;
  /**
   * `delivered` as it was when the chunk last sent among those acknowledged went out: it, `deliveryRate` and
   * `roundTripTime` speak of the same chunk. -1 when no acknowledged chunk was sent at a known time.
   */
  readonly priorDelivered: number;
  /** Bytes a millisecond over the life of that chunk (draft-cheng-iccrg-delivery-rate-estimation); 0: no sample. */
  readonly deliveryRate: number;
  /** The application had no more to send meanwhile: the path may carry more. */
  readonly isAppLimited: boolean;
  /** Milliseconds; -1: no sample (retransmitted, or sent at an unknown time). */
  readonly roundTripTime: number;
  /** The cumulative TSN advanced. */
  readonly advanced: boolean;
  /** Fast recovery was on before this SACK. */
  readonly recovering: boolean;
  /** What was acknowledged had been sent while the window held the sender back. */
  readonly windowLimited: boolean;
}

/** Chunks found lost at once. */
export interface LossSample {
  readonly now: number;
  readonly lostBytes: number;
  /** Bytes in flight after it. */
  readonly inFlight: number;
  /** The first loss of a window: fast recovery begins (RFC 9260 §7.2.4). */
  readonly startsRecovery: boolean;
}

/** A congestion controller: told what was acknowledged and lost, it says how much may be in flight and how fast it may leave. */
export interface CongestionController {
  /** Bytes that may be in flight: finite and above 0. */
  readonly window: number;
  /** Bytes a millisecond at which packets may leave, above 0; Infinity: as they come. */
  readonly pacingRate: number;
  onAcknowledged(ack: AckSample): void;
  onLost(loss: LossSample): void;
  /** T3-rtx expired: everything in flight is taken for lost. */
  onTimeout(now: number): void;
  /** The path was down and is up again: it may be another one. */
  onPathChange(now: number): void;
  /** Bytes of chunks in a full packet have changed. */
  setMtu(bytes: number): void;
  /** Numbers and names for inspection. */
  inspect(): Record<string, number | string>;
}

/** `mtu`: bytes of chunks a full packet carries; `initialWindow` in bytes. */
export interface CongestionOptions {
  readonly mtu: number;
  readonly initialWindow: number;
}
