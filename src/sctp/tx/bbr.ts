/**
 * The default controller: a model of the path instead of a reaction to each loss, after BBR (draft-ietf-ccwg-bbr).
 *
 *   the model (`PathModel`): bandwidth, round trip, and what the round under way has brought
 *   the cap: what may be in flight without too much loss; Infinity until it was too much once
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
import { BETA, PathModel } from './bbr-model.ts';
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
/** "BBRHeadroom": the share of the cap that cruise uses. */
const HEADROOM = 0.85;
/** The least growth of a round that counts, and rounds without it that end startup. */
const GROWTH = 1.25;
const FLAT_ROUNDS = 3;
/** Milliseconds: how long the shortest round trip is believed, and how long it is looked for. */
const ROUND_TRIP_LIFE = 10_000;
const PROBE_RTT_DURATION = 200;
/** Milliseconds in cruise and down between probes, and rounds: New Reno's time to grow by a packet each. */
const PROBE_WAIT = 2000;
const PROBE_WAIT_SPREAD = 1000;
const PROBE_ROUNDS = 63;
/** Rounds in which `down` drains what `up` has queued: with a round trip that varies it may never look drained. */
const DOWN_ROUNDS = 4;
/** The cap's growth in up, as a share of what is acknowledged; it doubles each round. */
const CAP_GROWTH = 1 / 16;
/** First windows delivered before anything is paced; and the pace of startup at the least, in windows a round trip. */
const UNPACED_WINDOWS = 3;
const EARLY_PACE = 2;
/** Slowest pace: packets a second. */
const MIN_PACE = 10;
const MAX_WINDOW = 2 ** 30;

/** The default congestion controller. */
export class Bbr implements CongestionController {
  window: number;
  pacingRate: number = Infinity;
  #phase: Phase = 'startup';
  readonly #model: PathModel;
  readonly #initialWindow: number;

  /** Bytes in flight. */
  #cap = Infinity;
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

  constructor(options: CongestionOptions) {
    this.#model = new PathModel(options.mtu, options.initialWindow);
    this.#initialWindow = options.initialWindow;
    this.window = options.initialWindow;
  }

  onAcknowledged(ack: AckSample): void {
    const isRoundStart = ack.priorDelivered >= this.#model.roundBegan;
    this.#model.learn(ack, this.window);
    if (isRoundStart) this.#endRound(ack);
    this.#move(ack, isRoundStart);
    this.#setWindow(ack);
    this.#setPace(ack);
  }

  onLost(loss: LossSample): void {
    this.#model.roundLost += loss.lostBytes;
    if (this.#model.bandwidth === 0) {
      // There is no model yet to bound the window by.
      if (loss.startsRecovery) this.window = Math.max(BETA * this.window, this.#model.minWindow);
      return;
    }
    if (!this.#isProbe || this.#probeFailed) return;
    // A probe does not wait for the end of the round.
    const volume = Math.max(this.#probePeak, loss.inFlight);
    if (this.#model.isTooMuchForProbe(volume)) this.#failProbe(loss.now);
  }

  onTimeout(): void {
    this.window = this.#model.mtu;
  }

  onPathChange(now: number): void {
    this.#enter('startup');
    this.#model.forgetPath(now);
    this.#cap = Infinity;
    this.#isFull = false;
    this.#fullBandwidth = 0;
    this.#flatRounds = 0;
    this.#isProbe = false;
    this.#probeRttUntil = Infinity;
    this.window = this.#initialWindow;
    this.pacingRate = Infinity;
  }

  setMtu(bytes: number): void {
    this.#model.mtu = bytes;
    this.window = Math.max(this.window, bytes);
  }

  inspect(): Record<string, number | string> {
    return {
      controller: 'bbr',
      phase: this.#phase,
      window: this.window,
      pacingRate: Math.min(this.pacingRate, Number.MAX_SAFE_INTEGER),
      bandwidth: this.#model.bandwidth,
      roundTrip: Math.min(this.#model.roundTrip, Number.MAX_SAFE_INTEGER),
      cap: Math.min(this.#cap, Number.MAX_SAFE_INTEGER),
      round: this.#model.round,
    };
  }

  // --- rounds ---

  #endRound(ack: AckSample): void {
    const model = this.#model;
    const delivered = ack.delivered - model.roundBegan;
    const volume = delivered + model.roundLost;
    const isTooMuch = model.isTooMuch(volume);
    if (this.#phase === 'cruise' && !this.#isProbe) model.noteUsualLoss(volume);
    if (this.#isFull) model.noticeSlowerPath(ack);
    if (!this.#isFull) this.#judgeStartup(ack, isTooMuch, delivered);
    else if (isTooMuch && !this.#isProbe) model.lowerBounds(delivered, this.window);
    else if (model.hasStandingQueue && !this.#isProbe) model.holdPace(ack);
    model.beginRound(ack);
  }

  #judgeStartup(ack: AckSample, isTooMuch: boolean, delivered: number): void {
    if (ack.isAppLimited || this.#model.maxBandwidth === 0) return;
    const grows = this.#model.maxBandwidth >= this.#fullBandwidth * GROWTH;
    if (grows) {
      this.#fullBandwidth = this.#model.maxBandwidth;
      this.#flatRounds = 0;
      return;
    }
    this.#flatRounds++;
    if (isTooMuch)
      this.#cap = Math.max(this.#model.flight(this.#model.maxBandwidth, 1), delivered, this.#model.minWindow);
    this.#isFull = isTooMuch || this.#flatRounds >= FLAT_ROUNDS;
  }

  /** The probe put more in flight than the path takes. */
  #failProbe(now: number): void {
    this.#probeFailed = true;
    const carried = this.#model.flight(this.#model.recentBandwidth, 1);
    this.#cap = Math.max(BETA * Math.min(this.#cap, this.#probePeak), carried, this.#model.minWindow);
    if (this.#phase === 'up' || this.#phase === 'refill') this.#enterDown(now);
  }

  // --- phases ---

  #move(ack: AckSample, isRoundStart: boolean): void {
    const { now, inFlight } = ack;
    if (this.#isProbe) this.#probePeak = Math.max(this.#probePeak, inFlight + ack.ackedBytes);
    if (this.#isProbe && this.#model.round >= this.#probeEndRound) this.#endProbe();
    switch (this.#phase) {
      case 'startup':
        if (this.#isFull) this.#enter('drain');
        break;
      case 'drain':
        if (inFlight <= this.#model.flight(this.#model.bandwidth, 1)) this.#enterDown(now);
        break;
      case 'down':
        if (this.#isTimeToProbe(now)) this.#enterRefill();
        else if (this.#isDrained(inFlight)) this.#enter('cruise');
        break;
      case 'cruise':
        if (this.#isTimeToProbe(now)) this.#enterRefill();
        break;
      case 'refill':
        if (isRoundStart && this.#model.round > this.#phaseRound) this.#enterUp();
        break;
      case 'up':
        this.#raiseCap(ack);
        if (this.#hasProbedEnough(ack, isRoundStart)) this.#enterDown(now);
        break;
      case 'probe-rtt':
        this.#probeRoundTrip(ack);
        return;
    }
    if (now - this.#model.roundTripSeenAt > ROUND_TRIP_LIFE) this.#enterProbeRtt();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseRound = this.#model.round;
    if (phase !== 'refill' && phase !== 'up')
      this.#probeEndRound = Math.min(this.#probeEndRound, this.#model.round + 2);
  }

  #enterDown(now: number): void {
    this.#enter('down');
    this.#cycleAt = now;
    this.#cycleRound = this.#model.round;
    // Flows that began together should not probe together; what each has carried tells them apart.
    this.#probeWait = PROBE_WAIT + (((this.#model.roundBegan / this.#model.mtu) * 37) % PROBE_WAIT_SPREAD);
  }

  #enterRefill(): void {
    this.#model.liftBounds();
    this.#isProbe = true;
    this.#probeFailed = false;
    this.#probePeak = 0;
    this.#probeEndRound = Infinity;
    this.#enter('refill');
  }

  #enterUp(): void {
    this.#fullBandwidth = this.#model.maxBandwidth;
    this.#flatRounds = 0;
    this.#enter('up');
  }

  /** A round after up has ended everything it sent is accounted for: the cycle's bandwidth is known. */
  #endProbe(): void {
    this.#isProbe = false;
    this.#model.endCycle();
  }

  #isTimeToProbe(now: number): boolean {
    if (this.#isProbe) return false;
    const rounds = Math.min(PROBE_ROUNDS, this.#model.flight(this.#model.bandwidth, 1) / this.#model.mtu);
    return (
      now - this.#cycleAt >= this.#probeWait ||
      this.#model.round - this.#cycleRound >= Math.max(rounds, 2 * DOWN_ROUNDS)
    );
  }

  #isDrained(inFlight: number): boolean {
    if (this.#model.round - this.#phaseRound >= DOWN_ROUNDS) return true;
    return inFlight <= Math.min(this.#model.flight(this.#model.bandwidth, 1), HEADROOM * this.#cap);
  }

  /** While it uses up its cap and loses little, it may have more. */
  #raiseCap(ack: AckSample): void {
    if (this.#cap === Infinity || ack.inFlight + ack.ackedBytes + this.#model.mtu < this.#cap) return;
    const share = Math.min(1, CAP_GROWTH * 2 ** (this.#model.round - this.#phaseRound));
    this.#cap += share * ack.ackedBytes;
  }

  #hasProbedEnough(ack: AckSample, isRoundStart: boolean): boolean {
    if (isRoundStart) {
      if (this.#model.maxBandwidth > this.#fullBandwidth * (1 + (GROWTH - 1) / 4)) {
        this.#fullBandwidth = this.#model.maxBandwidth;
        this.#flatRounds = 0;
      } else {
        this.#flatRounds++;
      }
    }
    const gain = GAINS.up.pacing;
    const queue = this.#model.flight(this.#model.maxBandwidth, gain) + this.#model.quantum;
    const hasQueue = this.#model.round > this.#phaseRound && ack.inFlight > queue;
    return hasQueue || this.#flatRounds > FLAT_ROUNDS;
  }

  #enterProbeRtt(): void {
    this.#enter('probe-rtt');
    this.#probeRttUntil = Infinity;
    this.#model.lowestRoundTrip = Infinity;
  }

  /** Once the flight is small, hold it so for a while, a round at the least. */
  #probeRoundTrip(ack: AckSample): void {
    if (this.#probeRttUntil === Infinity) {
      if (ack.inFlight > this.#probeRttWindow()) return;
      this.#probeRttUntil = ack.now + PROBE_RTT_DURATION;
      this.#probeRttRound = this.#model.round;
      return;
    }
    if (ack.now < this.#probeRttUntil || this.#model.round === this.#probeRttRound) return;
    if (this.#model.lowestRoundTrip !== Infinity) this.#model.roundTrip = this.#model.lowestRoundTrip;
    this.#model.roundTripSeenAt = ack.now;
    if (this.#isFull) this.#enterDown(ack.now);
    else this.#enter('startup');
  }

  #probeRttWindow(): number {
    return Math.max(
      this.#model.flight(this.#model.bandwidth, GAINS['probe-rtt'].window),
      this.#model.minWindow,
    );
  }

  // --- the answers ---

  #setWindow(ack: AckSample): void {
    const target = this.#targetWindow();
    const grown = this.window + ack.ackedBytes;
    if (this.#isFull) this.window = Math.min(grown, target);
    else if (this.window < target || ack.delivered < this.#initialWindow) this.window = grown;
    // After T3 the window grows from one packet by what is acknowledged.
    const least = Math.min(grown, this.#model.minWindow);
    this.window = Math.max(least, Math.min(this.window, this.#windowBound(), MAX_WINDOW));
  }

  #targetWindow(): number {
    const bandwidth = this.#model.bandwidth;
    if (bandwidth === 0) return MAX_WINDOW;
    const { window } = GAINS[this.#phase];
    return Math.max(
      this.#model.flight(bandwidth, window) + this.#model.clump,
      3 * this.#model.quantum,
      this.#model.minWindow,
    );
  }

  #windowBound(): number {
    switch (this.#phase) {
      case 'startup':
      case 'drain':
        return this.#model.flightBound;
      case 'refill':
      case 'up':
        return this.#cap;
      case 'down':
        return Math.min(this.#cap, this.#model.flightBound);
      case 'cruise':
        return Math.min(HEADROOM * this.#cap, this.#model.flightBound);
      case 'probe-rtt':
        return Math.min(this.#probeRttWindow(), this.#model.flightBound);
    }
  }

  #setPace(ack: AckSample): void {
    const bandwidth = this.#model.bandwidth;
    // A small exchange is over before there is a rate to speak of.
    if (bandwidth === 0 || ack.delivered < UNPACED_WINDOWS * this.#initialWindow) return;
    const rate = PACING_MARGIN * GAINS[this.#phase].pacing * bandwidth;
    // Until the path has been filled once, what was measured is the window of a round ago, or the application.
    const early = this.#isFull ? 0 : (EARLY_PACE * this.window) / Math.max(this.#model.roundTrip, 1);
    this.pacingRate = Math.max(rate, early, (MIN_PACE * this.#model.mtu) / 1000);
  }
}
