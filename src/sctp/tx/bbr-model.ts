/**
 * BBR's model of the path: how much it carries, how long it takes, and what it has just done.
 *
 *   bandwidth   the highest delivery rate of this probing cycle and the last; below the short-term bound, if there is one
 *   round trip  the shortest seen in ten seconds
 *   clump       what acknowledgements bring at once beyond the bandwidth
 *   the round   under way until something sent after its beginning is acknowledged: what it delivered, lost and waited
 *
 *   learn(ack) → … → judged and used by `Bbr` → beginRound(ack) → learn …
 */
import type { AckSample } from './congestion.ts';

/** "BBRBeta": what is left after a cut. */
export const BETA = 0.7;
/** "BBRLossThresh": a share of a round; and packets on top, for chance is coarse in a short one. */
const LOSS_THRESHOLD = 0.02;
const LOSS_PACKETS = 3;
/** What is lost in cruise anyway is not a probe's fault: as much of it as is believed, and the weight of one round. */
const MAX_USUAL_LOSS = 0.05;
const USUAL_LOSS_WEIGHT = 1 / 8;
/** A share of a round: so much is never random. */
const SEVERE_LOSS = 0.1;
/** The round trip, as a multiple of the shortest, from which on there is a queue. */
const QUEUE_SHOWS = 1.25;
/** Packets: the window is never less but after T3 ("BBRMinPipeCwnd"). */
const MIN_WINDOW = 4;
/** What tells a path that has become slower: its share of the estimate, and the round trip as a multiple of the shortest. */
const SLOWER_SHARE = 0.5;
const SLOWER_QUEUE = 2;
/** A round trip this close to the shortest is as good as it: a share and milliseconds. */
const NEAR_SHARE = 0.02;
const NEAR_TIME = 0.5;
/** Milliseconds of the rate that leave at once: a host's timers are no finer. */
const QUANTUM_TIME = 1;
const QUANTUM_PACKETS = 2;
/** Acknowledgements come in clumps of up to so many milliseconds, remembered for so many rounds. */
const MAX_CLUMP = 100;
const CLUMP_ROUNDS = 10;

/** What is known of the path: its bandwidth, its round trip, and how much fits in between. */
export class PathModel {
  /** Bytes of chunks in a full packet. */
  mtu: number;
  /** Milliseconds; Infinity before the first sample. */
  roundTrip: number = Infinity;
  roundTripSeenAt = 0;
  /** The shortest since this was last set to Infinity: for a phase that looks for it. */
  lowestRoundTrip: number = Infinity;
  /** Short-term bound, bytes in flight: what got through when too much was lost outside of a probe. */
  flightBound: number = Infinity;
  /** Rounds that have ended. */
  round = 0;
  /** Bytes delivered at which the round under way began: something sent later ends it. */
  roundBegan = 0;
  /** Bytes lost in the round under way. */
  roundLost = 0;

  /** The same for the bandwidth, bytes a millisecond. */
  #bandwidthBound = Infinity;
  /** The two slots of the bandwidth filter, bytes a millisecond: the last cycle's highest and this one's. */
  #lastBandwidth = 0;
  #thisBandwidth = 0;
  #roundBandwidth = 0;
  #lastRoundBandwidth = 0;
  #roundShortest = Infinity;
  /** The share lost in cruise, smoothed. */
  #usualLoss = 0;
  // Clumps of acknowledgements: what came beyond the bandwidth since the clump began.
  #clumpAt = 0;
  #clumpBytes = 0;
  #clumpRound = 0;
  #lastClump = 0;
  #thisClump = 0;
  readonly #initialWindow: number;

  constructor(mtu: number, initialWindow: number) {
    this.mtu = mtu;
    this.#initialWindow = initialWindow;
  }

  get maxBandwidth(): number {
    return Math.max(this.#lastBandwidth, this.#thisBandwidth);
  }

  /** What the path carries, as far as is known; 0: nothing is. */
  get bandwidth(): number {
    return Math.min(this.maxBandwidth, this.#bandwidthBound);
  }

  /** What this round or the last has carried. */
  get recentBandwidth(): number {
    return Math.max(this.#roundBandwidth, this.#lastRoundBandwidth);
  }

  /** Bytes the path holds without a queue, times `gain`. */
  flight(bandwidth: number, gain: number): number {
    return this.roundTrip === Infinity ? this.#initialWindow : gain * bandwidth * this.roundTrip;
  }

  get minWindow(): number {
    return MIN_WINDOW * this.mtu;
  }

  /** Bytes that leave in one go. */
  get quantum(): number {
    return Math.max(QUANTUM_PACKETS * this.mtu, this.bandwidth * QUANTUM_TIME);
  }

  get clump(): number {
    return Math.min(Math.max(this.#lastClump, this.#thisClump), this.bandwidth * MAX_CLUMP);
  }

  /** Nothing in this round came through without waiting in a queue. */
  get hasStandingQueue(): boolean {
    const shortest = this.#roundShortest;
    return shortest !== Infinity && shortest > this.roundTrip * QUEUE_SHOWS + NEAR_TIME;
  }

  learn(ack: AckSample, window: number): void {
    this.#learnBandwidth(ack);
    this.#learnRoundTrip(ack);
    this.#learnClump(ack, window);
  }

  /** True if more of `volume` bytes was lost than happens by chance. */
  isTooMuch(volume: number): boolean {
    return this.#exceeds(LOSS_THRESHOLD, volume);
  }

  /** The same of a probe, which what is lost anyway does not speak against. */
  isTooMuchForProbe(volume: number): boolean {
    return this.#exceeds(LOSS_THRESHOLD + Math.min(this.#usualLoss, MAX_USUAL_LOSS), volume);
  }

  /** The round under way has delivered, and lost, what is usual. `volume`: both together, bytes. */
  noteUsualLoss(volume: number): void {
    if (volume > 0) this.#usualLoss += (this.roundLost / volume - this.#usualLoss) * USUAL_LOSS_WEIGHT;
  }

  beginRound(ack: AckSample): void {
    this.round++;
    this.roundBegan = ack.delivered;
    this.roundLost = 0;
    this.#lastRoundBandwidth = this.#roundBandwidth;
    this.#roundBandwidth = 0;
    this.#roundShortest = Infinity;
  }

  /** A cycle of probing has ended: from now on its bandwidth is the last one's. */
  endCycle(): void {
    if (this.#thisBandwidth === 0) return;
    this.#lastBandwidth = this.#thisBandwidth;
    this.#thisBandwidth = 0;
  }

  /**
   * A cut of 30 % a round, but never below what the round has delivered. Loss that goes on below 70 % of the bandwidth, of a
   * few percent and with no queue to be seen, is not of our making: there it ends.
   */
  lowerBounds(delivered: number, window: number): void {
    const lost = this.roundLost / (delivered + this.roundLost);
    const isOurs = lost > SEVERE_LOSS || this.hasStandingQueue;
    const enough = isOurs ? 0 : BETA * this.maxBandwidth;
    this.#bandwidthBound = Math.max(this.#roundBandwidth, BETA * this.bandwidth, enough);
    const flight = Math.min(this.flightBound, window);
    this.flightBound = Math.max(delivered, BETA * flight, this.flight(enough, 1), this.minWindow);
  }

  /** Estimates of flows that share a path add up to more than it carries: a queue that stands is not to grow. */
  holdPace(ack: AckSample): void {
    if (ack.isAppLimited || this.#roundBandwidth === 0) return;
    const held = Math.max(this.#roundBandwidth, BETA * this.maxBandwidth);
    this.#bandwidthBound = Math.min(this.#bandwidthBound, held);
  }

  liftBounds(): void {
    this.#bandwidthBound = Infinity;
    this.flightBound = Infinity;
  }

  /**
   * A round brought less than half of what the model says while the queue was as long as the path: the path has become
   * slower. The filter would believe in the old one for two cycles, at a rate that fills any queue.
   */
  noticeSlowerPath(ack: AckSample): void {
    if (ack.isAppLimited || this.#roundBandwidth === 0 || this.#roundShortest === Infinity) return;
    const isQueued = this.#roundShortest > SLOWER_QUEUE * this.roundTrip + NEAR_TIME;
    if (!isQueued || this.#roundBandwidth > SLOWER_SHARE * this.maxBandwidth) return;
    this.#lastBandwidth = 0;
    this.#thisBandwidth = this.#roundBandwidth;
  }

  /** The path may be another one. */
  forgetPath(now: number): void {
    this.#lastBandwidth = 0;
    this.#thisBandwidth = 0;
    this.roundTrip = Infinity;
    this.roundTripSeenAt = now;
    this.liftBounds();
    this.#usualLoss = 0;
    this.#lastClump = 0;
    this.#thisClump = 0;
  }

  #learnBandwidth(ack: AckSample): void {
    const { deliveryRate } = ack;
    this.#roundBandwidth = Math.max(this.#roundBandwidth, deliveryRate);
    // What the application held back may only raise the estimate.
    if (ack.isAppLimited && deliveryRate < this.maxBandwidth) return;
    this.#thisBandwidth = Math.max(this.#thisBandwidth, deliveryRate);
  }

  #learnRoundTrip(ack: AckSample): void {
    const { roundTripTime, now } = ack;
    if (roundTripTime < 0) return;
    this.lowestRoundTrip = Math.min(this.lowestRoundTrip, roundTripTime);
    this.#roundShortest = Math.min(this.#roundShortest, roundTripTime);
    if (roundTripTime < this.roundTrip) this.roundTrip = roundTripTime;
    if (roundTripTime <= this.roundTrip * (1 + NEAR_SHARE) + NEAR_TIME) this.roundTripSeenAt = now;
  }

  /** "extra_acked": a peer or a path that saves up acknowledgements must not starve the sender meanwhile. */
  #learnClump(ack: AckSample, window: number): void {
    const { bandwidth } = this;
    const expected = bandwidth * (ack.now - this.#clumpAt);
    if (this.#clumpBytes <= expected) {
      this.#clumpBytes = 0;
      this.#clumpAt = ack.now;
    }
    this.#clumpBytes += ack.ackedBytes;
    const extra = this.#clumpBytes - bandwidth * (ack.now - this.#clumpAt);
    if (this.round - this.#clumpRound >= CLUMP_ROUNDS / 2) {
      this.#clumpRound = this.round;
      this.#lastClump = this.#thisClump;
      this.#thisClump = 0;
    }
    this.#thisClump = Math.max(this.#thisClump, Math.min(extra, window));
  }

  #exceeds(share: number, volume: number): boolean {
    return this.roundLost > share * volume + LOSS_PACKETS * this.mtu;
  }
}
