/**
 * Timeline: the timestamps of one source after another as one line that never runs back.
 *
 * At a switch the first packet of the new source is put as far behind the last one of the old as the two were captured apart:
 * by the clock of the peer where sender reports tell it of both (RFC 3550 §6.4.1), by their arrival otherwise. Both ends of a
 * simulcast are one peer's, and its clock is exact where arrival jitters; two peers' clocks have nothing to do with each other,
 * so what differs from arrival by more than the tolerance is not believed.
 */

/** A moment on a peer's clock beside the timestamp that belongs to it. */
export interface ReportedTime {
  /** Milliseconds since 1900. */
  readonly ntpTime: number;
  /** Unwrapped, in units of the codec's clock. */
  readonly time: number;
}

/** A longer leap would look like one back: half of the circle of 32 bits is where the two meet. */
const LONGEST_LEAP = 2 ** 30;

/** Milliseconds on the peer's clock. */
function captureTime(time: number, clockRate: number, report: ReportedTime): number {
  return report.ntpTime + ((time - report.time) * 1000) / clockRate;
}

/** Times are unwrapped, in units of the codec's clock. */
export class Timeline {
  /** ms */
  readonly #tolerance: number;
  #offset = 0;
  #isStarted = false;
  /** Of the latest frame: its time in the source and as sent, and when its first packet came, ms. */
  #latest = 0;
  #latestSent = 0;
  #receivedAt = 0;
  #clockRate = 0;

  /** @param tolerance how far sender reports may differ from arrival and still be believed, ms */
  constructor(tolerance: number) {
    this.#tolerance = tolerance;
  }

  /** What is added to the times of the current source. */
  get offset(): number {
    return this.#offset;
  }

  /** The largest timestamp sent so far. */
  get latestSent(): number {
    return this.#latestSent;
  }

  /** The latest time of the source so far. */
  get latest(): number {
    return this.#latest;
  }

  /**
   * Another source begins, with a packet of `time`. The first one of all keeps its own timestamps.
   * @param before what the source before said of its clock, as far as it is known
   * @param report what this one says of its own
   */
  start(
    time: number,
    receivedAt: number,
    clockRate: number,
    before: ReportedTime | undefined,
    report: ReportedTime | undefined,
  ): void {
    if (this.#isStarted) {
      let elapsed = Math.max(0, receivedAt - this.#receivedAt);
      if (before !== undefined && report !== undefined) {
        const reported =
          captureTime(time, clockRate, report) - captureTime(this.#latest, this.#clockRate, before);
        if (Math.abs(reported - elapsed) <= this.#tolerance) elapsed = reported;
      }
      const leap = Math.min(Math.max(1, Math.round((elapsed * clockRate) / 1000)), LONGEST_LEAP);
      this.#offset = this.#latestSent + leap - time;
    }
    this.#isStarted = true;
    this.#latest = time;
    this.#latestSent = time + this.#offset;
    this.#receivedAt = receivedAt;
    this.#clockRate = clockRate;
  }

  /** The timestamp to send for `time` of the current source. */
  sent(time: number, receivedAt: number): number {
    if (time > this.#latest) {
      this.#latest = time;
      this.#latestSent = Math.max(this.#latestSent, time + this.#offset);
      this.#receivedAt = receivedAt;
    }
    return time + this.#offset;
  }
}
