/**
 * WriteGate: how long packets may wait while none goes out (gate `rtpWrite`). One for all streams of a connection: they share the path,
 * and whoever polls takes them all.
 */
import type { Clock } from '../../core/clock.ts';

/** A wait that any packet sent begins anew. */
export class WriteGate {
  readonly #timeout: number;
  readonly #clock: Clock;
  #since: number | undefined;
  /** Armed while the clock was stale: it counts from the next time told, or it would be cut short. */
  #isUndated = false;

  constructor(timeout: number, clock: Clock) {
    this.#timeout = timeout;
    this.#clock = clock;
  }

  get isArmed(): boolean {
    return this.#since !== undefined;
  }

  /** Something waits; how long already does not change by it. */
  arm(): void {
    if (this.#since !== undefined) return;
    this.#since = this.#clock.now;
    this.#isUndated = this.#clock.isStale;
  }

  /** Something has been sent at `now`; `isWaiting`: more waits. */
  progress(isWaiting: boolean, now: number): void {
    this.#since = isWaiting ? now : undefined;
    this.#isUndated = false;
  }

  disarm(): void {
    this.#since = undefined;
  }

  next(): number {
    this.#date();
    return this.#since === undefined ? Infinity : this.#since + this.#timeout;
  }

  /** Ends the wait if it is over at `now`. */
  takeDue(now: number): boolean {
    if (this.next() > now) return false;
    this.#since = undefined;
    return true;
  }

  /** The host stood still, and could poll nothing: the wait begins anew. */
  thaw(): void {
    if (this.#since !== undefined) this.#since = this.#clock.now;
  }

  #date(): void {
    if (!this.#isUndated || this.#clock.isStale) return;
    this.#isUndated = false;
    if (this.#since !== undefined) this.#since = this.#clock.now;
  }
}
