/**
 * The default controller: a model of the path instead of a reaction to each loss, after BBR (draft-ietf-ccwg-bbr).
 *
 *   bandwidth   the highest delivery rate of this probing cycle and the last
 *   round trip  the shortest seen in ten seconds
 *   cap         what may be in flight without too much loss; Infinity until it was too much once
 *
 *   startup ── bandwidth grows no more (three rounds), or too much is lost ──→ drain ── flight ≤ bandwidth · round trip ──┐
 *                                                                                                                       ↓
 *      ┌──────────────── up ←── one round ── refill ←── 2–3 s, or as many rounds as New Reno would take ── cruise ←── down
 *      └─ a queue shows, too much is lost, or three rounds bring no more ───────────────────────────────────────────────↑
 *
 *   any ── the shortest round trip was not seen for ten seconds ──→ probe-rtt ── 200 ms with half a window ──→ down | startup
 *
 * Each phase has a pacing gain and a window gain over the model (`GAINS`). Too much is more than 2 % of a round: while
 * probing (refill, up) that lowers the cap by 30 %, else the short-term bounds by 30 %, but neither to below what the same
 * round has delivered, so that random loss costs what it loses and little more. The next probe lifts the short-term bounds.
 *
 * Nothing here is timed: it moves with acknowledgements, and a path without them is T3's.
 */
import type { AckSample, CongestionController, CongestionOptions, LossSample } from './congestion.ts';

type Phase = 'startup' | 'drain' | 'down' | 'cruise' | 'refill' | 'up' | 'probe-rtt';

/** As in the draft: 4 · ln 2 in startup doubles the rate each round; down gives back what up took. */
const GAINS: Readonly<Record<Phase, { readonly pacing: number; readonly window: number }>> = {
  startup: { pacing: 2.77, window: 2 },
  drain: { pacing: 0.5, window: 2 },
  down: { pacing: 0.9, window: 2 },
  cruise: { pacing: 1, window: 2 },
  refill: { pacing: 1, window: 2 },
  up: { pacing: 1.25, window: 2.25 },
  'probe-rtt': { pacing: 1, window: 0.5 },
};

/** Pace a little below the estimate, so that queues drain. */
const PACING_MARGIN = 0.99;
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
/** "BBRBeta", "BBRHeadroom". */
const BETA = 0.7;
const HEADROOM = 0.85;
/** The least growth of a round that counts, and rounds without it that end startup. */
const GROWTH = 1.25;
const FLAT_ROUNDS = 3;
/** Packets: the window is never less but after T3 ("BBRMinPipeCwnd"). */
const MIN_WINDOW = 4;
/** What tells a path that has become slower: its share of the estimate, and the round trip as a multiple of the shortest. */
const SLOWER_SHARE = 0.5;
const SLOWER_QUEUE = 2;
/** Milliseconds: how long the shortest round trip is believed, and how long it is looked for. */
const ROUND_TRIP_LIFE = 10_000;
const PROBE_RTT_DURATION = 200;
/** A round trip this close to the shortest is as good as it: a share and milliseconds. */
const NEAR_SHARE = 0.02;
const NEAR_TIME = 0.5;
/** Milliseconds in cruise and down between probes, and rounds: New Reno's time to grow by a packet each. */
const PROBE_WAIT = 2000;
const PROBE_WAIT_SPREAD = 1000;
const PROBE_ROUNDS = 63;
/** Rounds in which `down` drains what `up` has queued: with a round trip that varies it may never look drained. */
const DOWN_ROUNDS = 4;
/** The cap's growth in up, as a share of what is acknowledged; it doubles each round. */
const CAP_GROWTH = 1 / 16;
/** Milliseconds of the rate that leave at once: a host's timers are no finer. */
const QUANTUM_TIME = 1;
const QUANTUM_PACKETS = 2;
/** Acknowledgements come in clumps of up to so many milliseconds, remembered for so many rounds. */
const MAX_CLUMP = 100;
const CLUMP_ROUNDS = 10;
/** First windows delivered before anything is paced; and the pace of startup at the least, in windows a round trip. */
const UNPACED_WINDOWS = 3;
const EARLY_PACE = 2;
/** Slowest pace: packets a second. */
const MIN_PACE = 10;
const MAX_WINDOW = 2 ** 30;

export class Bbr implements CongestionController {
  window: number;
  pacingRate: number = Infinity;
  #phase: Phase = 'startup';
  #mtu: number;
  readonly #initialWindow: number;

  /** The two slots of the bandwidth filter, bytes a millisecond: the last cycle's highest and this one's. */
  #lastBandwidth = 0;
  #thisBandwidth = 0;
  #roundTrip = Infinity;
  #roundTripSeenAt = 0;
  #cap = Infinity;
  /** Short-term bounds: what got through when too much was lost outside of a probe. */
  #bandwidthBound = Infinity;
  #flightBound = Infinity;

  // The round under way: it ends when something sent after its beginning is acknowledged.
  #roundEnd = 0;
  #round = 0;
  #roundBegan = 0;
  #roundLost = 0;
  #roundBandwidth = 0;
  #lastRoundBandwidth = 0;
  #roundShortest = Infinity;
  /** The share lost in cruise, smoothed. */
  #usualLoss = 0;

  // Startup, and up again: has the pipe been filled?
  #isFull = false;
  #fullBandwidth = 0;
  #flatRounds = 0;

  // The cycle of probing for bandwidth.
  #cycleAt = 0;
  #cycleRound = 0;
  #phaseRound = 0;
  #probeWait = PROBE_WAIT;
  /** What was sent while probing may still be in flight. */
  #isProbe = false;
  #probeEndRound = Infinity;
  #probePeak = 0;
  #probeFailed = false;

  #probeRttUntil = Infinity;
  #probeRttRound = 0;
  #probeRttLowest = Infinity;

  // Clumps of acknowledgements: what came beyond the bandwidth since the clump began.
  #clumpAt = 0;
  #clumpBytes = 0;
  #clumpRound = 0;
  #lastClump = 0;
  #thisClump = 0;

  constructor(options: CongestionOptions) {
    this.#mtu = options.mtu;
    this.#initialWindow = options.initialWindow;
    this.window = options.initialWindow;
  }

  onAcknowledged(ack: AckSample): void {
    const isRoundStart = ack.priorDelivered >= this.#roundEnd;
    this.#learnBandwidth(ack);
    this.#learnRoundTrip(ack);
    this.#learnClump(ack);
    if (isRoundStart) this.#endRound(ack);
    this.#move(ack, isRoundStart);
    this.#setWindow(ack);
    this.#setPace(ack);
  }

  onLost(loss: LossSample): void {
    this.#roundLost += loss.lostBytes;
    if (this.#bandwidth === 0) {
      // There is no model yet to bound the window by.
      if (loss.startsRecovery) this.window = Math.max(BETA * this.window, this.#minWindow);
      return;
    }
    if (!this.#isProbe || this.#probeFailed) return;
    // A probe does not wait for the end of the round.
    const volume = Math.max(this.#probePeak, loss.inFlight);
    if (this.#isTooMuch(volume, Math.min(this.#usualLoss, MAX_USUAL_LOSS))) this.#failProbe(loss.now);
  }

  onTimeout(): void {
    this.window = this.#mtu;
  }

  onPathChange(now: number): void {
    this.#enter('startup');
    this.#lastBandwidth = 0;
    this.#thisBandwidth = 0;
    this.#roundTrip = Infinity;
    this.#roundTripSeenAt = now;
    this.#cap = Infinity;
    this.#liftBounds();
    this.#usualLoss = 0;
    this.#isFull = false;
    this.#fullBandwidth = 0;
    this.#flatRounds = 0;
    this.#isProbe = false;
    this.#lastClump = 0;
    this.#thisClump = 0;
    this.#probeRttUntil = Infinity;
    this.window = this.#initialWindow;
    this.pacingRate = Infinity;
  }

  setMtu(bytes: number): void {
    this.#mtu = bytes;
    this.window = Math.max(this.window, bytes);
  }

  inspect(): Record<string, number | string> {
    return {
      controller: 'bbr',
      phase: this.#phase,
      window: this.window,
      pacingRate: Math.min(this.pacingRate, Number.MAX_SAFE_INTEGER),
      bandwidth: this.#bandwidth,
      roundTrip: Math.min(this.#roundTrip, Number.MAX_SAFE_INTEGER),
      cap: Math.min(this.#cap, Number.MAX_SAFE_INTEGER),
      round: this.#round,
    };
  }

  // --- the model ---

  get #maxBandwidth(): number {
    return Math.max(this.#lastBandwidth, this.#thisBandwidth);
  }

  /** What the path carries, as far as is known. */
  get #bandwidth(): number {
    return Math.min(this.#maxBandwidth, this.#bandwidthBound);
  }

  /** Bytes the path holds without a queue, times `gain`. */
  #flight(bandwidth: number, gain: number): number {
    return this.#roundTrip === Infinity ? this.#initialWindow : gain * bandwidth * this.#roundTrip;
  }

  get #minWindow(): number {
    return MIN_WINDOW * this.#mtu;
  }

  /** Bytes that leave in one go. */
  get #quantum(): number {
    return Math.max(QUANTUM_PACKETS * this.#mtu, this.#bandwidth * QUANTUM_TIME);
  }

  #learnBandwidth(ack: AckSample): void {
    const { deliveryRate } = ack;
    this.#roundBandwidth = Math.max(this.#roundBandwidth, deliveryRate);
    // What the application held back may only raise the estimate.
    if (ack.isAppLimited && deliveryRate < this.#maxBandwidth) return;
    this.#thisBandwidth = Math.max(this.#thisBandwidth, deliveryRate);
  }

  #learnRoundTrip(ack: AckSample): void {
    const { roundTripTime, now } = ack;
    if (roundTripTime < 0) return;
    this.#probeRttLowest = Math.min(this.#probeRttLowest, roundTripTime);
    this.#roundShortest = Math.min(this.#roundShortest, roundTripTime);
    if (roundTripTime < this.#roundTrip) this.#roundTrip = roundTripTime;
    if (roundTripTime <= this.#roundTrip * (1 + NEAR_SHARE) + NEAR_TIME) this.#roundTripSeenAt = now;
  }

  /** "extra_acked": a peer or a path that saves up acknowledgements must not starve the sender meanwhile. */
  #learnClump(ack: AckSample): void {
    const bandwidth = this.#bandwidth;
    const expected = bandwidth * (ack.now - this.#clumpAt);
    if (this.#clumpBytes <= expected) {
      this.#clumpBytes = 0;
      this.#clumpAt = ack.now;
    }
    this.#clumpBytes += ack.ackedBytes;
    const extra = this.#clumpBytes - bandwidth * (ack.now - this.#clumpAt);
    if (this.#round - this.#clumpRound >= CLUMP_ROUNDS / 2) {
      this.#clumpRound = this.#round;
      this.#lastClump = this.#thisClump;
      this.#thisClump = 0;
    }
    this.#thisClump = Math.max(this.#thisClump, Math.min(extra, this.window));
  }

  get #clump(): number {
    return Math.min(Math.max(this.#lastClump, this.#thisClump), this.#bandwidth * MAX_CLUMP);
  }

  // --- rounds ---

  #endRound(ack: AckSample): void {
    const delivered = ack.delivered - this.#roundBegan;
    const volume = delivered + this.#roundLost;
    const isTooMuch = this.#isTooMuch(volume);
    if (this.#phase === 'cruise' && !this.#isProbe && volume > 0) {
      this.#usualLoss += (this.#roundLost / volume - this.#usualLoss) * USUAL_LOSS_WEIGHT;
    }
    if (this.#isFull) this.#noticeSlowerPath(ack);
    if (!this.#isFull) this.#judgeStartup(ack, isTooMuch, delivered);
    else if (isTooMuch && !this.#isProbe) this.#lowerBounds(delivered);
    else if (this.#hasStandingQueue && !this.#isProbe) this.#holdPace(ack);
    this.#round++;
    this.#roundEnd = ack.delivered;
    this.#roundBegan = ack.delivered;
    this.#roundLost = 0;
    this.#lastRoundBandwidth = this.#roundBandwidth;
    this.#roundBandwidth = 0;
    this.#roundShortest = Infinity;
  }

  #isTooMuch(volume: number, usual = 0): boolean {
    return this.#roundLost > (LOSS_THRESHOLD + usual) * volume + LOSS_PACKETS * this.#mtu;
  }

  #judgeStartup(ack: AckSample, isTooMuch: boolean, delivered: number): void {
    if (ack.isAppLimited || this.#maxBandwidth === 0) return;
    const grows = this.#maxBandwidth >= this.#fullBandwidth * GROWTH;
    if (grows) {
      this.#fullBandwidth = this.#maxBandwidth;
      this.#flatRounds = 0;
      return;
    }
    this.#flatRounds++;
    if (isTooMuch) this.#cap = Math.max(this.#flight(this.#maxBandwidth, 1), delivered, this.#minWindow);
    this.#isFull = isTooMuch || this.#flatRounds >= FLAT_ROUNDS;
  }

  /**
   * A cut of 30 % a round, but never below what the round has delivered. Loss that goes on below 70 % of the bandwidth, of a
   * few percent and with no queue to be seen, is not of our making: there it ends.
   */
  #lowerBounds(delivered: number): void {
    const lost = this.#roundLost / (delivered + this.#roundLost);
    const isOurs = lost > SEVERE_LOSS || this.#hasStandingQueue;
    const enough = isOurs ? 0 : BETA * this.#maxBandwidth;
    const bandwidth = Math.min(this.#bandwidthBound, this.#maxBandwidth);
    this.#bandwidthBound = Math.max(this.#roundBandwidth, BETA * bandwidth, enough);
    const flight = Math.min(this.#flightBound, this.window);
    this.#flightBound = Math.max(delivered, BETA * flight, this.#flight(enough, 1), this.#minWindow);
  }

  /** Nothing in this round came through without waiting in a queue. */
  get #hasStandingQueue(): boolean {
    return (
      this.#roundShortest !== Infinity && this.#roundShortest > this.#roundTrip * QUEUE_SHOWS + NEAR_TIME
    );
  }

  /** Estimates of flows that share a path add up to more than it carries: a queue that stands is not to grow. */
  #holdPace(ack: AckSample): void {
    if (ack.isAppLimited || this.#roundBandwidth === 0) return;
    const held = Math.max(this.#roundBandwidth, BETA * this.#maxBandwidth);
    this.#bandwidthBound = Math.min(this.#bandwidthBound, held);
  }

  /**
   * A round brought less than half of what the model says while the queue was as long as the path: the path has become
   * slower. The filter would believe in the old one for two cycles, at a rate that fills any queue.
   */
  #noticeSlowerPath(ack: AckSample): void {
    if (ack.isAppLimited || this.#roundBandwidth === 0 || this.#roundShortest === Infinity) return;
    const isQueued = this.#roundShortest > SLOWER_QUEUE * this.#roundTrip + NEAR_TIME;
    if (!isQueued || this.#roundBandwidth > SLOWER_SHARE * this.#maxBandwidth) return;
    this.#lastBandwidth = 0;
    this.#thisBandwidth = this.#roundBandwidth;
  }

  #liftBounds(): void {
    this.#bandwidthBound = Infinity;
    this.#flightBound = Infinity;
  }

  /** The probe put more in flight than the path takes. */
  #failProbe(now: number): void {
    this.#probeFailed = true;
    const carried = this.#flight(Math.max(this.#roundBandwidth, this.#lastRoundBandwidth), 1);
    this.#cap = Math.max(BETA * Math.min(this.#cap, this.#probePeak), carried, this.#minWindow);
    if (this.#phase === 'up' || this.#phase === 'refill') this.#enterDown(now);
  }

  // --- phases ---

  #move(ack: AckSample, isRoundStart: boolean): void {
    const { now, inFlight } = ack;
    if (this.#isProbe) this.#probePeak = Math.max(this.#probePeak, inFlight + ack.ackedBytes);
    if (this.#isProbe && this.#round >= this.#probeEndRound) this.#endProbe();
    switch (this.#phase) {
      case 'startup':
        if (this.#isFull) this.#enter('drain');
        break;
      case 'drain':
        if (inFlight <= this.#flight(this.#bandwidth, 1)) this.#enterDown(now);
        break;
      case 'down':
        if (this.#isTimeToProbe(now)) this.#enterRefill();
        else if (this.#isDrained(inFlight)) this.#enter('cruise');
        break;
      case 'cruise':
        if (this.#isTimeToProbe(now)) this.#enterRefill();
        break;
      case 'refill':
        if (isRoundStart && this.#round > this.#phaseRound) this.#enterUp();
        break;
      case 'up':
        this.#raiseCap(ack);
        if (this.#hasProbedEnough(ack, isRoundStart)) this.#enterDown(now);
        break;
      case 'probe-rtt':
        this.#probeRoundTrip(ack);
        return;
    }
    if (now - this.#roundTripSeenAt > ROUND_TRIP_LIFE) this.#enterProbeRtt();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseRound = this.#round;
    if (phase !== 'refill' && phase !== 'up')
      this.#probeEndRound = Math.min(this.#probeEndRound, this.#round + 2);
  }

  #enterDown(now: number): void {
    this.#enter('down');
    this.#cycleAt = now;
    this.#cycleRound = this.#round;
    // Flows that began together should not probe together; what each has carried tells them apart.
    this.#probeWait = PROBE_WAIT + (((this.#roundEnd / this.#mtu) * 37) % PROBE_WAIT_SPREAD);
  }

  #enterRefill(): void {
    this.#liftBounds();
    this.#isProbe = true;
    this.#probeFailed = false;
    this.#probePeak = 0;
    this.#probeEndRound = Infinity;
    this.#enter('refill');
  }

  #enterUp(): void {
    this.#fullBandwidth = this.#maxBandwidth;
    this.#flatRounds = 0;
    this.#enter('up');
  }

  /** A round after up has ended everything it sent is accounted for: the cycle's bandwidth is known. */
  #endProbe(): void {
    this.#isProbe = false;
    if (this.#thisBandwidth === 0) return;
    this.#lastBandwidth = this.#thisBandwidth;
    this.#thisBandwidth = 0;
  }

  #isTimeToProbe(now: number): boolean {
    if (this.#isProbe) return false;
    const rounds = Math.min(PROBE_ROUNDS, this.#flight(this.#bandwidth, 1) / this.#mtu);
    return (
      now - this.#cycleAt >= this.#probeWait ||
      this.#round - this.#cycleRound >= Math.max(rounds, 2 * DOWN_ROUNDS)
    );
  }

  #isDrained(inFlight: number): boolean {
    if (this.#round - this.#phaseRound >= DOWN_ROUNDS) return true;
    return inFlight <= Math.min(this.#flight(this.#bandwidth, 1), HEADROOM * this.#cap);
  }

  /** While it uses up its cap and loses little, it may have more. */
  #raiseCap(ack: AckSample): void {
    if (this.#cap === Infinity || ack.inFlight + ack.ackedBytes + this.#mtu < this.#cap) return;
    const share = Math.min(1, CAP_GROWTH * 2 ** (this.#round - this.#phaseRound));
    this.#cap += share * ack.ackedBytes;
  }

  #hasProbedEnough(ack: AckSample, isRoundStart: boolean): boolean {
    if (isRoundStart) {
      if (this.#maxBandwidth > this.#fullBandwidth * (1 + (GROWTH - 1) / 4)) {
        this.#fullBandwidth = this.#maxBandwidth;
        this.#flatRounds = 0;
      } else {
        this.#flatRounds++;
      }
    }
    const gain = GAINS.up.pacing;
    const queue = this.#flight(this.#maxBandwidth, gain) + this.#quantum;
    const hasQueue = this.#round > this.#phaseRound && ack.inFlight > queue;
    return hasQueue || this.#flatRounds > FLAT_ROUNDS;
  }

  #enterProbeRtt(): void {
    this.#enter('probe-rtt');
    this.#probeRttUntil = Infinity;
    this.#probeRttLowest = Infinity;
  }

  /** Once the flight is small, hold it so for a while, a round at the least. */
  #probeRoundTrip(ack: AckSample): void {
    if (this.#probeRttUntil === Infinity) {
      if (ack.inFlight > this.#probeRttWindow) return;
      this.#probeRttUntil = ack.now + PROBE_RTT_DURATION;
      this.#probeRttRound = this.#round;
      return;
    }
    if (ack.now < this.#probeRttUntil || this.#round === this.#probeRttRound) return;
    if (this.#probeRttLowest !== Infinity) this.#roundTrip = this.#probeRttLowest;
    this.#roundTripSeenAt = ack.now;
    if (this.#isFull) this.#enterDown(ack.now);
    else this.#enter('startup');
  }

  get #probeRttWindow(): number {
    return Math.max(this.#flight(this.#bandwidth, GAINS['probe-rtt'].window), this.#minWindow);
  }

  // --- the answers ---

  #setWindow(ack: AckSample): void {
    const target = this.#targetWindow();
    const grown = this.window + ack.ackedBytes;
    if (this.#isFull) this.window = Math.min(grown, target);
    else if (this.window < target || ack.delivered < this.#initialWindow) this.window = grown;
    // After T3 the window grows from one packet by what is acknowledged.
    const least = Math.min(grown, this.#minWindow);
    this.window = Math.max(least, Math.min(this.window, this.#windowBound, MAX_WINDOW));
  }

  #targetWindow(): number {
    const bandwidth = this.#bandwidth;
    if (bandwidth === 0) return MAX_WINDOW;
    const { window } = GAINS[this.#phase];
    return Math.max(this.#flight(bandwidth, window) + this.#clump, 3 * this.#quantum, this.#minWindow);
  }

  get #windowBound(): number {
    switch (this.#phase) {
      case 'startup':
      case 'drain':
        return this.#flightBound;
      case 'refill':
      case 'up':
        return this.#cap;
      case 'down':
        return Math.min(this.#cap, this.#flightBound);
      case 'cruise':
        return Math.min(HEADROOM * this.#cap, this.#flightBound);
      case 'probe-rtt':
        return Math.min(this.#probeRttWindow, this.#flightBound);
    }
  }

  #setPace(ack: AckSample): void {
    const bandwidth = this.#bandwidth;
    // A small exchange is over before there is a rate to speak of.
    if (bandwidth === 0 || ack.delivered < UNPACED_WINDOWS * this.#initialWindow) return;
    const rate = PACING_MARGIN * GAINS[this.#phase].pacing * bandwidth;
    // Until the path has been filled once, what was measured is the window of a round ago, or the application.
    const early = this.#isFull ? 0 : (EARLY_PACE * this.window) / Math.max(this.#roundTrip, 1);
    this.pacingRate = Math.max(rate, early, (MIN_PACE * this.#mtu) / 1000);
  }
}
