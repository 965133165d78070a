/**
 * Reordering: how late packets of one stream come that were not lost, and so how long a gap may stand before it is asked for.
 *
 *     a late packet, later than is waited for ─▶ wait longer, half of the way        none for 20 s ─▶ step by step as at first
 *
 * One that is later than can be waited for says nothing, for waiting would not have helped. So a peer can delay requests by
 * `maxNackDelay` at the most, and by one odd packet only by half.
 */

/** So much longer than the latest is waited for. */
const MARGIN = 1.25;

/** After so long without a late packet all is as at first, ms. */
const MEMORY = 20_000;

/** What is waited for, by what has been seen. Times are milliseconds. */
export class Reordering {
  readonly #least: number;
  readonly #most: number;
  /** Beyond the least wait, at `#at`; it falls to nothing within `MEMORY`. */
  #extra = 0;
  #at = 0;

  /** @param least,most bounds of the wait */
  constructor(least: number, most: number) {
    this.#least = least;
    this.#most = most;
  }

  /** How long to wait for a packet that is missing since `now`. */
  delay(now: number): number {
    if (this.#extra === 0) return this.#least;
    const left = Math.max(0, 1 - (now - this.#at) / MEMORY);
    return this.#least + this.#extra * left;
  }

  /** A packet came `lateness` after a newer one, and had not been lost. */
  observe(lateness: number, now: number): void {
    if (lateness > this.#most) return;
    const delay = this.delay(now);
    const wanted = Math.min(MARGIN * lateness, this.#most);
    if (wanted <= delay) return;
    this.#extra = (delay + wanted) / 2 - this.#least;
    this.#at = now;
  }
}
