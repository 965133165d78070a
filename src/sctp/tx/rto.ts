/** Retransmission time-out (RFC 9260 §6.3.1), in milliseconds. It knows nothing of packets: samples in, `timeout` out. */

/** Bounds on the time-out, milliseconds. */
export interface RtoLimits {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  /** Backing off never makes the time-out longer than this, unless the round trip itself does. */
  readonly backoffCap: number;
}

/**
 * Floor of the variance term. A peer may sit on a SACK for 200 ms; on a steady path the variance would shrink to
 * nothing and every delayed SACK would look like a loss. (dcSCTP uses the same 220 ms.)
 */
const MIN_VARIANCE = 220;

/** The round-trip time of one path, and the time-out that follows from it. */
export class RtoEstimator {
  /** Smoothed round-trip time; `undefined` before the first sample. */
  smoothed: number | undefined;
  /** The shortest sample of this path; Infinity before the first. */
  shortest: number = Infinity;
  /** The time-out without backing off. */
  base: number;
  /** The time-out to arm now. */
  timeout: number;
  #variance = 0;
  #backoffs = 0;
  readonly #limits: RtoLimits;

  constructor(limits: RtoLimits) {
    this.#limits = limits;
    this.base = limits.initial;
    this.timeout = limits.initial;
  }

  /** Karn's rule is the caller's: never pass a sample from a retransmitted chunk. */
  sample(roundTrip: number): void {
    // A clock that jumped would poison the average for minutes.
    if (!(roundTrip >= 0 && roundTrip <= this.#limits.max)) return;
    this.shortest = Math.min(this.shortest, roundTrip);
    if (this.smoothed === undefined) {
      this.smoothed = roundTrip;
      this.#variance = roundTrip / 2;
    } else {
      this.#variance += (Math.abs(this.smoothed - roundTrip) - this.#variance) / 4;
      this.smoothed += (roundTrip - this.smoothed) / 8;
    }
    const wanted = this.smoothed + Math.max(4 * this.#variance, MIN_VARIANCE);
    this.base = Math.min(this.#limits.max, Math.max(this.#limits.min, wanted));
    this.resetBackoff();
  }

  /** RFC 9260 §6.3.3 E2. It lasts until the next sample: only that proves that the time-out is long enough. */
  backOff(): void {
    if (this.timeout >= this.#limits.backoffCap) return;
    this.#backoffs++;
    this.timeout = Math.min(Math.max(this.#limits.backoffCap, this.base), this.base * 2 ** this.#backoffs);
  }

  resetBackoff(): void {
    this.#backoffs = 0;
    this.timeout = this.base;
  }
}
