/**
 * The gate `signaling`: a connection that was made and never started ends by itself, so that an offer that was refused, or
 * an answer that never came, costs nothing for long.
 *
 *   first input ──▶ armed ──the peer's description is taken, or start()──▶ passed        armed ──time is up──▶ `closed`
 *                     └──an offer of ours goes out: from the next input it counts anew──┘
 */
import { badArgument } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';

/** Milliseconds: time for a person to carry a description by hand. */
export const DEFAULT_SIGNALING_TIMEOUT = 120_000;

export class SignalingGate {
  /** When the wait ends, milliseconds; `Infinity` while nothing is awaited. */
  deadline: number = Infinity;
  readonly #timeout: number;
  #since: number | undefined;
  #passed = false;

  /** @param timeout milliseconds, more than 0; `Infinity`: no such gate. Throws `ERR_BAD_ARGUMENT`. */
  constructor(timeout: number) {
    if (typeof timeout !== 'number' || !(timeout > 0))
      throw badArgument('signalingTimeout', 'more than 0 ms', timeout);
    this.#timeout = timeout;
  }

  /** The time is known: the wait begins, unless it has begun or is over. */
  arm(now: number): void {
    if (this.#passed || this.#since !== undefined) return;
    this.#since = now;
    this.deadline = now + this.#timeout;
  }

  /** A step of ours: the wait begins anew at the next time that is known. */
  restart(): void {
    this.#since = undefined;
  }

  /** The peer is known, or the connection has ended: nothing is awaited any more. */
  pass(): void {
    this.#passed = true;
    this.deadline = Infinity;
  }

  /** Why the connection ends now, if it does. */
  expired(now: number): Failure | undefined {
    if (this.deadline > now) return undefined;
    return {
      layer: 'rtc',
      code: 'signaling-timeout',
      message: "neither a description nor other parameters of the peer's have been taken",
      gate: 'signaling',
      elapsed: now - (this.#since ?? now),
    };
  }
}
