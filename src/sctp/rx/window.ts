/**
 * The size of the receive window: it begins at what a stalled process can take in one go, and grows while a long path needs
 * more, up to a bound ("dynamic right-sizing").
 *
 *   noteTaken(bytes) … observe() → after two round trips: would what they delivered, and what waits for lost packets, soon fill
 *   it? → twice in a row: it grows by half
 *
 * What the peer may put on the path while this process stands still must fit the socket's buffer. So only what the host has
 * taken counts, per round trip of the path at its shortest: a backlog that is worked off in a hurry is no fast path, and over
 * a short round trip the initial window carries more than a process can take. It never shrinks: "this buffer space SHOULD NOT
 * be reduced" (RFC 9260 §3.3.2).
 */

/** Milliseconds: over shorter round trips it does not grow. */
const LONG_ROUND_TRIP = 25;
/** Round trips that are looked at together, and how often in a row they must say so: a backlog feeds one. */
const PERIOD = 2;
const PERIODS = 2;
/** Shares of the window: what a round trip delivers at the least, and together with what waits for lost packets. */
const DELIVERED_SHARE = 0.25;
const NEEDED_SHARE = 0.75;
const GROWTH = 1.5;
/** Milliseconds between questions for the round trip: a later one makes the answer to an earlier one worthless. */
const ASK_INTERVAL = 5000;

/** The size of one receive window, and what it is decided by. */
export class WindowSize {
  bytes: number;
  readonly #max: number;
  #began = -Infinity;
  #taken = 0;
  #mostHeld = 0;
  #periods = 0;
  #askedAt = -Infinity;

  constructor(bytes: number, max: number) {
    this.bytes = bytes;
    this.#max = max;
  }

  /** The host has taken a message of so many bytes. */
  noteTaken(bytes: number): void {
    this.#taken += bytes;
  }

  /** True, now and then, while no round trip is known and half a window has been taken: it might have to grow. */
  wantsRoundTrip(roundTrip: number, now: number): boolean {
    if (roundTrip !== Infinity || this.bytes >= this.#max || this.#taken < this.bytes / 2) return false;
    if (now - this.#askedAt < ASK_INTERVAL) return false;
    this.#askedAt = now;
    return true;
  }

  /**
   * Something has arrived. `held`: bytes that wait for others to arrive; `roundTrip`: the shortest of this path, Infinity if
   * none is known yet; `now`: milliseconds by any clock. True if the window has grown.
   */
  observe(held: number, roundTrip: number, now: number): boolean {
    if (this.bytes >= this.#max) return false;
    this.#mostHeld = Math.max(this.#mostHeld, held);
    const elapsed = now - this.#began;
    const isTooSoon = roundTrip === Infinity || elapsed < PERIOD * roundTrip;
    if (roundTrip < LONG_ROUND_TRIP || isTooSoon) return false;
    const delivered = (this.#taken / elapsed) * roundTrip;
    const isNeeded =
      delivered >= DELIVERED_SHARE * this.bytes && delivered + this.#mostHeld >= NEEDED_SHARE * this.bytes;
    this.#began = now;
    this.#taken = 0;
    this.#mostHeld = 0;
    this.#periods = isNeeded ? this.#periods + 1 : 0;
    if (this.#periods < PERIODS) return false;
    this.#periods = 0;
    this.bytes = Math.min(this.#max, Math.ceil(GROWTH * this.bytes));
    return true;
  }
}
