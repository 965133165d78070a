/**
 * Pacing as a bucket of credit in bytes: it fills at the controller's rate, packets spend it.
 *
 *   mayRelease(now, rate) → a packet → spend(bytes) → … → empty: come back at releaseAt()
 *
 * A burst after idling, and what a late host has missed, go out at once as far as the bucket is deep. The wait for the next
 * release is at least `MIN_WAIT`, and long enough for `QUANTUM` packets: so pacing costs no wakeup a packet.
 */

/** Milliseconds: timers of hosts are no finer. */
const MIN_WAIT = 1;
/** Packets a release waits for, so that a slow path does not wake its host for each. */
const QUANTUM = 2;
/** Packets the bucket holds at the least: what a small exchange is made of goes out unpaced. */
const BURST = 10;
/** Milliseconds of the rate the bucket holds at the least: what a timer may be late. */
const LATENESS = 5;

export class Pacer {
  #credit = Infinity;
  #filledAt = -Infinity;
  #mtu: number;

  constructor(mtu: number) {
    this.#mtu = mtu;
  }

  setMtu(bytes: number): void {
    this.#mtu = bytes;
  }

  /** True when a packet may leave at `now`, milliseconds, at a `rate` in bytes a millisecond. */
  mayRelease(now: number, rate: number): boolean {
    if (rate === Infinity) return true;
    const elapsed = now > this.#filledAt ? now - this.#filledAt : 0;
    const depth = Math.max(BURST * this.#mtu, rate * LATENESS);
    this.#credit = Math.min(depth, this.#credit + (elapsed === Infinity ? depth : elapsed * rate));
    this.#filledAt = Math.max(now, this.#filledAt);
    return this.#credit > 0;
  }

  spend(bytes: number): void {
    this.#credit -= bytes;
  }

  /** When the next packets may leave, after `mayRelease` said no. Finite and after `now`. */
  releaseAt(now: number, rate: number): number {
    return now + Math.max(MIN_WAIT, (Math.min(QUANTUM * this.#mtu, rate * LATENESS) - this.#credit) / rate);
  }
}
