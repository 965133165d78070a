/** FeedbackTimer: when feedback is due. It is armed by a packet that has come, and more often due where much comes. */
import type { FeedbackOptions } from './options.ts';

/** When the feedback of one kind is due. Times are milliseconds on the caller's clock. */
export class FeedbackTimer {
  /** `Infinity`: there is nothing to tell. */
  at: number = Infinity;
  readonly #slow: number;
  readonly #fast: number;
  readonly #fastAbove: number;
  #interval: number;
  #last = -Infinity;
  /** Bytes that have come, since when. */
  #bytes = 0;
  #since = 0;

  constructor({ interval, fastInterval, fastAbove }: FeedbackOptions) {
    this.#slow = this.#interval = interval ?? 100;
    this.#fast = fastInterval ?? 50;
    this.#fastAbove = fastAbove ?? 2_000_000;
  }

  /** Milliseconds from one feedback to the next, as things are. */
  get interval(): number {
    return this.#interval;
  }

  /** A packet has come that is to be told of. */
  arm(size: number, now: number): void {
    if (this.at === Infinity) {
      const next = this.#last + this.#interval;
      this.at = next > now ? next : now + this.#interval;
      this.#since = now;
    }
    this.#bytes += size;
  }

  /** All has been told. */
  rest(now: number): void {
    const elapsed = now - this.#since;
    const rate = elapsed > 0 ? (this.#bytes * 8000) / elapsed : 0;
    this.#interval = rate > this.#fastAbove ? this.#fast : this.#slow;
    this.#last = now;
    this.#bytes = 0;
    this.at = Infinity;
  }
}
