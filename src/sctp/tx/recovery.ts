/**
 * Loss recovery: what SACKs and timers say about the chunks in flight, told to the congestion controller and to the send window:
 *
 *   handleSack(): acknowledged, overtaken, lost → window and rate, fast recovery, round-trip sample
 *   handleReordering(): what was overtaken and did not come in time is lost (RFC 8985 §6.3)
 *   handleTailProbe(): silence after the last packet → it goes out once more (RFC 8985 §7)
 *   handleTimeout(): T3 → everything in flight is lost, one packet goes out (RFC 9260 §6.3.3)
 *
 *   open ── a loss ──→ recovering ── all that was in flight then is acknowledged, or T3 ──→ open
 */
import type { Counters } from '../../core/counters.ts';
import type { SctpCounter } from '../events.ts';
import type { SackChunk } from '../packet/sack.ts';
import type { TsnLine } from '../tsn.ts';
import type { SendWindow } from './send-window.ts';
import type { CongestionController } from './congestion.ts';
import type { Forwarding } from './forwarding.ts';
import type { Losses, Outstanding, SackOutcome } from './outstanding.ts';
import type { RtoEstimator } from './rto.ts';

/** What a SACK meant to the timers. */
export interface SackVerdict {
  /** False: it acknowledges what was never sent, and nothing has changed. */
  readonly valid: boolean;
  /** The earliest outstanding chunk was acknowledged: T3 starts anew. */
  readonly advanced: boolean;
  /** Something was acknowledged for the first time. */
  readonly progress: boolean;
}

/** RFC 8985 §7.2: a probe time-out in round trips, and its floor in milliseconds. */
const PROBE_ROUND_TRIPS = 2;
const MIN_PROBE_TIMEOUT = 10;
/** A peer whose SACKs of lone packets are late this many times in a row is taken to delay them despite the I bit. */
const MAX_FUTILE_PROBES = 3;
/** Milliseconds that something overtaken may always be late: clocks of hosts are no finer. */
const MIN_REORDERING_WINDOW = 1;

const STALE: SackVerdict = { valid: true, advanced: false, progress: false };
const INVALID: SackVerdict = { valid: false, advanced: false, progress: false };

/** What loss recovery reads and changes. */
export interface RecoveryParts {
  readonly line: TsnLine;
  readonly outstanding: Outstanding;
  readonly sendWindow: SendWindow;
  readonly forwarding: Forwarding;
  readonly rto: RtoEstimator;
  readonly congestion: CongestionController;
  readonly counters: Counters<SctpCounter>;
}

/** Loss recovery of one association. */
export class Recovery {
  /** Something was sent at a time that was not known to be now: `observe` is to be told the next one. */
  isProvisional = false;
  readonly #parts: RecoveryParts;
  /** When something was last sent or acknowledged. */
  #activeAt = 0;
  /** The silence has been probed: the rest is T3's. */
  #tailProbed = false;
  /** The last packet was the only one in flight, and had the I bit. */
  #isLone = false;
  /** Probes in a row of lone packets that had arrived after all: the peer may not know the I bit. */
  #futileProbes = 0;
  /** Fast recovery lasts until this position is acknowledged; -1 outside. */
  #exit = -1;
  /** Bytes delivered from which on the next round trip is timed: one a round (RFC 9260 §6.3.1 C4). */
  #nextSampleAt = 0;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  get isRecovering(): boolean {
    return this.#exit >= 0;
  }

  /** All that is outstanding has been given up, or has arrived: what is missing is the answer to a FORWARD TSN. */
  get awaitsForwardOnly(): boolean {
    const { outstanding } = this.#parts;
    return outstanding.count > 0 && outstanding.flightBytes === 0 && outstanding.lostCount === 0;
  }

  /** When a chunk that was overtaken counts as lost; Infinity: none was. */
  get reorderingDeadline(): number {
    return this.#parts.outstanding.nextLossAt(this.#reorderingWindow(), this.isRecovering);
  }

  /** Milliseconds of silence after which the tail is probed; Infinity: T3 alone waits. */
  get probeTimeout(): number {
    const { outstanding, rto, sendWindow } = this.#parts;
    if (rto.smoothed === undefined || this.#tailProbed || this.isRecovering) return Infinity;
    // The SACK of a single packet that did not ask for it may be delayed for longer than T3 differs from a probe.
    const isAnswered =
      outstanding.flightBytes > sendWindow.chunkSpace ||
      (this.#isLone && this.#futileProbes < MAX_FUTILE_PROBES);
    const isTail = outstanding.lostCount === 0 && outstanding.flightBytes > 0 && isAnswered;
    if (!isTail || sendWindow.peerWindow === 0) return Infinity;
    const timeout = Math.max(PROBE_ROUND_TRIPS * rto.smoothed, MIN_PROBE_TIMEOUT);
    return timeout < rto.timeout ? timeout : Infinity;
  }

  /** A time is seen: what was done at an unknown one was done no later. */
  observe(now: number): void {
    if (!this.isProvisional) return;
    this.isProvisional = false;
    this.#parts.outstanding.sent.observe(now);
    this.#activeAt = now;
  }

  /** A packet has been sent. `fresh`: the time is known to be now; `isLone`: nothing else is in flight, and it asks for a SACK. */
  noteSent(now: number, fresh: boolean, isLone: boolean): void {
    this.#activeAt = now;
    if (!fresh) this.isProvisional = true;
    this.#isLone = isLone;
  }

  /** Takes a SACK, or the cumulative TSN of a SHUTDOWN (with nothing else). */
  handleSack(sack: Omit<SackChunk, 'window'>, window: number, now: number): SackVerdict {
    const { line, outstanding, sendWindow, forwarding, counters } = this.#parts;
    const cumulative = line.position(sack.cumulativeTsn, outstanding.cumulative);
    if (cumulative < outstanding.cumulative) {
      counters.add('stale-sack');
      return STALE;
    }
    const hadReneged = outstanding.hasReneged;
    const recovering = this.isRecovering;
    const outcome = outstanding.handleSack(cumulative, sack.blocks, now);
    if (outcome === undefined) {
      counters.add('invalid-sack');
      return INVALID;
    }
    const { ackedBytes, cumulativeAdvanced: advanced } = outcome;
    sendWindow.peerWindow = window;
    sendWindow.allowFor(ackedBytes);
    if (advanced && cumulative >= this.#exit) this.#exit = -1;
    if (ackedBytes > 0 || advanced) {
      this.#judgeAnswer(sack.duplicates.length > 0);
      this.#tailProbed = false;
      this.#activeAt = now;
      this.#sampleRoundTrip();
      this.#tellAcknowledged(outcome, recovering, now);
    }
    this.#handleLosses(outstanding.detectLosses(now, this.#reorderingWindow(), recovering), now);
    forwarding.noteHeard();
    // While the peer waits for a chunk that was given up, anything newly acknowledged counts as the earliest outstanding chunk.
    const isHeadGivenUp = outstanding.isAbandoned(outstanding.cumulative + 1);
    return {
      valid: true,
      advanced: advanced || (ackedBytes > 0 && isHeadGivenUp),
      progress: advanced || (ackedBytes > 0 && !hadReneged),
    };
  }

  /** The reordering window of something overtaken has passed. */
  handleReordering(now: number): void {
    const losses = this.#parts.outstanding.detectLosses(now, this.#reorderingWindow(), this.isRecovering);
    this.#handleLosses(losses, now);
  }

  /** Silence: the milliseconds that are left of it, 0 when the tail is being probed (RFC 8985 §7.3). */
  handleTailProbe(now: number): number {
    const { outstanding, sendWindow, counters } = this.#parts;
    const left = this.#activeAt + this.probeTimeout - now;
    if (left > 0) return left;
    this.#tailProbed = true;
    if (!outstanding.loseLast(now)) return 0;
    counters.add('tail-loss-probes');
    sendWindow.exempt = true;
    sendWindow.allowBurst();
    return 0;
  }

  handleTimeout(now: number): void {
    const { sendWindow, congestion, counters, rto } = this.#parts;
    // A FORWARD TSN has a clock of its own.
    if (this.awaitsForwardOnly) {
      sendWindow.windowProbe = true;
      sendWindow.allowBurst();
      return;
    }
    counters.add('retransmission-timeouts');
    rto.backOff();
    // A probe of a shut window that goes unanswered says nothing about congestion (RFC 9260 §6.1 A).
    if (sendWindow.peerWindow > 0) congestion.onTimeout(now);
    sendWindow.windowProbe = true;
    this.#loseAll(now);
    // RFC 8985 §7.2: no probes until something is acknowledged.
    this.#tailProbed = true;
  }

  /** The path is back: what was in flight is taken for lost, and the time-out starts from the bottom. */
  handlePathRestored(now: number): void {
    const { outstanding, congestion, rto } = this.#parts;
    rto.resetBackoff();
    rto.shortest = Infinity;
    outstanding.sent.forgetPath();
    congestion.onPathChange(now);
    if (outstanding.count > 0) this.#loseAll(now);
  }

  #loseAll(now: number): void {
    const { outstanding, sendWindow, forwarding } = this.#parts;
    outstanding.loseAll(now);
    this.#tailProbed = false;
    this.#exit = -1;
    sendWindow.exempt = false;
    forwarding.remind();
    sendWindow.allowBurst();
  }

  /** A lone packet was answered. A SACK with a duplicate answers its probe: the packet itself had arrived. */
  #judgeAnswer(isDuplicate: boolean): void {
    if (!this.#isLone || this.#futileProbes >= MAX_FUTILE_PROBES) return;
    this.#futileProbes = isDuplicate ? this.#futileProbes + 1 : 0;
  }

  #sampleRoundTrip(): void {
    const { outstanding, sendWindow, rto } = this.#parts;
    const { roundTripTime, priorDelivered, delivered } = outstanding.sent;
    if (roundTripTime < 0 || priorDelivered < this.#nextSampleAt) return;
    this.#nextSampleAt = delivered;
    // While the window is shut the time-out goes on backing off, whatever a probe's round trip was.
    if (sendWindow.peerWindow > 0) rto.sample(roundTripTime);
  }

  #tellAcknowledged(outcome: Readonly<SackOutcome>, recovering: boolean, now: number): void {
    const { outstanding, sendWindow, congestion } = this.#parts;
    const { sent } = outstanding;
    congestion.onAcknowledged({
      now,
      ackedBytes: outcome.ackedBytes,
      inFlight: outstanding.flightBytes,
      delivered: sent.delivered,
      priorDelivered: sent.priorDelivered,
      deliveryRate: sent.deliveryRate,
      isAppLimited: sent.isAppLimited,
      roundTripTime: sent.roundTripTime,
      advanced: outcome.cumulativeAdvanced,
      recovering: recovering && this.isRecovering,
      windowLimited: sendWindow.wasLimited,
    });
  }

  #handleLosses({ chunks, bytes }: Readonly<Losses>, now: number): void {
    if (chunks === 0) return;
    const { outstanding, sendWindow, congestion, counters } = this.#parts;
    counters.add('fast-retransmits', chunks);
    const { flightBytes: inFlight } = outstanding;
    congestion.onLost({ now, lostBytes: bytes, inFlight, startsRecovery: !this.isRecovering });
    sendWindow.allowBurst();
    if (this.isRecovering) return;
    this.#exit = outstanding.next - 1;
    sendWindow.exempt = true;
  }

  #reorderingWindow(): number {
    const { outstanding, rto } = this.#parts;
    const quarters = Math.max(outstanding.sent.reorderingQuarters, 1);
    return Math.max(((rto.smoothed ?? rto.base) * quarters) / 4, MIN_REORDERING_WINDOW);
  }
}
