/**
 * RoundTrip: how long the peer takes to answer. ICE measures the path; beside it, a receiver that sends no media measures by the
 * answers to its reference times (RFC 3611 §4.4, §4.5), which is what stats tell.
 */
import type { ExtendedReport } from '../../rtp/index.ts';
import { MIDDLE_UNITS, middleOf, ntpOf } from '../../rtp/index.ts';

/** Before anything is measured, ms. */
const INITIAL = 100;

/** Longer is no round trip but a lie, or an answer to what was never asked, seconds. */
const LONGEST = 60;

/** The round trip of a connection's media. */
export class RoundTrip {
  /** Seconds, by the last answer; `undefined`: none has come. */
  lastMeasured: number | undefined;
  /** Seconds. */
  total = 0;
  measurements = 0;
  readonly #ntpOffset: number;
  #ofPath: number | undefined;

  /** @param ntpOffset what is added to the caller's clock for NTP time, ms */
  constructor(ntpOffset: number) {
    this.#ntpOffset = ntpOffset;
  }

  /** Milliseconds: what to wait for an answer. */
  get time(): number {
    return this.#ofPath ?? (this.lastMeasured === undefined ? INITIAL : this.lastMeasured * 1000);
  }

  /** @param roundTripTime ms, of ICE; `undefined`: not measured */
  setPath(roundTripTime: number | undefined): void {
    this.#ofPath = roundTripTime;
  }

  /** Measures by an answer to `ssrc`. @returns answers that cannot be true, and say nothing */
  take({ blocks }: ExtendedReport, ssrc: number, now: number): number {
    let refused = 0;
    for (const block of blocks) {
      if (block.type !== 'delay-since-last-receiver-report') continue;
      const answer = block.reports.find((report) => report.ssrc === ssrc);
      if (answer === undefined || answer.lastReceiverReport === 0) continue;
      const { seconds, fraction } = ntpOf(now + this.#ntpOffset);
      const units = (middleOf(seconds, fraction) - answer.lastReceiverReport - answer.delay) | 0;
      const measured = units / MIDDLE_UNITS;
      if (measured < 0 || measured > LONGEST) {
        refused++;
        continue;
      }
      this.lastMeasured = measured;
      this.total += measured;
      this.measurements++;
    }
    return refused;
  }
}
