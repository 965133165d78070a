/**
 * Backoff: when to try again, at once, then after a random share of a limit that doubles up to a cap ("full jitter": a rack whose
 * machines lost their network in the same instant does not come back in the same instant).
 *
 * Numbers in, numbers out. What has held for a while has recovered, and the next failure starts from the beginning;
 * what fails again and again, even after succeeding for a moment, does not become a busy loop.
 */

/** Times of a series of tries, and where its luck comes from. */
export interface BackoffOptions {
  /** The first limit, ms. */
  readonly base: number;
  /** The last limit, ms. */
  readonly cap: number;
  /** A success that has lasted this long ends the series, ms. */
  readonly healthyAfter: number;
  /** [0, 1) */
  readonly random: () => number;
}

/** The tries of one thing that fails: how long to wait before each. */
export class Backoff {
  /** Tries in this series. */
  attempts = 0;
  readonly #options: BackoffOptions;
  #succeededAt = Infinity;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** A try has succeeded. */
  succeeded(now: number): void {
    this.#succeededAt = now;
  }

  /** Milliseconds to wait before the next try. */
  nextDelay(now: number): number {
    const { base, cap, healthyAfter, random } = this.#options;
    if (now - this.#succeededAt >= healthyAfter) this.attempts = 0;
    this.#succeededAt = Infinity;
    const attempt = this.attempts++;
    return attempt === 0 ? 0 : random() * Math.min(cap, base * 2 ** (attempt - 1));
  }
}
