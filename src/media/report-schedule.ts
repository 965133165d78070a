/**
 * ReportSchedule: when sender and receiver reports are due (RFC 3550 §6.2, RFC 3551 §2), while anything flows.
 *
 * An interval is that of video where there is any, and otherwise that of audio, times 0.5–1.5 at random, so that ends do not keep in
 * step; the first is half as long.
 */
import type { RandomSource } from '../core/random.ts';
import { randomUnit } from '../core/random.ts';

/** Milliseconds between two reports, on average. */
export interface ReportIntervals {
  readonly audio: number;
  readonly video: number;
}

/** When the next report of a connection is due. */
export class ReportSchedule {
  readonly #random: RandomSource;
  readonly #intervals: ReportIntervals;
  #interval = Infinity;
  #due = Infinity;

  constructor(random: RandomSource, intervals: ReportIntervals) {
    this.#random = random;
    this.#intervals = intervals;
  }

  /** `Infinity`: nothing flows. */
  get due(): number {
    return this.#due;
  }

  /** What flows from now on. */
  setFlow(flow: 'none' | 'audio' | 'video', now: number): void {
    const interval = flow === 'none' ? Infinity : this.#intervals[flow];
    if (interval === this.#interval) return;
    this.#interval = interval;
    this.#due = Math.min(interval === Infinity ? Infinity : this.#due, now + this.#drawn() / 2);
  }

  /** Whether a report is due; if so, the next interval begins. */
  take(now: number): boolean {
    if (this.#due > now) return false;
    this.#due = now + this.#drawn();
    return true;
  }

  #drawn(): number {
    return this.#interval === Infinity ? Infinity : this.#interval * (0.5 + randomUnit(this.#random));
  }
}
